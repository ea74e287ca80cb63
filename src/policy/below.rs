//! The segments of a request below an endpoint, which rules are compared with.

use std::cell::OnceCell;
use std::collections::BTreeSet;

/// The segments below an endpoint. Everything that a comparison needs of them is made once at most, so
/// that a comparison costs no more than the length of the rule, also for a long path.
#[derive(Clone, Debug)]
pub(super) struct Below<'r> {
    segments: Vec<&'r str>,
    /// In lower case.
    folded: Vec<String>,
    /// All but the first of `folded`. Few rules need them.
    later: OnceCell<BTreeSet<String>>,
}

impl<'r> Below<'r> {
    pub(super) fn new(segments: impl IntoIterator<Item = &'r str>) -> Self {
        let segments: Vec<&str> = segments.into_iter().collect();
        let folded: Vec<String> = segments.iter().map(|segment| fold(segment)).collect();
        Self {
            segments,
            folded,
            later: OnceCell::new(),
        }
    }

    /// As they came.
    pub(super) fn segments(&self) -> &[&'r str] {
        &self.segments
    }

    /// In lower case.
    pub(super) fn folded(&self) -> &[String] {
        &self.folded
    }

    /// Whether a segment after the first is `folded`.
    pub(super) fn has_later(&self, folded: &str) -> bool {
        let later = || {
            // One after the other: a set that is collected is sorted, and another sort takes 5 KB.
            let mut later = BTreeSet::new();
            for segment in self.folded.iter().skip(1) {
                later.insert(segment.clone());
            }
            later
        };
        self.later.get_or_init(later).contains(folded)
    }

    /// Whether n8n would ignore the second segment below a test endpoint: it reads a segment that begins
    /// with the first one as the id of the webhook again.
    pub(super) fn repeats_first(&self) -> bool {
        matches!(&*self.folded, [first, second, _, ..] if second.starts_with(&**first))
    }
}

/// A segment without regard to case.
pub(super) fn fold(segment: &str) -> String {
    segment.to_lowercase()
}
