//! The store: every fact, who waits for it, and the calls that are under way.

mod introspection;

use std::time::Duration;

use super::kinds::key_set::{KeySetFact, Progress};
use super::kinds::token_status::{Answers, Inquiries, Word};
use super::shared::{Lease, Names, SharedKeySet, TooLarge};
use super::slots::Claim;
use super::waiting::{Waiter, Waiting, MAX_ASKERS, MAX_WAITERS};
use super::{
    Availability, Call, CallId, CallRequest, CallResponse, Fact, Facts, FetchFault, Introspected,
    IntrospectionFault, KeyIdDigest, NewerKeys, Outage, Peer, SharedKey, SharedMemory, WaitFault,
    WaiterId,
};
use crate::crypto::SkippedKey;
use crate::policy::{Policy, Principals, ProviderId};
use crate::time::UnixMillis;
use crate::token::TokenDigest;

/// The most requests that have lost their places and were not told yet.
const MAX_DISPLACED: usize = 64;

/// How long a worker goes on by itself after it found in the place of ours a value that is too large.
const ALONE: Duration = Duration::from_secs(60);

/// How many of them are named by one tick: fewer than are refused in that time.
const DISPLACED_AT_ONCE: usize = 8;

/// On whose account a request waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Where it came from, if that is known.
    pub peer: Option<Peer>,
    /// The key that its token names, if it does.
    pub key_id: Option<KeyIdDigest>,
    /// This worker verified its token before: nobody made it up.
    pub was_verified: bool,
}

/// Something that the shell must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Make a call.
    Call(Call),
    /// Ask a provider about the token of a request that waits. The store has no token.
    Ask {
        /// Names the call.
        call: CallId,
        /// The provider.
        provider: ProviderId,
        /// The request.
        waiter: WaiterId,
    },
    /// Take the decision of this request again.
    Wake {
        /// The request.
        waiter: WaiterId,
        /// It has waited long enough: what is still missing now will not be waited for again.
        last_chance: bool,
    },
    /// Refuse this request: another one has its place.
    Displace(WaiterId),
    /// Report that a provider's keys were fetched.
    Refreshed(ProviderId),
    /// Report that these keys of its set are left out, which differ from those before.
    Skipped(ProviderId, Vec<SkippedKey>),
    /// Report that they could not be.
    Failed(ProviderId, FetchFault),
    /// Report that a provider said of a token whether it is active.
    Told(ProviderId, bool),
    /// Report that it said nothing of use.
    Untold(ProviderId, IntrospectionFault),
}

/// How many keys of a provider there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyCount {
    /// Those that may check tokens now, with those under grace.
    pub usable: usize,
    /// Those of the newest document that are left out.
    pub skipped: usize,
}

/// All facts of one worker.
pub struct FactStore {
    key_sets: Vec<Slot>,
    answers: Answers,
    waiting: Waiting,
    /// Those who have lost their places.
    displaced: Vec<WaiterId>,
    shared_key: Option<SharedKey>,
    last_call: u64,
}

struct Slot {
    fact: KeySetFact,
    names: Names,
    /// When the lease of the fetch that is under way ends.
    lease_end: UnixMillis,
    /// The version of the shared key set that was last looked at.
    seen: Option<u32>,
    /// Until when this worker goes on by itself.
    alone_until: UnixMillis,
    /// What is being asked about tokens, if the provider is asked at all.
    inquiries: Option<Inquiries>,
}

impl FactStore {
    /// A store that knows nothing yet but what the policy holds.
    pub fn new(policy: &Policy) -> Self {
        let principals = policy.instances.iter().map(|instance| &instance.principals);
        let keys = principals.flat_map(Principals::iter);
        let keys = keys.map(|principal| &principal.api_key);
        let shared_key = SharedKey::derive(keys.chain(&policy.sharing_secret));
        let slot = |provider| Slot {
            fact: KeySetFact::new(provider),
            names: Names::of(provider, shared_key.as_ref()),
            lease_end: UnixMillis(0),
            seen: None,
            alone_until: UnixMillis(0),
            inquiries: provider.introspection.clone().map(Inquiries::new),
        };
        Self {
            key_sets: policy.providers.iter().map(slot).collect(),
            answers: Answers::default(),
            waiting: Waiting::default(),
            displaced: Vec::new(),
            shared_key,
            last_call: 0,
        }
    }

    /// This worker's configuration is loaded. The host loads it on its main thread before any worker
    /// does, so that what the workers must find in shared memory is laid out by one alone.
    pub fn open(&self, memory: &dyn SharedMemory) {
        for slot in &self.key_sets {
            if let Some(shared) = shared(self.shared_key.as_ref(), &slot.names, memory) {
                shared.lay_out_lease();
            }
        }
    }

