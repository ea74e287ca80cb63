//! Path patterns of rules.

use std::cmp::Ordering;
use std::fmt;

use thiserror::Error;

use super::below::{fold, Below};
use crate::n8n::{Endpoints, Prefix, MOST_SEGMENTS};

/// A path with `*` for one segment and, at its end, `**` for any number of them.
///
/// It begins with an endpoint of n8n's, which is compared without regard to case. The segments
/// after it are written as they are, never percent-encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern {
    text: String,
    prefix: Prefix,
    segments: Vec<Wanted>,
    /// Whether it ends in `**`.
    is_open: bool,
}

/// What one segment of a pattern stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    Any,
    Literal { text: String, folded: String },
}

/// Why a path pattern is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PatternFault {
    /// It does not begin with a slash.
    #[error("a path begins with /")]
    NotAbsolute,
    /// It begins with none of the endpoints that rules can guard.
    #[error("it has to begin with {}", .endpoints.join(" or "))]
    UnknownEndpoint {
        /// The endpoints, each with its slash.
        endpoints: Vec<String>,
    },
    /// Two slashes in a row: a request with them is refused before its rule is chosen.
    #[error("a path has no empty segments")]
    EmptySegment,
    /// `.` or `..`: a request with them is refused before its rule is chosen.
    #[error("a path has no dot segments")]
    DotSegment,
    /// A character with which a request is refused before its rule is chosen, or that looks encoded.
    #[error("a path has no {0:?} in it; write every character as itself, not percent-encoded")]
    Character(char),
    /// A `*` that is only a part of its segment.
    #[error("* stands for a whole segment, not for a part of one")]
    PartialWildcard(String),
    /// A `**` that is not at the end.
    #[error("** stands at the end of a path only")]
    InnerDoubleWildcard,
    /// A literal that begins with a colon: a request with one is refused before its rule is chosen.
    #[error("{0:?} stands for itself; write * for a parameter")]
    Parameter(String),
    /// More segments than a guarded path may have.
    #[error("a path has no more than {MOST_SEGMENTS} segments")]
    TooManySegments,
    /// A literal where n8n reads the number of an execution.
    #[error("{0:?} names one execution, whose number n8n reads in many spellings; write *")]
    Execution(String),
    /// A literal where n8n reads a project and ignores it.
    #[error("{0:?} names a project, which n8n does not look at here; write *")]
    Project(String),
}

/// How the segments of a request are compared with those of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    /// As n8n looks up a webhook without parameters in its path.
    Exact,
    /// As a program reads it that ignores case.
    IgnoringCase,
    /// As n8n looks up a webhook with parameters in its path: after the first segment, every
    /// literal one must occur somewhere in the request, in any order.
    IgnoringOrder,
    /// As n8n looks up a test listener where the second segment begins with the first one: as the
    /// above, without counting the second.
    RepeatedFirst,
}

impl PathPattern {
    /// Reads a pattern of triggers: webhooks, forms, MCP.
    pub fn parse(pattern: &str, endpoints: &Endpoints) -> Result<Self, PatternFault> {
        Self::parse_below(pattern, endpoints, Prefix::is_trigger)
    }

    /// Reads a pattern of the public API.
    pub fn parse_api(pattern: &str, endpoints: &Endpoints) -> Result<Self, PatternFault> {
        Self::parse_below(pattern, endpoints, |prefix| prefix == Prefix::Api)
    }

    fn parse_below(
        pattern: &str,
        endpoints: &Endpoints,
        may_begin: fn(Prefix) -> bool,
    ) -> Result<Self, PatternFault> {
        let path = pattern.strip_prefix('/').ok_or(PatternFault::NotAbsolute)?;
        let path = path.strip_suffix('/').unwrap_or(path);
        let all: Vec<&str> = path.split('/').collect();
        let prefixes = endpoints.prefixes();
        let known = || prefixes.iter().filter(|(prefix, _)| may_begin(*prefix));
        let (prefix, length) = known()
            .filter_map(|(prefix, path)| Some((*prefix, length_at_start(&all, path)?)))
            .max_by_key(|(_, length)| *length)
            .ok_or_else(|| PatternFault::UnknownEndpoint {
                endpoints: known().map(|(_, path)| format!("/{path}")).collect(),
            })?;
        let spoken_of = length.saturating_sub(prefix.spoken_of());
        let below = all.get(spoken_of..).unwrap_or_default();
        let (is_open, below) = match below {
            [inner @ .., "**"] => (true, inner),
            _ => (false, below),
        };
        let segments = below.iter().copied().map(read).collect::<Result<_, _>>()?;
        let pattern = Self {
            text: pattern.to_owned(),
            prefix,
            segments,
            is_open,
        };
        if all.len() > MOST_SEGMENTS {
            return Err(PatternFault::TooManySegments);
        }
        pattern.check()
    }

