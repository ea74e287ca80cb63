//! Requests that wait for a fact.

use thiserror::Error;

use super::Fact;
use crate::policy::ProviderId;
use crate::time::UnixMillis;
use crate::token::TokenDigest;

/// The most requests of one worker that wait for keys at a time. Each holds a connection and
/// memory.
pub(super) const MAX_WAITERS: usize = 1024;

/// The most that wait for words on tokens. Strangers can make up tokens, and send long heads.
pub(super) const MAX_ASKERS: usize = 256;

/// A request that waits, by the number that the host gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WaiterId(pub u32);

/// Why a request cannot wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WaitFault {
    /// Too many wait already.
    #[error("too many requests wait already")]
    TooMany,
}

/// The requests that wait.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    waiters: Vec<Waiter>,
}

#[derive(Debug)]
struct Waiter {
    id: WaiterId,
    fact: Fact,
    /// Nobody can have made up its token.
    is_proven: bool,
    until: UnixMillis,
}

impl Waiting {
    /// Takes a request in, if fewer than `places` wait for the same provider: for its keys, or for
    /// its word on a token. Strangers with made-up tokens must not take the places of others.
    pub(super) fn add(
        &mut self,
        id: WaiterId,
        fact: Fact,
        is_proven: bool,
        until: UnixMillis,
        places: usize,
    ) -> Result<(), WaitFault> {
        let same = |waiter: &&Waiter| {
            waiter.fact.provider() == fact.provider()
                && waiter.fact.is_of_a_token() == fact.is_of_a_token()
                && waiter.is_proven == is_proven
        };
        if self.waiters.iter().filter(same).count() >= places {
            return Err(WaitFault::TooMany);
        }
        self.waiters.push(Waiter {
            id,
            fact,
            is_proven,
            until,
        });
        Ok(())
    }

    pub(super) fn remove(&mut self, id: WaiterId) {
        self.waiters.retain(|waiter| waiter.id != id);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }

    /// Takes out those who wait for keys of this provider.
    pub(super) fn take(&mut self, provider: ProviderId) -> Vec<WaiterId> {
        self.take_if(|waiter| waiter.fact.provider() == provider && !waiter.fact.is_of_a_token())
    }

    /// Takes out those who wait for a provider's word on one of these tokens.
    pub(super) fn take_askers(
        &mut self,
        provider: ProviderId,
        chosen: impl Fn(&TokenDigest) -> bool,
    ) -> Vec<WaiterId> {
        self.take_if(|waiter| match &waiter.fact {
            Fact::Introspection(asked, token) | Fact::Confirmation(asked, token) => {
                *asked == provider && chosen(token)
            }
            _ => false,
        })
    }

    /// Those who wait for a provider's word, in the order of their coming, on which token, and whether
    /// it is proven.
    pub(super) fn askers(
        &self,
        provider: ProviderId,
    ) -> impl Iterator<Item = (WaiterId, TokenDigest, bool)> + '_ {
        self.waiters
            .iter()
            .filter_map(move |waiter| match waiter.fact {
                Fact::Introspection(asked, token) | Fact::Confirmation(asked, token)
                    if asked == provider =>
                {
                    Some((waiter.id, token, waiter.is_proven))
                }
                _ => None,
            })
    }

    /// Nobody waits for this provider's keys, or its word on a token, beyond `latest`, though the
    /// clock was set back.
    pub(super) fn clamp(&mut self, provider: ProviderId, of_a_token: bool, latest: UnixMillis) {
        for waiter in &mut self.waiters {
            let fact = waiter.fact;
            if fact.provider() == provider && fact.is_of_a_token() == of_a_token {
                waiter.until = waiter.until.min(latest);
            }
        }
    }

    /// Takes out those who have waited long enough.
    pub(super) fn take_overdue(&mut self, now: UnixMillis) -> Vec<WaiterId> {
        self.take_if(|waiter| waiter.until <= now)
    }

    fn take_if(&mut self, chosen: impl Fn(&Waiter) -> bool) -> Vec<WaiterId> {
        let (taken, left) = std::mem::take(&mut self.waiters)
            .into_iter()
            .partition::<Vec<_>, _>(chosen);
        self.waiters = left;
        taken.into_iter().map(|waiter| waiter.id).collect()
    }
}
