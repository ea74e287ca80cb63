//! A third kind of fact, made for these tests: the id of an account. It takes two calls, a login with
//! JSON that sets cookies, and a question with these cookies. Several accounts have one source.
//!
//! The store knows nothing of it. So whatever holds here holds for each kind.

use serde_json::Value;

use super::*;
use crate::facts::call::{Body, CallRequest};
use crate::facts::demand::{Demand, FactKey, Refetch};
use crate::facts::schedule::{Failure, Schedule};
use crate::facts::shared::codec::{moment, put, take, text};
use crate::facts::source::{
    Adopted, CallEnd, Ended, Kind, NewCalls, Profile, Progress, Room, Sharing,
};
use crate::facts::waiting::Waiter;

const TTL: Duration = Duration::from_secs(60);
/// When a new one is fetched, though the old one still serves.
const RENEWED: Duration = Duration::from_secs(48);
/// How long an id is not fetched anew because it is of no use.
const COOLDOWN: Duration = Duration::from_secs(10);
const TIMEOUT: Duration = Duration::from_secs(5);

/// An account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Account(pub(super) u8);

impl From<Account> for FactKey {
    fn from(account: Account) -> Self {
        Self([account.0; 32])
    }
}

/// Why an id could not be fetched.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Call(CallFault),
    NoCookie,
    NoId,
}

impl Fault {
    const fn code(&self) -> FaultCode {
        match self {
            Self::Call(fault) => fault.code(),
            Self::NoCookie => FaultCode::ClientRefused,
            Self::NoId => FaultCode::ResponseMalformed,
        }
    }
}

#[derive(Debug)]
pub(super) enum Step {
    Login,
    Question,
}

/// An id that is known.
struct Id {
    key: FactKey,
    text: String,
    fetched: UnixMillis,
}

impl Id {
    fn holds(&self, now: UnixMillis) -> bool {
        now < self.fetched.saturating_add(TTL)
    }

    fn is_due(&self, now: UnixMillis) -> bool {
        now >= self.fetched.saturating_add(RENEWED)
    }

    /// How long it is not fetched anew, if this is the one that is of no use.
    fn before_refetch(&self, refetch: Refetch, now: UnixMillis) -> Option<Duration> {
        let is_it = refetch == of_no_use(&self.text);
        is_it.then(|| self.fetched.saturating_add(COOLDOWN).since(now))
    }
}

/// What a request wants to which this id is of no use. There is one cause.
pub(super) fn of_no_use(id: &str) -> Refetch {
    Refetch {
        cause: 0,
        about: KeyIdDigest::of(id).number(),
    }
}

/// The ids of the accounts at one server.
pub(super) struct Accounts {
    server: &'static str,
    is_shared: bool,
    ids: Vec<Id>,
}

impl Accounts {
    pub(super) fn new(server: &'static str, is_shared: bool) -> Self {
        Self {
            server,
            is_shared,
            ids: Vec::new(),
        }
    }

    fn login(&self, key: &FactKey) -> CallRequest {
        let body = format!(r#"{{"email":"{}@{}"}}"#, key.0[0], self.server);
        let body = Body::Json(Secret::new(body));
        CallRequest::post(endpoint("/rest/login"), body, TIMEOUT)
    }

    pub(super) fn availability(
        &self,
        schedule: &Schedule,
        account: Account,
        now: UnixMillis,
    ) -> Availability<&str> {
        let Schedule { calls, pauses } = schedule;
        let key = FactKey::from(account);
        match self.id(&key) {
            Some(id) if id.holds(now) => Availability::Known(&id.text),
            _ if pauses.is_over(now) || calls.is_about(&key) => Availability::Pending,
            _ => Availability::Unavailable(pauses.outage(pauses.until(), now)),
        }
    }

    fn id(&self, key: &FactKey) -> Option<&Id> {
        self.ids.iter().find(|id| id.key == *key)
    }

    /// Which ids are fetched now: those for which requests wait, and those that are due.
    fn wanted(
        &self,
        schedule: &Schedule,
        waiters: &mut dyn Iterator<Item = &Waiter>,
        now: UnixMillis,
    ) -> Vec<FactKey> {
        let is_wanted = |waiter: &&Waiter| match (self.id(waiter.demand.key()), waiter.demand) {
            (None, _) => true,
            (Some(_), Demand::Any(_)) => false,
            (Some(id), Demand::Newer(_, refetch)) => id
                .before_refetch(refetch, now)
                .is_some_and(|wait| wait.is_zero()),
        };
        let waiters = waiters.filter(is_wanted).map(|waiter| *waiter.demand.key());
        let due = self.ids.iter().filter(|id| id.is_due(now)).map(|id| id.key);
        let keys = waiters.chain(due);
        keys.filter(|key| !schedule.calls.is_about(key)).collect()
    }
}

/// The value of `Cookie` for all that a response sets.
fn cookies(response: &CallResponse) -> Option<String> {
    let CallResponse::Response { headers, .. } = response else {
        return None;
    };
    let pairs = headers.all("set-cookie").filter_map(|cookie| {
        let pair = std::str::from_utf8(cookie).ok()?.split(';').next()?;
        Some(pair.trim().to_owned())
    });
    let pairs: Vec<_> = pairs.collect();
    (!pairs.is_empty()).then(|| pairs.join("; "))
}

impl Kind for Accounts {
    type Fault = Fault;
    type Step = Step;