    /// Refuses a pattern that could never match, or that a request avoids by another spelling.
    fn check(self) -> Result<Self, PatternFault> {
        let literal = |position: usize| match self.segments.get(position) {
            Some(Wanted::Literal { text, .. }) => Some(text.clone()),
            _ => None,
        };
        if self.prefix.is_test() && self.literals().any(|text| text.contains('|')) {
            return Err(PatternFault::Character('|'));
        }
        if self.prefix.is_trigger() {
            if let Some(text) = self.literals().find(|text| text.starts_with(':')) {
                return Err(PatternFault::Parameter(text.to_owned()));
            }
        }
        match self.prefix {
            prefix if prefix.is_waiting() => literal(0).map(PatternFault::Execution),
            Prefix::Agent => literal(1).map(PatternFault::Project),
            _ => None,
        }
        .map_or(Ok(self), Err)
    }

    /// Whether every path that `other` matches is matched by this too.
    pub fn covers(&self, other: &Self) -> bool {
        let lengths_fit = if self.is_open {
            self.segments.len() <= other.segments.len()
        } else {
            self.segments.len() == other.segments.len() && !other.is_open
        };
        self.prefix == other.prefix
            && lengths_fit
            && self
                .segments
                .iter()
                .zip(&other.segments)
                .all(|(own, others)| *own == Wanted::Any || own == others)
    }

    /// Whether some path is matched by both, in whatever case it is written.
    pub fn meets(&self, other: &Self) -> bool {
        let lengths_fit = match self.segments.len().cmp(&other.segments.len()) {
            Ordering::Less => self.is_open,
            Ordering::Equal => true,
            Ordering::Greater => other.is_open,
        };
        let fit = |(own, others): (&Wanted, &Wanted)| match (own, others) {
            (Wanted::Literal { folded: own, .. }, Wanted::Literal { folded: others, .. }) => {
                own == others
            }
            (Wanted::Any, _) | (_, Wanted::Any) => true,
        };
        self.prefix == other.prefix
            && lengths_fit
            && self.segments.iter().zip(&other.segments).all(fit)
    }

    /// Whether it matches every path below its endpoint.
    pub fn is_whole_endpoint(&self) -> bool {
        self.is_open && self.segments.is_empty()
    }

    /// The endpoint that it begins with.
    pub(super) const fn prefix(&self) -> Prefix {
        self.prefix
    }

    /// The segments below its endpoint that stand for themselves.
    pub(super) fn literals(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Wanted::Any => None,
            Wanted::Literal { text, .. } => Some(text.as_str()),
        })
    }

    /// These in lower case.
    pub(super) fn folded_literals(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Wanted::Any => None,
            Wanted::Literal { folded, .. } => Some(folded.as_str()),
        })
    }

    /// Whether it matches the segments below its endpoint. The time is in proportion to the length of
    /// the pattern: the segments of the request are not searched for each segment of the pattern.
    pub(super) fn matches(&self, below: &Below<'_>, comparison: Comparison) -> bool {
        let length = match comparison {
            Comparison::RepeatedFirst => below.segments().len().saturating_sub(1),
            _ => below.segments().len(),
        };
        let is_long_enough = if self.is_open {
            length >= self.segments.len()
        } else {
            length == self.segments.len()
        };
        let at = |position: usize| (below.segments().get(position), below.folded().get(position));
        is_long_enough
            && self.segments.iter().enumerate().all(|(position, wanted)| {
                match (wanted, comparison) {
                    (Wanted::Any, _) => true,
                    (Wanted::Literal { text, .. }, Comparison::Exact) => {
                        at(position).0.is_some_and(|segment| segment == text)
                    }
                    (
                        Wanted::Literal { folded, .. },
                        Comparison::IgnoringOrder | Comparison::RepeatedFirst,
                    ) if position > 0 => below.has_later(folded),
                    (Wanted::Literal { folded, .. }, _) => {
                        at(position).1.is_some_and(|segment| segment == folded)
                    }
                }
            })
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

/// How many segments `path` has, if a pattern begins with them.
fn length_at_start(pattern: &[&str], path: &str) -> Option<usize> {
    let mut written = pattern.iter();
    let mut length = 0_usize;
    for wanted in path.split('/') {
        let written = written.next()?;
        // A wildcard for any number of segments leaves open what it is about.
        let fits = (wanted == "*" && *written != "**") || written.eq_ignore_ascii_case(wanted);
        if !fits {
            return None;
        }
        length = length.saturating_add(1);
    }
    Some(length)
}

fn read(segment: &str) -> Result<Wanted, PatternFault> {
    let is_odd = |c: char| c.is_control() || matches!(c, '%' | ';' | '\\' | '?' | '#');
    match segment {
        "" => Err(PatternFault::EmptySegment),
        "." | ".." => Err(PatternFault::DotSegment),
        "*" => Ok(Wanted::Any),
        "**" => Err(PatternFault::InnerDoubleWildcard),
        _ => match segment.chars().find(|c| is_odd(*c)) {
            Some(odd) => Err(PatternFault::Character(odd)),
            None if segment.contains('*') => Err(PatternFault::PartialWildcard(segment.to_owned())),
            None => Ok(Wanted::Literal {
                text: segment.to_owned(),
                folded: fold(segment).into_owned(),
            }),
        },
    }
}

#[cfg(test)]
mod tests;
