//! What is known of one user of n8n: its session and its keys.

use std::time::Duration;

use super::live_key::{LiveKey, Retired};
use super::request::{MintRequest, ScopesId};
use super::session::{Cause, KnownSession, Session};
use super::snapshot::{Shared, Snapshot};
use super::step::Task;
use crate::facts::fault::FaultCode;
use crate::facts::schedule::{Failure, Pause, Pauses, LONGEST_ASKED_FOR};
use crate::n8n::accounts::MintedKey;
use crate::n8n::ScopeSet;
use crate::policy::N8nUser;
use crate::secret::Secret;
use crate::time::UnixMillis;

/// The most sets of scopes for which one user has keys. The roles in tokens make them.
const MAX_KEYS: usize = 16;

/// The most superseded keys that are remembered, to be deleted.
const MAX_RETIRED: usize = 32;

/// How long a key may still be in use in other workers after there is a newer one.
const RETIREMENT: Duration = Duration::from_secs(30);

/// How often a key is looked into at which n8n failed.
const BETWEEN_DOUBTS: Duration = Duration::from_secs(60);

/// A key that n8n refuses so soon after it was made is not made again at once.
const TOO_SOON: Duration = Duration::from_secs(60);

/// The most failures in a row that count.
const MOST_FAILURES: u32 = 8;

/// What is known of one user.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) user: N8nUser,
    pub(super) session: KnownSession,
    keys: Vec<Key>,
    retired: Vec<Retired>,
    /// When any worker last deleted keys.
    tidied: UnixMillis,
    pub(super) pauses: Pauses,
    /// When a request last asked for a key or the session.
    pub(super) used: UnixMillis,
    /// The scopes of a key that may be good no more.
    doubted: Option<ScopeSet>,
    /// When a key was last doubted.
    last_doubt: UnixMillis,
}

/// A key, or that one is wanted.
#[derive(Debug)]
struct Key {
    id: ScopesId,
    /// `None`: only another worker was asked for it so far.
    scopes: Option<ScopeSet>,
    /// A request waits for it.
    is_wanted: bool,
    used: UnixMillis,
    live: Option<LiveKey>,
    /// After faults of these scopes alone.
    pauses: Pauses,
}

impl Account {
    pub(super) fn new(user: N8nUser, now: UnixMillis) -> Self {
        Self {
            user,
            session: KnownSession::default(),
            keys: Vec::new(),
            retired: Vec::new(),
            tidied: UnixMillis(0),
            pauses: Pauses::new(MOST_FAILURES),
            used: now,
            doubted: None,
            last_doubt: UnixMillis(0),
        }
    }

    /// The key of a request, if there is a good one, and whether another worker may have replaced it.
    pub(super) fn key(&self, request: &MintRequest, now: UnixMillis) -> Option<(&Secret, bool)> {
        let key = self.find(request.scopes_id())?;
        let live = key.live.as_ref().filter(|live| live.is_good(now))?;
        Some((&live.secret, key.may_be_replaced(live, now)))
    }

    /// A request waits for its key. `false`: the user has too many.
    pub(super) fn want(&mut self, request: &MintRequest, now: UnixMillis) -> bool {
        self.used = now;
        let id = request.scopes_id();
        if self.find(id).is_none() {
            if self.keys.len() >= MAX_KEYS && !self.drop_idle_key(now) {
                return false;
            }
            self.keys.push(Key::new(id));
        }
        if let Some(key) = self.find_mut(id) {
            key.scopes.get_or_insert_with(|| request.scopes().clone());
            key.is_wanted = true;
        }
        true
    }

    /// A request is forwarded with its key.
    pub(super) fn mark_used(&mut self, request: &MintRequest, now: UnixMillis) {
        self.used = now;
        if let Some(key) = self.find_mut(request.scopes_id()) {
            key.scopes.get_or_insert_with(|| request.scopes().clone());
            key.used = now;
        }
    }

    /// A request waits for the session.
    pub(super) const fn want_session(&mut self, now: UnixMillis) {
        self.used = now;
        self.session.want();
    }

