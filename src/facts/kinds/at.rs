//! The facts as a decision sees them.

use std::time::Duration;

use super::store::FactStore;
use crate::crypto::KeySet;
use crate::facts::{
    Availability, Facts, KeyIdDigest, LoginRequest, MintRequest, NewerKeys, Outage, TokenStatus,
};
use crate::policy::ProviderId;
use crate::secret::Secret;
use crate::time::UnixMillis;
use crate::token::TokenDigest;

/// The facts as they stand at one moment.
pub struct FactsAt<'s> {
    store: &'s FactStore,
    /// When the request came.
    since: UnixMillis,
    now: UnixMillis,
}

impl FactStore {
    /// The facts as they stand at `now`.
    pub const fn at(&self, now: UnixMillis) -> FactsAt<'_> {
        FactsAt {
            store: self,
            since: now,
            now,
        }
    }
}

impl FactsAt<'_> {
    /// The same for a request that came at `since`.
    #[must_use]
    pub const fn of_request(mut self, since: UnixMillis) -> Self {
        self.since = since;
        self
    }

    fn token_status(
        &self,
        provider: ProviderId,
        token: &TokenDigest,
        is_proven: bool,
    ) -> Availability<TokenStatus> {
        let source = self.store.token_status_of(provider);
        // Where no call is made about tokens, none of them is active.
        source.map_or(
            Availability::Known(TokenStatus::Inactive),
            |(source, schedule)| source.availability(schedule, *token, is_proven, self.now),
        )
    }
}

/// What is known if nothing is fetched there.
const fn no_source<T>() -> Availability<T> {
    Availability::Unavailable(Outage {
        retry_after: Duration::ZERO,
        fault: None,
    })
}

impl Facts for FactsAt<'_> {
    fn key_set(&self, provider: ProviderId) -> Availability<&KeySet> {
        let source = self.store.key_set_of(provider);
        source.map_or(no_source(), |(source, schedule)| {
            source.availability(schedule, self.now)
        })
    }

    fn token_endpoint(&self, provider: ProviderId) -> Option<&str> {
        self.store.key_set_of(provider)?.0.token_endpoint()
    }

    fn newer_keys(&self, provider: ProviderId, key_id: KeyIdDigest) -> NewerKeys {
        let source = self.store.key_set_of(provider);
        source.map_or(NewerKeys::Unlikely, |(source, schedule)| {
            source.newer_keys(schedule, key_id, self.since, self.now)
        })
    }

    fn may_have_changed(&self, provider: ProviderId, token: &dyn Fn() -> KeyIdDigest) -> bool {
        let source = self.store.key_set_of(provider);
        source.is_some_and(|(source, schedule)| {
            source.may_have_changed(schedule, token, self.since, self.now)
        })
    }

    fn token_status_to_decide(
        &self,
        provider: ProviderId,
        token: &TokenDigest,
    ) -> Availability<TokenStatus> {
        self.token_status(provider, token, false)
    }

    fn token_status_to_confirm(
        &self,
        provider: ProviderId,
        token: &TokenDigest,
    ) -> Availability<TokenStatus> {
        self.token_status(provider, token, true)
    }

    fn minted_key(&self, request: &MintRequest) -> Availability<&Secret> {
        let source = self.store.minted_keys_of(request.instance());
        source.map_or(no_source(), |(source, schedule)| {
            source.availability(schedule, request, self.now)
        })
    }

    fn session(&self, request: &MintRequest) -> Availability<&Secret> {
        let source = self.store.minted_keys_of(request.instance());
        source.map_or(no_source(), |(source, schedule)| {
            source.session(schedule, request, self.now)
        })
    }

    fn browser_login(&self, request: &LoginRequest) -> Availability<&Secret> {
        let source = self.store.browser_logins_of(request.instance());
        source.map_or(no_source(), |(source, schedule)| {
            source.availability(schedule, request, self.now)
        })
    }

    fn is_refused(&self, key: &Secret) -> bool {
        self.store.is_refused(key, self.now)
    }
}
