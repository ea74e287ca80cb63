//! The session of a user of n8n.

use std::time::Duration;

use super::live_key::renewal;
use crate::secret::Secret;
use crate::time::UnixMillis;

/// How long a session is used. n8n's own last for seven days; a shorter one bounds how long a stolen
/// one is of use to the gate's other workers.
const LONGEST: Duration = Duration::from_secs(12 * 3600);

/// The session of a user of n8n.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Session {
    /// The value of `Cookie`.
    pub(super) cookie: Secret,
    /// When it was made.
    pub(super) since: UnixMillis,
    /// n8n refused a request with it. It may be good all the same: a route of n8n may have another
    /// reason for a 401.
    pub(super) is_doubted: bool,
}

/// The session that is known of an account, and whether requests need one.
#[derive(Debug, Default)]
pub(super) struct KnownSession {
    known: Option<Session>,
    /// A request waits for it.
    is_wanted: bool,
    /// When a request last had it.
    used: UnixMillis,
}

/// Why a session is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// There is none, or it may be good no more.
    Absent,
    /// It ends soon.
    EndsSoon,
}

impl Session {
    pub(super) const fn new(cookie: Secret, since: UnixMillis) -> Self {
        Self {
            cookie,
            since,
            is_doubted: false,
        }
    }

    /// Whether it may still be used.
    pub(super) fn is_usable(&self, now: UnixMillis) -> bool {
        now.since(self.since) < LONGEST
    }

    fn is_good(&self, now: UnixMillis) -> bool {
        self.is_usable(now) && !self.is_doubted
    }

    fn ends_soon(&self, now: UnixMillis) -> bool {
        let end = self.since.saturating_add(LONGEST);
        now >= renewal(self.since, end, self.cookie.expose())
    }
}

impl KnownSession {
    /// The session for a request.
    pub(super) fn of_request(&self, now: UnixMillis) -> Option<&Secret> {
        let good = self.known.as_ref().filter(|known| known.is_good(now));
        good.map(|known| &known.cookie)
    }

    /// The session for calls of the gate: the first call shows whether it is good.
    pub(super) fn to_begin_with(&self, now: UnixMillis) -> Option<Session> {
        let usable = self.known.as_ref().filter(|known| known.is_usable(now));
        usable.cloned()
    }

    /// Whether it was made later than that.
    pub(super) fn is_newer_than(&self, moment: UnixMillis) -> bool {
        self.known
            .as_ref()
            .is_some_and(|known| known.since > moment)
    }

    /// A request waits for it.
    pub(super) const fn want(&mut self) {
        self.is_wanted = true;
    }

    /// No request waits any more.
    pub(super) const fn give_up(&mut self) {
        self.is_wanted = false;
    }

    pub(super) const fn is_wanted(&self) -> bool {
        self.is_wanted
    }

    /// A request is forwarded with it.
    pub(super) const fn mark_used(&mut self, now: UnixMillis) {
        self.used = now;
    }

    /// n8n refused a request with this session.
    pub(super) fn doubt(&mut self, cookie: &Secret) {
        // If there is another one already, that one is not in doubt.
        let known = self.known.as_mut();
        if let Some(known) = known.filter(|known| known.cookie == *cookie) {
            known.is_doubted = true;
        }
    }

    /// A fetch ended with this session. Without one, n8n knows it no more.
    pub(super) fn put(&mut self, session: Option<Session>) {
        // Another worker may have shared a newer one while the fetch went on.
        let is_older =
            |known: &Session| session.as_ref().is_some_and(|new| new.since < known.since);
        if !self.known.as_ref().is_some_and(is_older) {
            self.known = session;
        }
    }

    /// A fetch for its sake ended with this session. Returns whether that is another one.
    pub(super) fn fetched(&mut self, session: Option<Session>) -> bool {
        self.is_wanted = false;
        let before = self.known.as_ref().map(|known| known.since);
        self.put(session);
        self.known.as_ref().map(|known| known.since) > before
    }

    /// Another worker shared it. Returns whether that is news.
    pub(super) fn adopt(&mut self, session: Option<Session>, now: UnixMillis) -> bool {
        let since = |session: &Session| session.since;
        if session.as_ref().map(since) <= self.known.as_ref().map(since) {
            return false;
        }
        self.known = session;
        let is_good = self.of_request(now).is_some();
        if is_good {
            self.is_wanted = false;
        }
        is_good
    }

    /// What other workers get.
    pub(super) fn shared(&self) -> Option<&Session> {
        self.known.as_ref().filter(|known| !known.is_doubted)
    }

    /// Why it should be fetched now, if it should: a request waits for it, or it was used and ends
    /// soon.
    pub(super) fn due(&self, now: UnixMillis) -> Option<Cause> {
        match &self.known {
            Some(known) if known.is_good(now) => {
                let is_in_use = self.used >= known.since;
                (is_in_use && known.ends_soon(now)).then_some(Cause::EndsSoon)
            }
            _ => self.is_wanted.then_some(Cause::Absent),
        }
    }

    /// A clock that was set back must not make it last.
    pub(super) fn clamp(&mut self, now: UnixMillis) {
        self.used = self.used.min(now);
        if let Some(known) = &mut self.known {
            known.since = known.since.min(now);
        }
    }
}
