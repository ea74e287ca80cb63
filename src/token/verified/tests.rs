//! Every fault of verification, and the attacks that each check stops.

use std::cell::Cell;
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::crypto::GuestCrypto;
use crate::mint::{base64url, jwk_set, mint, KeyKind, Mint};
use crate::token::{Issuers, TypRule};

const ISSUER: &str = "https://idp.example.test/realms/acme";
const NOW: u64 = 1_800_000_000;
const SKEW: u64 = 30;

fn rules(typ: TypRule) -> TokenRules {
    TokenRules {
        issuers: Issuers::one(ISSUER),
        audience_claim: None,
        audiences: ["api://n8n-api".to_owned(), "https://n8n.example".to_owned()].into(),
        algorithms: Algorithm::ALL.into(),
        clock_skew: Duration::from_secs(SKEW),
        typ,
        client_claims: &[],
    }
}

fn keys() -> KeySet {
    let keys = [
        mint(KeyKind::Rsa2048).jwk("rsa"),
        mint(KeyKind::P256).jwk("p256"),
        mint(KeyKind::P384).jwk("p384"),
        mint(KeyKind::Ed25519).jwk("ed25519"),
    ];
    KeySet::parse(&jwk_set(&keys)).unwrap()
}

fn header() -> Value {
    json!({"alg": "ES256", "kid": "p256", "typ": "JWT"})
}

fn claims() -> Value {
    json!({
        "iss": ISSUER,
        "aud": "api://n8n-api",
        "sub": "alice",
        "jti": "1",
        "iat": NOW - 60,
        "nbf": NOW - 60,
        "exp": NOW + 60,
    })
}

