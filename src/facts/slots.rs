//! A bounded number of slots, shared fairly.
//!
//! Callers whose token was good before come first. Among the others, a new caller takes a slot of the
//! address that has more of them. Behind a proxy, which gives all callers one address, it takes a slot of
//! the key id or token that has more. So a flood from few addresses displaces only itself.

use std::collections::HashMap;

use super::peer::Peer;

/// What a request with a slot is counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Holder {
    /// Its token was good before: it comes before all that were not.
    pub(super) is_proven: bool,
    /// Where it came from.
    pub(super) peer: Option<Peer>,
    /// Stands for the key id that its token names, or for the token.
    pub(super) group: u128,
}

/// Callers that share slots only with each other: the proven ones of an address, or the others.
type Account = (bool, Option<Peer>);

/// How many slots are taken, and by which holders. There are at most some thousand, so the one to give
/// up is found by a search through all, and only once all are taken.
#[derive(Debug, Default)]
pub(super) struct Slots {
    count: usize,
    /// How many slots each account has (`None`), and each of its groups.
    counts: HashMap<(Account, Option<u128>), usize>,
}

impl Slots {
    /// Takes a slot, where there are fewer than `most`, or that of another: the newest with the
    /// returned holder must leave.
    pub(super) fn take(&mut self, holder: Holder, most: usize) -> Result<Option<Holder>, Full> {
        let displaced = if self.count < most {
            None
        } else {
            Some(self.victim(holder).ok_or(Full)?)
        };
        if let Some(displaced) = displaced {
            self.leave(displaced);
        }
        self.count = self.count.saturating_add(1);
        for key in keys(holder) {
            let count = self.counts.entry(key).or_default();
            *count = count.saturating_add(1);
        }
        Ok(displaced)
    }

    /// Gives a slot back.
    pub(super) fn leave(&mut self, holder: Holder) {
        self.count = self.count.saturating_sub(1);
        for key in keys(holder) {
            let left = self.counts.get(&key).copied().unwrap_or_default();
            match left.saturating_sub(1) {
                0 => self.counts.remove(&key),
                left => self.counts.insert(key, left),
            };
        }
    }

    /// Which holder must leave for this caller: one of those with the most slots. Proven callers leave
    /// only for other proven ones.
    fn victim(&self, holder: Holder) -> Option<Holder> {
        let own = (holder.is_proven, holder.peer);
        let accounts = self.counts.iter().filter(|((_, group), _)| group.is_none());
        let ranks = accounts.map(|(((is_proven, peer), _), count)| (!is_proven, *count, *peer));
        let (is_unproven, most, peer) = ranks.max()?;
        let has_more = if holder.is_proven == is_unproven {
            holder.is_proven
        } else {
            self.of((own, None)).saturating_add(1) < most
        };
        let account = if has_more { (!is_unproven, peer) } else { own };
        let groups = self.counts.iter().filter(|((of, _), _)| *of == account);
        let ranks = groups.filter_map(|((_, group), count)| Some((*count, (*group)?)));
        let (most, group) = ranks.max()?;
        if !has_more && self.of((own, Some(holder.group))).saturating_add(1) >= most {
            return None;
        }
        Some(Holder {
            is_proven: account.0,
            peer: account.1,
            group,
        })
    }

    fn of(&self, key: (Account, Option<u128>)) -> usize {
        self.counts.get(&key).copied().unwrap_or_default()
    }
}

/// Under what a holder is counted.
const fn keys(holder: Holder) -> [(Account, Option<u128>); 2] {
    let account = (holder.is_proven, holder.peer);
    [(account, None), (account, Some(holder.group))]
}

/// No holder has more slots than the new caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

