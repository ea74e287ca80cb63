//! A third kind of fact, made for these tests: the id of an account. It takes two calls, a login with
//! JSON that sets cookies, and a question with these cookies. Several accounts have one source.
//!
//! The store knows nothing of it. So whatever holds here holds for each kind.

use serde_json::Value;

use super::*;
use crate::facts::call::{Body, CallRequest};
use crate::facts::demand::FactKey;
use crate::facts::schedule::{Failure, Schedule};
use crate::facts::shared::codec::{moment, put, take, text};
use crate::facts::source::{
    Adopted, CallEnd, Ended, Kind, NewCalls, Profile, Progress, Room, Sharing,
};
use crate::facts::waiting::Waiter;

const TTL: Duration = Duration::from_secs(60);
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

/// The ids of the accounts at one server.
pub(super) struct Accounts {
    server: &'static str,
    is_shared: bool,
    ids: Vec<(FactKey, String, UnixMillis)>,
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
        match self.ids.iter().find(|(known, ..)| *known == key) {
            Some((_, id, until)) if now < *until => Availability::Known(id),
            _ if pauses.is_over(now) || calls.is_about(&key) => Availability::Pending,
            _ => Availability::Unavailable(pauses.outage(pauses.until(), now)),
        }
    }

    fn is_wanted(&self, schedule: &Schedule, key: &FactKey) -> bool {
        !schedule.calls.is_about(key) && !self.ids.iter().any(|(known, ..)| known == key)
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
        self.ids.retain_mut(|(_, _, until)| {
            *until = (*until).min(now.saturating_add(TTL));
            now < *until
        });
    }

    fn is_due(
        &self,
        schedule: &Schedule,
        waiters: &mut dyn Iterator<Item = &Waiter>,
        now: UnixMillis,
    ) -> bool {
        let mut keys = waiters.map(|waiter| waiter.demand.key());
        schedule.pauses.is_over(now) && keys.any(|key| self.is_wanted(schedule, key))
    }

    fn begin(
        &mut self,
        calls: &mut NewCalls<'_, Step>,
        waiters: &mut dyn Iterator<Item = &Waiter>,
    ) {
        for waiter in waiters {
            let key = *waiter.demand.key();
            if self.is_wanted(calls.schedule, &key) {
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
                let id = body["id"].as_str().ok_or(Fault::NoId)?.to_owned();
                end.schedule.pauses.succeeded(end.now);
                let until = end.now.saturating_add(TTL);
                self.ids.push((end.call.key, id, until));
                let mut share = Vec::new();
                for (key, id, until) in &self.ids {
                    put(&mut share, &key.0);
                    put(&mut share, id.as_bytes());
                    put(&mut share, &until.0.to_be_bytes());
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

    fn adopt(
        &mut self,
        schedule: &mut Schedule,
        _: &FactKey,
        mut payload: &[u8],
        now: UnixMillis,
    ) -> Adopted {
        let rest = &mut payload;
        let mut ids = Vec::new();
        let mut next = || {
            let key = FactKey(take(rest)?.try_into().ok()?);
            Some((key, text(rest)?.to_owned(), moment(rest)?))
        };
        while let Some(id) = next() {
            ids.push(id);
        }
        ids.retain(|(key, _, until)| now < *until && self.is_wanted(schedule, key));
        let is_news = !ids.is_empty();
        self.ids.append(&mut ids);
        Adopted {
            is_news,
            is_of_future: false,
        }
    }
}