    /// The facts as they stand at `now`.
    pub const fn at(&self, now: UnixMillis) -> FactsAt<'_> {
        FactsAt {
            store: self,
            since: now,
            now,
        }
    }

    /// Lets a request wait for a fact. It is woken when the fact has come, when fetching it has
    /// failed, or when as much time has gone by `since` it began to wait as one fetch may take,
    /// however often it was woken in between. Where another one must leave for it, that is named by
    /// the next tick.
    pub fn admit(
        &mut self,
        waiter: WaiterId,
        fact: Fact,
        since: UnixMillis,
        origin: Origin,
        now: UnixMillis,
    ) -> Result<(), WaitFault> {
        let provider = fact.provider();
        let is_of_a_token = fact.is_of_a_token();
        let slots = self.key_sets.iter();
        let providers = slots.filter(|slot| !is_of_a_token || slot.inquiries.is_some());
        let providers = providers.count();
        let slot = self.key_sets.get(provider.0).ok_or(WaitFault::TooMany)?;
        let inquiries = slot.inquiries.as_ref().filter(|_| is_of_a_token);
        let (length, places) = match inquiries {
            Some(inquiries) => (inquiries.longest(), MAX_ASKERS),
            None => (slot.fact.longest_fetch(), MAX_WAITERS),
        };
        // Each provider has places of its own, so that one that is down does not take them all.
        let places = places.checked_div(providers).unwrap_or_default();
        let claim = self.claim(fact, origin);
        if let Some(wanted) = fact.wanted(claim.peer) {
            let wait = slot.fact.before_look(wanted, now);
            if !wait.is_zero() {
                return Err(WaitFault::NotYet(wait));
            }
        }
        if self.displaced.len() >= MAX_DISPLACED {
            return Err(WaitFault::TooMany);
        }
        let waiter = Waiter {
            id: waiter,
            fact,
            claim,
            until: since.saturating_add(length),
        };
        self.displaced.extend(self.waiting.add(waiter, places)?);
        Ok(())
    }

    fn claim(&self, fact: Fact, origin: Origin) -> Claim {
        let key = self.shared_key.as_ref();
        let blind = |peer| key.map_or(peer, |key| key.blind(peer));
        let (is_proven, group) = match fact {
            Fact::KeySet(_) => (origin.was_verified, origin.key_id.map(KeyIdDigest::number)),
            Fact::NewerKeySet(_, key_id) | Fact::ChangedKeySet(_, key_id, _) => {
                (origin.was_verified, Some(key_id.number()))
            }
            Fact::Introspection(provider, token) => (
                self.answers.was_active(provider, &token),
                Some(KeyIdDigest::of_token(&token).number()),
            ),
            Fact::Confirmation(_, token) => (true, Some(KeyIdDigest::of_token(&token).number())),
        };
        Claim {
            is_proven,
            peer: origin.peer.map(blind),
            group: group.unwrap_or_default(),
        }
    }

    /// Forgets a request that is gone.
    pub fn forget(&mut self, waiter: WaiterId) {
        self.waiting.remove(waiter);
        self.displaced.retain(|displaced| *displaced != waiter);
    }

    /// Whether any request waits: then ticks must come quickly.
    pub fn has_waiters(&self) -> bool {
        !self.waiting.is_empty() || !self.displaced.is_empty()
    }

    /// Time passes.
    pub fn tick(&mut self, now: UnixMillis, memory: &dyn SharedMemory) -> Vec<Effect> {
        let displaced = self.displaced.len().min(DISPLACED_AT_ONCE);
        let displaced = self.displaced.drain(..displaced);
        let mut effects: Vec<_> = displaced.map(Effect::Displace).collect();
        for index in 0..self.key_sets.len() {
            self.tick_provider(ProviderId(index), now, memory, &mut effects);
            self.ask(ProviderId(index), now, &mut effects);
        }
        wake(self.waiting.take_overdue(now), true, &mut effects);
        effects
    }

    fn tick_provider(
        &mut self,
        provider: ProviderId,
        now: UnixMillis,
        memory: &dyn SharedMemory,
        effects: &mut Vec<Effect>,
    ) {
        let Some(slot) = self.key_sets.get_mut(provider.0) else {
            return;
        };
        slot.fact.expire(now);
        let latest = now.saturating_add(slot.fact.longest_fetch());
        self.waiting.clamp(provider, false, latest);
        if let Some(inquiries) = &slot.inquiries {
            let latest = now.saturating_add(inquiries.longest());
            self.waiting.clamp(provider, true, latest);
        }
        if let Some(call) = slot.fact.lost_call(now) {
            effects.extend(self.answered(call, CallResponse::NoResponse, now, memory));
        }
        let Some(slot) = self.key_sets.get_mut(provider.0) else {
            return;
        };
        slot.alone_until = slot.alone_until.min(now.saturating_add(ALONE));
        let key = self.shared_key.as_ref();
        let key = key.filter(|_| now >= slot.alone_until);
        let mut shared = shared(key, &slot.names, memory);
        match catch_up(&mut slot.fact, &mut slot.seen, shared.as_ref(), now) {
            Ok(true) => wake(self.waiting.take(provider), false, effects),
            Ok(false) => {}
            Err(TooLarge) => {
                slot.alone_until = now.saturating_add(ALONE);
                shared = None;
            }
        }
        let wanted = self.waiting.wanted_keys(provider);
        if !slot.fact.is_due(now, wanted) {
            return;
        }
        let length = slot.fact.longest_fetch();
        let lease = shared.map_or(Lease::Ours(now), |shared| shared.try_lease(now, length));
        match lease {
            Lease::Ours(end) => slot.lease_end = end,
            Lease::Theirs => return,
            Lease::Paused(pause) => {
                if slot.fact.pause(pause) {
                    wake(self.waiting.take(provider), false, effects);
                }
                return;
            }
        }
        self.last_call = self.last_call.saturating_add(1);
        let call = CallId(self.last_call);
        let wanted: Vec<_> = self.waiting.wanted_keys(provider).collect();
        if let Some(endpoint) = slot.fact.begin(call, now, &wanted) {
            let timeout = slot.fact.timeout();
            let request = CallRequest::get(endpoint, timeout);
            effects.push(Effect::Call(Call { id: call, request }));
        }
    }

    /// A call was answered, or could not be made.
    pub fn answered(
        &mut self,
        call: CallId,
        answer: CallResponse,
        now: UnixMillis,
        memory: &dyn SharedMemory,
    ) -> Vec<Effect> {
        let is_about_a_token = |slot: &Slot| {
            let inquiries = slot.inquiries.as_ref();
            inquiries.is_some_and(|inquiries| inquiries.awaits(call))
        };
        if let Some(index) = self.key_sets.iter().position(is_about_a_token) {
            return self.told(ProviderId(index), call, answer, now);
        }
        let next = CallId(self.last_call.saturating_add(1));
        let mut slots = self.key_sets.iter_mut().enumerate();
        let Some((index, slot)) = slots.find(|(_, slot)| slot.fact.awaits(call)) else {
            // An answer to a call that was given up.
            return Vec::new();
        };
        let provider = ProviderId(index);
        let key = self.shared_key.as_ref();
        let key = key.filter(|_| now >= slot.alone_until);
        let shared = shared(key, &slot.names, memory);
        // A fetch that took long must not undo what another worker learnt since.
        slot.fact.expire(now);
        let _ = catch_up(&mut slot.fact, &mut slot.seen, shared.as_ref(), now);
        let publish = |snapshot| {
            if let Some(shared) = &shared {
                shared.publish(snapshot);
            }
        };
        let skipped_before = slot.fact.skipped().to_vec();
        let report = match slot.fact.answered(call, answer, next, now) {
            Progress::Next(endpoint) => {
                self.last_call = next.0;
                let timeout = slot.fact.timeout();
                let request = CallRequest::get(endpoint, timeout);
                return vec![Effect::Call(Call { id: next, request })];
            }
            Progress::Fetched(snapshot) => {
                publish(&snapshot);
                Effect::Refreshed(provider)
            }
            Progress::Emptied(fault, snapshot) => {
                publish(&snapshot);
                Effect::Failed(provider, fault.into())
            }
            Progress::Failed(fault, known) => {
                known.iter().for_each(publish);
                Effect::Failed(provider, fault)
            }
        };
        if let Some(shared) = shared {
            shared.release(slot.fact.pause_after_fetch());
        }
        let mut effects = vec![report];
        let skipped = slot.fact.skipped();
        if skipped != skipped_before {
            effects.push(Effect::Skipped(provider, skipped.to_vec()));
        }
        wake(self.waiting.take(provider), false, &mut effects);
        effects
    }

    /// This worker's configuration goes away, and with it the calls that are under way: another
    /// one must not wait for them.
    pub fn close(&self, memory: &dyn SharedMemory) {
        for slot in &self.key_sets {
            let shared = shared(self.shared_key.as_ref(), &slot.names, memory);
            if let Some(shared) = shared.filter(|_| slot.fact.is_fetching()) {
                shared.give_back(slot.lease_end);
            }
        }
    }

    /// How old a provider's keys are, or for how long there were none.
    pub fn key_set_age(&self, provider: ProviderId, now: UnixMillis) -> Option<Duration> {
        self.key_sets.get(provider.0)?.fact.age(now)
    }

    /// How many keys of a provider there are.
    pub fn key_count(&self, provider: ProviderId, now: UnixMillis) -> Option<KeyCount> {
        let fact = &self.key_sets.get(provider.0)?.fact;
        Some(KeyCount {
            usable: match fact.availability(now) {
                Availability::Known(keys) => keys.keys().len(),
                _ => 0,
            },
            skipped: fact.skipped().len(),
        })
    }
}

