//! A fetch of a key set: one call, or two where a discovery document says where it is.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::discovery::endpoints;
use super::fault::KeysFault;
use super::in_use::InUse;
use super::published::Published;
use super::refetch::{Cause, PastRefetch, Wanted};
use super::snapshot::{Discovered, Snapshot};
use super::state::KeySetSource;
use super::step::{Fetch, Step};
use crate::crypto::{KeySet, KeySetFault, PublicKey, SkippedKey};
use crate::facts::schedule::{rhythm, Schedule};
use crate::facts::source::CallEnd;
use crate::facts::{Event, FaultCode};
use crate::http::Endpoint;
use crate::policy::{Freshness, KeySource};
use crate::time::UnixMillis;

/// The most key ids that one refetch is for by name.
const MAX_LOOKED_FOR: usize = 256;

impl KeySetSource {
    /// When keys are due: what the provider says of its document counts within bounds. It is the same
    /// moment in every worker, because all that it depends on is shared.
    pub(super) fn next_fetch(&self, in_use: &InUse) -> UnixMillis {
        let Freshness {
            ttl,
            min_ttl,
            max_ttl,
            ..
        } = self.freshness;
        let max_age = in_use.max_age();
        let length = max_age.map_or(ttl, |max_age| max_age.max(min_ttl).min(max_ttl));
        let fetched = in_use.fetched();
        fetched.saturating_add(rhythm(length, fetched.0))
    }

    /// The first call of a fetch, which is also for the keys that requests want.
    pub(super) fn first_call(
        &self,
        schedule: &Schedule,
        wanted: &[Wanted],
        now: UnixMillis,
    ) -> Option<(Step, Endpoint)> {
        let may_cause = |wanted: &&_| self.before_wanted(schedule, **wanted, now).is_zero();
        let caused_by = wanted.iter().find(may_cause).or(wanted.first());
        let cause = caused_by.map(|wanted| wanted.cause);
        let mut seen = HashSet::new();
        let asked = wanted.iter().map(|wanted| wanted.key_id);
        let asked = asked.filter(|key_id| seen.insert(*key_id));
        let fetch = |is_whole| Fetch {
            is_whole,
            cause,
            peer: caused_by.and_then(|wanted| wanted.peer),
            asked: asked.take(MAX_LOOKED_FOR).collect(),
        };
        // A key that is not there may be at a new address: for it, the document is read anew, too.
        let discovered = self.discovered.as_ref().filter(|discovered| {
            cause.is_none() && now.since(discovered.read) < self.freshness.discovery_ttl
        });
        Some(match (&self.source, discovered) {
            (KeySource::Inline(_), _) => return None,
            (KeySource::Jwks(endpoint), _) => (Step::Keys(fetch(true)), endpoint.clone()),
            (KeySource::Discovery { .. }, Some(discovered)) => {
                (Step::Keys(fetch(false)), discovered.keys.clone())
            }
            (
                KeySource::Discovery {
                    document,
                    jwks_cluster,
                },
                None,
            ) => {
                let cluster = jwks_cluster.as_ref().unwrap_or(&document.cluster);
                let step = Step::Document(fetch(true), cluster.clone());
                (step, document.clone())
            }
        })
    }

    pub(super) fn note_refetch(&mut self, end: &CallEnd<'_, Step>) {
        let fetch = end.step.fetch();
        if let Some(cause) = fetch.cause {
            let refetches = match cause {
                Cause::Unknown => &mut self.refetches,
                Cause::Changed => &mut self.changes,
            };
            refetches.note(PastRefetch {
                at: end.now,
                took: end.now.since(end.call.fetch_begun),
                peer: fetch.peer,
            });
        }
    }

    /// Reads a discovery document: where the keys are.
    pub(super) fn read_document(
        &mut self,
        document: &[u8],
        cluster: &str,
        now: UnixMillis,
    ) -> Result<Endpoint, KeysFault> {
        let (keys, token_endpoint) = endpoints(document, &self.issuer, cluster)?;
        self.discovered = Some(Discovered {
            keys: keys.clone(),
            token_endpoint,
            read: now,
        });
        Ok(keys)
    }

