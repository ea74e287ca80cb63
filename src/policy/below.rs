//! The segments of a request below an endpoint, which rules are compared with.

use std::borrow::Cow;
use std::cell::OnceCell;

/// The segments below an endpoint. Everything that a comparison needs of them is made once at most, so
/// that a comparison costs no more than the length of the rule, also for a long path.
#[derive(Clone, Debug)]
pub(super) struct Below<'r> {
    segments: Vec<&'r str>,
    /// In lower case.
    folded: Vec<Cow<'r, str>>,
    /// All but the first of `folded`, sorted. Few rules need them.
    later: OnceCell<Vec<Cow<'r, str>>>,
}

impl<'r> Below<'r> {
    pub(super) fn new(segments: impl IntoIterator<Item = &'r str>) -> Self {
        let segments: Vec<&str> = segments.into_iter().collect();
        let folded = segments.iter().copied().map(fold).collect();
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
    pub(super) fn folded(&self) -> &[Cow<'r, str>] {
        &self.folded
    }

    /// Whether a segment after the first is `folded`.
    pub(super) fn has_later(&self, folded: &str) -> bool {
        let later = || {
            // One after the other: they are few, and another sort takes 5 KB.
            let mut later: Vec<Cow<'_, str>> = Vec::new();
            for segment in self.folded.iter().skip(1) {
                let place = later.partition_point(|other| other < segment);
                later.insert(place, segment.clone());
            }
            later
        };
        let later = self.later.get_or_init(later);
        later
            .binary_search_by(|other| (**other).cmp(folded))
            .is_ok()
    }

    /// Whether n8n would ignore the second segment below a test endpoint: it reads a segment that begins
    /// with the first one as the id of the webhook again.
    pub(super) fn repeats_first(&self) -> bool {
        matches!(&*self.folded, [first, second, _, ..] if second.starts_with(&**first))
    }
}

/// A segment without regard to case.
pub(super) fn fold(segment: &str) -> Cow<'_, str> {
    let is_folded = |byte: u8| byte.is_ascii() && !byte.is_ascii_uppercase();
    if segment.bytes().all(is_folded) {
        return Cow::Borrowed(segment);
    }
    Cow::Owned(segment.to_lowercase())
}
