//! API keys of n8n that the gate makes, and sessions of their users, as a kind of fact: one source for
//! each n8n, and one fact for each user.

mod account;
mod calls;
mod fault;
mod live_key;
mod log_in;
mod request;
mod session;
mod snapshot;
mod step;

pub(in crate::facts::kinds) use calls::Calls;
pub use fault::MintedKeyFault;
pub(in crate::facts::kinds) use log_in::{LogIn, LogInNext};
pub use request::MintRequest;

use std::sync::Arc;

use account::Account;
use step::{Circumstances, Next, Step, Task};

use crate::facts::call::CallResponse;
use crate::facts::demand::FactKey;
use crate::facts::fault::FaultScope;
use crate::facts::schedule::{Pauses, Schedule};
use crate::facts::source::{
    Adopted, CallEnd, Ended, Kind, NewCalls, Profile, Progress, Room, Sharing,
};
use crate::facts::waiting::Waiter;
use crate::facts::{Availability, Event, Outage};
use crate::policy::{InstanceId, Provisioning};
use crate::secret::Secret;
use crate::time::UnixMillis;

/// The most requests of one worker that wait for keys at a time. All of them are of verified callers.
const MAX_WAITERS: usize = 512;

/// The most users of one n8n that a worker knows.
const MAX_ACCOUNTS: usize = 1024;

/// The most users for which one worker makes keys at a time. A log-in makes n8n compute a password
/// hash, and many at once keep it from its other work.
const MAX_FETCHES: usize = 4;

/// After how many milliseconds it is another user's turn.
const TURN: u64 = 10;

/// How long a request waits for its key: a new user takes five calls, and may have to wait for its turn.
const LONGEST_WAIT: u32 = 4;

/// How many failures in a row count for the source.
const MOST_FAILURES: u32 = 6;

/// The keys that the gate makes in one n8n.
#[derive(Debug)]
pub(in crate::facts) struct MintedKeys {
    instance: InstanceId,
    /// The operator's name for the instance.
    name: Option<Arc<str>>,
    provisioning: Arc<Provisioning>,
    accounts: Vec<(FactKey, Account)>,
}

impl MintedKeys {
    pub(in crate::facts) const fn new(
        instance: InstanceId,
        name: Option<Arc<str>>,
        provisioning: Arc<Provisioning>,
    ) -> Self {
        Self {
            instance,
            name,
            provisioning,
            accounts: Vec::new(),
        }
    }

    /// The key of a request.
    pub(in crate::facts) fn availability(
        &self,
        schedule: &Schedule,
        request: &MintRequest,
        now: UnixMillis,
    ) -> Availability<&Secret> {
        let key = FactKey::from(request);
        let account = self.account(&key);
        let known = account.and_then(|account| account.key(request, now));
        if let Some((secret, false)) = known {
            return Availability::Known(secret);
        }
        let pauses = account.map(|account| account.pauses_of(request));
        let outage = outage(schedule, &key, pauses.into_iter().flatten(), now);
        match (outage, known) {
            (None, _) => Availability::Pending,
            // Better a key that may be gone than none.
            (Some(_), Some((secret, _))) => Availability::Known(secret),
            (Some(outage), None) => Availability::Unavailable(outage),
        }
    }

    /// The session of the user of a request.
    pub(in crate::facts) fn session(
        &self,
        schedule: &Schedule,
        request: &MintRequest,
        now: UnixMillis,
    ) -> Availability<&Secret> {
        let key = FactKey::from(request);
        let account = self.account(&key);
        let known = account.and_then(|account| account.session.of_request(now));
        if let Some(cookie) = known {
            return Availability::Known(cookie);
        }
        let pauses = account.map(|account| &account.pauses);
        outage(schedule, &key, pauses.into_iter(), now)
            .map_or(Availability::Pending, Availability::Unavailable)
    }

    /// A request will wait for its key. `false`: there are too many users.
    pub(in crate::facts) fn want(&mut self, request: &MintRequest, now: UnixMillis) -> bool {
        let account = self.account_to_fetch(request, now);
        account.is_some_and(|account| account.want(request, now))
    }

    /// A request will wait for the session of its user. `false`: there are too many users.
    pub(in crate::facts) fn want_session(
        &mut self,
        request: &MintRequest,
        now: UnixMillis,
    ) -> bool {
        let account = self.account_to_fetch(request, now);
        account.map(|account| account.want_session(now)).is_some()
    }

    /// The account of a request, which may be new. `None`: there are too many.
    fn account_to_fetch(&mut self, request: &MintRequest, now: UnixMillis) -> Option<&mut Account> {
        let key = FactKey::from(request);
        if self.account(&key).is_none() {
            if self.accounts.len() >= MAX_ACCOUNTS && !self.forget_one(now) {
                return None;
            }
            let account = Account::new(request.user().clone(), now);
            let at = self.accounts.partition_point(|(known, _)| *known < key);
            self.accounts.insert(at, (key, account));
        }
        self.account_mut(&key)
    }

