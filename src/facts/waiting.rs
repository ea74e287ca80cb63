//! Requests that wait for a fact.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use thiserror::Error;

use super::kinds::key_set::Wanted;
use super::peer::Peer;
use super::slots::{Claim, Places};
use super::Fact;
use crate::policy::ProviderId;
use crate::time::UnixMillis;
use crate::token::TokenDigest;

/// The most requests of one worker that wait for keys at a time. Each holds a connection and
/// memory.
pub(super) const MAX_WAITERS: usize = 1024;

/// The most that wait for words on tokens. Strangers can make up tokens, and send long heads.
pub(super) const MAX_ASKERS: usize = 256;

/// A request that waits, by the number that the host gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WaiterId(pub u32);

/// Why a request cannot wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WaitFault {
    /// Too many wait already.
    #[error("too many requests wait already")]
    TooMany,
    /// The keys were fetched a moment ago for such a token, and are not again before this time has
    /// passed.
    #[error("the keys were fetched a moment ago")]
    NotYet(Duration),
}

/// The order in which requests came.
type Order = u64;

/// The requests that wait.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// Three for a provider at most.
    pools: Vec<Waiters>,
    places: HashMap<WaiterId, (Pool, Order)>,
    last: Order,
}

/// Requests that share places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Pool(ProviderId, Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Keys,
    /// A word on a token that nobody can have made up. Such have places of their own.
    ProvenToken,
    Token,
}

#[derive(Debug)]
struct Waiters {
    pool: Pool,
    places: Places,
    in_order: BTreeMap<Order, Waiter>,
}

/// A request that waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiter {
    pub(super) id: WaiterId,
    pub(super) fact: Fact,
    pub(super) claim: Claim,
    pub(super) until: UnixMillis,
}

impl Waiter {
    const fn kind(&self) -> Kind {
        match (self.fact.is_of_a_token(), self.claim.is_proven) {
            (false, _) => Kind::Keys,
            (true, true) => Kind::ProvenToken,
            (true, false) => Kind::Token,
        }
    }
}

/// One who waits for a word on a token.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker {
    pub(super) id: WaiterId,
    pub(super) token: TokenDigest,
    pub(super) is_proven: bool,
    pub(super) peer: Option<Peer>,
}

impl Waiting {
    /// Takes a request in. Where `places` wait for the same provider, for its keys or for its word
    /// on a token, one must leave for it, and is returned, or it cannot wait.
    pub(super) fn add(
        &mut self,
        waiter: Waiter,
        places: usize,
    ) -> Result<Option<WaiterId>, WaitFault> {
        let pool = Pool(waiter.fact.provider(), waiter.kind());
        self.last = self.last.saturating_add(1);
        let order = self.last;
        if self.of(pool).is_none() {
            self.pools.push(Waiters {
                pool,
                places: Places::default(),
                in_order: BTreeMap::new(),
            });
        }
        let here = self.of(pool).ok_or(WaitFault::TooMany)?;
        let displaced = here.places.take(waiter.claim, places);
        let displaced = displaced.map_err(|_| WaitFault::TooMany)?;
        let displaced = displaced.and_then(|claim| {
            let mut newest_first = here.in_order.iter().rev();
            let (order, _) = newest_first.find(|(_, other)| other.claim == claim)?;
            let order = *order;
            here.in_order.remove(&order)
        });
        here.in_order.insert(order, waiter);
        self.places.insert(waiter.id, (pool, order));
        Ok(displaced.map(|displaced| {
            self.places.remove(&displaced.id);
            displaced.id
        }))
    }

    pub(super) fn remove(&mut self, id: WaiterId) {
        if let Some((pool, order)) = self.places.remove(&id) {
            self.release(pool, order);
        }
    }

    fn release(&mut self, pool: Pool, order: Order) {
        let Some(here) = self.of(pool) else {
            return;
        };
        if let Some(waiter) = here.in_order.remove(&order) {
            here.places.leave(waiter.claim);
        }
    }