    fn profile(&self) -> Profile {
        let parts = vec![self.server.to_owned()];
        Profile {
            name: "accounts",
            room: Room {
                slots: 8,
                proven_apart: false,
                longest: TIMEOUT * 2,
            },
            timeout: TIMEOUT,
            most_failures: 8,
            sharing: if self.is_shared {
                Sharing::Whole(parts)
            } else {
                Sharing::None
            },
        }
    }

    fn expire(&mut self, now: UnixMillis) {
        self.ids.retain_mut(|id| {
            id.fetched = id.fetched.min(now);
            id.holds(now)
        });
    }

    fn is_due(
        &self,
        schedule: &Schedule,
        waiters: &mut dyn Iterator<Item = &Waiter>,
        now: UnixMillis,
    ) -> bool {
        schedule.pauses.is_over(now) && !self.wanted(schedule, waiters, now).is_empty()
    }

    fn begin(
        &mut self,
        calls: &mut NewCalls<'_, Step>,
        waiters: &mut dyn Iterator<Item = &Waiter>,
    ) {
        for key in self.wanted(calls.schedule, waiters, calls.now) {
            if !calls.schedule.calls.is_about(&key) {
                calls.begin(key, Step::Login, self.login(&key));
            }
        }
    }

    fn read(
        &mut self,
        end: &mut CallEnd<'_, Step>,
        response: CallResponse,
    ) -> Result<Progress<Step>, Fault> {
        let cookies = cookies(&response);
        let body = response.document().map_err(Fault::Call)?;
        match end.step {
            Step::Login => {
                let cookies = Secret::new(cookies.ok_or(Fault::NoCookie)?);
                let request = CallRequest::get(endpoint("/rest/me"), TIMEOUT);
                let request = request.with("cookie", cookies);
                Ok(Progress::Next(Step::Question, request))
            }
            Step::Question => {
                let body: Value = serde_json::from_slice(&body).map_err(|_| Fault::NoId)?;
                let text = body["id"].as_str().ok_or(Fault::NoId)?.to_owned();
                end.schedule.pauses.succeeded(end.now);
                let (key, fetched) = (end.call.key, end.now);
                self.ids.retain(|id| id.key != key);
                self.ids.push(Id { key, text, fetched });
                let mut share = Vec::new();
                for id in &self.ids {
                    put(&mut share, &id.key.0);
                    put(&mut share, id.text.as_bytes());
                    put(&mut share, &id.fetched.0.to_be_bytes());
                }
                Ok(Progress::Ended(Ended {
                    events: Vec::new(),
                    share: Some(share),
                    pauses: false,
                }))
            }
        }
    }

    fn failed(&mut self, end: &mut CallEnd<'_, Step>, fault: Fault) -> Ended {
        let pauses = &mut end.schedule.pauses;
        let failure = Failure {
            fault: fault.code(),
            asked_for: end.asked_for,
            is_new: end.call.begun > pauses.last_failure(),
            is_of_all: true,
            seed: end.call.id.0,
        };
        pauses.failed(failure, end.now);
        Ended {
            events: Vec::new(),
            share: None,
            pauses: true,
        }
    }

    fn before_refetch(
        &self,
        schedule: &Schedule,
        refetch: Refetch,
        _: Option<Peer>,
        now: UnixMillis,
    ) -> Duration {
        let mut waits = self
            .ids
            .iter()
            .filter_map(|id| id.before_refetch(refetch, now));
        let wait = waits.next().filter(|_| schedule.calls.is_empty());
        wait.unwrap_or_default()
    }

    fn adopt(
        &mut self,
        _: &mut Schedule,
        _: &FactKey,
        mut payload: &[u8],
        now: UnixMillis,
    ) -> Adopted {
        let rest = &mut payload;
        let mut next = || {
            Some(Id {
                key: FactKey(take(rest)?.try_into().ok()?),
                text: text(rest)?.to_owned(),
                fetched: moment(rest)?,
            })
        };
        let mut adopted = Adopted::default();
        while let Some(id) = next() {
            let known = self.id(&id.key).map(|known| known.fetched);
            if id.fetched <= now && id.holds(now) && known.is_none_or(|known| known < id.fetched) {
                self.ids.retain(|known| known.key != id.key);
                self.ids.push(id);
                adopted.is_news = true;
            }
        }
        adopted
    }
}