    /// A request is forwarded with its key.
    pub(in crate::facts) fn mark_used(&mut self, request: &MintRequest, now: UnixMillis) {
        if let Some(account) = self.account_mut(&FactKey::from(request)) {
            account.mark_used(request, now);
        }
    }

    /// n8n refused this key. The next request waits for another one, unless this one was made a moment
    /// ago.
    pub(in crate::facts) fn refuse(
        &mut self,
        request: &MintRequest,
        secret: &Secret,
        now: UnixMillis,
    ) {
        if let Some(account) = self.account_mut(&FactKey::from(request)) {
            account.refuse(request, secret, now);
        }
    }

    /// n8n failed at a request with this key. It does so with each key after its secret was changed.
    pub(in crate::facts) fn doubt(
        &mut self,
        request: &MintRequest,
        secret: &Secret,
        now: UnixMillis,
    ) {
        if let Some(account) = self.account_mut(&FactKey::from(request)) {
            account.doubt(request, secret, now);
        }
    }

    /// A request is forwarded with the session of its user.
    pub(in crate::facts) fn mark_session_used(&mut self, request: &MintRequest, now: UnixMillis) {
        if let Some(account) = self.account_mut(&FactKey::from(request)) {
            account.mark_session_used(now);
        }
    }

    /// n8n refused a request with this session. The next request waits until n8n was asked about it.
    pub(in crate::facts) fn doubt_session(&mut self, request: &MintRequest, cookie: &Secret) {
        if let Some(account) = self.account_mut(&FactKey::from(request)) {
            account.session.doubt(cookie);
        }
    }

    fn account(&self, key: &FactKey) -> Option<&Account> {
        let at = self.accounts.binary_search_by_key(key, |(known, _)| *known);
        self.accounts.get(at.ok()?).map(|(_, account)| account)
    }

    fn account_mut(&mut self, key: &FactKey) -> Option<&mut Account> {
        let at = self.accounts.binary_search_by_key(key, |(known, _)| *known);
        self.accounts.get_mut(at.ok()?).map(|(_, account)| account)
    }

    /// Forgets the user that was not asked for the longest time, of those without a good key.
    fn forget_one(&mut self, now: UnixMillis) -> bool {
        let idle = self.accounts.iter().enumerate();
        let idle = idle.filter(|(_, (_, account))| account.is_idle(now));
        let oldest = idle.min_by_key(|(_, (_, account))| account.used);
        let oldest = oldest.map(|(index, _)| index);
        oldest.map(|index| self.accounts.remove(index)).is_some()
    }
}

/// Why no request waits for this account now, if so: it or the whole source pauses, and no fetch about it
/// is under way.
fn outage<'p>(
    schedule: &'p Schedule,
    key: &FactKey,
    pauses: impl Iterator<Item = &'p Pauses>,
    now: UnixMillis,
) -> Option<Outage> {
    let mut pauses = pauses.chain([&schedule.pauses]);
    let pausing = pauses.find(|pauses| !pauses.is_over(now))?;
    (!schedule.calls.is_about(key)).then(|| pausing.outage(pausing.until(), now))
}

impl From<&MintRequest> for FactKey {
    fn from(request: &MintRequest) -> Self {
        Self(request.user_digest())
    }
}

impl Kind for MintedKeys {
    type Fault = MintedKeyFault;
    type Step = Step;

    fn profile(&self) -> Profile {
        let timeout = self.provisioning.timeout;
        let name = self.name.as_deref().unwrap_or_default();
        let server = &self.provisioning.server;
        let parts = [name, &server.cluster, &server.scheme, &server.authority];
        Profile {
            name: "minted_key",
            room: Room {
                slots: MAX_WAITERS,
                proven_apart: false,
                longest: timeout.saturating_mul(LONGEST_WAIT),
            },
            timeout,
            most_failures: MOST_FAILURES,
            sharing: Sharing::EachFactEncrypted(parts.map(str::to_owned).into()),
        }
    }

    fn expire(&mut self, now: UnixMillis) {
        for (_, account) in &mut self.accounts {
            account.expire(now, self.provisioning.key_ttl);
        }
    }

    fn facts_wanted(&self, now: UnixMillis) -> Vec<FactKey> {
        let all = self.accounts.iter();
        let wanted = all.filter(|(_, account)| account.wants_more(now));
        wanted.map(|(key, _)| *key).collect()
    }

    fn facts_due(&self, schedule: &Schedule, now: UnixMillis) -> Vec<FactKey> {
        let room = MAX_FETCHES.saturating_sub(schedule.calls.iter().count());
        if room == 0 || !schedule.pauses.is_over(now) {
            return Vec::new();
        }
        let accounts = self.accounts.iter();
        let tasks =
            accounts.filter(|(key, account)| account.is_due(now) && !schedule.calls.is_about(key));
        let mut due: Vec<_> = tasks.map(|(key, _)| *key).collect();
        // Another worker may have the leases of some, also one that has stopped. So it is each user's turn
        // to be among the first.
        let turn = usize::try_from(now.0 / TURN).unwrap_or_default();
        let first = turn.checked_rem(due.len()).unwrap_or_default();
        due.rotate_left(first);
        due.truncate(room);
        due
    }

