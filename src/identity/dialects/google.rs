//! Google. Its access tokens are opaque; its ID tokens are JWTs.

use super::{text, ClaimNames, Reading};
use crate::formats::json::Object;
use crate::identity::IdentityFault;

/// The subject of a service account is its client.
pub(super) const NAMES: ClaimNames = ClaimNames {
    client: &["azp"],
    scopes: &[],
    roles: &[],
    tenant: &["hd"],
};

/// Google can verify addresses of its own domains and of organisations that it hosts. Any other address
/// belonged to the person with the account on the day of its verification, and may be another person's
/// by now.
pub(super) fn refine(reading: &mut Reading, claims: Object<'_>) -> Result<(), IdentityFault> {
    let domain = text(claims, "email")?.and_then(|email| email.rsplit('@').next());
    let is_accounts = domain.is_some_and(|domain| domain.ends_with(".gserviceaccount.com"));
    let is_googles = is_accounts || domain == Some("gmail.com");
    if reading.tenant.is_none() && !is_googles {
        reading.email_verified = Some(false);
    }
    // A response of tokeninfo about an access token need not name its subject. A token that `gcloud` got
    // with an account's key has the account's address in `azp`; those of people have there one of
    // the clients that people log in with.
    let client = reading.client.as_deref();
    let is_of = |domain| client.is_some_and(|client| client.ends_with(domain));
    let is_app = reading.marks.app
        || is_of(".gserviceaccount.com")
        || (is_accounts && reading.email_verified == Some(true));
    reading.marks.app = is_app;
    reading.marks.user =
        reading.tenant.is_some() || (is_of(".apps.googleusercontent.com") && !is_accounts);
    reading.hosted_domain.clone_from(&reading.tenant);
    Ok(())
}