fn shared<'s>(
    key: Option<&'s SharedKey>,
    names: &'s Names,
    memory: &'s dyn SharedMemory,
) -> Option<SharedKeySet<'s>> {
    key.map(|key| SharedKeySet { memory, key, names })
}

/// Takes over what another worker shared since this one last looked. Returns whether there are new
/// keys.
fn catch_up(
    fact: &mut KeySetFact,
    seen: &mut Option<u32>,
    shared: Option<&SharedKeySet<'_>>,
    now: UnixMillis,
) -> Result<bool, TooLarge> {
    let read = shared.map(|shared| shared.read(*seen)).transpose()?;
    let Some((version, snapshot)) = read.flatten() else {
        return Ok(false);
    };
    // One that is of the future, by this worker's clock, is looked at again.
    if snapshot.as_ref().is_none_or(|newest| newest.fetched <= now) {
        *seen = Some(version);
    }
    Ok(snapshot.is_some_and(|newest| fact.adopt(&newest, now)))
}

fn wake(waiters: Vec<WaiterId>, last_chance: bool, effects: &mut Vec<Effect>) {
    for waiter in waiters {
        effects.push(Effect::Wake {
            waiter,
            last_chance,
        });
    }
}

/// The facts as they stand at one moment.
pub struct FactsAt<'s> {
    store: &'s FactStore,
    /// When the request came.
    since: UnixMillis,
    now: UnixMillis,
}

