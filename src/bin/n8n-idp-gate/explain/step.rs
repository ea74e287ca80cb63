//! The steps of an explanation.

use n8n_idp_gate::formats::printable::printable;
use n8n_idp_gate::reply::Reason;

/// The longest text from outside in one value, in characters.
const LONGEST: usize = 200;

/// How many values a line lists.
const MOST: usize = 8;

/// The result of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// A check that passed.
    Passed,
    /// A check that failed.
    Failed,
    /// A rule or principal that applies.
    Applies,
    /// A rule or principal that does not apply.
    Skipped,
    /// A check that could not be made.
    Unknown,
    /// What was read.
    Read,
}

impl Mark {
    /// The name in JSON.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Applies => "applies",
            Self::Skipped => "skipped",
            Self::Unknown => "unknown",
            Self::Read => "read",
        }
    }

    /// The sign at the beginning of a line.
    pub(crate) const fn sign(self) -> &'static str {
        match self {
            Self::Passed => "ok",
            Self::Failed => "FAIL",
            Self::Applies => "yes",
            Self::Skipped => "no",
            Self::Unknown => "?",
            Self::Read => "-",
        }
    }
}

/// One step: a check, a rule that was looked at, or what was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// What it belongs to, such as `token`.
    pub(crate) section: &'static str,
    /// What was looked at, such as `audience`.
    pub(crate) name: String,
    /// The result.
    pub(crate) mark: Mark,
    /// A sentence about it.
    pub(crate) text: String,
    /// What would do.
    pub(crate) expected: Vec<String>,
    /// What there was.
    pub(crate) found: Vec<String>,
    /// Of a check that failed: the reason with which it refuses the request.
    pub(crate) reason: Option<&'static str>,
}

impl Step {
    /// A step.
    pub(crate) fn new(section: &'static str, name: &str, mark: Mark) -> Self {
        Self {
            section,
            name: shown(name),
            mark,
            text: String::new(),
            expected: Vec::new(),
            found: Vec::new(),
            reason: None,
        }
    }

    /// A check that refuses the request for this reason, or passes.
    pub(crate) fn check(section: &'static str, name: &str, reason: Option<&Reason>) -> Self {
        let mark = reason.map_or(Mark::Passed, |_| Mark::Failed);
        let text = reason.map_or_else(String::new, |reason| prose(reason.meaning()));
        Self {
            reason: reason.map(Reason::as_str),
            ..Self::new(section, name, mark).saying(text)
        }
    }

    /// The same with this sentence.
    pub(crate) fn saying(mut self, text: impl AsRef<str>) -> Self {
        self.text = shown(text.as_ref());
        self
    }

    /// The same with what was expected and what was found.
    pub(crate) fn comparing<E: AsRef<str>, F: AsRef<str>>(
        mut self,
        expected: impl IntoIterator<Item = E>,
        found: impl IntoIterator<Item = F>,
    ) -> Self {
        let expected = expected.into_iter();
        self.expected = expected.map(|text| shown(text.as_ref())).collect();
        let found = found.into_iter();
        self.found = found.map(|text| shown(text.as_ref())).collect();
        self
    }

    /// The step in one line of text.
    pub(crate) fn line(&self) -> String {
        let mut text = self.name.clone();
        let mut separator = ": ";
        let mut add = |part: &str| {
            if !part.is_empty() {
                text.push_str(separator);
                text.push_str(part);
                separator = "; ";
            }
        };
        let compares = self.text.contains(": expected ");
        if !compares {
            add(&list(&self.found));
        }
        add(&self.text);
        if self.reason.is_some() && !compares && !self.expected.is_empty() {
            add(&format!("expected {}", list(&self.expected)));
        }
        if let Some(reason) = self.reason {
            add(reason);
        }
        text
    }

    /// The same with what was read.
    pub(crate) fn finding<F: AsRef<str>>(self, found: impl IntoIterator<Item = F>) -> Self {
        self.comparing(<[&str; 0]>::default(), found)
    }
}

/// Some values, and how many more there are.
fn list(values: &[String]) -> String {
    let first: Vec<&str> = values.iter().take(MOST).map(String::as_str).collect();
    match values.len().checked_sub(MOST) {
        Some(more @ 1..) => format!("{} and {more} more", first.join(", ")),
        _ => first.join(", "),
    }
}

/// A text of the reference without its marks and the targets of its links.
pub(crate) fn prose(marked: &str) -> String {
    let mut text = String::new();
    let mut rest = marked;
    while let Some((before, after)) = rest.split_once('[') {
        text.push_str(before);
        let link = after.split_once("](");
        let link = link.and_then(|(name, target)| Some((name, target.split_once(')')?.1)));
        if let Some((name, end)) = link {
            text.push_str(name);
            rest = end;
        } else {
            text.push('[');
            rest = after;
        }
    }
    text.push_str(rest);
    text.replace('`', "")
}

/// A text from outside as an explanation shows it.
pub(crate) fn shown(text: &str) -> String {
    printable(text, LONGEST).into_owned()
}
