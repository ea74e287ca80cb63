//! What workers share of a key set.

use std::sync::Arc;
use std::time::Duration;

use super::published::{Published, Removed};
use super::refetch::{Cause, PastRefetch, Refetches};
use crate::crypto::{PublicKey, SkipReason, SkippedKey};
use crate::facts::peer::Peer;
use crate::facts::shared::codec::{moment, number, put, take, text};
use crate::http::Endpoint;
use crate::time::UnixMillis;

/// All that one worker knows after a fetch. Another one needs nothing else to go on from there.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Snapshot {
    /// When the document was fetched.
    pub(super) fetched: UnixMillis,
    /// When the fetch began that looked for it wherever it may be; zero: it did not.
    pub(super) begun: UnixMillis,
    /// When key sets were last fetched because of unknown key ids.
    pub(super) refetches: Refetches,
    /// When they were last because of signatures that no known key made.
    pub(super) changes: Refetches,
    /// The keys of the document that are left out.
    pub(super) skipped: Vec<SkippedKey>,
    /// How long the provider said that the document is fresh.
    pub(super) max_age: Option<Duration>,
    /// What the discovery document said.
    pub(super) discovered: Option<Discovered>,
    /// The keys.
    pub(super) published: Published,
}

/// What a discovery document said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Discovered {
    /// Where the key set is.
    pub(super) keys: Endpoint,
    /// Where clients get tokens, for documents that the gate shows.
    pub(super) token_endpoint: Option<String>,
    /// When the document was read.
    pub(super) read: UnixMillis,
}

impl Snapshot {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        put(&mut bytes, &self.fetched.0.to_be_bytes());
        put(&mut bytes, &self.begun.0.to_be_bytes());
        for refetches in [&self.refetches, &self.changes] {
            put_refetches(&mut bytes, refetches);
        }
        let mut skipped = Vec::new();
        for key in &self.skipped {
            let index = u64::try_from(key.index).unwrap_or(u64::MAX);
            put(&mut skipped, &index.to_be_bytes());
            put(
                &mut skipped,
                key.key_id.as_deref().unwrap_or_default().as_bytes(),
            );
            put(&mut skipped, key.reason.as_str().as_bytes());
        }
        put(&mut bytes, &skipped);
        let max_age = self.max_age.map(|age| age.as_secs().to_be_bytes());
        put(&mut bytes, max_age.as_ref().map_or(&[], |age| age));
        match &self.discovered {
            None => put(&mut bytes, &[]),
            Some(Discovered {
                keys,
                token_endpoint,
                read,
            }) => {
                put(&mut bytes, &read.0.to_be_bytes());
                for part in [&keys.cluster, &keys.scheme, &keys.authority, &keys.path] {
                    put(&mut bytes, part.as_bytes());
                }
                let token_endpoint = token_endpoint.as_deref().unwrap_or_default();
                put(&mut bytes, token_endpoint.as_bytes());
            }
        }
        for key in &self.published.keys {
            put(&mut bytes, &[]);
            put(&mut bytes, key.as_jwk().as_bytes());
        }
        for old in &self.published.removed {
            put(&mut bytes, &old.since.0.to_be_bytes());
            put(&mut bytes, old.key.as_jwk().as_bytes());
        }
        bytes
    }

    pub(super) fn decode(mut bytes: &[u8]) -> Option<Self> {
        let rest = &mut bytes;
        let (fetched, begun) = (moment(rest)?, moment(rest)?);
        let refetches = take_refetches(rest, Cause::Unknown)?;
        let changes = take_refetches(rest, Cause::Changed)?;
        let mut skipped = Vec::new();
        let mut left = take(rest)?;
        while !left.is_empty() {
            let index = usize::try_from(number(take(&mut left)?)?).ok()?;
            let key_id = Some(text(&mut left)?).filter(|id| !id.is_empty());
            skipped.push(SkippedKey {
                index,
                key_id: key_id.map(str::to_owned),
                reason: SkipReason::named(text(&mut left)?)?,
            });
        }
        let max_age = match take(rest)? {
            [] => None,
            seconds => Some(Duration::from_secs(number(seconds)?)),
        };
        let discovered = match take(rest)? {
            [] => None,
            read => Some(Discovered {
                read: UnixMillis(number(read)?),
                keys: Endpoint {
                    cluster: text(rest)?.to_owned(),
                    scheme: text(rest)?.to_owned(),
                    authority: text(rest)?.to_owned(),
                    path: text(rest)?.to_owned(),
                },
                token_endpoint: Some(text(rest)?.to_owned()).filter(|uri| !uri.is_empty()),
            }),
        };
        let mut published = Published::default();
        while !rest.is_empty() {
            let since = take(rest)?;
            let key = Arc::new(PublicKey::from_jwk(text(rest)?).ok()?);
            if since.is_empty() {
                published.keys.push(key);
            } else {
                let since = UnixMillis(number(since)?);
                published.removed.push(Removed { key, since });
            }
        }
        Some(Self {
            fetched,
            begun,
            refetches,
            changes,
            skipped,
            max_age,
            discovered,
            published,
        })
    }
}

fn put_refetches(bytes: &mut Vec<u8>, refetches: &Refetches) {
    let refetches = refetches.iter().flat_map(|refetch| {
        let peer = refetch.peer.map_or(0, Peer::bits);
        let took = u64::try_from(refetch.took.as_millis()).unwrap_or(u64::MAX);
        [refetch.at.0, took, peer].map(u64::to_be_bytes)
    });
    put(bytes, &refetches.flatten().collect::<Vec<_>>());
}

fn take_refetches(rest: &mut &[u8], cause: Cause) -> Option<Refetches> {
    let mut refetches = Refetches::of(cause);
    for mut refetch in take(rest)?.chunks(24) {
        let mut next = || {
            let (number, after) = refetch.split_first_chunk()?;
            refetch = after;
            Some(u64::from_be_bytes(*number))
        };
        let (at, took, peer) = (next()?, next()?, next()?);
        refetches.note(PastRefetch {
            at: UnixMillis(at),
            took: Duration::from_millis(took),
            peer: (peer != 0).then(|| Peer::blinded(peer)),
        });
    }
    Some(refetches)
}
