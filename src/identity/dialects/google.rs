//! Google. Its access tokens are opaque; its ID tokens are JWTs.

use serde_json::{Map, Value};

use super::{text, Places, Reading};
use crate::identity::{IdentityFault, Kind};

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
    let is_accounts = domain.is_some_and(|domain| domain.ends_with(".gserviceaccount.com"));
    let is_googles = is_accounts || domain == Some("gmail.com");
    if reading.tenant.is_none() && !is_googles {
        reading.email_verified = Some(false);
    }
    // What tokeninfo says of an access token need not name its subject.
    if is_accounts && reading.email_verified == Some(true) {
        reading.kind = Kind::App;
    }
    reading.hosted_domain.clone_from(&reading.tenant);
    Ok(())
}
