//! Which tokens of a provider are access tokens.

use super::*;

#[test]
fn id_tokens_are_accepted_only_where_configured() {
    let id_token = |header: &Value, claims: &Value| fault_under(TypRule::IdToken, header, claims);
    let none = json!({});
    for marks in [
        json!({"nonce": "n"}),
        json!({"at_hash": "h", "c_hash": "h"}),
        json!({"typ": "ID"}),
        json!({"token_use": "id"}),
    ] {
        assert!(
            matches!(fault(&none, &marks), Some(TokenFault::WrongType(_))),
            "{marks}"
        );
        assert_eq!(id_token(&none, &marks), None, "{marks}");
    }
    assert_eq!(id_token(&none, &none), None);
    assert_eq!(id_token(&json!({"typ": null}), &none), None);
    for (header, claims, named) in [
        (json!({"typ": "at+jwt"}), none.clone(), "typ"),
        (json!({"typ": "logout+jwt"}), none.clone(), "typ"),
        (none.clone(), json!({"typ": "Bearer"}), "typ"),
        (none.clone(), json!({"typ": "Refresh"}), "typ"),
        (none.clone(), json!({"token_use": "access"}), "token_use"),
        (none.clone(), json!({"events": {}}), "events"),
    ] {
        let expected = Some(TokenFault::WrongType(named));
        assert_eq!(id_token(&header, &claims), expected, "{header} {claims}");
    }
}

#[test]
fn under_rfc_9068_only_at_jwt_is_an_access_token() {
    let strict = |typ: Value| fault_under(TypRule::AccessToken, &json!({ "typ": typ }), &json!({}));
    for typ in [
        "at+jwt",
        "AT+JWT",
        "application/at+jwt",
        "Application/At+Jwt",
    ] {
        assert_eq!(strict(json!(typ)), None, "{typ}");
    }
    for typ in [
        "JWT",
        "at+jwt ",
        "at",
        "",
        "jwt/at+jwt",
        "application/application/at+jwt",
        "id_token",
        "logout+jwt",
    ] {
        assert_eq!(
            strict(json!(typ)),
            Some(TokenFault::WrongType("typ")),
            "{typ}"
        );
    }
    assert_eq!(strict(Value::Null), Some(TokenFault::WrongType("typ")));
}

/// The identity reads some claims only if the token keeps RFC 9068.
#[test]
fn only_a_token_of_typ_at_jwt_keeps_rfc_9068() {
    let keeps = |typ: &Value, change: &Value| {
        let header = with(header(), &json!({ "typ": typ }));
        let compact = mint(KeyKind::P256).sign(&header, &with(claims(), change));
        verify(&compact).unwrap().keeps_rfc_9068()
    };
    let none = json!({});
    for typ in ["at+jwt", "application/AT+JWT"] {
        assert!(keeps(&json!(typ), &none), "{typ}");
    }
    for typ in [json!("JWT"), json!("application/jwt"), Value::Null] {
        assert!(!keeps(&typ, &none), "{typ}");
        // Marks of other vendors do not say so.
        for change in [json!({"typ": "Bearer"}), json!({"token_use": "access"})] {
            assert!(!keeps(&typ, &change), "{typ} {change}");
        }
    }
}

#[test]
fn the_typ_of_the_header_marks_other_kinds() {
    let of = |typ: Value| fault(&json!({ "typ": typ }), &json!({}));
    assert_eq!(of(Value::Null), None);
    for typ in [
        "JWT",
        "jwt",
        "application/jwt",
        "at+jwt",
        "application/AT+JWT",
    ] {
        assert_eq!(of(json!(typ)), None, "{typ}");
    }
    for typ in [
        "logout+jwt",
        "secevent+jwt",
        "dpop+jwt",
        "oauth-authz-req+jwt",
        "token-introspection+jwt",
        "oauth-id-jag+jwt",
        "vc+sd-jwt",
        "",
    ] {
        assert_eq!(of(json!(typ)), Some(TokenFault::WrongType("typ")), "{typ}");
    }
}

#[test]
fn claims_mark_other_kinds() {
    let log_out = json!({"http://schemas.openid.net/event/backchannel-logout": {}});
    for (change, mark) in [
        (json!({ "events": log_out }), "events"),
        (json!({"events": {}, "typ": "Bearer"}), "events"),
        (json!({"typ": "ID"}), "typ"),
        (json!({"typ": "Refresh"}), "typ"),
        (json!({"typ": "Offline"}), "typ"),
        (json!({"typ": "Logout"}), "typ"),
        (json!({"typ": "Serialized-ID"}), "typ"),
        (json!({"token_use": "id"}), "token_use"),
        (json!({"nonce": "n"}), "nonce"),
        (json!({"at_hash": "h"}), "at_hash"),
        (json!({"c_hash": "h"}), "c_hash"),
        (json!({"s_hash": "h"}), "s_hash"),
        (json!({"typ": "ID", "token_use": "access"}), "typ"),
    ] {
        let expected = Some(TokenFault::WrongType(mark));
        assert_eq!(fault(&json!({}), &change), expected, "{change}");
    }
}

