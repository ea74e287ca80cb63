//! About which token the next call is made.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::step::TokenStatusCalls;
use crate::facts::demand::FactKey;
use crate::facts::peer::Peer;
use crate::facts::waiting::Waiter;
use crate::facts::WaiterId;

/// Callers that share calls only with each other: those of one address with proven tokens, or the
/// others of it. The proven ones come first.
type Caller = (bool, Option<Peer>);

/// A request that waits for the status of a token.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker {
    pub(super) waiter: WaiterId,
    pub(super) key: FactKey,
    pub(super) is_proven: bool,
    pub(super) peer: Option<Peer>,
}

/// Requests whose token no call is about yet, one for each token, by where they came from. So a caller
/// with many tokens, made up or not, does not come before all others.
pub(super) struct Queues {
    callers: BTreeMap<Caller, Queue>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Asker>,
    /// How many calls are under way for them.
    calls: usize,
}

impl Queues {
    /// In the order in which they came.
    pub(super) fn of(waiters: &mut dyn Iterator<Item = &Waiter>, calls: &TokenStatusCalls) -> Self {
        let mut queues = Self {
            callers: BTreeMap::new(),
        };
        let mut seen = BTreeSet::new();
        for call in calls.iter() {
            seen.insert(call.key.0);
            queues.count((!call.step.is_proven, call.step.peer));
        }
        for waiter in waiters {
            let key = *waiter.demand.key();
            if seen.insert(key.0) {
                let (is_proven, peer) = (waiter.holder.is_proven, waiter.holder.peer);
                let queue = queues.callers.entry((!is_proven, peer)).or_default();
                queue.waiting.push_back(Asker {
                    waiter: waiter.id,
                    key,
                    is_proven,
                    peer,
                });
            }
        }
        queues
    }

    fn count(&mut self, caller: Caller) {
        let queue = self.callers.entry(caller).or_default();
        queue.calls = queue.calls.saturating_add(1);
    }

    /// Takes out the next one: of the callers with fewer calls than they may have, one with the fewest.
    pub(super) fn next(&mut self, most_of_proven: usize, most_of_others: usize) -> Option<Asker> {
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
