//! Any OpenID provider: the claims of RFC 9068, RFC 8693 and OpenID Connect, and the usual names
//! beside them.

use super::{auth0, has_session, names, text, ClaimNames, Reading};
use crate::formats::json::{Array, Object, Value};
use crate::identity::claim_source::ClaimSource;
use crate::identity::IdentityFault;
use crate::token::CLIENT_CLAIMS;

pub(super) const NAMES: ClaimNames = ClaimNames {
    client: &CLIENT_CLAIMS,
    scopes: &["scope", "scp"],
    roles: &["roles"],
    tenant: &["tid", "org_id"],
};

/// Methods by which a person logs in (RFC 8176 §2); the others are those of keys and machines.
const METHODS: [&str; 14] = [
    "face", "fpt", "iris", "kba", "mca", "mfa", "otp", "pin", "pwd", "retina", "sms", "tel",
    "user", "vbm",
];

/// Some providers have values of their own for an application that acts for itself, and for a person.
pub(super) fn refine(reading: &mut Reading, source: ClaimSource<'_>) -> Result<(), IdentityFault> {
    let claims = source.claims.object();
    let idtyp = text(claims, "idtyp")?;
    let is = |name: &str, value: &str| claims.get(name).is_some_and(|claim| claim == value);
    let of_app = idtyp == Some("app")
        || is("aut", "APPLICATION")
        || auth0::has_own_subject(claims, reading)?
        || is_of_grant(claims, &["client-credentials", "client_credentials"]);
    // RFC 7662 §2.2: the resource owner who authorised the token, and may have chosen the name of a
    // client.
    reading.marks.app = (reading.marks.app || of_app) && !claims.contains_key("username");
    reading.marks.user = !is_service_account(claims)
        && (idtyp == Some("user")
            || is("aut", "APPLICATION_USER")
            || is_of_grant(claims, &["authorization_code", "implicit", "password"])
            || has_session(claims, "sid")
            || logged_in(source)
            || (claims.contains_key("cid") && claims.get("uid").and_then(Value::as_str).is_some()));
    Ok(())
}

/// The grant by which the token was got, which Auth0 and Kinde name in `gty` and Cloud Foundry in
/// `grant_type`.
fn is_of_grant(claims: Object<'_>, wanted: &[&str]) -> bool {
    ["gty", "grant_type"]
        .iter()
        .flat_map(|name| names(claims.get(name)))
        .any(|grant| wanted.contains(&grant.as_str()))
}

/// Whether a person logged in. `auth_time` says so only if the token keeps RFC 9068
/// (§2.2.1): Amazon Cognito and authentik write it into every token, AD FS as a text.
fn logged_in(source: ClaimSource<'_>) -> bool {
    let methods = source.claims.get("amr").and_then(Value::as_array);
    let mut methods = methods
        .into_iter()
        .flat_map(Array::iter)
        .filter_map(Value::as_str);
    methods.any(|method| METHODS.contains(&method))
        || (source.keeps_rfc_9068
            && matches!(source.claims.get("auth_time"), Some(Value::Number(_))))
}

/// A service account of Keycloak has a session if its client uses refresh tokens.
fn is_service_account(claims: Object<'_>) -> bool {
    let begins = |claim: Value<'_>| {
        claim
            .as_str()
            .is_some_and(|name| name.starts_with("service-account-"))
    };
    claims.get("preferred_username").is_some_and(begins) || claims.contains_key("clientHost")
}
