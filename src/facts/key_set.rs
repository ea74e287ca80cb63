//! The key set of one provider: where it stands and what it needs next.

use std::time::Duration;

use super::backoff;
use super::discovery::jwks_endpoint;
use super::held::Held;
use super::shared::{Pause, Snapshot};
use super::{Availability, CallId, FetchAnswer, FetchFault, NewerKeys};
use crate::crypto::{KeySet, KeySetFault};
use crate::policy::{Endpoint, Freshness, KeySource, Provider};
use crate::time::UnixMillis;

/// Added to a call's own time limit before it is given up as lost.
const LOST_AFTER: Duration = Duration::from_secs(2);

/// The key set of one provider.
#[derive(Debug)]
pub(super) struct KeySetFact {
    issuer: String,
    source: KeySource,
    freshness: Freshness,
    held: Option<Held>,
    call: Option<Call>,
    /// A token named a key that is not in the set.
    wanted_anew: bool,
    /// When the set was last fetched for such a token.
    missed: UnixMillis,
    failures: u32,
    not_before: UnixMillis,
}

#[derive(Debug)]
struct Call {
    id: CallId,
    begun: UnixMillis,
    step: Step,
    /// Made for a token that named an unknown key.
    for_miss: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Document,
    Keys,
}

/// What an answer led to.
#[derive(Debug, PartialEq)]
pub(super) enum Progress {
    /// The next call must be made.
    Next(Endpoint),
    /// There is a new key set, for the other workers too.
    Fetched(Snapshot),
    /// The provider took all of its keys away, which the other workers must know too.
    Emptied(Snapshot),
    /// The fetch failed.
    Failed(FetchFault),
}

impl KeySetFact {
    pub(super) fn new(provider: &Provider) -> Self {
        Self {
            issuer: provider.issuers.first().cloned().unwrap_or_default(),
            source: provider.keys.clone(),
            freshness: provider.freshness.clone(),
            held: None,
            call: None,
            wanted_anew: false,
            missed: UnixMillis(0),
            failures: 0,
            not_before: UnixMillis(0),
        }
    }

