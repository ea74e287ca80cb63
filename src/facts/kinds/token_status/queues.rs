//! Whose token a provider is asked about next.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Inquiries;
use crate::facts::peer::Peer;
use crate::facts::waiting::Asker;
use crate::time::UnixMillis;

/// Those who share calls with each other alone: the tokens of one address that are proven, or the
/// others. The proven ones come first.
type Caller = (bool, Option<Peer>);

/// Those who wait for a word on a token that no call is about yet, each token once, by where they
/// came from: a caller with many tokens, made up or not, does not go before all others.
pub(in crate::facts) struct Queues {
    callers: BTreeMap<Caller, Queue>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Asker>,
    /// How many calls are under way for them.
    calls: usize,
}

impl Queues {
    /// Puts them together, in the order of their coming.
    pub(in crate::facts) fn of(askers: impl Iterator<Item = Asker>, inquiries: &Inquiries) -> Self {
        let mut queues = Self {
            callers: BTreeMap::new(),
        };
        let mut seen = BTreeSet::new();
        for call in &inquiries.calls {
            seen.insert(*call.token.bytes());
            queues.count((!call.is_proven, call.peer));
        }
        for asker in askers {
            if seen.insert(*asker.token.bytes()) {
                let caller = (!asker.is_proven, asker.peer);
                let queue = queues.callers.entry(caller).or_default();
                queue.waiting.push_back(asker);
            }
        }
        queues
    }

    fn count(&mut self, caller: Caller) {
        let queue = self.callers.entry(caller).or_default();
        queue.calls = queue.calls.saturating_add(1);
    }

    /// Takes out who is next: of the callers who may ask, one who has the fewest calls.
    pub(in crate::facts) fn next(
        &mut self,
        inquiries: &Inquiries,
        now: UnixMillis,
    ) -> Option<Asker> {
        let most = [true, false].map(|is_proven| inquiries.most_calls(now, is_proven));
        let [most_of_proven, most_of_others] = most;
        let waiting = self.callers.iter();
        let waiting = waiting.filter(|(_, queue)| !queue.waiting.is_empty());
        let callers = waiting.map(|(caller, queue)| (caller.0, queue.calls, *caller));
        let may_ask = callers.filter(|(is_unproven, calls, _)| {
            *calls
                < if *is_unproven {
                    most_of_others
                } else {
                    most_of_proven
                }
        });
        let (_, _, next) = may_ask.min()?;
        self.count(next);
        self.callers.get_mut(&next)?.waiting.pop_front()
    }
}