    /// A request is forwarded with the session.
    pub(super) const fn mark_session_used(&mut self, now: UnixMillis) {
        self.used = now;
        self.session.mark_used(now);
    }

    /// After what it is that no key of a request is made now.
    pub(super) fn pauses_of(&self, request: &MintRequest) -> impl Iterator<Item = &Pauses> {
        let key = self.find(request.scopes_id());
        key.map(|key| &key.pauses).into_iter().chain([&self.pauses])
    }

    /// n8n refused this key. One that it refuses a moment after it was made is not made again at once.
    pub(super) fn refuse(&mut self, request: &MintRequest, secret: &Secret, now: UnixMillis) {
        let Some(key) = self.find_mut(request.scopes_id()) else {
            return;
        };
        let live = key.live.as_mut();
        let Some(live) = live.filter(|live| live.secret == *secret && !live.is_refused) else {
            // There is another one already.
            return;
        };
        live.is_refused = true;
        if now.since(live.made) >= TOO_SOON {
            key.pauses.reset();
            return;
        }
        let failure = Failure {
            fault: FaultCode::KeyRefused,
            asked_for: None,
            is_new: true,
            is_of_all: true,
            seed: now.0,
        };
        key.pauses.failed(failure, now);
    }

    /// n8n failed at a request with this key. That is looked into once in a while: any workflow may make
    /// it fail.
    pub(super) fn doubt(&mut self, request: &MintRequest, secret: &Secret, now: UnixMillis) {
        let is_in_use = self.key(request, now).is_some_and(|(key, _)| key == secret);
        if !is_in_use || now.since(self.last_doubt) < BETWEEN_DOUBTS {
            return;
        }
        self.last_doubt = now;
        self.doubted = Some(request.scopes().clone());
    }

    /// No key is good: n8n's secret was changed.
    pub(super) fn refuse_all(&mut self) {
        for live in self.keys.iter_mut().filter_map(|key| key.live.as_mut()) {
            live.is_refused = true;
        }
    }

    /// The session is good, and so are the keys.
    pub(super) fn found_good(&mut self, session: Option<Session>) {
        self.session.put(session);
        self.doubted = None;
        self.pauses.reset();
    }

    /// Whether something should be done, also in a pause.
    pub(super) fn wants_more(&self, now: UnixMillis) -> bool {
        let mut keys = self.keys.iter();
        self.doubted.is_some()
            || self.session.due(now).is_some()
            || keys.any(|key| key.is_due(now))
            || self.must_tidy(now)
    }

    /// Whether something should be done now.
    pub(super) fn is_due(&self, now: UnixMillis) -> bool {
        self.pauses.is_over(now) && self.wants_more(now)
    }

    /// What should be done now, if anything.
    pub(super) fn task(&self, now: UnixMillis) -> Option<Task> {
        if !self.is_due(now) {
            return None;
        }
        let due = self.keys.iter().find(|key| key.is_due(now));
        if let Some(scopes) = due.and_then(|key| key.scopes.clone()) {
            return Some(Task::Mint(scopes));
        }
        match self.session.due(now) {
            Some(Cause::Absent) => return Some(Task::LogIn),
            Some(Cause::EndsSoon) => return Some(Task::LogInAgain),
            None => {}
        }
        if let Some(scopes) = &self.doubted {
            let key = self.find(ScopesId::of(scopes));
            let key = key.and_then(|key| key.live.as_ref());
            let is_older = |made: UnixMillis| self.session.is_newer_than(made);
            return Some(if key.is_some_and(|key| is_older(key.made)) {
                Task::MintAnew(scopes.clone())
            } else {
                Task::MintUnlessGood(scopes.clone())
            });
        }
        let over = self.retired.iter().filter(|key| now >= key.unused);
        Some(Task::Tidy(over.map(|key| key.id.clone()).collect()))
    }

    /// Whether there are keys to delete. Without a session a log-in would be needed, and the keys expire
    /// anyway.
    fn must_tidy(&self, now: UnixMillis) -> bool {
        let has_session = self.session.to_begin_with(now).is_some();
        has_session && self.retired.iter().any(|key| now >= key.unused)
    }

