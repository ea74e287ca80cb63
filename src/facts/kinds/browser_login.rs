//! Log-ins of browsers, as a kind of fact: one source for each n8n, and one fact for each token that
//! begins a log-in.
//!
//! A browser has a session of its own. One that logs out must not end the session that the gate uses for
//! other callers, and workers do not share it.

mod request;
mod step;

pub use request::LoginRequest;

use std::sync::Arc;
use std::time::Duration;

use step::{Next, Step};

use super::minted_key::{Calls, MintedKeyFault};
use crate::facts::call::CallResponse;
use crate::facts::demand::FactKey;
use crate::facts::fault::FaultScope;
use crate::facts::schedule::{Pauses, Schedule};
use crate::facts::source::{CallEnd, Ended, Kind, NewCalls, Profile, Progress, Room, Sharing};
use crate::facts::waiting::Waiter;
use crate::facts::{Availability, Event};
use crate::policy::{InstanceId, N8nUser, Provisioning};
use crate::secret::Secret;
use crate::time::UnixMillis;

/// The most requests of one worker that wait for log-ins at a time. All of them are of verified callers.
const MAX_WAITERS: usize = 128;

/// The most log-ins that one worker knows.
const MAX_LOGINS: usize = 128;

/// The most log-ins of one worker at a time. n8n computes a password hash for each.
const MAX_FETCHES: usize = 4;

/// How long a log-in is known. A token begins one for little longer than a minute.
const KEPT: Duration = Duration::from_secs(180);

/// How long a request waits: a new user takes five calls, and may have to wait for its turn.
const LONGEST_WAIT: u32 = 4;

/// How many failures in a row count for the source.
const MOST_FAILURES: u32 = 6;

/// The log-ins at one n8n.
#[derive(Debug)]
pub(in crate::facts) struct BrowserLogins {
    instance: InstanceId,
    provisioning: Arc<Provisioning>,
    logins: Vec<Login>,
}

#[derive(Debug)]
struct Login {
    key: FactKey,
    user: N8nUser,
    since: UnixMillis,
    /// The session of the browser.
    cookie: Option<Secret>,
    /// After the faults of this log-in alone.
    pauses: Pauses,
}

impl BrowserLogins {
    pub(in crate::facts) const fn new(
        instance: InstanceId,
        provisioning: Arc<Provisioning>,
    ) -> Self {
        Self {
            instance,
            provisioning,
            logins: Vec::new(),
        }
    }

    /// The session that a log-in made.
    pub(in crate::facts) fn availability(
        &self,
        schedule: &Schedule,
        request: &LoginRequest,
        now: UnixMillis,
    ) -> Availability<&Secret> {
        let key = FactKey::from(request);
        let login = self.login(&key);
        if let Some(cookie) = login.and_then(|login| login.cookie.as_ref()) {
            return Availability::Known(cookie);
        }
        let own = login.map(|login| &login.pauses).into_iter();
        let mut pauses = own.chain([&schedule.pauses]);
        let pausing = pauses.find(|pauses| !pauses.is_over(now));
        match pausing.filter(|_| !schedule.calls.is_about(&key)) {
            Some(pausing) => Availability::Unavailable(pausing.outage(pausing.until(), now)),
            None => Availability::Pending,
        }
    }

    /// A request will wait for its log-in. `false`: there are too many.
    pub(in crate::facts) fn want(&mut self, request: &LoginRequest, now: UnixMillis) -> bool {
        let key = FactKey::from(request);
        if self.login(&key).is_some() {
            return true;
        }
        if self.logins.len() >= MAX_LOGINS {
            return false;
        }
        self.logins.push(Login {
            key,
            user: request.user().clone(),
            since: now,
            cookie: None,
            pauses: Pauses::new(MOST_FAILURES),
        });
        true
    }

    fn login(&self, key: &FactKey) -> Option<&Login> {
        self.logins.iter().find(|login| login.key == *key)
    }

    fn login_mut(&mut self, key: &FactKey) -> Option<&mut Login> {
        self.logins.iter_mut().find(|login| login.key == *key)
    }

    /// The log-ins that should begin now.
    fn due(&self, schedule: &Schedule, now: UnixMillis) -> Vec<FactKey> {
        if !schedule.pauses.is_over(now) {
            return Vec::new();
        }
        let room = MAX_FETCHES.saturating_sub(schedule.calls.iter().count());
        let due = self.logins.iter().filter(|login| {
            let is_open = login.cookie.is_none() && login.pauses.is_over(now);
            is_open && !schedule.calls.is_about(&login.key)
        });
        due.map(|login| login.key).take(room).collect()
    }

    fn calls<'a>(&'a self, user: &'a N8nUser) -> Calls<'a> {
        Calls {
            provisioning: &self.provisioning,
            user,
        }
    }
}

impl From<&LoginRequest> for FactKey {
    fn from(request: &LoginRequest) -> Self {
        Self(request.digest())
    }
}

impl Kind for BrowserLogins {
    type Fault = MintedKeyFault;
    type Step = Step;

    fn profile(&self) -> Profile {
        let timeout = self.provisioning.timeout;
        Profile {
            name: "browser_login",
            room: Room {
                slots: MAX_WAITERS,
                proven_apart: false,
                longest: timeout.saturating_mul(LONGEST_WAIT),
            },
            timeout,
            most_failures: MOST_FAILURES,
            sharing: Sharing::None,
        }
    }

    fn expire(&mut self, now: UnixMillis) {
        for login in &mut self.logins {
            login.since = login.since.min(now);
            login.pauses.clamp(now);
        }
        self.logins.retain(|login| now.since(login.since) < KEPT);
    }

    fn is_due(
        &self,
        schedule: &Schedule,
        _: &mut dyn Iterator<Item = &Waiter>,
        now: UnixMillis,
    ) -> bool {
        !self.due(schedule, now).is_empty()
    }

    fn begin(&mut self, calls: &mut NewCalls<'_, Step>, _: &mut dyn Iterator<Item = &Waiter>) {
        for key in self.due(calls.schedule, calls.now) {
            if let Some(login) = self.login(&key) {
                let (step, request) = Step::first(self.calls(&login.user));
                calls.begin(key, step, request);
            }
        }
    }

    fn read(
        &mut self,
        end: &mut CallEnd<'_, Step>,
        response: CallResponse,
    ) -> Result<Progress<Step>, MintedKeyFault> {
        let key = end.call.key;
        let Some(login) = self.login(&key) else {
            return Ok(Progress::Ended(Ended::default()));
        };
        let next = end.step.clone().read(response, self.calls(&login.user))?;
        let cookie = match next {
            Next::Call(step, request) => return Ok(Progress::Next(step, request)),
            Next::LoggedIn(cookie) => cookie,
        };
        end.schedule.pauses.succeeded(end.now);
        if let Some(login) = self.login_mut(&key) {
            login.cookie = Some(cookie);
        }
        Ok(Progress::Ended(Ended {
            events: vec![Event::LoggedIn(self.instance)],
            ..Ended::default()
        }))
    }

    fn failed(&mut self, end: &mut CallEnd<'_, Step>, fault: MintedKeyFault) -> Ended {
        let failure = end.failure(fault.code());
        let mut email = String::new();
        if let Some(login) = self.login_mut(&end.call.key) {
            login.pauses.failed(failure, end.now);
            email.clone_from(&login.user.email);
        }
        let is_of_source = fault.scope() != FaultScope::Fact;
        if is_of_source {
            end.pause_source(failure);
        }
        Ended {
            events: vec![Event::KeyFailed(self.instance, email, fault)],
            share: None,
            pauses: is_of_source,
        }
    }
}
