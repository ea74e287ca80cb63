//! When a key set may be refetched, because tokens name keys that it does not have or has others for.
//!
//! An attacker can make up a key id or a signature. So refetches are few in a cooldown. But one for a
//! made-up key id must not prevent the next one for a key that is really new. So after the first
//! refetch the second may come soon, and one caller cannot cause all of them.

use std::time::Duration;

use super::key_id::KeyIdDigest;
use crate::facts::demand::Refetch;
use crate::facts::peer::Peer;
use crate::time::UnixMillis;

/// Why a token causes a refetch. Each has refetches of its own, so that forged signatures use up none
/// for key ids that are really new.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub(in crate::facts) enum Cause {
    /// Its key id is not in the set.
    #[default]
    Unknown = 0,
    /// Its key id is, and its signature is good under no key of that name.
    Changed = 1,
}

impl Cause {
    /// The most refetches in a cooldown. A key changes under its id far less often than under a new one,
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

/// The refetch for a token whose key id is not in the set.
pub(in crate::facts) const fn for_unknown(key_id: KeyIdDigest) -> Refetch {
    Refetch {
        cause: Cause::Unknown as u8,
        about: key_id.number(),
    }
}

/// The refetch for a token whose signature is good under no key that it names.
pub(in crate::facts) const fn for_changed(token: KeyIdDigest) -> Refetch {
    Refetch {
        cause: Cause::Changed as u8,
        about: token.number(),
    }
}

/// What a request wants to be refetched.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) cause: Cause,
    /// Stands for the key id, or for the token.
    pub(super) key_id: KeyIdDigest,
    /// Where the request came from.
    pub(super) peer: Option<Peer>,
}

impl Wanted {
    /// What a request from there wants.
    pub(super) const fn of(refetch: Refetch, peer: Option<Peer>) -> Self {
        const CHANGED: u8 = Cause::Changed as u8;
        Self {
            cause: match refetch.cause {
                CHANGED => Cause::Changed,
                _ => Cause::Unknown,
            },
            key_id: KeyIdDigest::numbered(refetch.about),
            peer,
        }
    }
}

/// The least time between two refetches.
pub(in crate::facts) fn gap(cooldown: Duration) -> Duration {
    cooldown.checked_div(10).unwrap_or_default()
}

/// A refetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::facts) struct PastRefetch {
    /// When it ended: one that takes longer than the cooldown is not followed by the next at once.
    pub(in crate::facts) at: UnixMillis,
    /// How long it took: a provider that is slow is not asked without a rest.
    pub(in crate::facts) took: Duration,
    /// Whose token caused it.
    pub(in crate::facts) peer: Option<Peer>,
}

/// The last refetches of all workers for one cause, the oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::facts) struct Refetches {
    cause: Cause,
    refetches: Vec<PastRefetch>,
}

impl Refetches {
    /// None yet.
    pub(in crate::facts) const fn of(cause: Cause) -> Self {
        Self {
            cause,
            refetches: Vec::new(),
        }
    }

