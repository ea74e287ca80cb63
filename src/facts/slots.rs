//! A bounded number of places, shared fairly.
//!
//! Callers whose token was good before come first. Among others, a new caller takes the place of
//! one whose address has more places; behind a proxy, which gives all callers one address, of one
//! whose key id or token has more. So a flood from few addresses displaces its own.

use std::collections::HashMap;

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

/// Callers who share places with each other alone: the proven ones of an address, or the others.
type Account = (bool, Option<Peer>);

/// How many places are taken, and by whom. There are at most some thousand, so a place is looked
/// for by going through all, and only once they are all taken.
#[derive(Debug, Default)]
pub(super) struct Places {
    count: usize,
    /// How many places each account has (`None`), and each of its groups.
    counts: HashMap<(Account, Option<u128>), usize>,
}

impl Places {
    /// Takes a place, where there are fewer than `most`, or that of another: the newest with the
    /// returned claim must leave.
    pub(super) fn take(&mut self, claim: Claim, most: usize) -> Result<Option<Claim>, Full> {
        let displaced = if self.count < most {
            None
        } else {
            Some(self.victim(claim).ok_or(Full)?)
        };
        if let Some(displaced) = displaced {
            self.leave(displaced);
        }
        self.count = self.count.saturating_add(1);
        for key in keys(claim) {
            let count = self.counts.entry(key).or_default();
            *count = count.saturating_add(1);
        }
        Ok(displaced)
    }

    /// Gives a place back.
    pub(super) fn leave(&mut self, claim: Claim) {
        self.count = self.count.saturating_sub(1);
        for key in keys(claim) {
            let left = self.counts.get(&key).copied().unwrap_or_default();
            match left.saturating_sub(1) {
                0 => self.counts.remove(&key),
                left => self.counts.insert(key, left),
            };
        }
    }

    /// Who must leave for this caller: one of those with the most. Proven callers leave for other
    /// proven ones alone.
    fn victim(&self, claim: Claim) -> Option<Claim> {
        let own = (claim.is_proven, claim.peer);
        let accounts = self.counts.iter().filter(|((_, group), _)| group.is_none());
        let ranks = accounts.map(|(((is_proven, peer), _), count)| (!is_proven, *count, *peer));
        let (is_unproven, most, peer) = ranks.max()?;
        let has_more = if claim.is_proven == is_unproven {
            claim.is_proven
        } else {
            self.of((own, None)).saturating_add(1) < most
        };
        let account = if has_more { (!is_unproven, peer) } else { own };
        let groups = self.counts.iter().filter(|((of, _), _)| *of == account);
        let ranks = groups.filter_map(|((_, group), count)| Some((*count, (*group)?)));
        let (most, group) = ranks.max()?;
        if !has_more && self.of((own, Some(claim.group))).saturating_add(1) >= most {
            return None;
        }
        Some(Claim {
            is_proven: account.0,
            peer: account.1,
            group,
        })
    }

    fn of(&self, key: (Account, Option<u128>)) -> usize {
        self.counts.get(&key).copied().unwrap_or_default()
    }
}

/// Under what a claim is counted.
const fn keys(claim: Claim) -> [(Account, Option<u128>); 2] {
    let account = (claim.is_proven, claim.peer);
    [(account, None), (account, Some(claim.group))]
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
    use std::collections::BTreeMap;

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
        let mut taken: Vec<Claim> = Vec::new();
        for claim in callers {
            if let Ok(displaced) = places.take(claim, MOST) {
                if let Some(displaced) = displaced {
                    let place = taken.iter().rposition(|one| *one == displaced);
                    taken.remove(place.expect("one that has a place"));
                }
                taken.push(claim);
            }
            assert!(taken.len() <= MOST);
        }
        let mut shares = BTreeMap::new();
        for claim in taken {
            *shares.entry(claim).or_default() += 1;
            places.leave(claim);
        }
        let left = [places.count, places.counts.len()];
        assert_eq!(left, [0; 2], "what is kept of callers that are gone");
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
        for number in 0..100_u8 {
            assert_eq!(places.take(claim(false, number / 50, 0), MOST), Ok(None));
        }
        for peer in [0, 1] {
            assert_eq!(places.take(claim(false, peer, 0), MOST), Err(Full));
        }
        let displaced = places.take(claim(false, 2, 0), MOST);
        assert_eq!(displaced, Ok(Some(claim(false, 1, 0))));
    }
}
