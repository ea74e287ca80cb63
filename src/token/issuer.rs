//! Which keys may sign for an issuer.

use super::tenant::{tenant, TENANT};
use super::{TokenRules, UntrustedToken};
use crate::crypto::PublicKey;

/// Whether a key may have signed a token. A key set that serves many tenants says with some keys
/// whose they are; without this check one tenant's key would sign for all of them.
///
/// Entra publishes the keys of its tokens of version 1.0 under the issuer of version 2.0. So a key
/// of the issuer whose discovery document was read signs for the provider's other issuers too, as
/// long as both name the tenant in `tid`.
pub(super) fn may_sign(key: &PublicKey, token: &UntrustedToken<'_>, rules: &TokenRules) -> bool {
    let Some(bound) = key.issuer() else {
        return true;
    };
    let issuer = token.claimed_issuer();
    let Some(tenant) = tenant(token.claims()) else {
        return bound == issuer;
    };
    let bound = bound.replace(TENANT, tenant);
    let names_it = |text: &str| text.split('/').any(|segment| segment == tenant);
    bound == issuer
        || (names_it(issuer)
            && names_it(&bound)
            && bound == rules.issuers.discovery.replace(TENANT, tenant))
}

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
