//! Google. Its access tokens are opaque; its ID tokens are JWTs.

use serde_json::{Map, Value};

use super::{text, Places, Reading};
use crate::identity::IdentityFault;

/// The subject of a service account is its client.
pub(super) const PLACES: Places = Places {
    client: &["azp"],
    scopes: &[],
    roles: &[],
    tenant: &["hd"],
};

/// Google speaks for addresses of its own and of organisations that it hosts. Any other address
/// belonged to whoever opened the account on the day it was verified, and may be somebody else's
/// by now.
pub(super) fn refine(
    reading: &mut Reading,
    claims: &Map<String, Value>,
) -> Result<(), IdentityFault> {
    let domain = text(claims, "email")?.and_then(|email| email.rsplit('@').next());
    let is_googles = domain
        .is_some_and(|domain| domain == "gmail.com" || domain.ends_with(".gserviceaccount.com"));
    if reading.tenant.is_none() && !is_googles {
        reading.email_verified = Some(false);
    }
    reading.hosted_domain.clone_from(&reading.tenant);
    Ok(())
}
