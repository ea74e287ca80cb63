//! How the introspection response about a token is read.

use super::introspection::{active_status, asking, decided_on, reason, OTHER};
use super::*;
use crate::time::UnixMillis;
use crate::token::{Term, TokenFault};

fn kind(decision: &Decision) -> Option<&'static str> {
    let identity = decision.record.identity.as_ref();
    identity.map(|identity| identity.kind.as_str())
}

/// Removes the list of OAuth clients from the first provider.
fn for_every_client(mut configuration: Value) -> Value {
    let provider = configuration["providers"][0].as_object_mut().unwrap();
    provider.remove("clients");
    configuration
}

#[test]
fn a_response_passes_the_checks_of_a_jwt() {
    for (changes, expected) in [
        (json!({"iss": null}), "forward"),
        (json!({"aud": ["x", "api://n8n-api"]}), "forward"),
        (json!({"exp": null, "iat": null}), "forward"),
        (json!({"token_use": "access_token"}), "forward"),
        (
            json!({"token_type": null, "token_use": "access"}),
            "forward",
        ),
        (json!({"token_type": null, "typ": "Bearer"}), "forward"),
        (json!({"nonce": "n", "typ": "Bearer"}), "forward"),
        (
            json!({"token_type": null, "token_use": "access_token"}),
            "forward",
        ),
        (json!({"token_type": "access_token"}), "forward"),
        (
            json!({"token_type": "urn:ietf:params:oauth:token-type:access_token"}),
            "forward",
        ),
        (json!({"iss": OTHER}), "answer_disagrees"),
        (json!({"iss": 7}), "claim_of_wrong_type"),
        (json!({"aud": null}), "audience_missing"),
        (json!({"aud": []}), "audience_missing"),
        (json!({"aud": ""}), "audience_missing"),
        (json!({"aud": "api://other"}), "wrong_audience"),
        (json!({"aud": {"api://n8n-api": 1}}), "claim_of_wrong_type"),
        (json!({"exp": NOW.0}), "expired"),
        (json!({"exp": "9999999999"}), "claim_of_wrong_type"),
        (json!({"nbf": NOW.0 + 31}), "not_yet_valid"),
        (json!({"iat": NOW.0 + 31}), "issued_in_the_future"),
        (json!({"cnf": {"jkt": "x"}}), "sender_constrained"),
        (json!({"token_type": null}), "kind_missing"),
        (json!({"token_type": "DPoP"}), "sender_constrained"),
        (json!({"token_type": "pop"}), "sender_constrained"),
        (json!({"token_type": "refresh_token"}), "wrong_type"),
        (
            json!({"token_type": "urn:ietf:params:oauth:token-type:refresh_token"}),
            "wrong_type",
        ),
        (json!({"token_type": "N_A"}), "wrong_type"),
        (json!({"token_type": ["Bearer"]}), "claim_of_wrong_type"),
        (json!({"token_use": "refresh_token"}), "wrong_type"),
        (json!({"typ": "Refresh"}), "wrong_type"),
        (json!({"token_use": "id"}), "wrong_type"),
        (json!({"token_use": 7}), "claim_of_wrong_type"),
        (json!({"nonce": "n"}), "wrong_type"),
        (json!({"at_hash": "h"}), "wrong_type"),
        (json!({"c_hash": "h"}), "wrong_type"),
        (json!({"events": {}}), "wrong_type"),
        (json!({"sub": 7}), "claim_of_wrong_type"),
        (json!({"jti": 7}), "claim_of_wrong_type"),
        (json!({"nbf": "x"}), "claim_of_wrong_type"),
        (json!({"iat": "x"}), "claim_of_wrong_type"),
        (json!({"azp": "unlisted"}), "client_not_allowed"),
        (json!({"azp": "a", "client_id": "b"}), "clients_disagree"),
        (json!({"azp": "visitor"}), "no_principal"),
        (json!({"roles": []}), "insufficient_scope"),
    ] {
        let decision = decided_on(&asking(), "opaque", vec![active_status(&changes)]);
        assert_eq!(reason(&decision), expected, "{changes}");
    }
}

