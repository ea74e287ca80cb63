//! The facts that a policy asks for: their sources, and what each fact of a decision is in them.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use super::AnySource;
use crate::facts::demand::{Demand, FactKey, Refetch, SourceId};
use crate::facts::kinds::key_set::{for_changed, for_unknown, KeySetSource};
use crate::facts::kinds::token_status::{TokenStatusSource, TokenStatuses};
use crate::facts::schedule::Schedule;
use crate::facts::source::SourceOf;
use crate::facts::store::{Admission, Effect, Store};
use crate::facts::{
    Availability, Call, CallId, CallResponse, Fact, KeyIdDigest, Peer, SharedKey, SharedMemory,
    WaitFault, WaiterId,
};
use crate::policy::{Policy, Principals, ProviderId};
use crate::time::UnixMillis;
use crate::token::{CompactToken, TokenDigest};

/// How many keys of a provider there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyCount {
    /// Those that may check tokens now, with those under grace.
    pub usable: usize,
    /// Those of the newest document that are left out.
    pub skipped: usize,
}

/// What is known about the sender of a request that waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Where it came from.
    pub peer: Option<Peer>,
    /// The key that its token names.
    pub key_id: Option<KeyIdDigest>,
    /// This worker verified its token before, so that no attacker made it up.
    pub was_verified: bool,
}

/// All facts of one worker.
pub struct FactStore {
    store: Store<AnySource>,
    of_providers: Vec<SourcesOfProvider>,
}

/// The sources of one provider.
struct SourcesOfProvider {
    keys: SourceId,
    /// `None`: no call is made about its tokens.
    token_status: Option<SourceId>,
}

impl FactStore {
    /// A store that knows nothing but what the policy holds.
    pub fn new(policy: &Policy) -> Self {
        let principals = policy.instances.iter().map(|instance| &instance.principals);
        let keys = principals.flat_map(Principals::iter);
        let keys = keys.map(|principal| &principal.api_key);
        let shared_key = SharedKey::derive(keys.chain(&policy.sharing_secret));
        let statuses = Rc::new(RefCell::new(TokenStatuses::default()));
        let mut sources = Vec::new();
        let mut of_providers = Vec::new();
        for (index, provider) in policy.providers.iter().enumerate() {
            let id = ProviderId(index);
            let keys = SourceId(sources.len());
            let kind = KeySetSource::new(id, provider);
            sources.push(AnySource::KeySet(Box::new(SourceOf::new(kind))));
            let token_status = provider.introspection.clone().map(|rules| {
                let source = SourceId(sources.len());
                let statuses = Rc::clone(&statuses);
                let kind = TokenStatusSource::new(source, id, rules, statuses);
                sources.push(AnySource::TokenStatus(Box::new(SourceOf::new(kind))));
                source
            });
            of_providers.push(SourcesOfProvider { keys, token_status });
        }
        Self {
            store: Store::new(sources, shared_key),
            of_providers,
        }
    }

    /// This worker's configuration is loaded. The host loads it on its main thread before any worker
    /// does. So what the workers must find in shared memory is written there once.
    pub fn open(&self, memory: &dyn SharedMemory) {
        self.store.open(memory);
    }

    /// This worker's configuration goes away, and its calls with it. Another worker must not wait for
    /// them.
    pub fn close(&self, memory: &dyn SharedMemory) {
        self.store.close(memory);
    }

    /// Time passes.
    pub fn tick(&mut self, now: UnixMillis, memory: &dyn SharedMemory) -> Vec<Effect> {
        self.store.tick(now, memory)
    }

    /// The call of [`Effect::CallFor`], with the token that it is about.
    pub fn call_for(&self, call: CallId, source: SourceId, token: &CompactToken) -> Option<Call> {
        self.store.call_for(call, source, token)
    }

