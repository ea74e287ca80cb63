//! When a provider is asked for keys that tokens name and its set does not have, or has others for.
//!
//! Anybody can make up a key id or a signature. So such fetches, called looks here, are few in a cooldown. But a
//! made-up key id must not close the time until the next one for a key that is really new: after
//! the first look the second may come soon, and one caller cannot use them all up.

use std::time::Duration;

use super::unknown::KeyIdDigest;
use crate::facts::peer::Peer;
use crate::time::UnixMillis;

/// Why a token makes the gate look. Each has looks of its own, so that forged signatures use up none
/// for key ids that are really new.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::facts) enum Cause {
    /// Its key id is not in the set.
    #[default]
    Unknown,
    /// Its key id is, and its signature is good under no key of that name.
    Changed,
}

impl Cause {
    /// The most looks in a cooldown. A key changes under its id far less often than under a new one,
    /// and signatures that are wrong come by the thousand.
    const fn most(self) -> usize {
        match self {
            Self::Unknown => 4,
            Self::Changed => 3,
        }
    }

    /// The most that one caller may cause.
    const fn most_of_one(self) -> usize {
        match self {
            Self::Unknown => 3,
            Self::Changed => 2,
        }
    }
}

/// What a request that waits wants to be looked for.
#[derive(Clone, Copy, Debug)]
pub(in crate::facts) struct Wanted {
    pub(in crate::facts) cause: Cause,
    /// Stands for the key id, or for the token.
    pub(in crate::facts) key_id: KeyIdDigest,
    /// Where the request came from.
    pub(in crate::facts) peer: Option<Peer>,
}

/// The least time between two looks.
pub(in crate::facts) fn gap(cooldown: Duration) -> Duration {
    cooldown.checked_div(10).unwrap_or_default()
}

/// A look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::facts) struct Look {
    /// When it ended: one that takes longer than the cooldown is not followed by the next at once.
    pub(in crate::facts) at: UnixMillis,
    /// How long it took: a provider that is slow is not asked without a rest.
    pub(in crate::facts) took: Duration,
    /// Whose token caused it.
    pub(in crate::facts) peer: Option<Peer>,
}

/// The last looks of all workers for one cause, the oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::facts) struct Looks {
    cause: Cause,
    looks: Vec<Look>,
}

impl Looks {
    /// None yet.
    pub(in crate::facts) const fn of(cause: Cause) -> Self {
        Self {
            cause,
            looks: Vec::new(),
        }
    }

    /// From when on this caller's token may cause a look; zero: now.
    pub(in crate::facts) fn next_of(
        &self,
        peer: Option<Peer>,
        now: UnixMillis,
        cooldown: Duration,
    ) -> UnixMillis {
        let counts = |look: &&Look| now < look.at.saturating_add(cooldown);
        let mine = self.looks.iter().filter(counts);
        let mine = mine.filter(|look| look.peer == peer);
        let (count, first) = mine.fold((0_usize, None), |(count, first), look| {
            (count.saturating_add(1), first.or(Some(look.at)))
        });
        let first = first.unwrap_or_default();
        let own = if count <= 1 {
            UnixMillis(0)
        } else if count < self.cause.most_of_one() {
            first.saturating_add(cooldown.checked_div(2).unwrap_or_default())
        } else {
            first.saturating_add(cooldown)
        };
        self.next(now, cooldown).max(own)
    }

    /// From when on any caller's token may.
    pub(in crate::facts) fn next(&self, now: UnixMillis, cooldown: Duration) -> UnixMillis {
        let counts = |look: &&Look| now < look.at.saturating_add(cooldown);
        let Some(first) = self.looks.iter().find(counts) else {
            return UnixMillis(0);
        };
        if self.looks.iter().filter(counts).count() >= self.cause.most() {
            first.at.saturating_add(cooldown)
        } else {
            self.rested(cooldown)
        }
    }

    /// When the provider has rested from the last one.
    pub(in crate::facts) fn rested(&self, cooldown: Duration) -> UnixMillis {
        self.looks.last().map_or(UnixMillis(0), |last| {
            let rest = last.took.min(cooldown).max(gap(cooldown));
            last.at.saturating_add(rest)
        })
    }

    /// Notes a look.
    pub(in crate::facts) fn note(&mut self, look: Look) {
        // There are few, and nearly always this is the newest.
        let later = self
            .looks
            .iter()
            .rev()
            .take_while(|other| other.at > look.at);
        let place = self.looks.len().saturating_sub(later.count());
        self.looks.insert(place, look);
        let surplus = self.looks.len().saturating_sub(self.cause.most());
        self.looks.drain(..surplus);
    }