#[test]
fn a_response_without_an_audience_counts_only_where_another_claim_is_named() {
    let mut configuration = asking();
    configuration["providers"][0]["audience_claim"] = json!("client_id");
    configuration["providers"][0]["audiences"] = json!(["reader"]);
    for (changes, expected) in [
        (json!({"aud": null, "client_id": "reader"}), "forward"),
        (
            json!({"aud": null, "client_id": "visitor", "azp": null}),
            "wrong_audience",
        ),
        (json!({"aud": null, "client_id": null}), "audience_missing"),
        (
            json!({"aud": "api://n8n-api", "client_id": "reader"}),
            "wrong_audience",
        ),
    ] {
        let decision = decided_on(&configuration, "opaque", vec![active_status(&changes)]);
        assert_eq!(reason(&decision), expected, "{changes}");
    }
}

/// As a library of authorization servers responds: it does not name the kind of a token.
#[test]
fn a_response_that_does_not_name_the_kind_of_token_may_be_about_a_refresh_token() {
    let response = json!({"token_type": null, "jti": null, "iss": null, "azp": null,
        "client_id": "reader", "scope": "offline_access n8n", "username": "reader"});
    let mut configuration = asking();
    let decision = decided_on(&configuration, "rt_x.y", vec![active_status(&response)]);
    assert_eq!(reason(&decision), "kind_missing");
    configuration["providers"][0]["introspection"]["accept_untyped"] = json!(true);
    let decision = decided_on(&configuration, "at_x.y", vec![active_status(&response)]);
    assert_eq!(reason(&decision), "forward");
    // What it does say still counts.
    for response in [
        json!({"token_type": "refresh_token"}),
        json!({"token_type": null, "typ": "Refresh"}),
    ] {
        let decision = decided_on(&configuration, "rt_x.y", vec![active_status(&response)]);
        assert_eq!(reason(&decision), "wrong_type");
    }
}

/// A token may be bound to a key, and only its provider may say so.
#[test]
fn with_always_the_response_passes_the_same_checks() {
    let mut configuration = asking();
    configuration["providers"][0]["introspection"]["always"] = json!(true);
    let token = sign(&claims("reader", &["Reader"]));
    for (changes, expected) in [
        (json!({}), "forward"),
        (json!({"token_type": null}), "forward"),
        (json!({"cnf": {"jkt": "x"}}), "sender_constrained"),
        (json!({"token_type": "DPoP"}), "sender_constrained"),
        (json!({"token_type": "refresh_token"}), "wrong_type"),
        (json!({"nbf": NOW.0 + 31}), "not_yet_valid"),
        (json!({"aud": "api://other"}), "wrong_audience"),
    ] {
        let decision = decided_on(&configuration, &token, vec![active_status(&changes)]);
        assert_eq!(reason(&decision), expected, "{changes}");
    }
}

/// Providers call ID tokens active, too, where their clients ask.
#[test]
fn with_always_what_may_be_an_id_token_needs_a_response_that_says_it_is_none() {
    let mut configuration = for_every_client(asking());
    configuration["providers"][0]["introspection"]["always"] = json!(true);
    let anyone = json!({"name": "anyone", "match": {"any": true},
        "grant": "*", "api_key": {"env": "READER_KEY"}});
    configuration["principals"] = json!([anyone]);
    let mut id_token = claims("reader", &["Reader"]);
    id_token["azp"] = id_token["aud"].clone();
    id_token["sid"] = json!("a session");
    let token = sign(&id_token);
    for (changes, expected) in [
        (json!({}), "forward"),
        (json!({"token_type": null}), "kind_missing"),
        (
            json!({"token_type": null, "token_use": "access_token"}),
            "forward",
        ),
        (json!({"token_use": "id"}), "wrong_type"),
        (json!({"nonce": "n"}), "wrong_type"),
    ] {
        let mut changes = changes;
        changes["azp"] = json!(null);
        let decision = decided_on(&configuration, &token, vec![active_status(&changes)]);
        assert_eq!(reason(&decision), expected, "{changes}");
    }
}

