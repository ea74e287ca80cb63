//! Usual causes of a fault of a token, for the audit record.

use std::collections::BTreeSet;

use super::claims::{audiences, CLIENT_CLAIMS};
use super::TokenFault;
use crate::formats::json::{Document, Value};

const ID_TOKEN: &str = "an ID token: have the client send the access token for the API, or set \
    typ: id_token where the provider has no other JWTs, as Dex";

const NO_AUDIENCE: &str =
    "names its client and no audience, as Amazon Cognito does, and Ory Hydra \
    where the client asks for none: have the API written into aud, or set audience_claim to the \
    claim with the client and list the client in audiences";

const FOR_THE_CLIENT: &str =
    "aud is the client itself, as Spring Authorization Server and Dex write \
    it: have the API written into aud, or list the client in audiences";

const OTHER_NAME: &str = "aud is the other name of an accepted audience: version 1.0 tokens of Entra name \
    the API by its URI (api://...), and those of version 2.0 by its id: list both in audiences, or set \
    requestedAccessTokenVersion to 2";

/// The scheme of application id URIs of Entra.
const URI_SCHEME: &str = "api://";

const FOR_USERINFO: &str = "made for userinfo of AD FS: have the client name the API as resource";

/// Members that mark ID tokens, or that access tokens have and ID tokens lack.
const OF_ID_TOKENS: [&str; 9] = [
    "appid",
    "at_hash",
    "auth_time",
    "azp",
    "c_hash",
    "cid",
    "client_id",
    "nonce",
    "s_hash",
];

/// The usual cause of a fault, if the claims show one. It decides nothing.
pub fn misfit(
    fault: TokenFault,
    claims: &Document,
    accepted: &BTreeSet<String>,
) -> Option<&'static str> {
    let claims = claims.object();
    let is = |name: &str, value: &str| claims.get(name).is_some_and(|claim| claim == value);
    match fault {
        TokenFault::WrongType(name) if OF_ID_TOKENS.contains(&name) => Some(ID_TOKEN),
        TokenFault::WrongType("token_use") if is("token_use", "id") => Some(ID_TOKEN),
        TokenFault::WrongType("typ") if is("typ", "ID") => Some(ID_TOKEN),
        TokenFault::AudienceMissing => CLIENT_CLAIMS
            .iter()
            .any(|name| claims.contains_key(name))
            .then_some(NO_AUDIENCE),
        TokenFault::WrongAudience => {
            let audience = audiences(claims);
            if audience.iter().any(|one| one == "urn:microsoft:userinfo") {
                return Some(FOR_USERINFO);
            }
            let mut names = audience.iter().filter_map(Value::as_str);
            if names.any(|name| is_other_name(name, accepted)) {
                return Some(OTHER_NAME);
            }
            // The token of an application names its client in `sub` alone, with some providers.
            let of_client = CLIENT_CLAIMS.iter().chain(&["sub"]);
            of_client
                .filter_map(|name| claims.get(name))
                .any(|client| audience.contains(client))
                .then_some(FOR_THE_CLIENT)
        }
        _ => None,
    }
}

/// Whether a name differs from an accepted one in its scheme alone.
fn is_other_name(name: &str, accepted: &BTreeSet<String>) -> bool {
    let without = name.strip_prefix(URI_SCHEME).unwrap_or(name);
    let mut accepted = accepted.iter();
    accepted.any(|other| other.strip_prefix(URI_SCHEME).unwrap_or(other) == without)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_usual_cause_is_named() {
        let wrong = TokenFault::WrongType;
        for (fault, claims, expected) in [
            (wrong("at_hash"), json!({}), Some(ID_TOKEN)),
            (
                wrong("token_use"),
                json!({"token_use": "id"}),
                Some(ID_TOKEN),
            ),
            (wrong("token_use"), json!({"token_use": "refresh"}), None),
            (wrong("typ"), json!({"typ": "ID"}), Some(ID_TOKEN)),
            (wrong("typ"), json!({"typ": "Refresh"}), None),
            (
                TokenFault::AudienceMissing,
                json!({"client_id": "a", "aud": []}),
                Some(NO_AUDIENCE),
            ),
            (TokenFault::AudienceMissing, json!({"sub": "a"}), None),
            (
                TokenFault::WrongAudience,
                json!({"sub": "a", "aud": "a"}),
                Some(FOR_THE_CLIENT),
            ),
            (
                TokenFault::WrongAudience,
                json!({"azp": "a", "aud": ["b", "a"]}),
                Some(FOR_THE_CLIENT),
            ),
            (
                TokenFault::WrongAudience,
                json!({"appid": "a", "aud": "urn:microsoft:userinfo"}),
                Some(FOR_USERINFO),
            ),
            (
                TokenFault::WrongAudience,
                json!({"azp": "a", "aud": "b"}),
                None,
            ),
            (TokenFault::Expired, json!({"azp": "a", "aud": "a"}), None),
        ] {
            let claims = Document::from(&claims);
            let found = misfit(fault, &claims, &BTreeSet::new());
            assert_eq!(found, expected, "{fault:?} {claims:?}");
        }
    }

    #[test]
    fn the_other_name_of_an_accepted_audience_is_named() {
        for (accepted, audience, is_named) in [
            ("id", "api://id", true),
            ("api://id", "id", true),
            ("api://id", "api://other", false),
            ("id", "API://id", false),
        ] {
            let claims = json!({ "aud": audience });
            let accepted = BTreeSet::from([accepted.to_owned()]);
            let claims = Document::from(&claims);
            let found = misfit(TokenFault::WrongAudience, &claims, &accepted);
            assert_eq!(found.is_some(), is_named, "{audience}");
        }
    }
}