    /// A session was made, which this returns, or the one that there was is good.
    pub(super) fn logged_in(&mut self, session: Option<Session>) -> bool {
        self.pauses.reset();
        self.session.fetched(session)
    }

    /// A fetch failed after it had a session. n8n takes few log-ins, so the next fetch begins with that.
    pub(super) fn keep_session(&mut self, session: Option<&Session>) {
        if let Some(session) = session {
            self.session.put(Some(session.clone()));
        }
    }

    /// A key was made.
    pub(super) fn made(
        &mut self,
        scopes: &ScopeSet,
        key: MintedKey,
        expires: UnixMillis,
        session: Option<Session>,
        now: UnixMillis,
    ) {
        let id = ScopesId::of(scopes);
        let live = LiveKey {
            id: key.id,
            secret: key.key,
            made: now,
            expires,
            is_refused: false,
        };
        self.session.put(session);
        self.put(id, live, now);
        self.doubted = None;
        self.pauses.reset();
    }

    /// Keys were deleted, or could not be: they expire by themselves. `session`: `None` if n8n does not
    /// know it any more.
    pub(super) fn tidied(&mut self, ids: &[String], session: Option<Session>, now: UnixMillis) {
        self.retired.retain(|key| !ids.contains(&key.id));
        self.session.put(session);
        self.tidied = now;
    }

    /// The user can have none of these scopes. That concerns no key with others.
    pub(super) fn failed_for(&mut self, scopes: &ScopeSet, failure: Failure, now: UnixMillis) {
        if let Some(key) = self.find_mut(ScopesId::of(scopes)) {
            key.is_wanted = false;
            key.pauses.failed(failure, now);
        }
    }

    /// A fetch failed: no request waits for this user before the pause is over.
    pub(super) fn failed(&mut self, failure: Failure, now: UnixMillis) {
        for key in &mut self.keys {
            key.is_wanted = false;
        }
        self.doubted = None;
        self.session.give_up();
        if failure.fault == FaultCode::SessionRefused {
            self.session.put(None);
        }
        self.pauses.failed(failure, now);
    }

    /// Time passes, and may have been set back.
    pub(super) fn expire(&mut self, now: UnixMillis, ttl: Duration) {
        self.pauses.clamp(now);
        self.used = self.used.min(now);
        self.last_doubt = self.last_doubt.min(now);
        self.tidied = self.tidied.min(now);
        self.session.clamp(now);
        for retired in &mut self.retired {
            retired.unused = retired.unused.min(now.saturating_add(RETIREMENT));
        }
        for key in &mut self.keys {
            key.pauses.clamp(now);
            key.used = key.used.min(now);
            if let Some(live) = &mut key.live {
                live.made = live.made.min(now);
                live.expires = live.expires.min(now.saturating_add(ttl));
            }
            // n8n lists expired keys until they are deleted.
            if let Some(over) = key.live.take_if(|live| now >= live.expires) {
                retire(&mut self.retired, over.id, now);
            }
        }
    }

    /// Another worker could not make a key. Returns whether that is news. A pause that ends later than any
    /// can is of a clock that was set back since.
    fn pause(&mut self, pause: &Pause, now: UnixMillis) -> bool {
        let is_believed = pause.until <= now.saturating_add(LONGEST_ASKED_FOR);
        let is_news = is_believed && self.pauses.adopt(pause, now);
        if is_news {
            self.session.give_up();
            for key in &mut self.keys {
                key.is_wanted = false;
            }
        }
        is_news
    }

    /// Whether it can be forgotten: no key of it is good, and no request waits. A session is found again
    /// where workers share it, or made again.
    pub(super) fn is_idle(&self, now: UnixMillis) -> bool {
        let is_in_use = |key: &Key| {
            let is_good = key.live.as_ref().is_some_and(|live| live.is_good(now));
            key.is_wanted || is_good || !key.pauses.is_over(now)
        };
        !self.session.is_wanted() && !self.keys.iter().any(is_in_use) && self.pauses.is_over(now)
    }

