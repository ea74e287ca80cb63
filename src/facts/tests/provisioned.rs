//! A gate that makes users and API keys in the scripted n8n.

use super::n8n::{N8n, User, PROVISIONING_KEY};
use super::*;
use crate::facts::MintRequest;
use crate::n8n::accounts::AccountPaths;
use crate::policy::{N8nUser, Provisioning, UserRule};

/// How long a key lives.
pub(super) const TTL: Duration = Duration::from_secs(3600);

/// How long one call may take.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);

/// A policy without a provider, whose principal acts as users of n8n.
pub(super) fn provisioned() -> Policy {
    let mut policy = policy(by_jwks(), Some("secret"));
    policy.providers.clear();
    let mut instances: Vec<Instance> = policy.instances.iter().cloned().collect();
    let instance = &mut instances[0];
    instance.provisioning = Some(Arc::new(Provisioning {
        server: Endpoint {
            cluster: "n8n".to_owned(),
            scheme: "http".to_owned(),
            authority: "n8n:5678".to_owned(),
            path: String::new(),
        },
        paths: AccountPaths::of(instance.endpoints()),
        api_key: Secret::new(PROVISIONING_KEY.to_owned()),
        seed: Secret::new("a seed of some length".to_owned()),
        email_domain: "gate.invalid".to_owned(),
        key_ttl: TTL,
        timeout: TIMEOUT,
    }));
    let principal = Principal {
        name: "app".into(),
        matches: Condition::default(),
        grant: ScopeSet::default(),
        allow: None,
        upstream: Upstream::User(UserRule::One {
            email: "app@gate.invalid".to_owned(),
        }),
    };
    instance.principals = Principals::new(vec![principal]);
    policy.instances = Instances::only(instances.remove(0));
    policy
}

pub(super) fn scopes(all: &[&str]) -> ScopeSet {
    let mut set = ScopeSet::default();
    for scope in all {
        set.insert(scope).unwrap();
    }
    set
}

/// A key of this user, `name` before the domain, with these scopes.
pub(super) fn request_of(name: &str, all: &[&str]) -> MintRequest {
    let user = N8nUser {
        email: format!("{name}@gate.invalid"),
        first_name: "Client".to_owned(),
        last_name: name.to_owned(),
    };
    MintRequest::new(InstanceId(0), user, scopes(all))
}

/// The user has the password that the gate derives.
pub(super) fn activate(n8n: &mut N8n, request: &MintRequest) {
    let instances = provisioned().instances;
    let provisioning = instances.iter().next().unwrap().provisioning.clone();
    let password = provisioning.unwrap().password(request.email());
    let user = User {
        password: Some(password.expose().to_owned()),
        ..User::default()
    };
    n8n.users.insert(request.email().to_owned(), user);
}

/// What a request finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Key(String),
    Session(String),
    /// It waits, under this number.
    Waits(u32),
    Outage(&'static str, Duration),
    /// There is no slot for it.
    TooMany,
}

impl Found {
    #[track_caller]
    pub(super) fn key(self) -> String {
        match self {
            Self::Key(key) => key,
            other => panic!("no key: {other:?}"),
        }
    }

    #[track_caller]
    pub(super) fn session(self) -> String {
        match self {
            Self::Session(cookie) => cookie,
            other => panic!("no session: {other:?}"),
        }
    }

    #[track_caller]
    pub(super) fn fault(self) -> &'static str {
        match self {
            Self::Outage(fault, _) => fault,
            other => panic!("no outage: {other:?}"),
        }
    }
}

/// One worker of a gate.
pub(super) struct Gate {
    pub(super) store: FactStore,
    /// The calls of which no response has come.
    pub(super) under_way: Vec<Call>,
    /// The requests that were woken.
    pub(super) woken: Vec<u32>,
    /// Those of them that have waited long enough.
    pub(super) overdue: Vec<u32>,
    pub(super) events: Vec<Event>,
    waiters: u32,
}

impl Gate {
    pub(super) fn new(policy: &Policy) -> Self {
        Self {
            store: FactStore::new(policy),
            under_way: Vec::new(),
            woken: Vec::new(),
            overdue: Vec::new(),
            events: Vec::new(),
            waiters: 0,
        }
    }

    /// A request comes. With a key it is forwarded, without one it may wait.
    pub(super) fn ask(&mut self, request: &MintRequest, now: UnixMillis) -> Found {
        self.ask_again(request, now, now)
    }

