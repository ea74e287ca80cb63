//! About which token the next call is made.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::facts::peer::Peer;
use crate::facts::schedule::Calls;
use crate::facts::slots::Holder;
use crate::facts::waiting::Waiter;

/// Callers that share calls only with each other: those of one address with proven tokens, or the
/// others of it. The proven ones come first.
type Caller = (bool, Option<Peer>);

fn caller(holder: Option<Holder>) -> Caller {
    let is_proven = holder.is_some_and(|holder| holder.is_proven);
    (!is_proven, holder.and_then(|holder| holder.peer))
}

/// Requests whose token no call is about yet, one for each token, by where they came from. So a caller
/// with many tokens, made up or not, does not come before all others.
pub(super) struct Queues {
    callers: BTreeMap<Caller, Queue>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiter>,
    /// How many calls are under way for them.
    calls: usize,
}

impl Queues {
    /// In the order in which they came.
    pub(super) fn of(waiters: &mut dyn Iterator<Item = &Waiter>, calls: &Calls) -> Self {
        let mut queues = Self {
            callers: BTreeMap::new(),
        };
        let mut seen = BTreeSet::new();
        for call in calls.iter() {
            seen.insert(call.key.0);
            queues.count(caller(call.holder));
        }
        for waiter in waiters {
            if seen.insert(waiter.demand.key().0) {
                let caller = caller(Some(waiter.holder));
                let queue = queues.callers.entry(caller).or_default();
                queue.waiting.push_back(*waiter);
            }
        }
        queues
    }

    fn count(&mut self, caller: Caller) {
        let queue = self.callers.entry(caller).or_default();
        queue.calls = queue.calls.saturating_add(1);
    }

    /// Takes out the next one: of the callers with fewer calls than they may have, one with the fewest.
    pub(super) fn next(&mut self, most_of_proven: usize, most_of_others: usize) -> Option<Waiter> {
        let waiting = self.callers.iter();
        let waiting = waiting.filter(|(_, queue)| !queue.waiting.is_empty());
        let callers = waiting.map(|(caller, queue)| (caller.0, queue.calls, *caller));
        let may_call = callers.filter(|(is_unproven, calls, _)| {
            *calls
                < if *is_unproven {
                    most_of_others
                } else {
                    most_of_proven
                }
        });
        let (_, _, next) = may_call.min()?;
        self.count(next);
        self.callers.get_mut(&next)?.waiting.pop_front()
    }
}