impl Facts for FactsAt<'_> {
    fn key_set(&self, provider: ProviderId) -> Availability<'_> {
        self.store.key_sets.get(provider.0).map_or(
            Availability::Unavailable(Outage {
                retry_after: Duration::ZERO,
                fault: None,
            }),
            |slot| slot.fact.availability(self.now),
        )
    }

    fn newer_keys(&self, provider: ProviderId, key_id: KeyIdDigest) -> NewerKeys {
        self.store
            .key_sets
            .get(provider.0)
            .map_or(NewerKeys::Unlikely, |slot| {
                slot.fact.newer_keys(key_id, self.since, self.now)
            })
    }

    fn may_have_changed(&self, provider: ProviderId, token: KeyIdDigest) -> bool {
        let slot = self.store.key_sets.get(provider.0);
        slot.is_some_and(|slot| slot.fact.may_have_changed(token, self.since, self.now))
    }

    fn introspection(&self, provider: ProviderId, token: &TokenDigest) -> Introspected<'_> {
        let is_proven = self.store.answers.was_active(provider, token);
        self.word(provider, token, is_proven)
    }

    fn confirmation(&self, provider: ProviderId, token: &TokenDigest) -> Introspected<'_> {
        self.word(provider, token, true)
    }
}

impl FactsAt<'_> {
    /// The same for a request that came at `since`.
    #[must_use]
    pub const fn of_request(mut self, since: UnixMillis) -> Self {
        self.since = since;
        self
    }

    /// What a provider says of a token, of which nobody knows or somebody does that it was not made
    /// up.
    fn word(&self, provider: ProviderId, token: &TokenDigest, is_proven: bool) -> Introspected<'_> {
        match self.store.answers.of(provider, token, self.now) {
            Some((Word::Active(answer, _), _)) => return Introspected::Active(answer),
            Some((Word::Inactive, _)) => return Introspected::Inactive,
            Some((Word::Nameless, _)) => return Introspected::Nameless,
            Some((Word::Failed(fault), term)) => {
                return Introspected::Unavailable(Outage {
                    retry_after: term.until.since(self.now),
                    fault: Some(fault),
                });
            }
            None => {}
        }
        let slot = self.store.key_sets.get(provider.0);
        match slot.and_then(|slot| slot.inquiries.as_ref()) {
            Some(inquiries) => inquiries
                .outage(token, self.now, is_proven)
                .map_or(Introspected::Pending, Introspected::Unavailable),
            None => Introspected::Inactive,
        }
    }
}