    /// Reads a key set. What the provider publishes counts at once, also where it is of no use, with
    /// the fault that it then is.
    pub(super) fn read_keys(
        &mut self,
        end: &mut CallEnd<'_, Step>,
        document: &[u8],
        max_age: Option<Duration>,
    ) -> Result<(Snapshot, Option<KeySetFault>), KeysFault> {
        let (keys, skipped, fault) = match KeySet::parse(document) {
            Ok(set) => (set.keys().to_vec(), set.skipped().to_vec(), None),
            // The provider publishes none of the known keys any more, whatever it publishes instead.
            // Every other fault says nothing about them.
            Err(KeySetFault::Empty) => (Vec::new(), Vec::new(), Some(KeySetFault::Empty)),
            Err(KeySetFault::NoUsableKey(skipped)) => {
                let fault = KeySetFault::NoUsableKey(skipped.clone());
                (Vec::new(), skipped, Some(fault))
            }
            Err(fault) => return Err(fault.into()),
        };
        // A set without keys means that none may be used any longer, whatever the grace.
        let withdrawn = fault == Some(KeySetFault::Empty);
        self.skipped = skipped;
        let published = self.published(&keys, withdrawn, end.now);
        let mut snapshot = self.snapshot(published, end.now, max_age);
        if end.step.fetch().is_whole {
            snapshot.begun = end.call.fetch_begun;
        }
        self.take_over(&snapshot, end.schedule);
        Ok((snapshot, fault))
    }

    /// What counts after these keys were published. Where the old ones were withdrawn or are stale,
    /// nothing of them stays, whatever the grace.
    pub(super) fn published(
        &self,
        keys: &[Arc<PublicKey>],
        withdrawn: bool,
        now: UnixMillis,
    ) -> Published {
        let mut published = match self.in_use.as_ref() {
            Some(in_use) if !withdrawn && self.is_fresh(in_use, now) => {
                in_use.published().succeeded_by(keys, now)
            }
            _ => Published {
                keys: keys.to_vec(),
                removed: Vec::new(),
            },
        };
        if self.freshness.grace.is_zero() {
            published.removed.clear();
        }
        published
    }

    /// What the other workers learn, with these keys.
    pub(super) fn snapshot(
        &self,
        published: Published,
        fetched: UnixMillis,
        max_age: Option<Duration>,
    ) -> Snapshot {
        Snapshot {
            fetched,
            begun: self.complete_since,
            refetches: self.refetches.clone(),
            changes: self.changes.clone(),
            skipped: self.skipped.clone(),
            max_age,
            discovered: self.discovered.clone(),
            published,
        }
    }

    pub(super) fn note_failure(&mut self, end: &mut CallEnd<'_, Step>, fault: &KeysFault) {
        self.is_overdue = false;
        let failure = end.failure(fault.code());
        end.schedule.pauses.failed(failure, end.now);
        // Keys that are not at their address may have moved. A document that could not be fetched says
        // nothing about where they are.
        let may_have_moved = match end.step {
            Step::Keys(_) => fault.code() != FaultCode::RateLimited,
            Step::Document(..) => fault.is_in_document(),
        };
        if may_have_moved {
            self.discovered = None;
        }
    }

    /// What operators learn of a fetch: this, and which keys are left out if these are others than
    /// before.
    pub(super) fn events(&self, event: Event, skipped_before: &[SkippedKey]) -> Vec<Event> {
        let mut events = vec![event];
        if self.skipped != skipped_before {
            events.push(Event::KeysSkipped(self.provider, self.skipped.clone()));
        }
        events
    }

    /// Takes keys into use. What a worker shares is all that it knows, so that nothing of what was here
    /// before is added to it.
    pub(super) fn take_over(&mut self, snapshot: &Snapshot, schedule: &mut Schedule) {
        let fetched = snapshot.fetched;
        self.newest = fetched;
        if snapshot.discovered.is_some() {
            self.discovered.clone_from(&snapshot.discovered);
        }
        self.complete_since = self.complete_since.max(snapshot.begun);
        self.is_overdue = false;
        self.skipped.clone_from(&snapshot.skipped);
        let before = self.in_use.take();
        let before = before.as_ref().map(InUse::keys);
        let in_use = InUse::new(snapshot, &self.revoked);
        let none = KeySet::default();
        let keys = in_use.as_ref().map_or(&none, InUse::keys);
        self.unknown.replaced(before.unwrap_or(&none), keys);
        self.in_use = in_use;
        if snapshot.published.keys.is_empty() {
            return;
        }
        self.last_good = Some(fetched);
        schedule.pauses.reset();
    }
}
