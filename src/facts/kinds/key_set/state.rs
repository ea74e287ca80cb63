//! What is known of the key set of one provider.

use super::in_use::InUse;
use super::refetch::{Cause, Refetches};
use super::snapshot::Discovered;
use super::unknown::UnknownKeyIds;
use crate::crypto::SkippedKey;
use crate::policy::{Freshness, KeySource, Provider, ProviderId};
use crate::time::UnixMillis;

/// The key set of one provider.
#[derive(Debug)]
pub(in crate::facts) struct KeySetSource {
    pub(super) provider: ProviderId,
    /// All issuers of the provider.
    pub(super) issuers: Vec<String>,
    /// The issuer that its discovery document must name.
    pub(super) issuer: String,
    pub(super) source: KeySource,
    pub(super) freshness: Freshness,
    pub(super) revoked: Vec<String>,
    pub(super) in_use: Option<InUse>,
    /// The keys of the newest document that are left out.
    pub(super) skipped: Vec<SkippedKey>,
    /// When this worker first asked for it.
    pub(super) started: Option<UnixMillis>,
    /// When the newest document was fetched that is known here, an empty one included.
    pub(super) newest: UnixMillis,
    /// The keys came from another worker and were due then. What is in shared memory may be older than
    /// what the workers knew, written back by another module. So they do not serve before this worker
    /// has tried to fetch them.
    pub(super) is_overdue: bool,
    /// When keys were last fetched, whether they are still in use or not.
    pub(super) last_good: Option<UnixMillis>,
    pub(super) discovered: Option<Discovered>,
    pub(super) unknown: UnknownKeyIds,
    /// The fetches for tokens that named a key id which is not in the set.
    pub(super) refetches: Refetches,
    /// The same for tokens whose signature is good under no key that they name.
    pub(super) changes: Refetches,
    /// When the last fetch began that brought keys and rested on nothing known before. If a request
    /// came before that, and its token names a key that is not in the set, the key is not published.
    pub(super) complete_since: UnixMillis,
}

impl KeySetSource {
    pub(in crate::facts) fn new(id: ProviderId, provider: &Provider) -> Self {
        Self {
            provider: id,
            issuers: provider.token.issuers.iter().map(str::to_owned).collect(),
            issuer: provider.token.issuers.discovery.clone(),
            source: provider.keys.clone(),
            freshness: provider.freshness.clone(),
            revoked: provider.revoked_kids.clone(),
            in_use: None,
            skipped: match &provider.keys {
                KeySource::Inline(set) => set.skipped().to_vec(),
                _ => Vec::new(),
            },
            started: None,
            newest: UnixMillis(0),
            is_overdue: false,
            last_good: None,
            discovered: None,
            unknown: UnknownKeyIds::default(),
            refetches: Refetches::of(Cause::Unknown),
            changes: Refetches::of(Cause::Changed),
            complete_since: UnixMillis(0),
        }
    }
}