    /// From when on this caller's token may cause a refetch; zero: now.
    pub(in crate::facts) fn next_of(
        &self,
        peer: Option<Peer>,
        now: UnixMillis,
        cooldown: Duration,
    ) -> UnixMillis {
        let counts = |refetch: &&PastRefetch| now < refetch.at.saturating_add(cooldown);
        let mine = self.refetches.iter().filter(counts);
        let mine = mine.filter(|refetch| refetch.peer == peer);
        let (count, first) = mine.fold((0_usize, None), |(count, first), refetch| {
            (count.saturating_add(1), first.or(Some(refetch.at)))
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
        let counts = |refetch: &&PastRefetch| now < refetch.at.saturating_add(cooldown);
        let Some(first) = self.refetches.iter().find(counts) else {
            return UnixMillis(0);
        };
        if self.refetches.iter().filter(counts).count() >= self.cause.most() {
            first.at.saturating_add(cooldown)
        } else {
            self.rested(cooldown)
        }
    }

    /// When the provider has rested from the last one.
    pub(in crate::facts) fn rested(&self, cooldown: Duration) -> UnixMillis {
        self.refetches.last().map_or(UnixMillis(0), |last| {
            let rest = last.took.min(cooldown).max(gap(cooldown));
            last.at.saturating_add(rest)
        })
    }

    /// Notes a refetch.
    pub(in crate::facts) fn note(&mut self, refetch: PastRefetch) {
        // There are few, and nearly always this is the newest.
        let later = self
            .refetches
            .iter()
            .rev()
            .take_while(|other| other.at > refetch.at);
        let index = self.refetches.len().saturating_sub(later.count());
        self.refetches.insert(index, refetch);
        let surplus = self.refetches.len().saturating_sub(self.cause.most());
        self.refetches.drain(..surplus);
    }

    /// Takes over those of another worker. Returns whether there are any that were not known.
    pub(in crate::facts) fn join(&mut self, others: &Self, now: UnixMillis) -> bool {
        let mut news = false;
        for refetch in &others.refetches {
            let refetch = PastRefetch {
                at: refetch.at.min(now),
                ..*refetch
            };
            if !self.refetches.contains(&refetch) {
                let before = self.refetches.clone();
                self.note(refetch);
                news |= self.refetches != before;
            }
        }
        news
    }

    /// The clock may have been set back.
    pub(in crate::facts) fn clamp(&mut self, now: UnixMillis) {
        for refetch in &mut self.refetches {
            refetch.at = refetch.at.min(now);
        }
    }

    /// All of them, the oldest first.
    pub(in crate::facts) fn iter(&self) -> impl Iterator<Item = &PastRefetch> {
        self.refetches.iter()
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

    /// In which of these seconds refetches are made, when callers want one in every second.
    fn refetches(seconds: std::ops::Range<u64>, callers: &[Option<Peer>]) -> Vec<u64> {
        refetches_for(Cause::Unknown, seconds, callers)
    }

    fn refetches_for(
        cause: Cause,
        seconds: std::ops::Range<u64>,
        callers: &[Option<Peer>],
    ) -> Vec<u64> {
        let (mut refetches, mut made) = (Refetches::of(cause), Vec::new());
        for second in seconds {
            let now = at(second);
            let mut callers = callers.iter();
            let next = callers.find(|peer| refetches.next_of(**peer, now, COOLDOWN) <= now);
            if let Some(peer) = next {
                assert!(refetches.next(now, COOLDOWN) <= now);
                refetches.note(PastRefetch {
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
    fn one_caller_causes_three_refetches_in_a_cooldown_the_second_of_them_soon() {
        assert_eq!(refetches(0..60, &[None]), [0, 3, 15, 30, 33, 45]);
        assert_eq!(refetches(0..60, &[peer(1)]), [0, 3, 15, 30, 33, 45]);
    }

    #[test]
    fn many_callers_cause_four_refetches_in_a_cooldown() {
        let callers: Vec<_> = (1..=200).map(peer).collect();
        assert_eq!(refetches(0..60, &callers), [0, 3, 6, 9, 30, 33, 36, 39]);
    }

    #[test]
    fn changed_keys_are_refetched_less_often() {
        let changed = |callers: &[_]| refetches_for(Cause::Changed, 0..60, callers);
        assert_eq!(changed(&[peer(1)]), [0, 3, 30, 33]);
        let callers: Vec<_> = (1..=200).map(peer).collect();
        assert_eq!(changed(&callers), [0, 3, 6, 30, 33, 36]);
    }

    #[test]
    fn a_caller_that_used_up_its_refetches_leaves_one_to_another() {
        let mut refetches = Refetches::default();
        for second in [0, 3, 15] {
            refetches.note(PastRefetch {
                at: at(second),
                took: Duration::ZERO,
                peer: peer(1),
            });
        }
        let next = |peer| refetches.next_of(peer, at(15), COOLDOWN);
        assert_eq!(next(peer(1)), at(30));
        assert_eq!(next(peer(2)), at(18));
        assert_eq!(next(None), at(18));
    }

    #[test]
    fn a_provider_that_is_slow_rests_as_long_as_it_took_up_to_a_cooldown() {
        for (took, next) in [(0, 3), (2, 3), (5, 5), (30, 30), (90, 30)] {
            let mut refetches = Refetches::default();
            refetches.note(PastRefetch {
                at: at(0),
                took: Duration::from_secs(took),
                peer: None,
            });
            assert_eq!(
                refetches.next_of(peer(1), at(0), COOLDOWN),
                at(next),
                "{took}"
            );
        }
    }

    #[test]
    fn refetches_of_other_workers_count_once_and_none_of_the_future() {
        let mut refetches = Refetches::default();
        let mut others = Refetches::default();
        for second in [3, 100] {
            others.note(PastRefetch {
                at: at(second),
                took: Duration::ZERO,
                peer: None,
            });
        }
        assert!(refetches.join(&others, at(10)));
        assert!(!refetches.join(&others, at(10)));
        let times: Vec<_> = refetches.iter().map(|refetch| refetch.at).collect();
        assert_eq!(times, [at(3), at(10)]);
        refetches.clamp(at(5));
        let times: Vec<_> = refetches.iter().map(|refetch| refetch.at).collect();
        assert_eq!(times, [at(3), at(5)]);
    }
}