    fn begin(&mut self, calls: &mut NewCalls<'_, Step>, _: &mut dyn Iterator<Item = &Waiter>) {
        let (key, now) = (calls.about, calls.now);
        let Some(account) = self.account(&key) else {
            return;
        };
        let Some(task) = account.task(now) else {
            return;
        };
        let at = self.circumstances(account, now, calls.next_id());
        let (step, request) = Step::first(task, account.session.to_begin_with(now), at);
        calls.begin(key, step, request);
    }

    fn read(
        &mut self,
        end: &mut CallEnd<'_, Step>,
        response: CallResponse,
    ) -> Result<Progress<Step>, MintedKeyFault> {
        let (key, now) = (end.call.key, end.now);
        let Some(account) = self.account(&key) else {
            return Ok(Progress::Ended(Ended::default()));
        };
        let at = self.circumstances(account, now, end.call.id.0);
        let task = end.step.task().clone();
        let next = end.step.clone().read(response, at)?;
        let (minted, session) = match next {
            Next::Call(step, request) => return Ok(Progress::Next(step, request)),
            Next::Made {
                key,
                expires,
                session,
            } => (Some((key, expires)), Some(session)),
            Next::NoKey(session) => (None, session),
        };
        let instance = self.instance;
        end.schedule.pauses.succeeded(now);
        let Some(account) = self.account_mut(&key) else {
            return Ok(Progress::Ended(Ended::default()));
        };
        let mut events = Vec::new();
        let is_doubted = matches!(task, Task::MintUnlessGood(_) | Task::MintAnew(_));
        match (task, minted) {
            (
                Task::Mint(scopes) | Task::MintUnlessGood(scopes) | Task::MintAnew(scopes),
                Some((minted, expires)),
            ) => {
                if is_doubted {
                    account.refuse_all();
                }
                account.made(&scopes, minted, expires, session, now);
                events.push(Event::KeyMinted(instance));
            }
            (Task::Tidy(ids), _) => account.tidied(&ids, session, now),
            (Task::LogIn | Task::LogInAgain, _) => {
                if account.logged_in(session) {
                    events.push(Event::LoggedIn(instance));
                }
            }
            (Task::Mint(_) | Task::MintUnlessGood(_) | Task::MintAnew(_), None) => {
                account.found_good(session);
            }
        }
        Ok(Progress::Ended(Ended {
            events,
            share: Some(snapshot::encode(account.shared())),
            pauses: false,
        }))
    }

    fn failed(&mut self, end: &mut CallEnd<'_, Step>, fault: MintedKeyFault) -> Ended {
        let scope = match end.step.task() {
            // It makes no request wait, and the keys expire by themselves.
            Task::Tidy(_) => FaultScope::Fact,
            _ => fault.scope(),
        };
        let (failure, now) = (end.failure(fault.code()), end.now);
        let mut share = None;
        let mut email = String::new();
        if let Some(account) = self.account_mut(&end.call.key) {
            account.keep_session(end.step.session());
            match end.step.task() {
                Task::Mint(scopes) | Task::MintUnlessGood(scopes) | Task::MintAnew(scopes)
                    if fault == MintedKeyFault::NoScope =>
                {
                    account.failed_for(scopes, failure, now);
                }
                Task::Tidy(ids) => account.tidied(ids, end.step.session().cloned(), now),
                _ => account.failed(failure, now),
            }
            email.clone_from(&account.user.email);
            share = Some(snapshot::encode(account.shared()));
        }
        if scope != FaultScope::Fact {
            end.pause_source(failure);
        }
        Ended {
            events: vec![Event::KeyFailed(self.instance, email, fault)],
            share,
            pauses: scope != FaultScope::Fact,
        }
    }

    fn adopt(
        &mut self,
        _: &mut Schedule,
        key: &FactKey,
        payload: &[u8],
        now: UnixMillis,
    ) -> Adopted {
        let Some(shared) = snapshot::decode(payload) else {
            return Adopted::default();
        };
        let is_of_future = shared.newest() > now;
        let Some(account) = self.account_mut(key).filter(|_| !is_of_future) else {
            return Adopted {
                is_news: false,
                is_of_future,
            };
        };
        Adopted {
            is_news: account.adopt(shared, now),
            is_of_future: false,
        }
    }
}

impl MintedKeys {
    fn circumstances<'a>(
        &'a self,
        account: &'a Account,
        now: UnixMillis,
        call: u64,
    ) -> Circumstances<'a> {
        Circumstances {
            calls: Calls {
                provisioning: &self.provisioning,
                user: &account.user,
            },
            now,
            call,
        }
    }
}
