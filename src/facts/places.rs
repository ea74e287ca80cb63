//! A bounded number of places, shared fairly.
//!
//! Callers whose token was good before come first. Among others, a new caller takes the place of
//! one whose address has more places; behind a proxy, which gives all callers one address, of one
//! whose key id or token has more. So a flood from few addresses displaces its own.

use std::collections::{BTreeMap, BTreeSet};

use super::peer::Peer;

/// On whose account a request waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Claim {
    /// Its token was good before: it comes before all that were not.
    pub(super) is_proven: bool,
    /// Where it came from.
    pub(super) peer: Option<Peer>,
    /// Stands for the key id that its token names, or for the token.
    pub(super) group: u128,
}

/// The order in which requests came.
pub(super) type Order = u64;

/// Callers who share places with each other alone: the proven ones of an address, or the others.
type Account = (bool, Option<Peer>);

/// Places that are taken.
#[derive(Debug, Default)]
pub(super) struct Places {
    count: usize,
    taken: BTreeMap<Claim, BTreeSet<Order>>,
    /// How many places each account has.
    accounts: BTreeMap<Account, usize>,
    /// Those with the most places last, and those of proven callers before all others.
    ranking: BTreeSet<(bool, usize, Option<Peer>)>,
    /// The groups of each account, those with the most places last.
    groups: BTreeSet<(Account, usize, u128)>,
}

impl Places {
    /// Takes a place, where there are fewer than `most`, or that of another, which is returned.
    pub(super) fn take(
        &mut self,
        claim: Claim,
        order: Order,
        most: usize,
    ) -> Result<Option<Order>, Full> {
        let displaced = if self.count < most {
            None
        } else {
            let (victim, newest) = self.victim(claim).ok_or(Full)?;
            self.leave(victim, newest);
            Some(newest)
        };
        self.change(claim, |orders| orders.insert(order));
        Ok(displaced)
    }

    /// Gives a place back.
    pub(super) fn leave(&mut self, claim: Claim, order: Order) {
        self.change(claim, |orders| orders.remove(&order));
    }

    /// Who must leave for this caller: of those with the most, who came last.
    fn victim(&self, claim: Claim) -> Option<(Claim, Order)> {
        let own = (claim.is_proven, claim.peer);
        let own_places = self.accounts.get(&own).copied().unwrap_or_default();
        let (is_unproven, most, peer) = *self.ranking.last()?;
        let has_more = if claim.is_proven == is_unproven {
            claim.is_proven
        } else {
            own_places.saturating_add(1) < most
        };
        let account = if has_more { (!is_unproven, peer) } else { own };
        let mut groups = self
            .groups
            .range((account, 0, 0)..=(account, usize::MAX, u128::MAX));
        let (_, most, group) = *groups.next_back()?;
        if !has_more && self.places_of(claim).saturating_add(1) >= most {
            return None;
        }
        let victim = Claim {
            is_proven: account.0,
            peer: account.1,
            group,
        };
        Some((victim, *self.taken.get(&victim)?.last()?))
    }

    fn places_of(&self, claim: Claim) -> usize {
        self.taken.get(&claim).map_or(0, BTreeSet::len)
    }

    fn change(&mut self, claim: Claim, change: impl FnOnce(&mut BTreeSet<Order>) -> bool) {
        let account = (claim.is_proven, claim.peer);
        let orders = self.taken.entry(claim).or_default();
        let before = orders.len();
        change(orders);
        let after = orders.len();
        if after == 0 {
            self.taken.remove(&claim);
        }
        self.count = self.count.saturating_add(after).saturating_sub(before);
        self.groups.remove(&(account, before, claim.group));
        if after > 0 {
            self.groups.insert((account, after, claim.group));
        }
        let all_before = self.accounts.get(&account).copied().unwrap_or_default();
        let all_after = all_before.saturating_add(after).saturating_sub(before);
        self.ranking
            .remove(&(!claim.is_proven, all_before, claim.peer));
        if all_after > 0 {
            self.accounts.insert(account, all_after);
            self.ranking
                .insert((!claim.is_proven, all_after, claim.peer));
        } else {
            self.accounts.remove(&account);
        }
    }
}

/// Nobody has more places than the new caller has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

#[cfg(test)]
#[allow(
    clippy::arithmetic_side_effects,
    reason = "a test may stop where its own numbers are wrong"
)]
mod tests {
    use super::*;

    const MOST: usize = 100;

    fn claim(is_proven: bool, peer: u8, group: u128) -> Claim {
        Claim {
            is_proven,
            peer: Peer::parse(&format!("10.0.0.{peer}")),
            group,
        }
    }

