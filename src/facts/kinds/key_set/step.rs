//! The calls of a fetch.

use super::key_id::KeyIdDigest;
use super::refetch::Cause;
use crate::facts::peer::Peer;

/// One call of a fetch.
#[derive(Debug)]
pub(in crate::facts) enum Step {
    /// For the discovery document. The call for the keys goes to this cluster.
    Document(Fetch, String),
    /// For the key set.
    Keys(Fetch),
}

/// What the calls of one fetch have in common.
#[derive(Clone, Debug)]
pub(in crate::facts) struct Fetch {
    /// It rests on nothing that was known before.
    pub(super) is_whole: bool,
    /// Why it is a refetch, if it is one.
    pub(super) cause: Option<Cause>,
    /// Where the request came from that caused it.
    pub(super) peer: Option<Peer>,
    /// The digests of the key ids that it is for.
    pub(super) asked: Vec<KeyIdDigest>,
}

impl Step {
    pub(super) const fn fetch(&self) -> &Fetch {
        match self {
            Self::Document(fetch, _) | Self::Keys(fetch) => fetch,
        }
    }
}
