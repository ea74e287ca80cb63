//! The sources that a policy asks for, and what each fact of a decision is in them.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use super::{Admission, FactStore, Origin, SourcesOfProvider};
use crate::facts::demand::{Demand, FactKey, SourceId};
use crate::facts::kinds::key_set::{for_changed, for_unknown, KeySetSource, OnlyKeySet};
use crate::facts::kinds::token_status::{TokenStatusSource, TokenStatuses};
use crate::facts::source::{Kind, Source};
use crate::facts::{Availability, Fact, KeyIdDigest, SharedKey, WaitFault, WaiterId};
use crate::policy::{Policy, Principals, ProviderId};
use crate::time::UnixMillis;
use crate::token::TokenDigest;

/// How many keys of a provider there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyCount {
    /// Those that may check tokens now, with those under grace.
    pub usable: usize,
    /// Those of the newest document that are left out.
    pub skipped: usize,
}

impl FactStore {
    /// A store that knows nothing but what the policy holds.
    pub fn new(policy: &Policy) -> Self {
        let principals = policy.instances.iter().map(|instance| &instance.principals);
        let keys = principals.flat_map(Principals::iter);
        let keys = keys.map(|principal| &principal.api_key);
        let shared_key = SharedKey::derive(keys.chain(&policy.sharing_secret));
        let statuses = Rc::new(RefCell::new(TokenStatuses::default()));
        let mut sources: Vec<Box<dyn Source>> = Vec::new();
        let mut of_providers = Vec::new();
        for (index, provider) in policy.providers.iter().enumerate() {
            let id = ProviderId(index);
            let keys = SourceId(sources.len());
            sources.push(Box::new(KeySetSource::new(id, provider)));
            let token_status = provider.introspection.clone().map(|rules| {
                let source = SourceId(sources.len());
                let statuses = Rc::clone(&statuses);
                sources.push(Box::new(TokenStatusSource::new(
                    source, id, rules, statuses,
                )));
                source
            });
            of_providers.push(SourcesOfProvider { keys, token_status });
        }
        let mut store = Self::of_sources(sources, shared_key);
        store.of_providers = of_providers;
        store
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
        self.admit_to(waiter, &admission, since, origin.peer, now)
    }

    fn admission(&self, fact: Fact, origin: Origin) -> Option<Admission> {
        let sources = self.of_providers.get(fact.provider().0)?;
        let only = FactKey::from(OnlyKeySet);
        let of_keys = |demand, key_id: Option<KeyIdDigest>| Admission {
            source: sources.keys,
            demand,
            is_proven: origin.was_verified,
            group: key_id.map(KeyIdDigest::number).unwrap_or_default(),
        };
        let of_token = |token: TokenDigest, is_proven| {
            let source = sources.token_status?;
            let key = FactKey::from(token);
            let slot = self.sources.get(source.0)?;
            Some(Admission {
                source,
                demand: Demand::Any(key),
                is_proven: is_proven || slot.source.was_good(&key),
                group: KeyIdDigest::of_token(&token).number(),
            })
        };
        match fact {
            Fact::KeySet(_) => Some(of_keys(Demand::Any(only), origin.key_id)),
            Fact::NewerKeySet(_, key_id) => {
                let demand = Demand::Newer(only, for_unknown(key_id));
                Some(of_keys(demand, Some(key_id)))
            }
            Fact::ChangedKeySet(_, token, _) => {
                let demand = Demand::Newer(only, for_changed(token));
                Some(of_keys(demand, Some(token)))
            }
            Fact::Introspection(_, token) => of_token(token, false),
            Fact::Confirmation(_, token) => of_token(token, true),
        }
    }

    /// How old a provider's keys are, or for how long there were none.
    pub fn key_set_age(&self, provider: ProviderId, now: UnixMillis) -> Option<Duration> {
        self.key_set_of(provider)?.age(now)
    }

    /// How many keys of a provider there are.
    pub fn key_count(&self, provider: ProviderId, now: UnixMillis) -> Option<KeyCount> {
        let source = self.key_set_of(provider)?;
        Some(KeyCount {
            usable: match source.availability(OnlyKeySet, false, now) {
                Availability::Known(keys) => keys.keys().len(),
                _ => 0,
            },
            skipped: source.skipped().len(),
        })
    }

    pub(super) fn key_set_of(&self, provider: ProviderId) -> Option<&KeySetSource> {
        self.source(self.of_providers.get(provider.0)?.keys)
    }

    pub(super) fn token_status_of(&self, provider: ProviderId) -> Option<&TokenStatusSource> {
        self.source(self.of_providers.get(provider.0)?.token_status?)
    }
}
