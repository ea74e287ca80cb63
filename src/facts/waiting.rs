//! Requests that wait for a fact.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use thiserror::Error;

use super::demand::{Demand, FactKey, SourceId};
use super::slots::{Holder, Slots};
use crate::time::UnixMillis;

/// A request that waits, by the number that the host gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WaiterId(pub u32);

/// Why a request cannot wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WaitFault {
    /// Too many wait already.
    #[error("too many requests wait already")]
    TooMany,
    /// The fact was fetched a moment ago for such a request, and is not again before this time has
    /// passed.
    #[error("the fact was fetched a moment ago")]
    NotYet(Duration),
}

/// The order in which requests came.
type Order = u64;

/// The requests that wait.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// Two for a source at most.
    pools: Vec<Waiters>,
    slots: HashMap<WaiterId, (Pool, Order)>,
    last: Order,
}

/// Requests that share slots: those for a source, or those of them with a proven token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Pool(SourceId, Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Those with a proven token, where they have slots of their own.
    Proven,
    /// The others.
    Others,
}

/// The pools of a source, in the order in which its requests are served.
const fn pools(source: SourceId) -> [Pool; 2] {
    [Pool(source, Kind::Proven), Pool(source, Kind::Others)]
}

#[derive(Debug)]
struct Waiters {
    pool: Pool,
    slots: Slots,
    in_order: BTreeMap<Order, Waiter>,
}

/// A request that waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiter {
    pub(super) id: WaiterId,
    pub(super) source: SourceId,
    pub(super) demand: Demand,
    pub(super) holder: Holder,
    pub(super) until: UnixMillis,
}

impl Waiting {
    /// Takes a request in. Where `slots` wait for the same source already, one must leave for it, and
    /// is returned, or it cannot wait. `proven_apart`: proven ones have as many slots of their own.
    pub(super) fn add(
        &mut self,
        waiter: Waiter,
        slots: usize,
        proven_apart: bool,
    ) -> Result<Option<WaiterId>, WaitFault> {
        let kind = if proven_apart && waiter.holder.is_proven {
            Kind::Proven
        } else {
            Kind::Others
        };
        let pool = Pool(waiter.source, kind);
        self.last = self.last.saturating_add(1);
        let order = self.last;
        if self.of(pool).is_none() {
            self.pools.push(Waiters {
                pool,
                slots: Slots::default(),
                in_order: BTreeMap::new(),
            });
        }
        let here = self.of(pool).ok_or(WaitFault::TooMany)?;
        let displaced = here.slots.take(waiter.holder, slots);
        let displaced = displaced.map_err(|_| WaitFault::TooMany)?;
        let displaced = displaced.and_then(|holder| {
            let mut newest_first = here.in_order.iter().rev();
            let (order, _) = newest_first.find(|(_, other)| other.holder == holder)?;
            let order = *order;
            here.in_order.remove(&order)
        });
        here.in_order.insert(order, waiter);
        self.slots.insert(waiter.id, (pool, order));
        Ok(displaced.map(|displaced| {
            self.slots.remove(&displaced.id);
            displaced.id
        }))
    }

    pub(super) fn remove(&mut self, id: WaiterId) {
        if let Some((pool, order)) = self.slots.remove(&id) {
            self.release(pool, order);
        }
    }

    fn release(&mut self, pool: Pool, order: Order) {
        let Some(here) = self.of(pool) else {
            return;
        };
        if let Some(waiter) = here.in_order.remove(&order) {
            here.slots.leave(waiter.holder);
        }
    }

    fn of(&mut self, pool: Pool) -> Option<&mut Waiters> {
        self.pools.iter_mut().find(|waiters| waiters.pool == pool)
    }

    /// Those of a pool, in the order in which they came.
    fn waiters(&self, pool: Pool) -> impl Iterator<Item = (&Order, &Waiter)> {
        let here = self.pools.iter().find(|waiters| waiters.pool == pool);
        here.into_iter().flat_map(|here| here.in_order.iter())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Those that wait for a source, in the order in which they came, but for proven ones with slots of
    /// their own, which come first.
    pub(super) fn for_source(&self, source: SourceId) -> impl Iterator<Item = &Waiter> {
        let pools = pools(source).into_iter();
        pools.flat_map(|pool| self.waiters(pool).map(|(_, waiter)| waiter))
    }

    /// Takes out those that wait for these facts of a source.
    pub(super) fn take(
        &mut self,
        source: SourceId,
        chosen: &dyn Fn(&FactKey) -> bool,
    ) -> Vec<WaiterId> {
        let mut taken = Vec::new();
        for pool in pools(source) {
            taken.append(&mut self.take_if(pool, &|waiter| chosen(waiter.demand.key())));
        }
        taken
    }

    /// No request waits for this source beyond `latest`, though the clock was set back.
    pub(super) fn clamp(&mut self, source: SourceId, latest: UnixMillis) {
        for pool in pools(source) {
            if let Some(here) = self.of(pool) {
                for waiter in here.in_order.values_mut() {
                    waiter.until = waiter.until.min(latest);
                }
            }
        }
    }

    /// Takes out those that have waited long enough.
    pub(super) fn take_overdue(&mut self, now: UnixMillis) -> Vec<WaiterId> {
        let pools: Vec<_> = self.pools.iter().map(|waiters| waiters.pool).collect();
        let mut taken = Vec::new();
        for pool in pools {
            taken.append(&mut self.take_if(pool, &|waiter| waiter.until <= now));
        }
        taken
    }

    fn take_if(&mut self, pool: Pool, chosen: &dyn Fn(&Waiter) -> bool) -> Vec<WaiterId> {
        let waiters = self.waiters(pool).filter(|(_, waiter)| chosen(waiter));
        let chosen: Vec<_> = waiters.map(|(order, waiter)| (*order, waiter.id)).collect();
        for (order, id) in &chosen {
            self.slots.remove(id);
            self.release(pool, *order);
        }
        chosen.into_iter().map(|(_, id)| id).collect()
    }
}