    fn of(&mut self, pool: Pool) -> Option<&mut Waiters> {
        self.pools.iter_mut().find(|waiters| waiters.pool == pool)
    }

    /// Those of a pool, in the order of their coming.
    fn waiters(&self, pool: Pool) -> impl Iterator<Item = (&Order, &Waiter)> {
        let here = self.pools.iter().find(|waiters| waiters.pool == pool);
        here.into_iter().flat_map(|here| here.in_order.iter())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Takes out those who wait for keys of this provider.
    pub(super) fn take(&mut self, provider: ProviderId) -> Vec<WaiterId> {
        self.take_if(Pool(provider, Kind::Keys), |_| true)
    }

    /// Takes out those who wait for a provider's word on one of these tokens.
    pub(super) fn take_askers(
        &mut self,
        provider: ProviderId,
        chosen: impl Fn(&TokenDigest) -> bool,
    ) -> Vec<WaiterId> {
        let is_chosen = |waiter: &Waiter| match &waiter.fact {
            Fact::Introspection(_, token) | Fact::Confirmation(_, token) => chosen(token),
            _ => false,
        };
        let mut taken = self.take_if(Pool(provider, Kind::ProvenToken), is_chosen);
        taken.append(&mut self.take_if(Pool(provider, Kind::Token), is_chosen));
        taken
    }

    /// Those who wait for a provider's word, in the order of their coming, but for those with a
    /// proven token, who come first.
    pub(super) fn askers(&self, provider: ProviderId) -> impl Iterator<Item = Asker> + '_ {
        let kinds = [Kind::ProvenToken, Kind::Token].into_iter();
        let waiters = kinds.flat_map(move |kind| self.waiters(Pool(provider, kind)));
        waiters.filter_map(|(_, waiter)| match waiter.fact {
            Fact::Introspection(_, token) | Fact::Confirmation(_, token) => Some(Asker {
                id: waiter.id,
                token,
                is_proven: waiter.claim.is_proven,
                peer: waiter.claim.peer,
            }),
            _ => None,
        })
    }

    /// What those want to be looked for whose token names a key that is not there or did not sign it,
    /// in the order of their coming.
    pub(super) fn wanted_keys(&self, provider: ProviderId) -> impl Iterator<Item = Wanted> + '_ {
        let waiters = self.waiters(Pool(provider, Kind::Keys));
        waiters.filter_map(|(_, waiter)| waiter.fact.wanted(waiter.claim.peer))
    }

    /// Nobody waits for this provider's keys, or its word on a token, beyond `latest`, though the
    /// clock was set back.
    pub(super) fn clamp(&mut self, provider: ProviderId, of_a_token: bool, latest: UnixMillis) {
        let kinds: &[Kind] = if of_a_token {
            &[Kind::ProvenToken, Kind::Token]
        } else {
            &[Kind::Keys]
        };
        for kind in kinds {
            if let Some(pool) = self.of(Pool(provider, *kind)) {
                for waiter in pool.in_order.values_mut() {
                    waiter.until = waiter.until.min(latest);
                }
            }
        }
    }

    /// Takes out those who have waited long enough.
    pub(super) fn take_overdue(&mut self, now: UnixMillis) -> Vec<WaiterId> {
        let pools: Vec<_> = self.pools.iter().map(|waiters| waiters.pool).collect();
        let mut taken = Vec::new();
        for pool in pools {
            taken.append(&mut self.take_if(pool, |waiter| waiter.until <= now));
        }
        taken
    }

    fn take_if(&mut self, pool: Pool, chosen: impl Fn(&Waiter) -> bool) -> Vec<WaiterId> {
        let waiters = self.waiters(pool).filter(|(_, waiter)| chosen(waiter));
        let chosen: Vec<_> = waiters.map(|(order, waiter)| (*order, waiter.id)).collect();
        for (order, id) in &chosen {
            self.places.remove(id);
            self.release(pool, *order);
        }
        chosen.into_iter().map(|(_, id)| id).collect()
    }
}
