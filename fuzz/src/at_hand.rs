//! The facts of decisions for which nothing is fetched.

use std::time::Duration;

use n8n_idp_gate::crypto::KeySet;
use n8n_idp_gate::facts::{
    Availability, Facts, KeyIdDigest, LoginRequest, MintRequest, NewerKeys, Outage, TokenStatus,
};
use n8n_idp_gate::policy::{KeySource, Policy, ProviderId};
use n8n_idp_gate::secret::Secret;
use n8n_idp_gate::token::TokenDigest;

/// The facts of the policy alone: the keys that it holds. No provider can be asked.
pub(crate) struct AtHand<'p>(pub(crate) &'p Policy);

const OUTAGE: Outage = Outage {
    retry_after: Duration::from_secs(1),
    fault: None,
};

impl Facts for AtHand<'_> {
    fn key_set(&self, provider: ProviderId) -> Availability<&KeySet> {
        match self
            .0
            .providers
            .get(provider.0)
            .map(|provider| &provider.keys)
        {
            Some(KeySource::Inline(keys)) => Availability::Known(keys),
            _ => Availability::Unavailable(OUTAGE),
        }
    }

    fn newer_keys(&self, _: ProviderId, _: KeyIdDigest) -> NewerKeys {
        NewerKeys::Unlikely
    }

    fn may_have_changed(&self, _: ProviderId, _: &dyn Fn() -> KeyIdDigest) -> bool {
        false
    }

    fn token_status_to_decide(&self, _: ProviderId, _: &TokenDigest) -> Availability<TokenStatus> {
        Availability::Known(TokenStatus::Inactive)
    }

    fn minted_key(&self, _: &MintRequest) -> Availability<&Secret> {
        Availability::Pending
    }

    fn session(&self, _: &MintRequest) -> Availability<&Secret> {
        Availability::Pending
    }

    fn browser_login(&self, _: &LoginRequest) -> Availability<&Secret> {
        Availability::Pending
    }

    fn is_refused(&self, _: &Secret) -> bool {
        false
    }
}
