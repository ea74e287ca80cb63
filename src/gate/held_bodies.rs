//! Requests that are held until their whole body has come.
//!
//! Their bytes are in the memory of the host. So their number, their bytes and their time are bounded for
//! each worker, and one address cannot keep the others out.

use std::time::Duration;

use crate::facts::{Peer, WaiterId};
use crate::time::UnixMillis;

/// How long a whole body may take. A client that sends one byte at a time would hold a place for ever.
pub const LONGEST_BODY: Duration = Duration::from_secs(30);

/// How long the host may take to report the first part of the first body. It reports none if it is not
/// told to, and then no client should wait long for the refusal.
pub(super) const LONGEST_UNREPORTED: Duration = Duration::from_secs(5);

/// The most requests of one worker that are held for their bodies.
pub const MAX_HELD_BODIES: usize = 256;

/// The most bytes of bodies that are held for one worker.
pub const MAX_HELD_BYTES: usize = 64 * 1024 * 1024;

/// The requests that are held, in the order in which they came. They are few: a list costs less than a map.
#[derive(Debug, Default)]
pub(super) struct BodyWaiters {
    list: Vec<Held>,
}

#[derive(Clone, Copy, Debug)]
struct Held {
    id: WaiterId,
    peer: Option<Peer>,
    size: usize,
    since: UnixMillis,
}

/// A request cannot be held, because its address holds as many as any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

impl BodyWaiters {
    /// Holds a request. Returns the one that must leave for it: the last one of the address that holds the
    /// most.
    pub(super) fn admit(
        &mut self,
        id: WaiterId,
        peer: Option<Peer>,
        now: UnixMillis,
    ) -> Result<Option<WaiterId>, Full> {
        let mut displaced = None;
        if self.list.len() >= MAX_HELD_BODIES {
            let (victim, most) = self.heaviest(|_| 1).ok_or(Full)?;
            let own = self.of(peer, |_| 1);
            if own.saturating_add(1) >= most {
                return Err(Full);
            }
            let last = self.list.iter().rposition(|held| held.peer == victim);
            displaced = last.map(|last| self.list.remove(last).id);
        }
        self.list.push(Held {
            id,
            peer,
            size: 0,
            since: now,
        });
        Ok(displaced)
    }

    /// A body has grown. Returns the request that must leave, because too many bytes are held: the
    /// largest one of the address that holds the most bytes.
    pub(super) fn grow(&mut self, id: WaiterId, size: usize) -> Option<WaiterId> {
        let held = self.list.iter_mut().find(|held| held.id == id)?;
        held.size = size;
        let sizes = self.list.iter().map(|held| held.size);
        if sizes.fold(0, usize::saturating_add) <= MAX_HELD_BYTES {
            return None;
        }
        let (victim, _) = self.heaviest(|held| held.size)?;
        let of_victim = self.list.iter().filter(|held| held.peer == victim);
        let largest = of_victim.max_by_key(|held| held.size).map(|held| held.id)?;
        self.forget(largest);
        Some(largest)
    }

    /// A request is held no more.
    pub(super) fn forget(&mut self, id: WaiterId) {
        self.list.retain(|held| held.id != id);
    }

    /// Takes out the requests that are held for so long.
    pub(super) fn overdue(&mut self, now: UnixMillis, longest: Duration) -> Vec<WaiterId> {
        self.overdue_where(now, longest, |_| true)
    }

    /// The same for some of them.
    pub(super) fn overdue_where(
        &mut self,
        now: UnixMillis,
        longest: Duration,
        is_meant: impl Fn(WaiterId) -> bool,
    ) -> Vec<WaiterId> {
        let mut overdue = Vec::new();
        self.list.retain_mut(|held| {
            // A clock that was set back must not make the wait longer.
            held.since = held.since.min(now);
            let is_over = now.since(held.since) >= longest && is_meant(held.id);
            if is_over {
                overdue.push(held.id);
            }
            !is_over
        });
        overdue
    }

    /// The address with the most of something, and how much.
    fn heaviest(&self, weight: fn(&Held) -> usize) -> Option<(Option<Peer>, usize)> {
        let peers = self.list.iter().map(|held| held.peer);
        let sums = peers.map(|peer| (peer, self.of(peer, weight)));
        sums.max_by_key(|(_, sum)| *sum)
    }

    fn of(&self, peer: Option<Peer>, weight: fn(&Held) -> usize) -> usize {
        let of_peer = self.list.iter().filter(|held| held.peer == peer);
        of_peer.map(weight).fold(0, usize::saturating_add)
    }

    /// Whether no request is held.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: UnixMillis = UnixMillis(1_800_000_000_000);

    fn peer(number: u8) -> Option<Peer> {
        Peer::parse(&format!("10.0.0.{number}"))
    }

    fn full_of(peer_of: impl Fn(u32) -> u8) -> BodyWaiters {
        let mut waiters = BodyWaiters::default();
        for id in 0..u32::try_from(MAX_HELD_BODIES).unwrap() {
            let admitted = waiters.admit(WaiterId(id), peer(peer_of(id)), START);
            assert_eq!(admitted, Ok(None));
        }
        waiters
    }

    #[test]
    fn one_address_keeps_no_other_out() {
        let mut waiters = full_of(|_| 1);
        assert_eq!(waiters.admit(WaiterId(1000), peer(1), START), Err(Full));
        let displaced = waiters.admit(WaiterId(1001), peer(2), START);
        assert_eq!(displaced, Ok(Some(WaiterId(255))), "the last one");
        assert_eq!(waiters.list.len(), MAX_HELD_BODIES);
    }

    #[test]
    fn an_address_with_its_share_gains_nothing_by_coming_again() {
        let mut waiters = full_of(|id| u8::try_from(id % 2).unwrap());
        for number in [0, 1] {
            assert_eq!(
                waiters.admit(WaiterId(1000), peer(number), START),
                Err(Full)
            );
        }
        assert!(waiters
            .admit(WaiterId(1001), peer(2), START)
            .unwrap()
            .is_some());
    }

    #[test]
    fn the_largest_body_of_the_address_with_the_most_bytes_leaves() {
        let mut waiters = full_of(|id| if id < 200 { 1 } else { 2 });
        let large = MAX_HELD_BYTES / 4;
        assert_eq!(waiters.grow(WaiterId(201), large * 3), None);
        assert_eq!(waiters.grow(WaiterId(1), large), None);
        assert_eq!(waiters.grow(WaiterId(202), 1), Some(WaiterId(201)));
        assert_eq!(waiters.grow(WaiterId(201), large), None, "it is gone");
        assert_eq!(waiters.grow(WaiterId(1), MAX_HELD_BYTES), Some(WaiterId(1)));
    }

    #[test]
    fn a_body_has_its_time_also_if_the_clock_is_set_back() {
        let mut waiters = BodyWaiters::default();
        waiters.admit(WaiterId(1), None, START).unwrap();
        let before = UnixMillis(START.0 - 3_600_000);
        assert!(waiters.overdue(before, LONGEST_BODY).is_empty());
        let almost = before.saturating_add(LONGEST_BODY.saturating_sub(Duration::from_millis(1)));
        assert!(waiters.overdue(almost, LONGEST_BODY).is_empty());
        let end = before.saturating_add(LONGEST_BODY);
        assert_eq!(waiters.overdue(end, LONGEST_BODY), [WaiterId(1)]);
        assert!(waiters.is_empty());
    }
}