    pub(super) fn availability(&self, now: UnixMillis) -> Availability<'_> {
        if let KeySource::Inline(set) = &self.source {
            return Availability::Known(set);
        }
        if let Some(held) = self.held.as_ref() {
            if now.since(held.fetched()) <= self.freshness.max_stale {
                return Availability::Known(held.keys());
            }
        }
        if self.call.is_none() && now < self.not_before {
            return Availability::Unavailable {
                retry_after: self.not_before.since(now),
            };
        }
        Availability::Pending
    }

    pub(super) fn newer_keys(&self, now: UnixMillis) -> NewerKeys {
        if matches!(self.source, KeySource::Inline(_)) {
            NewerKeys::Unlikely
        } else if self.call.is_some() || (self.is_cool(now) && now >= self.not_before) {
            NewerKeys::MayCome
        } else if self.failures > 0 {
            NewerKeys::Unavailable {
                retry_after: self.not_before.since(now),
            }
        } else {
            NewerKeys::Unlikely
        }
    }

    fn is_cool(&self, now: UnixMillis) -> bool {
        now >= self.missed.saturating_add(self.freshness.cooldown)
    }

    /// A token named a key that is not in the set.
    pub(super) const fn want_anew(&mut self) {
        self.wanted_anew = true;
    }

    /// How long one whole fetch may take: the discovery document and the key set.
    pub(super) const fn longest_fetch(&self) -> Duration {
        self.freshness.timeout.saturating_mul(2)
    }

    pub(super) const fn timeout(&self) -> Duration {
        self.freshness.timeout
    }

    /// Lets go of what is over.
    pub(super) fn expire(&mut self, now: UnixMillis) {
        if let Some(held) = &mut self.held {
            held.expire(now);
        }
    }

    /// How long nobody is to fetch after the last one; over at once when that one succeeded.
    pub(super) const fn pause_after_fetch(&self) -> Pause {
        Pause {
            until: self.not_before,
            failures: self.failures,
        }
    }

    /// Whether a call is under way.
    pub(super) const fn is_fetching(&self) -> bool {
        self.call.is_some()
    }

    /// Seconds since the keys were fetched.
    pub(super) fn age(&self, now: UnixMillis) -> Option<Duration> {
        self.held.as_ref().map(|held| now.since(held.fetched()))
    }

    /// Whether a fetch should begin now.
    pub(super) fn is_due(&self, now: UnixMillis) -> bool {
        let stale = match (&self.source, &self.held) {
            (KeySource::Inline(_), _) => return false,
            (_, None) => true,
            (_, Some(held)) => now.since(held.fetched()) >= self.freshness.ttl,
        };
        let missed = self.wanted_anew && self.is_cool(now);
        self.call.is_none() && now >= self.not_before && (stale || missed)
    }

    /// Begins a fetch.
    pub(super) fn begin(&mut self, id: CallId, now: UnixMillis) -> Option<Endpoint> {
        let (step, endpoint) = match &self.source {
            KeySource::Inline(_) => return None,
            KeySource::Discovery { document, .. } => (Step::Document, document.clone()),
            KeySource::Jwks(endpoint) => (Step::Keys, endpoint.clone()),
        };
        self.call = Some(Call {
            id,
            begun: now,
            step,
            for_miss: std::mem::take(&mut self.wanted_anew),
        });
        Some(endpoint)
    }

    /// Whether this call's answer is still waited for. A call that was given up is not.
    pub(super) fn awaits(&self, id: CallId) -> bool {
        self.call.as_ref().is_some_and(|call| call.id == id)
    }

    /// Takes the answer of the call that is awaited; `next` names the call that may follow.
    pub(super) fn answered(
        &mut self,
        id: CallId,
        answer: FetchAnswer,
        next: CallId,
        now: UnixMillis,
    ) -> Progress {
        let (step, for_miss) = self
            .call
            .take()
            .map_or((Step::Keys, false), |call| (call.step, call.for_miss));
        if for_miss {
            // The cooldown counts from the end of a fetch: one that takes longer than the
            // cooldown must not be followed by the next at once.
            self.missed = now;
        }
        let read = answer
            .document()
            .and_then(|document| self.read(step, document, now));
        match read {
            Ok(Progress::Emptied(snapshot)) => {
                self.failed(KeySetFault::Empty.into(), id, now);
                Progress::Emptied(snapshot)
            }
            Ok(Progress::Next(endpoint)) => {
                self.call = Some(Call {
                    id: next,
                    begun: now,
                    step: Step::Keys,
                    for_miss,
                });
                Progress::Next(endpoint)
            }
            Ok(progress) => progress,
            Err(fault) => self.failed(fault, id, now),
        }
    }

    fn read(
        &mut self,
        step: Step,
        document: Vec<u8>,
        now: UnixMillis,
    ) -> Result<Progress, FetchFault> {
        if let (
            Step::Document,
            KeySource::Discovery {
                document: place,
                jwks_cluster,
            },
        ) = (step, &self.source)
        {
            let cluster = jwks_cluster.as_ref().unwrap_or(&place.cluster);
            let keys = jwks_endpoint(&document, &self.issuer, cluster)?;
            return Ok(Progress::Next(keys));
        }
        let held = self.hold(&document, now);
        let snapshot = Snapshot {
            fetched: now,
            missed: self.missed,
            document,
        };
        match held {
            Ok(()) => Ok(Progress::Fetched(snapshot)),
            Err(KeySetFault::Empty) => Ok(Progress::Emptied(snapshot)),
            Err(fault) => Err(fault.into()),
        }
    }

    /// The call whose answer the host should have brought long ago.
    pub(super) fn lost_call(&self, now: UnixMillis) -> Option<CallId> {
        let limit = self.freshness.timeout.saturating_add(LOST_AFTER);
        let lost = self.call.as_ref();
        lost.filter(|call| now.since(call.begun) > limit)
            .map(|call| call.id)
    }

    fn failed(&mut self, fault: FetchFault, id: CallId, now: UnixMillis) -> Progress {
        self.failures = self.failures.saturating_add(1);
        // The low bits of clock and call number differ from gate to gate.
        let seed = now.0 ^ id.0;
        self.not_before = now.saturating_add(backoff::pause(self.failures, seed));
        Progress::Failed(fault)
    }

    /// Another worker could not fetch the keys: nobody does until the pause is over.
    ///
    /// Returns whether that is news.
    pub(super) fn pause(&mut self, pause: Pause) -> bool {
        let news = pause.until > self.not_before;
        if news {
            self.not_before = pause.until;
            self.failures = self.failures.max(pause.failures).max(1);
        }
        news
    }

    /// Takes over what another worker fetched, if it is newer than what is here.
    pub(super) fn adopt(&mut self, snapshot: &Snapshot, now: UnixMillis) -> bool {
        self.missed = self.missed.max(snapshot.missed.min(now));
        let newer = self
            .held
            .as_ref()
            .is_none_or(|held| snapshot.fetched > held.fetched());
        let usable = newer
            && snapshot.fetched <= now
            && now.since(snapshot.fetched) <= self.freshness.max_stale;
        if !usable {
            return false;
        }
        self.hold(&snapshot.document, snapshot.fetched).is_ok()
    }

    /// Reads a key set and takes it into use.
    ///
    /// An empty set is a provider's word that none of its keys may be used any more, so that
    /// nothing of the old set stays; every other fault leaves the old set as it is.
    fn hold(&mut self, document: &[u8], fetched: UnixMillis) -> Result<(), KeySetFault> {
        let published = match KeySet::parse(document) {
            Ok(published) => published,
            Err(fault) => {
                if fault == KeySetFault::Empty {
                    self.held = None;
                }
                return Err(fault);
            }
        };
        self.held = Some(match self.held.take() {
            Some(held) => held.succeeded_by(published, fetched, self.freshness.grace),
            None => Held::new(published, fetched),
        });
        self.failures = 0;
        self.not_before = UnixMillis(0);
        self.wanted_anew = false;
        Ok(())
    }
}