/// Responses have the names of RFC 7662 §2.2, whatever the provider's JWTs have.
#[test]
fn claims_of_responses_mark_applications_and_people() {
    for (dialect, response, expected) in [
        (
            "entra",
            json!({"sub": "u-17", "azp": "portal", "scope": "Workflows.Read",
                "username": "ann@example.com"}),
            "unknown",
        ),
        (
            "okta",
            json!({"sub": "reader", "azp": null, "client_id": "reader"}),
            "app",
        ),
        (
            "oidc",
            json!({"sub": "reader", "client_id": "reader", "azp": null}),
            "app",
        ),
        // Who authorised the token, and may have chosen the name of a client.
        (
            "oidc",
            json!({"sub": "reader", "client_id": "reader", "azp": null, "username": "reader"}),
            "unknown",
        ),
    ] {
        let mut configuration = for_every_client(asking());
        configuration["providers"][0]["type"] = json!(dialect);
        let decision = decided_on(&configuration, "opaque", vec![active_status(&response)]);
        assert_eq!(kind(&decision), Some(expected), "{dialect} {response}");
    }
}

/// The responses of Ory Hydra: an empty array for each client that asked for no audience.
#[test]
fn the_client_is_the_audience_if_configured_for_tokens_without_one() {
    let mut configuration = for_every_client(asking());
    configuration["providers"][0]["audience_claim"] = json!("client_id");
    configuration["providers"][0]["audiences"] = json!(["reader"]);
    for (changes, expected) in [
        (json!({"aud": [], "client_id": "reader"}), "forward"),
        (json!({"aud": "", "client_id": "reader"}), "forward"),
        (json!({"aud": null, "client_id": "reader"}), "forward"),
        (
            json!({"aud": [], "client_id": "visitor", "azp": null}),
            "wrong_audience",
        ),
        (json!({"aud": [], "client_id": null}), "audience_missing"),
        (
            json!({"aud": ["x"], "client_id": "reader"}),
            "wrong_audience",
        ),
    ] {
        let decision = decided_on(&configuration, "opaque", vec![active_status(&changes)]);
        assert_eq!(reason(&decision), expected, "{changes}");
    }
}

/// Google's tokeninfo always names both.
#[test]
fn tokeninfo_without_audience_or_expiry_opens_nothing() {
    let mut configuration = for_every_client(configuration());
    let provider = &mut configuration["providers"][0];
    provider["type"] = json!("google");
    provider["typ"] = json!("id_token");
    provider["userinfo"] = json!({"uri": "https://idp.example/tokeninfo", "cluster": "idp"});
    for (changes, expected) in [
        (json!({"aud": null}), "audience_missing"),
        (json!({"exp": null}), "expiry_missing"),
        (json!({"aud": "another"}), "wrong_audience"),
    ] {
        let decision = decided_on(&configuration, "opaque", vec![active_status(&changes)]);
        assert_eq!(reason(&decision), expected, "{changes}");
    }
}