    /// The response to a call has come, or the call could not be made.
    pub fn received(
        &mut self,
        call: CallId,
        response: CallResponse,
        now: UnixMillis,
        memory: &dyn SharedMemory,
    ) -> Vec<Effect> {
        self.store.received(call, response, now, memory)
    }

    /// Whether any request waits: then ticks must come quickly.
    pub fn has_waiters(&self) -> bool {
        self.store.has_waiters()
    }

    /// Forgets a request that is gone.
    pub fn forget(&mut self, waiter: WaiterId) {
        self.store.forget(waiter);
    }

    /// Lets a request wait for a fact. It is woken when the fact has come, when fetching it has failed,
    /// or when as much time has passed `since` it began to wait as one fetch may take, however often it
    /// was woken in between. If another one must leave for it, the next tick names that one.
    pub fn admit(
        &mut self,
        waiter: WaiterId,
        fact: Fact,
        since: UnixMillis,
        origin: Origin,
        now: UnixMillis,
    ) -> Result<(), WaitFault> {
        let admission = self.admission(fact, origin).ok_or(WaitFault::TooMany)?;
        self.store
            .admit_to(waiter, &admission, since, origin.peer, now)
    }

    fn admission(&self, fact: Fact, origin: Origin) -> Option<Admission> {
        let sources = |provider: ProviderId| self.of_providers.get(provider.0);
        let of_keys = |provider, refetch: Option<Refetch>, key_id: Option<KeyIdDigest>| {
            let key = FactKey::ONLY;
            Some(Admission {
                source: sources(provider)?.keys,
                demand: refetch.map_or(Demand::Any(key), |refetch| Demand::Newer(key, refetch)),
                is_proven: origin.was_verified,
                group: key_id.map(KeyIdDigest::number).unwrap_or_default(),
            })
        };
        let of_token = |provider, token: TokenDigest, is_proven| {
            Some(Admission {
                source: sources(provider)?.token_status?,
                demand: Demand::Any(token.into()),
                is_proven,
                group: KeyIdDigest::of_token(&token).number(),
            })
        };
        match fact {
            Fact::KeySet(provider) => of_keys(provider, None, origin.key_id),
            Fact::NewerKeySet(provider, key_id) => {
                of_keys(provider, Some(for_unknown(key_id)), Some(key_id))
            }
            Fact::ChangedKeySet(provider, token, _) => {
                of_keys(provider, Some(for_changed(token)), Some(token))
            }
            Fact::TokenStatusToDecide(provider, token) => of_token(provider, token, false),
            Fact::TokenStatusToConfirm(provider, token) => of_token(provider, token, true),
        }
    }

    /// How old a provider's keys are, or for how long there were none.
    pub fn key_set_age(&self, provider: ProviderId, now: UnixMillis) -> Option<Duration> {
        self.key_set_of(provider)?.0.age(now)
    }

    /// How many keys of a provider there are.
    pub fn key_count(&self, provider: ProviderId, now: UnixMillis) -> Option<KeyCount> {
        let (source, schedule) = self.key_set_of(provider)?;
        Some(KeyCount {
            usable: match source.availability(schedule, now) {
                Availability::Known(keys) => keys.keys().len(),
                _ => 0,
            },
            skipped: source.skipped().len(),
        })
    }

    pub(super) fn key_set_of(&self, provider: ProviderId) -> Option<(&KeySetSource, &Schedule)> {
        let id = self.of_providers.get(provider.0)?.keys;
        match self.store.source(id)? {
            (AnySource::KeySet(source), schedule) => Some((&source.kind, schedule)),
            _ => None,
        }
    }

    pub(super) fn token_status_of(
        &self,
        provider: ProviderId,
    ) -> Option<(&TokenStatusSource, &Schedule)> {
        let id = self.of_providers.get(provider.0)?.token_status?;
        match self.store.source(id)? {
            (AnySource::TokenStatus(source), schedule) => Some((&source.kind, schedule)),
            _ => None,
        }
    }
}
