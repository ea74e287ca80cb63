//! What a decision may learn of a key set.

use std::time::Duration;

use super::in_use::InUse;
use super::key_id::KeyIdDigest;
use super::refetch::{Cause, Wanted};
use super::state::KeySetSource;
use crate::crypto::SkippedKey;
use crate::facts::schedule::Schedule;
use crate::facts::Outage;
use crate::policy::KeySource;
use crate::time::UnixMillis;

/// Whether fetching a provider's keys again may bring a key that is not among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewerKeys {
    /// It may: they are worth waiting for.
    MayCome,
    /// No: the provider does not publish it. The keys were fetched after the request came, or several
    /// times for this key, or it left the set.
    Unlikely,
    /// That is not known before this time has passed: they were fetched a moment ago for another key, or
    /// for this one, and may have changed since. For unknown keys they are fetched a few times in a
    /// cooldown, and less and less often for the same one. Otherwise an attacker could make the gate call
    /// the provider without limit.
    NotYet(Duration),
    /// The last attempt failed, so that is not known.
    Unavailable(Outage),
}

impl KeySetSource {
    pub(super) fn serves(&self, in_use: &InUse, now: UnixMillis) -> bool {
        !self.is_overdue && self.is_fresh(in_use, now)
    }

    /// Whether the keys are not older than they may be.
    pub(super) fn is_fresh(&self, in_use: &InUse, now: UnixMillis) -> bool {
        now.since(in_use.fetched()) <= self.freshness.max_stale
    }

    /// Whether a fetch may bring this key, for a request that came at `since`.
    pub(in crate::facts) fn newer_keys(
        &self,
        schedule: &Schedule,
        key_id: KeyIdDigest,
        since: UnixMillis,
        now: UnixMillis,
    ) -> NewerKeys {
        if self.is_complete(since) {
            return NewerKeys::Unlikely;
        }
        if !schedule.calls.is_empty() {
            return NewerKeys::MayCome;
        }
        let cooldown = self.freshness.cooldown;
        let rests = self.unknown.rests_until(key_id, cooldown);
        let next = rests.max(self.refetches.next(now, cooldown));
        if schedule.pauses.is_over(now) && now >= next {
            NewerKeys::MayCome
        } else if schedule.pauses.failures() > 0 {
            let until = schedule.pauses.until().max(next);
            NewerKeys::Unavailable(schedule.pauses.outage(until, now))
        } else if self.unknown.is_settled(key_id, cooldown) {
            NewerKeys::Unlikely
        } else {
            NewerKeys::NotYet(next.since(now))
        }
    }

    /// Whether a fetch may bring another key under the key id that this token names, for a request
    /// that came at `since`.
    pub(in crate::facts) fn may_have_changed(
        &self,
        schedule: &Schedule,
        token: &dyn Fn() -> KeyIdDigest,
        since: UnixMillis,
        now: UnixMillis,
    ) -> bool {
        if self.is_complete(since) {
            return false;
        }
        let cooldown = self.freshness.cooldown;
        // In this order: forged tokens come by the thousand, and most are refused here.
        !schedule.calls.is_empty()
            || (schedule.pauses.is_over(now)
                && now >= self.changes.next(now, cooldown)
                && now >= self.refetches.rested(cooldown)
                && now >= self.unknown.rests_until(token(), cooldown))
    }

    /// Whether no fetch can bring more for a request that came at `since`.
    fn is_complete(&self, since: UnixMillis) -> bool {
        matches!(self.source, KeySource::Inline(_)) || since <= self.complete_since
    }

    /// How long this token may not cause a refetch; zero: it may, or a fetch is under way.
    pub(super) fn before_wanted(
        &self,
        schedule: &Schedule,
        wanted: Wanted,
        now: UnixMillis,
    ) -> Duration {
        let Wanted {
            cause,
            key_id,
            peer,
        } = wanted;
        let cooldown = self.freshness.cooldown;
        let next = if !schedule.calls.is_empty() {
            UnixMillis(0)
        } else if cause == Cause::Changed {
            let next = self.changes.next_of(peer, now, cooldown);
            // Not in the other direction: forged signatures delay no refetch for a new key id.
            next.max(self.refetches.rested(cooldown))
        } else if self.unknown.is_settled(key_id, cooldown) {
            // It was a key once, or rests for long: no attacker makes up many of these.
            self.refetches.next(now, cooldown)
        } else {
            self.refetches.next_of(peer, now, cooldown)
        };
        next.since(now)
    }

    /// How long ago keys were last fetched, whether they are still in use or not. Where none ever
    /// were: for how long none are there. `None`: they are not fetched.
    pub(in crate::facts) fn age(&self, now: UnixMillis) -> Option<Duration> {
        if matches!(self.source, KeySource::Inline(_)) {
            return None;
        }
        let since = self.last_good.or(self.started);
        since.map(|since| now.since(since))
    }

    /// Where clients get tokens, as the discovery document says.
    pub(in crate::facts) fn token_endpoint(&self) -> Option<&str> {
        self.discovered.as_ref()?.token_endpoint.as_deref()
    }

    /// The keys of the newest document that are left out.
    pub(in crate::facts) fn skipped(&self) -> &[SkippedKey] {
        &self.skipped
    }
}