/// A person may have written what looks in a profile like a claim about the token.
#[test]
fn a_person_at_userinfo_has_no_client_and_no_scopes() {
    let mut configuration = for_every_client(configuration());
    configuration["providers"][0]["userinfo"] = json!({"uri": "https://idp.example/me",
        "cluster": "idp", "accept_any_audience": true});
    let response = json!({"aud": null, "iss": null, "exp": null, "iat": null, "jti": null,
        "sub": "admin", "azp": "admin", "client_id": "admin", "cid": "admin", "appid": "admin",
        "scope": "Admin", "scp": "Admin", "permissions": ["Admin"], "idtyp": "app", "gty": "client-credentials",
        "sid": "s", "amr": ["pwd"], "uid": "u", "roles": ["Admin"]});
    for (dialect, at) in [
        ("oidc", json!(null)),
        ("auth0", json!(null)),
        ("okta", json!(null)),
        ("workos", json!(null)),
        // Not where an operator points to other claims either.
        (
            "oidc",
            json!({"client": "uid", "scopes": "roles", "roles": "amr"}),
        ),
    ] {
        let provider = configuration["providers"][0].as_object_mut().unwrap();
        provider.insert("type".to_owned(), json!(dialect));
        if !at.is_null() {
            provider.insert("claims_at".to_owned(), at);
        }
        let decision = decided_on(&configuration, "opaque", vec![active_status(&response)]);
        assert_eq!(
            (kind(&decision), reason(&decision)),
            (Some("unknown"), "no_principal"),
            "{dialect}"
        );
        let identity = decision.record.identity.unwrap();
        let scopes = identity.scopes.len();
        assert_eq!((&identity.client, scopes), (&None, 0), "{dialect}");
    }
}

/// Without `exp`, a provider's clock may be ahead by the allowed skew, however short `ttl` is.
#[test]
fn a_response_without_exp_may_have_been_issued_within_the_skew() {
    let TestStatus::Active(whole) = active_status(&json!({"exp": null, "iat": NOW.0 + 5})) else {
        panic!("not active");
    };
    let term = Term {
        since: UnixMillis(NOW.0 * 1000),
        until: UnixMillis(NOW.0 * 1000 + 1000),
    };
    let response = TestStatus::Active(ActiveResponse::new((**whole.claims()).clone(), term));
    let decision = decided_on(&asking(), "opaque", vec![response]);
    assert_eq!(reason(&decision), "forward");
}

/// The audit record names the member of the response that is wrong.
#[test]
fn the_fault_of_a_response_is_named() {
    for (changes, expected) in [
        (json!({"iss": OTHER}), TokenFault::ResponseDisagrees("iss")),
        (json!({"iss": 7}), TokenFault::ClaimOfWrongType("iss")),
        (json!({"sub": 7}), TokenFault::ClaimOfWrongType("sub")),
        (json!({"jti": 7}), TokenFault::ClaimOfWrongType("jti")),
        (json!({"aud": 7}), TokenFault::ClaimOfWrongType("aud")),
        (json!({"exp": "7"}), TokenFault::ClaimOfWrongType("exp")),
        (json!({"iat": "7"}), TokenFault::ClaimOfWrongType("iat")),
        (json!({"nbf": "7"}), TokenFault::ClaimOfWrongType("nbf")),
        (json!({"events": {}}), TokenFault::WrongType("events")),
        (json!({"typ": "ID"}), TokenFault::WrongType("typ")),
        (
            json!({"token_use": "id"}),
            TokenFault::WrongType("token_use"),
        ),
        (json!({"nonce": "n"}), TokenFault::WrongType("nonce")),
        (
            json!({"token_type": "mac"}),
            TokenFault::WrongType("token_type"),
        ),
        (
            json!({"token_type": 7}),
            TokenFault::ClaimOfWrongType("token_type"),
        ),
    ] {
        let decision = decided_on(&asking(), "opaque", vec![active_status(&changes)]);
        let Outcome::Reject(Reason::Token(fault)) = decision.outcome else {
            panic!("{changes}: {:?}", decision.outcome);
        };
        assert_eq!(fault, expected, "{changes}");
    }
}

#[test]
fn a_response_without_an_issuer_is_of_the_first_issuer_of_its_provider() {
    let mut configuration = asking();
    configuration["providers"][0]["issuer"] = json!([ISSUER, "https://old.example"]);
    for (response, expected) in [
        (json!({"iss": null}), ISSUER),
        (json!({}), ISSUER),
        (json!({"iss": "https://old.example"}), "https://old.example"),
    ] {
        let decision = decided_on(&configuration, "opaque", vec![active_status(&response)]);
        let identity = decision.record.identity.unwrap();
        assert_eq!(&*identity.issuer, expected, "{response}");
    }
}