/// `base` with the members of `change` set; `null` removes a member.
fn with(mut base: Value, change: &Value) -> Value {
    for (name, value) in change.as_object().unwrap() {
        let members = base.as_object_mut().unwrap();
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    base
}

fn verify_under(rules: &TokenRules, compact: &str) -> Result<VerifiedToken, TokenFault> {
    let token = UntrustedToken::parse(compact)?;
    VerifiedToken::verify(&token, rules, &keys(), &GuestCrypto, UnixSeconds(NOW))
}

fn verify(compact: &str) -> Result<VerifiedToken, TokenFault> {
    verify_under(&rules(TypRule::AnyAccessToken), compact)
}

/// The fault of a properly signed token whose header or claims are changed; `None` if it is good.
fn fault(header_change: &Value, claims_change: &Value) -> Option<TokenFault> {
    fault_under(TypRule::AnyAccessToken, header_change, claims_change)
}

fn fault_under(typ: TypRule, header_change: &Value, claims_change: &Value) -> Option<TokenFault> {
    let header = with(header(), header_change);
    let compact = mint(KeyKind::P256).sign(&header, &with(claims(), claims_change));
    verify_under(&rules(typ), &compact).err()
}

/// The fault of a properly signed token with the claim `name` written as `json`.
fn fault_of_claim(name: &str, json: &str) -> Option<TokenFault> {
    let mut claims = with(claims(), &json!({ name: null })).to_string();
    claims.pop();
    let claims = format!(r#"{claims},"{name}":{json}}}"#);
    let header = header().to_string();
    let compact = mint(KeyKind::P256).raw("ES256", header.as_bytes(), claims.as_bytes());
    verify(&compact).err()
}

#[test]
fn a_good_token_of_every_algorithm_is_verified() {
    for algorithm in Algorithm::ALL {
        let (kind, key_id) = match algorithm {
            Algorithm::Es256 => (KeyKind::P256, "p256"),
            Algorithm::Es384 => (KeyKind::P384, "p384"),
            Algorithm::EdDsa => (KeyKind::Ed25519, "ed25519"),
            _ => (KeyKind::Rsa2048, "rsa"),
        };
        let header = json!({"alg": algorithm.as_str(), "kid": key_id});
        let token = verify(&mint(kind).sign(&header, &claims())).unwrap();
        assert_eq!(token.algorithm(), Some(algorithm));
        assert_eq!(token.key_id(), Some(key_id));
        assert_eq!(&**token.issuer(), ISSUER);
        assert_eq!(token.expires(), UnixSeconds(NOW + 60));
        assert_eq!(token.crypto_path(), Some(CryptoPath::Guest));
        assert_eq!(Value::from(Map::clone(token.claims())), claims());
    }
}

#[test]
fn claims_are_not_shown() {
    let compact = mint(KeyKind::P256).sign(&header(), &claims());
    let shown = format!("{:?}", verify(&compact).unwrap());
    assert!(!shown.contains("alice"), "{shown}");
}

#[test]
fn claims_that_nothing_needs_any_more_are_let_go() {
    let compact = mint(KeyKind::P256).sign(&header(), &claims());
    let token = verify(&compact).unwrap();
    assert!(!token.claims().is_empty());
    let token = token.without_claims();
    assert!(token.claims().is_empty());
    assert_eq!(&**token.issuer(), ISSUER);
}

#[test]
fn one_of_several_audiences_is_enough() {
    for audience in [
        json!(["api://n8n-api"]),
        json!(["other", "https://n8n.example", "api://n8n-api"]),
    ] {
        assert_eq!(fault(&json!({}), &json!({ "aud": audience })), None);
    }
}

#[test]
fn a_token_for_another_audience_is_refused() {
    for audience in [
        json!("other"),
        json!("api://n8n-ap"),
        json!("api://n8n-api/"),
        json!("API://N8N-API"),
        json!(" "),
        json!(["other"]),
        json!(["", "other"]),
    ] {
        let expected = Some(TokenFault::WrongAudience);
        assert_eq!(fault(&json!({}), &json!({ "aud": audience })), expected);
    }
}

/// Spellings of `aud` that name no audience, with the absent one.
const NO_AUDIENCE: [&str; 6] = [
    "",
    r#""aud":[],"#,
    r#""aud":"","#,
    r#""aud":[""],"#,
    r#""aud":["",""],"#,
    r#""aud":null,"#,
];

/// A token with this `aud` and whatever else.
fn with_audience(audience: &str, change: &Value) -> String {
    let claims = with(claims(), &json!({"aud": null}));
    let claims = with(claims, change).to_string();
    let claims = claims.replacen('{', &format!("{{{audience}"), 1);
    let header = with(header(), &json!({"alg": "ES256"})).to_string();
    mint(KeyKind::P256).raw("ES256", header.as_bytes(), claims.as_bytes())
}

#[test]
fn an_aud_that_names_no_audience_is_missing() {
    for audience in NO_AUDIENCE {
        let compact = with_audience(audience, &json!({"client_id": "api://n8n-api"}));
        let found = verify_under(&rules(TypRule::AnyAccessToken), &compact).err();
        assert_eq!(found, Some(TokenFault::AudienceMissing), "{audience}");
    }
    for audience in [
        r#""aud":[null],"#,
        r#""aud":7,"#,
        r#""aud":{},"#,
        r#""aud":["",7],"#,
        r#""aud":false,"#,
    ] {
        let mut rules = rules(TypRule::AnyAccessToken);
        rules.audience_claim = Some("client_id");
        let compact = with_audience(audience, &json!({"client_id": "api://n8n-api"}));
        let found = verify_under(&rules, &compact).err();
        let expected = Some(TokenFault::ClaimOfWrongType("aud"));
        assert_eq!(found, expected, "{audience}");
    }
}

#[test]
fn expiry_is_required_and_counts_with_the_skew() {
    let at = |exp: u64| fault(&json!({}), &json!({ "exp": exp }));
    assert_eq!(at(NOW - SKEW + 1), None);
    assert_eq!(at(NOW - SKEW), Some(TokenFault::Expired));
    assert_eq!(at(0), Some(TokenFault::Expired));
    let expected = Some(TokenFault::ExpiryMissing);
    assert_eq!(fault(&json!({}), &json!({"exp": null})), expected);
}

#[test]
fn a_token_is_refused_before_its_time() {
    let at = |nbf: u64| fault(&json!({}), &json!({ "nbf": nbf }));
    assert_eq!(at(NOW + SKEW), None);
    assert_eq!(at(NOW + SKEW + 1), Some(TokenFault::NotYetValid));
    assert_eq!(fault(&json!({}), &json!({"nbf": null})), None);
}

#[test]
fn a_token_made_in_store_for_later_is_refused() {
    let at = |iat: u64| fault(&json!({}), &json!({ "iat": iat }));
    assert_eq!(at(NOW + SKEW), None);
    assert_eq!(at(NOW + SKEW + 1), Some(TokenFault::IssuedInTheFuture));
    assert_eq!(fault(&json!({}), &json!({"iat": null})), None);
}

#[test]
fn a_token_issued_after_its_expiry_is_refused() {
    let change = json!({"iat": NOW + 10, "exp": NOW + 9});
    assert_eq!(
        fault(&json!({}), &change),
        Some(TokenFault::IssuedAfterExpiry)
    );
}

#[test]
fn times_do_not_wrap_however_large_the_skew() {
    let mut rules = rules(TypRule::AnyAccessToken);
    rules.clock_skew = Duration::MAX;
    let compact =
        mint(KeyKind::P256).sign(&header(), &with(claims(), &json!({"exp": 1, "iat": 1})));
    assert_eq!(verify_under(&rules, &compact).err(), None);
}

#[test]
fn a_claim_of_a_wrong_type_is_never_taken_for_absent() {
    for name in ["exp", "nbf", "iat"] {
        for wrong in [
            r#""9999999999""#,
            "null",
            "true",
            "[]",
            "{}",
            "-1",
            "1e300",
            "99999999999999",
            "18446744073709551616",
        ] {
            let expected = Some(TokenFault::ClaimOfWrongType(match name {
                "exp" => "exp",
                "nbf" => "nbf",
                _ => "iat",
            }));
            assert_eq!(fault_of_claim(name, wrong), expected, "{name}: {wrong}");
        }
    }
    for (name, wrong, named) in [
        ("aud", "1", "aud"),
        ("aud", r#"{"api://n8n-api":true}"#, "aud"),
        ("aud", r#"["api://n8n-api",1]"#, "aud"),
        ("aud", r#"[["api://n8n-api"]]"#, "aud"),
        ("sub", "1", "sub"),
        ("sub", "null", "sub"),
        ("jti", "[]", "jti"),
        ("typ", "1", "typ"),
        ("token_use", "null", "token_use"),
    ] {
        let expected = Some(TokenFault::ClaimOfWrongType(named));
        assert_eq!(fault_of_claim(name, wrong), expected, "{name}: {wrong}");
    }
}

#[test]
fn a_number_with_a_fraction_is_a_time() {
    assert_eq!(fault_of_claim("exp", "1800000060.5"), None);
    assert_eq!(fault_of_claim("exp", "1.80000006e9"), None);
}

#[test]
fn an_algorithm_outside_the_allow_list_is_refused() {
    let mut rules = rules(TypRule::AnyAccessToken);
    rules.algorithms = [Algorithm::Rs256].into();
    let compact = mint(KeyKind::P256).sign(&header(), &claims());
    let expected = Some(TokenFault::AlgorithmNotAllowed(Some("ES256")));
    assert_eq!(verify_under(&rules, &compact).err(), expected);
}

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
fn another_claim_stands_for_aud_only_where_there_is_none() {
    let mut rules = rules(TypRule::AnyAccessToken);
    rules.audience_claim = Some("client_id");
    let ours = "api://n8n-api";
    for (change, expected) in [
        (json!({"aud": null, "client_id": ours}), None),
        (json!({"client_id": "else"}), None),
        (
            json!({"aud": "else", "client_id": ours}),
            Some(TokenFault::WrongAudience),
        ),
        (
            json!({"aud": ["", "else"], "client_id": ours}),
            Some(TokenFault::WrongAudience),
        ),
        (
            json!({"aud": null, "client_id": "else"}),
            Some(TokenFault::WrongAudience),
        ),
        (
            json!({"aud": null, "azp": ours}),
            Some(TokenFault::AudienceMissing),
        ),
        (
            json!({"aud": null, "client_id": [ours]}),
            Some(TokenFault::ClaimOfWrongType("client_id")),
        ),
    ] {
        let compact = mint(KeyKind::P256).sign(&header(), &with(claims(), &change));
        assert_eq!(verify_under(&rules, &compact).err(), expected, "{change}");
    }
    for audience in NO_AUDIENCE {
        for (client, expected) in [
            (ours, None),
            ("else", Some(TokenFault::WrongAudience)),
            ("", Some(TokenFault::WrongAudience)),
        ] {
            let compact = with_audience(audience, &json!({"client_id": client}));
            assert_eq!(verify_under(&rules, &compact).err(), expected, "{audience}");
        }
        let compact = with_audience(audience, &json!({"azp": ours}));
        let expected = Some(TokenFault::AudienceMissing);
        assert_eq!(verify_under(&rules, &compact).err(), expected, "{audience}");
    }
    let without = json!({"aud": null, "client_id": ours});
    assert_eq!(
        fault(&json!({}), &without),
        Some(TokenFault::AudienceMissing)
    );
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

#[test]
fn a_token_bound_to_its_senders_key_is_no_bearer_token() {
    for confirmation in [
        r#"{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}"#,
        r#"{"x5t#S256":"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}"#,
        "{}",
        "null",
    ] {
        let expected = Some(TokenFault::SenderConstrained);
        assert_eq!(fault_of_claim("cnf", confirmation), expected);
    }
}

#[test]
fn a_key_id_that_is_not_in_the_set_is_unknown() {
    for key_id in ["new", "P256", "p256 ", "", "../p256", "rsa' OR '1'='1"] {
        let expected = Some(TokenFault::UnknownKeyId(None));
        assert_eq!(
            fault(&json!({ "kid": key_id }), &json!({})),
            expected,
            "{key_id}"
        );
    }
}

#[test]
fn a_key_of_another_type_does_not_fit() {
    for key_id in ["rsa", "p384", "ed25519"] {
        let expected = Some(TokenFault::NoKeyFits);
        assert_eq!(
            fault(&json!({ "kid": key_id }), &json!({})),
            expected,
            "{key_id}"
        );
    }
}

#[test]
fn a_token_without_a_key_id_is_checked_with_the_keys_that_fit() {
    assert_eq!(fault(&json!({"kid": null}), &json!({})), None);
}

#[test]
fn a_signature_by_another_key_is_not_good() {
    let compact = Mint::generate(KeyKind::P256).sign(&header(), &claims());
    assert_eq!(verify(&compact).err(), Some(TokenFault::BadSignature));
}

#[test]
fn a_change_of_any_byte_is_noticed() {
    let kind = mint(KeyKind::Ed25519);
    let header = json!({"alg": "EdDSA", "kid": "ed25519"});
    let good = kind.sign(&header, &claims());
    assert_eq!(verify(&good).err(), None);
    for index in 0..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[index] = if bytes[index] == b'A' { b'Q' } else { b'A' };
        let forged = String::from_utf8(bytes).unwrap();
        assert!(verify(&forged).is_err(), "byte {index}");
    }
    let (_, signature) = good.rsplit_once('.').unwrap();
    let header = base64url(header.to_string());
    let claims = base64url(with(claims(), &json!({"sub": "mallory"})).to_string());
    let forged = format!("{header}.{claims}.{signature}");
    assert_eq!(verify(&forged).err(), Some(TokenFault::BadSignature));
}

/// Counts how often it is asked.
#[derive(Default)]
struct Counting(Cell<u32>);

impl SignatureVerifier for Counting {
    fn verify(&self, _: &PublicKey, _: Algorithm, _: &[u8], _: &[u8]) -> Verification {
        self.0.set(self.0.get().saturating_add(1));
        Verification {
            valid: true,
            path: CryptoPath::Host,
        }
    }
}

#[test]
fn no_signature_is_checked_for_a_token_that_cannot_hold() {
    let counting = Counting::default();
    let asked = |header_change: Value, claims_change: Value| {
        let header = with(header(), &header_change);
        let compact = mint(KeyKind::P256).sign(&header, &with(claims(), &claims_change));
        let token = UntrustedToken::parse(&compact).unwrap();
        let rules = rules(TypRule::AnyAccessToken);
        let _ = VerifiedToken::verify(&token, &rules, &keys(), &counting, UnixSeconds(NOW));
        counting.0.replace(0)
    };
    assert_eq!(asked(json!({}), json!({})), 1);
    assert_eq!(asked(json!({"kid": "new"}), json!({})), 0);
    assert_eq!(asked(json!({"kid": "rsa"}), json!({})), 0);
    assert_eq!(asked(json!({"typ": "logout+jwt"}), json!({})), 0);
    assert_eq!(asked(json!({}), json!({"exp": 1, "iat": 1})), 0);
    assert_eq!(asked(json!({}), json!({"aud": "other"})), 0);
    assert_eq!(asked(json!({}), json!({"cnf": {}})), 0);
}

/// A token of the good claims under this header, with these bytes for a signature.
fn with_signature(header: &Value, signature: &[u8]) -> String {
    let (header, claims) = (header.to_string(), claims().to_string());
    let [header, claims, signature] =
        [header.as_bytes(), claims.as_bytes(), signature].map(base64url);
    format!("{header}.{claims}.{signature}")
}

// Attacks on verifiers that were found in the wild, each as its finder would send it. What the
// claims say is true in all of them: only the attack stands between the sender and n8n.

#[test]
fn tokens_that_claim_to_need_no_signature_are_refused() {
    let unsigned = with_signature(&json!({"alg": "none"}), b"");
    assert_eq!(verify(&unsigned).err(), Some(TokenFault::NotAJws));
    for name in ["none", "None", "NONE", "nOnE", "none ", "\u{0}none", ""] {
        let header = json!({"alg": name, "kid": "p256"});
        let named = (name == "none").then_some("none");
        let expected = Some(TokenFault::AlgorithmNotAllowed(named));
        assert_eq!(
            verify(&with_signature(&header, b"x")).err(),
            expected,
            "{name}"
        );
    }
    for signature in [&[0; 64][..], &[0], &[0; 256]] {
        let expected = Some(TokenFault::BadSignature);
        let compact = with_signature(&header(), signature);
        assert_eq!(
            verify(&compact).err(),
            expected,
            "{} zeros",
            signature.len()
        );
    }
}

#[test]
fn an_hmac_keyed_with_a_public_key_is_refused() {
    let jwk = mint(KeyKind::Rsa2048).jwk("rsa");
    let modulus = jwk["n"].as_str().unwrap().to_owned();
    let spki = keys().keys()[0].spki_der().to_vec();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        base64url(&spki)
    );
    let secrets = [
        spki,
        pem.into_bytes(),
        modulus.into_bytes(),
        jwk.to_string().into_bytes(),
        vec![],
    ];
    for secret in secrets {
        let header = json!({"alg": "HS256", "kid": "rsa"});
        let unsigned = with_signature(&header, b"");
        let mac = hmac_sha256::HMAC::mac(unsigned.trim_end_matches('.'), &secret);
        let compact = with_signature(&header, &mac);
        let expected = Some(TokenFault::AlgorithmNotAllowed(Some("HS256")));
        assert_eq!(verify(&compact).err(), expected);
    }
}

#[test]
fn keys_that_a_token_brings_along_are_not_used() {
    let attacker = Mint::generate(KeyKind::P256);
    for (header, expected) in [
        (
            json!({"kid": "mine", "jwk": attacker.jwk("mine")}),
            TokenFault::UnknownKeyId(None),
        ),
        (
            json!({"kid": "p256", "jwk": attacker.jwk("p256")}),
            TokenFault::BadSignature,
        ),
        (
            json!({"jwk": attacker.jwk("p256")}),
            TokenFault::BadSignature,
        ),
        (
            json!({"kid": "p256", "jku": "https://evil.example/jwks"}),
            TokenFault::BadSignature,
        ),
        (
            json!({"kid": "p256", "x5u": "https://evil.example/pem"}),
            TokenFault::BadSignature,
        ),
        (
            json!({"kid": "p256", "x5c": ["MIIB"], "x5t": "AQ"}),
            TokenFault::BadSignature,
        ),
    ] {
        let header = with(header, &json!({"alg": "ES256"}));
        let compact = attacker.sign(&header, &claims());
        assert_eq!(verify(&compact).err(), Some(expected), "{header}");
    }
}

#[test]
fn tokens_that_two_readers_would_read_differently_are_refused() {
    let raw = |header: &str, claims: &str| {
        mint(KeyKind::P256).raw("ES256", header.as_bytes(), claims.as_bytes())
    };
    let (header, claims) = (header().to_string(), claims().to_string());
    let other_audience = claims.replacen('{', r#"{"aud":"other","#, 1);
    let two_algorithms = header.replacen('{', r#"{"alg":"none","#, 1);
    let extension = header.replacen('{', r#"{"crit":["bork"],"bork":1,"#, 1);
    assert_eq!(verify(&raw(&header, &claims)).err(), None);
    for (compact, expected) in [
        (raw(&header, &other_audience), TokenFault::ClaimsMalformed),
        (raw(&two_algorithms, &claims), TokenFault::HeaderMalformed),
        (raw(&extension, &claims), TokenFault::CriticalHeader),
        (
            json!({"payload": claims, "signatures": []}).to_string(),
            TokenFault::NotAJws,
        ),
    ] {
        assert_eq!(verify(&compact).err(), Some(expected), "{compact}");
    }
}

#[test]
fn an_issuer_is_compared_whole_so_that_no_part_of_it_can_match() {
    for issuer in [
        "https://idp.example.test/realms/acm",
        "https://idp.example.test/realms/acme/",
        "https://idp.example.test/realms/acme\u{0}",
        "HTTPS://idp.example.test/realms/acme",
    ] {
        let compact = mint(KeyKind::P256).sign(&header(), &with(claims(), &json!({"iss": issuer})));
        let token = UntrustedToken::parse(&compact).unwrap();
        assert_eq!(token.claimed_issuer(), issuer);
        assert_ne!(token.claimed_issuer(), ISSUER);
    }
}

#[test]
fn ecdsa_signatures_of_another_form_are_not_good() {
    let compact = mint(KeyKind::P256).sign(&header(), &claims());
    let (input, _) = compact.rsplit_once('.').unwrap();
    let signature = mint(KeyKind::P256).signature("ES256", input.as_bytes());
    let der = p256::ecdsa::Signature::from_slice(&signature)
        .unwrap()
        .to_der();
    let longer = [signature.as_slice(), &[0]].concat();
    for other in [der.as_bytes(), &longer, &signature[..63]] {
        let compact = format!("{input}.{}", base64url(other));
        assert_eq!(verify(&compact).err(), Some(TokenFault::BadSignature));
    }
}
