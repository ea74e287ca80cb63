//! A source as the store keeps it, and where it stands with the other workers.

use std::time::Duration;

use super::exchange::{Exchange, Workers};
use crate::facts::demand::FactKey;
use crate::facts::schedule::{Pause, Schedule};
use crate::facts::source::{Kind, Room, Sharing, Source};
use crate::facts::SharedKey;
use crate::time::UnixMillis;

/// A source, and where it stands with the other workers.
pub(super) struct StoredSource<S> {
    pub(super) source: S,
    pub(super) schedule: Schedule,
    /// The name of its kind.
    pub(super) kind: &'static str,
    pub(super) room: Room,
    /// How long one call may take.
    pub(super) timeout: Duration,
    /// It is shared fact by fact.
    pub(super) is_by_fact: bool,
    pub(super) exchange: Exchange,
}

impl<S: AsRef<dyn Source> + AsMut<dyn Source>> StoredSource<S> {
    pub(super) fn new(source: S, key: Option<&SharedKey>) -> Self {
        let profile = source.as_ref().kind().profile();
        Self {
            source,
            schedule: Schedule::new(profile.most_failures),
            kind: profile.name,
            room: profile.room,
            timeout: profile.timeout,
            is_by_fact: matches!(profile.sharing, Sharing::EachFactEncrypted(_)),
            exchange: Exchange::new(profile.name, profile.sharing, key),
        }
    }

    pub(super) fn kind(&self) -> &dyn Kind {
        self.source.as_ref().kind()
    }

    pub(super) fn expire(&mut self, now: UnixMillis) {
        self.schedule.clamp(now);
        self.exchange.clamp(now);
        self.source.as_mut().kind_mut().expire(now);
    }

    /// Another worker could not fetch. Returns whether its pause is news.
    pub(super) fn pause(&mut self, pause: &Pause, now: UnixMillis) -> bool {
        let is_news = self.schedule.pauses.adopt(pause, now);
        if is_news {
            self.source.as_mut().kind_mut().paused(pause);
        }
        is_news
    }

    /// Its own pause, for the other workers. Where each fact is shared by itself, so are its pauses.
    pub(super) fn own_pause(&self) -> Pause {
        if self.is_by_fact {
            return Pause::NONE;
        }
        let pauses = &self.schedule.pauses;
        Pause {
            until: pauses.until(),
            failures: pauses.failures(),
            fault: pauses.last_fault(),
            from_start: self.kind().begins_from_start(),
        }
    }

    /// Takes over what another worker shared since this one last read: all facts, or this one. Returns
    /// whether that is news.
    pub(super) fn catch_up(
        &mut self,
        about: &FactKey,
        workers: Workers<'_>,
        now: UnixMillis,
    ) -> bool {
        let Some(shared) = self.exchange.read(about, workers, now) else {
            return false;
        };
        let kind = self.source.as_mut().kind_mut();
        let payload = shared.payload.as_deref();
        let adopted = payload.map(|payload| kind.adopt(&mut self.schedule, about, payload, now));
        let adopted = adopted.unwrap_or_default();
        if !adopted.is_of_future {
            self.exchange.mark_seen(*about, shared.version);
        }
        adopted.is_news
    }

    /// What is fetched and shared together with this fact.
    pub(super) fn unit(&self, about: FactKey) -> FactKey {
        if self.is_by_fact {
            about
        } else {
            FactKey::ONLY
        }
    }
}
