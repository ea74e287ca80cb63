//! Where n8n routes a path.

use std::borrow::Cow;

use super::path::{
    could_be_under, decode_plain, fault_of, has_needless_encoding, segments, MOST_SEGMENTS,
};
use super::prefix::{Prefix, WELL_KNOWN};
use super::{PathFault, Prefixes, Surface};

/// A path that has one reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route<'p> {
    /// The surface.
    pub surface: Surface,
    /// The whole path in segments, percent-decoded, without the empty one that a slash at the
    /// end leaves. There are none on a surface where nothing is decided by them.
    pub segments: Vec<Cow<'p, str>>,
    prefix: Option<Prefix>,
    prefix_length: usize,
}

impl<'p> Route<'p> {
    /// The segments below `/api/v1`; `None`: the path is none of version 1 of the public API.
    pub fn api_call(&self) -> Option<&[Cow<'p, str>]> {
        if self.prefix != Some(Prefix::Api) {
            return None;
        }
        let (version, call) = self.below_prefix().split_first()?;
        version.eq_ignore_ascii_case("v1").then_some(call)
    }

    /// Whether n8n serves its own description of the public API there, to every client.
    pub fn is_api_description(&self) -> bool {
        let is = |segment: &str, name: &str| segment.eq_ignore_ascii_case(name);
        match self.api_call() {
            Some([only]) => is(only, "openapi.yml") || is(only, "docs"),
            Some([first, ..]) => is(first, "docs"),
            _ => false,
        }
    }

    /// The prefix, if webhook rules apply below it.
    pub fn trigger(&self) -> Option<Prefix> {
        self.prefix.filter(|prefix| prefix.is_trigger())
    }

    /// The segments below the prefix.
    pub fn below_prefix(&self) -> &[Cow<'p, str>] {
        self.segments.get(self.prefix_length..).unwrap_or_default()
    }
}

/// Where n8n would route `path` (raw, without the query).
///
/// n8n's router (Express 5) compares prefixes without regard to case, does not decode them, and
/// decodes parameters once. A path that it routes to a guarded surface must have no other reading. A
/// path that it routes elsewhere must have no reading as a path of a guarded surface. Every other path
/// is refused.
pub fn classify<'p>(prefixes: &Prefixes, path: &'p [u8]) -> Result<Route<'p>, PathFault> {
    classify_where(prefixes, path, Prefix::is_guarded)
}

/// The same for a request that may get a session of n8n: the internal API is guarded, too, and the route of
/// a path below it has its segments.
pub fn classify_for_token<'p>(prefixes: &Prefixes, path: &'p [u8]) -> Result<Route<'p>, PathFault> {
    classify_where(prefixes, path, |prefix| {
        prefix.is_guarded() || prefix == Prefix::Rest
    })
}

fn classify_where<'p>(
    prefixes: &Prefixes,
    path: &'p [u8],
    guards: fn(Prefix) -> bool,
) -> Result<Route<'p>, PathFault> {
    if !path.starts_with(b"/") {
        return Err(PathFault::NotAbsolute);
    }
    let longest = prefixes.longest(path);
    let prefix = longest.map(|longest| longest.prefix);
    let is_guarded = prefix.is_some_and(guards);

    // Readings are followed segment by segment, and rules are compared with single segments. For paths
    // where that is done, the number of segments is bounded.
    let length = segments(path).count();
    let is_deep = length > MOST_SEGMENTS;
    let mut decoded = Vec::new();
    if let Some(prefix) = prefix.filter(|_| is_guarded) {
        if is_deep {
            return Err(PathFault::TooManySegments);
        }
        decoded = Vec::with_capacity(length);
        for segment in segments(path) {
            decoded.push(decode_plain(segment)?);
        }
        let is_literal = matches!(prefix, Prefix::Api | Prefix::Rest);
        if is_literal && has_needless_encoding(path) {
            return Err(PathFault::EncodedLiteral);
        }
        if let Some(fault) = looks_up_another(prefix, &decoded) {
            return Err(fault);
        }
    } else {
        let fault = segments(path).find_map(fault_of);
        let is_odd = fault.is_some() || path.contains(&b'%');
        if is_odd && is_deep {
            return Err(PathFault::TooManySegments);
        }
        if is_odd && could_be_under(path, &prefixes.texts(guards)) {
            return Err(fault.unwrap_or(PathFault::EncodedLiteral));
        }
        if prefix == Some(Prefix::ProtectedResource) && !is_deep {
            let segments = segments(path).map(decode_plain);
            decoded = segments.map(Result::unwrap_or_default).collect();
        }
    }

    let mut route = Route {
        surface: prefix.map_or(Surface::Ui, Prefix::surface),
        segments: decoded,
        prefix,
        prefix_length: longest.map_or(0, |longest| {
            longest.length.saturating_sub(longest.prefix.spoken_of())
        }),
    };
    if is_own_document(prefixes, &route) {
        route.surface = Surface::Gate;
    }
    Ok(route)
}

/// The path of the resource whose metadata a request for `path` wants; `None`: it wants none.
pub fn described(path: &[u8]) -> Option<&[u8]> {
    let (start, resource) = path.get(1..)?.split_at_checked(WELL_KNOWN.len())?;
    let is_metadata = start.eq_ignore_ascii_case(WELL_KNOWN.as_bytes());
    (is_metadata && resource.starts_with(b"/")).then_some(resource)
}

/// Whether some server could read `path` as a path that this filter guards.
pub(super) fn could_be_guarded(prefixes: &Prefixes, path: &[u8]) -> bool {
    could_be_under(path, &prefixes.texts(Prefix::is_guarded))
}

/// What would make n8n look up another trigger than the one that the path names, if anything does.
/// No address that n8n shows has such a segment.
fn looks_up_another(prefix: Prefix, segments: &[Cow<'_, str>]) -> Option<PathFault> {
    if !prefix.is_trigger() {
        return None;
    }
    segments.iter().find_map(|segment| {
        if segment.starts_with(':') {
            Some(PathFault::TemplateSegment)
        } else if prefix.is_test() && segment.contains('|') {
            Some(PathFault::VerticalBar)
        } else {
            None
        }
    })
}

/// Whether the path is that of the metadata which this filter serves (RFC 9728 §3.1); the rest
/// below that prefix is n8n's.
fn is_own_document(prefixes: &Prefixes, route: &Route<'_>) -> bool {
    route.prefix == Some(Prefix::ProtectedResource)
        && route
            .below_prefix()
            .iter()
            .map(|segment| segment.to_ascii_lowercase())
            .eq(prefixes.endpoints().api.split('/').chain(["v1"]))
}

#[cfg(test)]
mod tests;