    /// Takes over those of another worker. Returns whether there are any that were not known.
    pub(in crate::facts) fn join(&mut self, others: &Self, now: UnixMillis) -> bool {
        let mut news = false;
        for look in &others.looks {
            let look = Look {
                at: look.at.min(now),
                ..*look
            };
            if !self.looks.contains(&look) {
                let before = self.looks.clone();
                self.note(look);
                news |= self.looks != before;
            }
        }
        news
    }

    /// The clock may have been set back.
    pub(in crate::facts) fn clamp(&mut self, now: UnixMillis) {
        for look in &mut self.looks {
            look.at = look.at.min(now);
        }
    }

    /// All of them, the oldest first.
    pub(in crate::facts) fn iter(&self) -> impl Iterator<Item = &Look> {
        self.looks.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COOLDOWN: Duration = Duration::from_secs(30);

    fn at(seconds: u64) -> UnixMillis {
        UnixMillis(seconds.saturating_add(1_000).saturating_mul(1_000))
    }

    fn peer(number: u8) -> Option<Peer> {
        Peer::parse(&format!("10.0.0.{number}"))
    }

    /// In which of these seconds looks are made, when callers want one in every second.
    fn looks(seconds: std::ops::Range<u64>, callers: &[Option<Peer>]) -> Vec<u64> {
        looks_for(Cause::Unknown, seconds, callers)
    }

    fn looks_for(
        cause: Cause,
        seconds: std::ops::Range<u64>,
        callers: &[Option<Peer>],
    ) -> Vec<u64> {
        let (mut looks, mut made) = (Looks::of(cause), Vec::new());
        for second in seconds {
            let now = at(second);
            let mut callers = callers.iter();
            let next = callers.find(|peer| looks.next_of(**peer, now, COOLDOWN) <= now);
            if let Some(peer) = next {
                assert!(looks.next(now, COOLDOWN) <= now);
                looks.note(Look {
                    at: now,
                    took: Duration::ZERO,
                    peer: *peer,
                });
                made.push(second);
            }
        }
        made
    }

    #[test]
    fn one_caller_causes_three_looks_in_a_cooldown_the_second_of_them_soon() {
        assert_eq!(looks(0..60, &[None]), [0, 3, 15, 30, 33, 45]);
        assert_eq!(looks(0..60, &[peer(1)]), [0, 3, 15, 30, 33, 45]);
    }

    #[test]
    fn many_callers_cause_four_looks_in_a_cooldown() {
        let callers: Vec<_> = (1..=200).map(peer).collect();
        assert_eq!(looks(0..60, &callers), [0, 3, 6, 9, 30, 33, 36, 39]);
    }

    #[test]
    fn changed_keys_are_looked_for_less_often() {
        let changed = |callers: &[_]| looks_for(Cause::Changed, 0..60, callers);
        assert_eq!(changed(&[peer(1)]), [0, 3, 30, 33]);
        let callers: Vec<_> = (1..=200).map(peer).collect();
        assert_eq!(changed(&callers), [0, 3, 6, 30, 33, 36]);
    }

    #[test]
    fn a_caller_who_used_up_his_looks_leaves_one_to_another() {
        let mut looks = Looks::default();
        for second in [0, 3, 15] {
            looks.note(Look {
                at: at(second),
                took: Duration::ZERO,
                peer: peer(1),
            });
        }
        let next = |peer| looks.next_of(peer, at(15), COOLDOWN);
        assert_eq!(next(peer(1)), at(30));
        assert_eq!(next(peer(2)), at(18));
        assert_eq!(next(None), at(18));
    }

    #[test]
    fn a_provider_that_is_slow_rests_as_long_as_it_took_up_to_a_cooldown() {
        for (took, next) in [(0, 3), (2, 3), (5, 5), (30, 30), (90, 30)] {
            let mut looks = Looks::default();
            looks.note(Look {
                at: at(0),
                took: Duration::from_secs(took),
                peer: None,
            });
            assert_eq!(looks.next_of(peer(1), at(0), COOLDOWN), at(next), "{took}");
        }
    }

    #[test]
    fn looks_of_other_workers_count_once_and_none_of_the_future() {
        let mut looks = Looks::default();
        let mut others = Looks::default();
        for second in [3, 100] {
            others.note(Look {
                at: at(second),
                took: Duration::ZERO,
                peer: None,
            });
        }
        assert!(looks.join(&others, at(10)));
        assert!(!looks.join(&others, at(10)));
        let times: Vec<_> = looks.iter().map(|look| look.at).collect();
        assert_eq!(times, [at(3), at(10)]);
        looks.clamp(at(5));
        let times: Vec<_> = looks.iter().map(|look| look.at).collect();
        assert_eq!(times, [at(3), at(5)]);
    }
}