#[cfg(test)]
#[allow(
    clippy::arithmetic_side_effects,
    reason = "a test may stop where its own numbers are wrong"
)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const MOST: usize = 100;

    fn holder(is_proven: bool, peer: u8, group: u128) -> Holder {
        Holder {
            is_proven,
            peer: Peer::parse(&format!("10.0.0.{peer}")),
            group,
        }
    }

    /// Lets these callers come one after the other, and says how many slots each holder has.
    fn shares(callers: impl IntoIterator<Item = Holder>) -> BTreeMap<Holder, usize> {
        let mut slots = Slots::default();
        let mut taken: Vec<Holder> = Vec::new();
        for holder in callers {
            if let Ok(displaced) = slots.take(holder, MOST) {
                if let Some(displaced) = displaced {
                    let slot = taken.iter().rposition(|one| *one == displaced);
                    taken.remove(slot.expect("one that has a slot"));
                }
                taken.push(holder);
            }
            assert!(taken.len() <= MOST);
        }
        let mut shares = BTreeMap::new();
        for holder in taken {
            *shares.entry(holder).or_default() += 1;
            slots.leave(holder);
        }
        let left = [slots.count, slots.counts.len()];
        assert_eq!(left, [0; 2], "what is kept of callers that are gone");
        shares
    }

    /// How many slots addresses have.
    fn of_peers(shares: &BTreeMap<Holder, usize>, peers: &[u8]) -> Vec<usize> {
        let of = |peer: &u8| {
            let peer = Peer::parse(&format!("10.0.0.{peer}"));
            let shares = shares.iter().filter(|(holder, _)| holder.peer == peer);
            shares.map(|(_, count)| *count).sum()
        };
        peers.iter().map(of).collect()
    }

    #[test]
    fn a_flood_from_one_address_keeps_no_other_out() {
        let flood = (0..5_000).map(|group| holder(false, 1, group));
        let good = (2..=41).map(|peer| holder(false, peer, 0));
        let shares = shares(flood.chain(good));
        let good: Vec<_> = (2..=41).collect();
        assert_eq!(of_peers(&shares, &good), [1; 40]);
        assert_eq!(of_peers(&shares, &[1]), [60]);
    }

    #[test]
    fn addresses_that_all_want_more_have_equal_shares_in_any_order() {
        let flood = (0..4).flat_map(|peer| vec![holder(false, peer, 0); 1_000]);
        let of = of_peers(&shares(flood), &[0, 1, 2, 3]);
        assert_eq!(of.iter().sum::<usize>(), MOST);
        assert!(of.iter().all(|count| (24..=26).contains(count)), "{of:?}");
    }

    #[test]
    fn behind_one_address_key_ids_have_equal_shares() {
        let flood = vec![holder(false, 1, 1); 5_000];
        let good = (2..=21).map(|group| holder(false, 1, group));
        let shares = shares(flood.into_iter().chain(good));
        assert_eq!(shares.len(), 21);
        assert_eq!(shares[&holder(false, 1, 1)], 80);
    }

    /// Though no address has more than its own.
    #[test]
    fn a_key_id_gets_its_slot_among_those_of_its_own_address() {
        let flood = (0..2_500).flat_map(|_| [holder(false, 0, 1), holder(false, 1, 1)]);
        let good = (2..=21).map(|group| holder(false, 1, group));
        let of = shares(flood.chain(good));
        assert_eq!(of_peers(&of, &[0, 1]), [50, 50]);
        assert_eq!(of.len(), 22);
    }

    #[test]
    fn proven_callers_come_before_all_others_and_share_among_themselves() {
        let flood = (0..5_000).map(|group| holder(false, 1, group));
        let proven = (0..40).map(|group| holder(true, 1, group));
        let of = shares(flood.chain(proven));
        let proven: usize = of
            .iter()
            .filter(|(it, _)| it.is_proven)
            .map(|(_, n)| n)
            .sum();
        assert_eq!(proven, 40);
        let proven = (0..5_000).map(|group| holder(true, 1, group));
        let other = [holder(true, 2, 0), holder(false, 3, 0)];
        let of = shares(proven.chain(other));
        assert_eq!(of_peers(&of, &[1, 2, 3]), [99, 1, 0]);
    }

    /// Nothing is gained by coming again and again.
    #[test]
    fn no_caller_is_displaced_for_one_that_has_as_much() {
        let mut slots = Slots::default();
        for number in 0..100_u8 {
            assert_eq!(slots.take(holder(false, number / 50, 0), MOST), Ok(None));
        }
        for peer in [0, 1] {
            assert_eq!(slots.take(holder(false, peer, 0), MOST), Err(Full));
        }
        let displaced = slots.take(holder(false, 2, 0), MOST);
        assert_eq!(displaced, Ok(Some(holder(false, 1, 0))));
    }
}
