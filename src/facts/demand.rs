//! What a request needs, and of which source.

/// Names a source of facts in its store. A provider may have several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceId(pub(super) usize);

/// What one fact of a source is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FactKey(pub(super) [u8; 32]);

impl FactKey {
    /// That of a source with a single fact.
    pub(super) const ONLY: Self = Self([0; 32]);
}

/// Why a fact is fetched before it is due: the known one is of no use to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refetch {
    /// A number that the kind of fact gives to each of its causes.
    pub(super) cause: u8,
    /// A digest of what the known fact is of no use for.
    pub(super) about: u128,
}

/// What a request needs of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Demand {
    /// A fact.
    Any(FactKey),
    /// A newer one than the one that is known.
    Newer(FactKey, Refetch),
}

impl Demand {
    pub(super) const fn key(&self) -> &FactKey {
        match self {
            Self::Any(key) | Self::Newer(key, _) => key,
        }
    }
}