    /// What other workers get.
    pub(super) fn shared(&self) -> Shared<'_> {
        let live = self.keys.iter().filter_map(|key| {
            let live = key.live.as_ref()?;
            Some((key.id, live))
        });
        Shared {
            session: self.session.shared(),
            keys: live.collect(),
            retired: &self.retired,
            tidied: self.tidied,
            pauses: &self.pauses,
        }
    }

    /// Takes over what another worker shared. Returns whether that is news.
    pub(super) fn adopt(&mut self, shared: Snapshot, now: UnixMillis) -> bool {
        let Snapshot {
            session,
            keys,
            retired,
            tidied,
            pause,
        } = shared;
        let mut is_news = self.session.adopt(session, now);
        for (id, live) in keys {
            let known = self.find(id).and_then(|key| key.live.as_ref());
            let is_newer = known.is_none_or(|known| live.made > known.made);
            if is_newer && live.is_good(now) && self.has_room_for(id, now) {
                is_news = true;
                self.put(id, live, now);
            }
        }
        self.tidied = self.tidied.max(tidied);
        // The keys that expired since are known here alone.
        self.retired.retain(|key| key.unused > tidied);
        for key in retired {
            if !self.retired.iter().any(|known| known.id == key.id) {
                retire(&mut self.retired, key.id, key.unused);
            }
        }
        if is_news {
            self.pauses.reset();
        }
        is_news | self.pause(&pause, now)
    }

    fn has_room_for(&mut self, id: ScopesId, now: UnixMillis) -> bool {
        self.find(id).is_some() || self.keys.len() < MAX_KEYS || self.drop_idle_key(now)
    }

    fn put(&mut self, id: ScopesId, live: LiveKey, now: UnixMillis) {
        let index = self.keys.iter().position(|key| key.id == id);
        let index = index.unwrap_or_else(|| {
            self.keys.push(Key::new(id));
            self.keys.len().saturating_sub(1)
        });
        let Some(key) = self.keys.get_mut(index) else {
            return;
        };
        key.is_wanted = false;
        // Whether n8n accepts the key is not known yet.
        if key.pauses.last_fault() != Some(FaultCode::KeyRefused) {
            key.pauses.reset();
        }
        if let Some(before) = key.live.replace(live) {
            retire(&mut self.retired, before.id, now.saturating_add(RETIREMENT));
        }
    }

    /// Makes room for a key. Its key of n8n expires by itself, and is deleted then.
    fn drop_idle_key(&mut self, now: UnixMillis) -> bool {
        let is_idle =
            |key: &Key| !key.is_wanted && key.live.as_ref().is_none_or(|live| !live.is_good(now));
        let idle = self.keys.iter().position(is_idle);
        idle.map(|index| self.keys.swap_remove(index)).is_some()
    }

    fn find(&self, id: ScopesId) -> Option<&Key> {
        self.keys.iter().find(|key| key.id == id)
    }

    fn find_mut(&mut self, id: ScopesId) -> Option<&mut Key> {
        self.keys.iter_mut().find(|key| key.id == id)
    }
}

impl Key {
    const fn new(id: ScopesId) -> Self {
        Self {
            id,
            scopes: None,
            is_wanted: false,
            used: UnixMillis(0),
            live: None,
            pauses: Pauses::new(MOST_FAILURES),
        }
    }

    /// Whether another worker may have replaced it, and deleted it. If this worker had used it, it would
    /// know, because it would have looked for the next one at the same time.
    fn may_be_replaced(&self, live: &LiveKey, now: UnixMillis) -> bool {
        now >= live.renewal() && self.used < live.made
    }

    /// Whether it should be made now: a request waits for it, or it was used and ends soon.
    fn is_due(&self, now: UnixMillis) -> bool {
        let is_due = match &self.live {
            Some(live) if live.is_good(now) && now < live.renewal() => false,
            Some(live) if live.is_good(now) && self.used >= live.made => true,
            _ => self.is_wanted,
        };
        is_due && self.scopes.is_some() && self.pauses.is_over(now)
    }
}

fn retire(retired: &mut Vec<Retired>, id: String, unused: UnixMillis) {
    if retired.len() < MAX_RETIRED {
        retired.push(Retired { id, unused });
    }
}