    /// Lets these callers come one after the other, and says how many places each claim has.
    fn shares(callers: impl IntoIterator<Item = Claim>) -> BTreeMap<Claim, usize> {
        let mut places = Places::default();
        let mut taken: BTreeMap<Order, Claim> = BTreeMap::new();
        for (order, claim) in (0..).zip(callers) {
            if let Ok(displaced) = places.take(claim, order, MOST) {
                if let Some(displaced) = displaced {
                    assert!(taken.remove(&displaced).is_some(), "displaced twice");
                }
                taken.insert(order, claim);
            }
            assert!(taken.len() <= MOST);
        }
        let mut shares = BTreeMap::new();
        for (order, claim) in taken {
            *shares.entry(claim).or_default() += 1;
            places.leave(claim, order);
        }
        let Places {
            count,
            taken,
            accounts,
            ranking,
            groups,
        } = places;
        let left = [
            count,
            taken.len(),
            accounts.len(),
            ranking.len(),
            groups.len(),
        ];
        assert_eq!(left, [0; 5], "what is kept of nobody");
        shares
    }

    /// How many places addresses have.
    fn of_peers(shares: &BTreeMap<Claim, usize>, peers: &[u8]) -> Vec<usize> {
        let of = |peer: &u8| {
            let peer = Peer::parse(&format!("10.0.0.{peer}"));
            let shares = shares.iter().filter(|(claim, _)| claim.peer == peer);
            shares.map(|(_, count)| *count).sum()
        };
        peers.iter().map(of).collect()
    }

    #[test]
    fn a_flood_from_one_address_keeps_no_other_out() {
        let flood = (0..5_000).map(|group| claim(false, 1, group));
        let good = (2..=41).map(|peer| claim(false, peer, 0));
        let shares = shares(flood.chain(good));
        let good: Vec<_> = (2..=41).collect();
        assert_eq!(of_peers(&shares, &good), [1; 40]);
        assert_eq!(of_peers(&shares, &[1]), [60]);
    }

    #[test]
    fn addresses_that_all_want_more_have_equal_shares_whoever_came_first() {
        let flood = (0..4).flat_map(|peer| vec![claim(false, peer, 0); 1_000]);
        let of = of_peers(&shares(flood), &[0, 1, 2, 3]);
        assert_eq!(of.iter().sum::<usize>(), MOST);
        assert!(of.iter().all(|count| (24..=26).contains(count)), "{of:?}");
    }

    #[test]
    fn behind_one_address_key_ids_have_equal_shares() {
        let flood = vec![claim(false, 1, 1); 5_000];
        let good = (2..=21).map(|group| claim(false, 1, group));
        let shares = shares(flood.into_iter().chain(good));
        assert_eq!(shares.len(), 21);
        assert_eq!(shares[&claim(false, 1, 1)], 80);
    }

    /// Though no address has more than its own.
    #[test]
    fn a_key_id_gets_its_place_among_those_of_its_own_address() {
        let flood = (0..2_500).flat_map(|_| [claim(false, 0, 1), claim(false, 1, 1)]);
        let good = (2..=21).map(|group| claim(false, 1, group));
        let of = shares(flood.chain(good));
        assert_eq!(of_peers(&of, &[0, 1]), [50, 50]);
        assert_eq!(of.len(), 22);
    }

    #[test]
    fn proven_callers_come_before_all_others_and_share_among_themselves() {
        let flood = (0..5_000).map(|group| claim(false, 1, group));
        let proven = (0..40).map(|group| claim(true, 1, group));
        let of = shares(flood.chain(proven));
        let proven: usize = of
            .iter()
            .filter(|(it, _)| it.is_proven)
            .map(|(_, n)| n)
            .sum();
        assert_eq!(proven, 40);
        let proven = (0..5_000).map(|group| claim(true, 1, group));
        let other = [claim(true, 2, 0), claim(false, 3, 0)];
        let of = shares(proven.chain(other));
        assert_eq!(of_peers(&of, &[1, 2, 3]), [99, 1, 0]);
    }

    /// Nothing is gained by coming again and again.
    #[test]
    fn nobody_is_displaced_for_one_who_has_as_much() {
        let mut places = Places::default();
        for order in 0..100 {
            let peer = u8::try_from(order / 50).unwrap();
            assert_eq!(places.take(claim(false, peer, 0), order, MOST), Ok(None));
        }
        for peer in [0, 1] {
            assert_eq!(places.take(claim(false, peer, 0), 100, MOST), Err(Full));
        }
        assert_eq!(places.take(claim(false, 2, 0), 100, MOST), Ok(Some(99)));
    }
}