/// The fault of a token, under the claims of which its provider's access tokens have one.
fn fault_of(client_claims: &'static [&'static str], change: &Value) -> Option<TokenFault> {
    let mut rules = rules(TypRule::AnyAccessToken);
    rules.client_claims = client_claims;
    let compact = mint(KeyKind::P256).sign(&header(), &with(claims(), change));
    verify_under(&rules, &compact).err()
}

#[test]
fn what_says_when_a_person_logged_in_and_nothing_else_is_an_id_token() {
    let id_token = json!({"jti": null, "auth_time": 7});
    let refused = Some(TokenFault::WrongType("auth_time"));
    for (change, expected) in [
        (json!({}), refused),
        (json!({"azp": "api://n8n-api"}), refused),
        (
            json!({"aud": ["portal", "api://n8n-api"], "azp": "portal"}),
            refused,
        ),
        (
            json!({"acr": "1", "amr": ["pwd"], "sid": "s", "email": "a@b.example"}),
            refused,
        ),
        (json!({"auth_time": "x"}), refused),
        // An ID token of Spring Authorization Server.
        (
            json!({"azp": "api://n8n-api", "jti": "1", "sid": "s"}),
            refused,
        ),
        (
            json!({"aud": ["api://n8n-api", "portal"], "azp": "portal", "jti": "1"}),
            refused,
        ),
        (json!({"azp": "portal", "jti": "1"}), None),
        (
            json!({"azp": "api://n8n-api", "jti": "1", "scope": ["a"]}),
            None,
        ),
        (json!({"azp": "portal"}), None),
        (json!({"scope": "openid"}), None),
        (json!({"scp": ["a"]}), None),
        (json!({"client_id": "portal"}), None),
        (json!({"cid": "portal"}), None),
        (json!({"appid": "portal"}), None),
        (json!({"jti": "1"}), None),
        (json!({"typ": "Bearer"}), None),
        (json!({"token_use": "access"}), None),
        (json!({"auth_time": null}), None),
    ] {
        let mut all = id_token.clone();
        for (name, value) in change.as_object().unwrap() {
            all[name] = value.clone();
        }
        let change = all;
        assert_eq!(fault_of(&[], &change), expected, "{change}");
    }
}

#[test]
fn an_id_token_of_a_provider_whose_access_tokens_name_their_client_is_refused() {
    for (change, expected) in [
        (json!({}), Some(TokenFault::WrongType("azp"))),
        (
            json!({"client_id": "c"}),
            Some(TokenFault::WrongType("azp")),
        ),
        (
            json!({"scope": "openid", "sid": "s"}),
            Some(TokenFault::WrongType("azp")),
        ),
        (json!({"azp": "c"}), None),
        (json!({"appid": "c"}), None),
        (
            json!({"azp": "api://n8n-api", "auth_time": 7, "jti": null}),
            None,
        ),
    ] {
        assert_eq!(fault_of(&["azp", "appid"], &change), expected, "{change}");
    }
}

#[test]
fn a_token_marked_as_an_access_token_may_carry_a_nonce() {
    for (header, claims) in [
        (json!({}), json!({"typ": "Bearer", "nonce": "n"})),
        (json!({}), json!({"token_use": "access", "nonce": "n"})),
        (json!({"typ": "at+jwt"}), json!({"nonce": "n"})),
        (json!({"nonce": "n"}), json!({})),
    ] {
        assert_eq!(fault(&header, &claims), None, "{header} {claims}");
    }
    let forged = fault(&json!({"typ": "at+jwt"}), &json!({"typ": "ID"}));
    assert_eq!(forged, Some(TokenFault::WrongType("typ")));
}

/// Keycloak writes `DPoP` into tokens that are bound to a key (RFC 9449 §5).
#[test]
fn a_token_that_is_marked_as_bound_to_a_key_is_bound_to_one() {
    let jkt = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    let bound = json!({"typ": "DPoP", "cnf": {"jkt": jkt}});
    assert_eq!(fault(&json!({}), &bound), None);
    for change in [
        json!({"typ": "DPoP"}),
        json!({"typ": "DPoP", "cnf": {"x5t#S256": jkt}}),
    ] {
        let expected = Some(TokenFault::WrongType("typ"));
        assert_eq!(fault(&json!({}), &change), expected, "{change}");
    }
    let marked = fault_under(TypRule::IdToken, &json!({}), &bound);
    assert_eq!(marked, Some(TokenFault::WrongType("typ")));
}
