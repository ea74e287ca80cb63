//! The facts that a policy asks for: their sources, and what each fact of a decision is in them.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::refused_keys::RefusedKeys;
use super::AnySource;
use crate::facts::demand::{Demand, FactKey, Refetch, SourceId};
use crate::facts::kinds::browser_login::BrowserLogins;
use crate::facts::kinds::key_set::{for_changed, for_unknown, KeySetSource};
use crate::facts::kinds::minted_key::{MintRequest, MintedKeys};
use crate::facts::kinds::token_status::{TokenStatusSource, TokenStatuses};
use crate::facts::schedule::Schedule;
use crate::facts::source::SourceOf;
use crate::facts::store::{Admission, Store};
use crate::facts::{
    Availability, Call, CallId, CallResponse, Effect, Fact, KeyIdDigest, Peer, SharedKey,
    SharedMemory, WaitFault, WaiterId,
};
use crate::policy::{InstanceId, Policy, ProviderId};
use crate::secret::Secret;
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
    /// The minted keys of those instances in which the gate makes any.
    of_instances: Vec<(InstanceId, SourceId)>,
    /// The log-ins of browsers at those instances that offer them.
    logins_at: Vec<(InstanceId, SourceId)>,
    refused: RefusedKeys,
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
        let shared_key = SharedKey::derive(policy.secrets());
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
        let (mut of_instances, mut logins_at) = (Vec::new(), Vec::new());
        for instance in policy.instances.iter() {
            let Some(provisioning) = &instance.provisioning else {
                continue;
            };
            of_instances.push((instance.id, SourceId(sources.len())));
            let kind =
                MintedKeys::new(instance.id, instance.name.clone(), Arc::clone(provisioning));
            sources.push(AnySource::MintedKeys(Box::new(SourceOf::new(kind))));
            if instance.embed.is_some() {
                logins_at.push((instance.id, SourceId(sources.len())));
                let kind = BrowserLogins::new(instance.id, Arc::clone(provisioning));
                sources.push(AnySource::BrowserLogins(Box::new(SourceOf::new(kind))));
            }
        }
        Self {
            store: Store::new(sources, shared_key),
            of_providers,
            of_instances,
            logins_at,
            refused: RefusedKeys::default(),
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

    /// The number of a call that no fact needs.
    pub fn new_call(&mut self) -> CallId {
        self.store.new_call()
    }

    /// The call of [`Effect::CallFor`], with the token that it is about.
    pub fn call_for(
        &self,
        call: CallId,
        source: SourceId,
        token: &CompactToken<'_>,
    ) -> Option<Call> {
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
        fact: &Fact,
        since: UnixMillis,
        origin: Origin,
        now: UnixMillis,
    ) -> Result<(), WaitFault> {
        if !self.has_room_for_user(fact, now) {
            return Err(WaitFault::TooMany);
        }
        let admission = self.admission(fact, origin).ok_or(WaitFault::TooMany)?;
        self.store
            .admit_to(waiter, &admission, since, origin.peer, now)
    }

    /// Notes that a request waits for what is made for a user of n8n. `false`: there are too many.
    fn has_room_for_user(&mut self, fact: &Fact, now: UnixMillis) -> bool {
        if let Fact::BrowserLogin(request) = fact {
            let logins = self.browser_logins_mut(request.instance());
            return logins.is_some_and(|logins| logins.want(request, now));
        }
        let (Fact::MintedKey(request) | Fact::Session(request)) = fact else {
            return true;
        };
        let minted = self.minted_keys_mut(request.instance());
        minted.is_some_and(|minted| match fact {
            Fact::Session(_) => minted.want_session(request, now),
            _ => minted.want(request, now),
        })
    }

    fn admission(&self, fact: &Fact, origin: Origin) -> Option<Admission> {
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
        match *fact {
            Fact::KeySet(provider) => of_keys(provider, None, origin.key_id),
            Fact::NewerKeySet(provider, key_id) => {
                of_keys(provider, Some(for_unknown(key_id)), Some(key_id))
            }
            Fact::ChangedKeySet(provider, token, _) => {
                of_keys(provider, Some(for_changed(token)), Some(token))
            }
            Fact::TokenStatusToDecide(provider, token) => of_token(provider, token, false),
            Fact::TokenStatusToConfirm(provider, token) => of_token(provider, token, true),
            Fact::BrowserLogin(ref request) => Some(Admission {
                source: find(&self.logins_at, request.instance())?,
                demand: Demand::Any(FactKey::from(&**request)),
                // The caller is verified.
                is_proven: true,
                group: 0,
            }),
            Fact::MintedKey(ref request) | Fact::Session(ref request) => Some(Admission {
                source: self.source_of(request.instance())?,
                demand: Demand::Any(FactKey::from(&**request)),
                // The caller is verified.
                is_proven: true,
                group: 0,
            }),
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

    /// A request is forwarded with a key that the gate made.
    pub fn mark_minted_used(&mut self, request: &MintRequest, now: UnixMillis) {
        if let Some(minted) = self.minted_keys_mut(request.instance()) {
            minted.mark_used(request, now);
        }
    }

    /// n8n refused a key that the gate made.
    pub fn refuse_minted(&mut self, request: &MintRequest, key: &Secret, now: UnixMillis) {
        if let Some(minted) = self.minted_keys_mut(request.instance()) {
            minted.refuse(request, key, now);
        }
    }

    /// n8n failed at a request with a key that the gate made.
    pub fn doubt_minted(&mut self, request: &MintRequest, key: &Secret, now: UnixMillis) {
        if let Some(minted) = self.minted_keys_mut(request.instance()) {
            minted.doubt(request, key, now);
        }
    }

    /// A request is forwarded with the session of a user.
    pub fn mark_session_used(&mut self, request: &MintRequest, now: UnixMillis) {
        if let Some(minted) = self.minted_keys_mut(request.instance()) {
            minted.mark_session_used(request, now);
        }
    }

    /// n8n refused a request with the session of a user.
    pub fn doubt_session(&mut self, request: &MintRequest, cookie: &Secret) {
        if let Some(minted) = self.minted_keys_mut(request.instance()) {
            minted.doubt_session(request, cookie);
        }
    }

    /// n8n refused a key that an operator made.
    pub fn refuse_static(&mut self, key: &Secret, now: UnixMillis) {
        self.refused.insert(key, now);
    }

    pub(super) fn is_refused(&self, key: &Secret, now: UnixMillis) -> bool {
        self.refused.contains(key, now)
    }

    fn source_of(&self, instance: InstanceId) -> Option<SourceId> {
        find(&self.of_instances, instance)
    }

    pub(super) fn browser_logins_of(
        &self,
        instance: InstanceId,
    ) -> Option<(&BrowserLogins, &Schedule)> {
        match self.store.source(find(&self.logins_at, instance)?)? {
            (AnySource::BrowserLogins(source), schedule) => Some((&source.kind, schedule)),
            _ => None,
        }
    }

    fn browser_logins_mut(&mut self, instance: InstanceId) -> Option<&mut BrowserLogins> {
        let source = find(&self.logins_at, instance)?;
        match self.store.source_mut(source)? {
            AnySource::BrowserLogins(source) => Some(&mut source.kind),
            _ => None,
        }
    }

    pub(super) fn minted_keys_of(&self, instance: InstanceId) -> Option<(&MintedKeys, &Schedule)> {
        match self.store.source(self.source_of(instance)?)? {
            (AnySource::MintedKeys(source), schedule) => Some((&source.kind, schedule)),
            _ => None,
        }
    }

    fn minted_keys_mut(&mut self, instance: InstanceId) -> Option<&mut MintedKeys> {
        let source = self.source_of(instance)?;
        match self.store.source_mut(source)? {
            AnySource::MintedKeys(source) => Some(&mut source.kind),
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

/// The source of an instance.
fn find(all: &[(InstanceId, SourceId)], instance: InstanceId) -> Option<SourceId> {
    let mut all = all.iter();
    all.find_map(|(known, source)| (*known == instance).then_some(*source))
}