    /// A request that came at `since` is decided.
    pub(super) fn ask_again(
        &mut self,
        request: &MintRequest,
        since: UnixMillis,
        now: UnixMillis,
    ) -> Found {
        match self.store.at(now).minted_key(request) {
            Availability::Known(key) => {
                let key = key.expose().to_owned();
                self.store.mark_minted_used(request, now);
                return Found::Key(key);
            }
            Availability::Unavailable(outage) => {
                return Found::Outage(outage.fault.unwrap_or_default(), outage.retry_after);
            }
            Availability::Pending => {}
        }
        self.admit(&Fact::MintedKey(Arc::new(request.clone())), since, now)
    }

    /// A request comes that needs the session of its user.
    pub(super) fn ask_for_session(&mut self, request: &MintRequest, now: UnixMillis) -> Found {
        self.ask_for_session_again(request, now, now)
    }

    /// A request that came at `since` is decided.
    pub(super) fn ask_for_session_again(
        &mut self,
        request: &MintRequest,
        since: UnixMillis,
        now: UnixMillis,
    ) -> Found {
        match self.store.at(now).session(request) {
            Availability::Known(cookie) => {
                let cookie = cookie.expose().to_owned();
                self.store.mark_session_used(request, now);
                Found::Session(cookie)
            }
            Availability::Unavailable(outage) => {
                Found::Outage(outage.fault.unwrap_or_default(), outage.retry_after)
            }
            Availability::Pending => {
                self.admit(&Fact::Session(Arc::new(request.clone())), since, now)
            }
        }
    }

    fn admit(&mut self, fact: &Fact, since: UnixMillis, now: UnixMillis) -> Found {
        self.waiters += 1;
        let (waiter, origin) = (WaiterId(self.waiters), Origin::default());
        match self.store.admit(waiter, fact, since, origin, now) {
            Ok(()) => Found::Waits(self.waiters),
            Err(_) => Found::TooMany,
        }
    }

    /// Time passes. No response comes.
    pub(super) fn tick(&mut self, now: UnixMillis, memory: &dyn SharedMemory) {
        let effects = self.store.tick(now, memory);
        self.perform(effects);
    }

    /// The response to the oldest call comes.
    pub(super) fn respond(&mut self, n8n: &mut N8n, now: UnixMillis, memory: &dyn SharedMemory) {
        let call = self.under_way.remove(0);
        let response = n8n.respond(&call.request, now);
        self.received(&call, response, now, memory);
    }

    pub(super) fn received(
        &mut self,
        call: &Call,
        response: CallResponse,
        now: UnixMillis,
        memory: &dyn SharedMemory,
    ) {
        let effects = self.store.received(call.id, response, now, memory);
        self.perform(effects);
    }

    /// A tick, and the responses to all calls that follow from it.
    pub(super) fn run(&mut self, n8n: &mut N8n, now: UnixMillis, memory: &dyn SharedMemory) {
        self.tick(now, memory);
        while !self.under_way.is_empty() {
            self.respond(n8n, now, memory);
        }
    }

    /// A request comes and n8n responds to all that follows from it, then the request is decided again.
    pub(super) fn get(
        &mut self,
        n8n: &mut N8n,
        request: &MintRequest,
        now: UnixMillis,
        memory: &dyn SharedMemory,
    ) -> Found {
        let found = self.ask(request, now);
        if !matches!(found, Found::Waits(_)) {
            return found;
        }
        self.run(n8n, now, memory);
        self.ask(request, now)
    }

    /// The same for its session.
    pub(super) fn get_session(
        &mut self,
        n8n: &mut N8n,
        request: &MintRequest,
        now: UnixMillis,
        memory: &dyn SharedMemory,
    ) -> Found {
        let found = self.ask_for_session(request, now);
        if !matches!(found, Found::Waits(_)) {
            return found;
        }
        self.run(n8n, now, memory);
        self.ask_for_session(request, now)
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Call(call) => self.under_way.push(call),
                Effect::Wake {
                    waiter,
                    last_chance,
                } => {
                    self.woken.push(waiter.0);
                    self.overdue.extend(last_chance.then_some(waiter.0));
                }
                Effect::Report(event) => self.events.push(event),
                other => panic!("{other:?}"),
            }
        }
    }
}
