//! Issuers of one tenant and of many, and keys that are bound to an issuer.

use serde_json::json;

use super::*;
use crate::crypto::{CryptoPath, GuestCrypto, KeySet};
use crate::mint::{jwk_set, mint, KeyKind};
use crate::time::UnixSeconds;
use crate::token::TypRule;
use crate::token::{TokenFault, VerifiedToken};

const A: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
const B: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
const NOW: u64 = 1_800_000_000;

fn v2(tenant: &str) -> String {
    format!("https://login.microsoftonline.com/{tenant}/v2.0")
}

fn v1(tenant: &str) -> String {
    format!("https://sts.windows.net/{tenant}/")
}

fn compact(issuer: &str, tenant: &Value) -> String {
    let claims = json!({
        "iss": issuer, "tid": tenant, "aud": "n8n", "exp": NOW + 60, "azp": "c",
    });
    mint(KeyKind::Ed25519).sign(&json!({"alg": "EdDSA", "kid": "k"}), &claims)
}

/// Three providers: tenant A by name, every tenant, and one that is not Entra.
fn issuers() -> BTreeMap<String, ProviderId> {
    BTreeMap::from([
        (v2(A), ProviderId(0)),
        (v2(TENANT), ProviderId(1)),
        (v1(TENANT), ProviderId(1)),
        ("https://idp.example".to_owned(), ProviderId(2)),
    ])
}

fn owner_of(issuer: &str, tenant: &Value) -> Option<usize> {
    let compact = compact(issuer, tenant);
    let token = UntrustedToken::parse(&compact).unwrap();
    owner(&issuers(), &token).map(|id| id.0)
}

#[test]
fn an_issuer_is_found_byte_by_byte() {
    assert_eq!(owner_of("https://idp.example", &json!("t")), Some(2));
    for other in [
        "https://idp.example/",
        "https://IDP.example",
        "https://idp.example.evil.example",
        "",
    ] {
        assert_eq!(owner_of(other, &json!(A)), None, "{other}");
    }
}

#[test]
fn the_tenant_of_a_token_goes_into_the_issuer_of_many_tenants() {
    assert_eq!(owner_of(&v2(B), &json!(B)), Some(1));
    assert_eq!(owner_of(&v1(B), &json!(B)), Some(1));
    assert_eq!(
        owner_of(&v2(A), &json!(A)),
        Some(0),
        "written out goes first"
    );
}

#[test]
fn only_the_token_s_own_tenant_goes_there_and_only_a_guid() {
    let upper = B.to_ascii_uppercase();
    for (issuer, tenant) in [
        (v2(B), json!(A)),
        (v2(B), Value::Null),
        (v2(B), json!(7)),
        (v2(B), json!([B])),
        (v2(&upper), json!(upper)),
        (v2(B), json!(B.trim_end_matches('d'))),
        (v2("contoso.example"), json!("contoso.example")),
        (v2("v2.0"), json!("v2.0")),
        (v2(""), json!("")),
        (v2(TENANT), json!(TENANT)),
        (v2(TENANT), json!(B)),
        (format!("{}/", v2(B)), json!(B)),
        (v2(&format!("{B}/{B}")), json!(B)),
        (v2(&format!("{B}{TENANT}")), json!(B)),
        (format!("https://evil.example/{B}/v2.0"), json!(B)),
    ] {
        assert_eq!(owner_of(&issuer, &tenant), None, "{issuer} {tenant}");
    }
}

/// The verdict on a good token of `issuer`, when its key is bound to `bound`.
fn verdict(
    issuer: &str,
    tenant: &Value,
    bound: Option<&str>,
    discovery_issuer: &str,
) -> Result<CryptoPath, TokenFault> {
    let signer = mint(KeyKind::Ed25519);
    let mut jwk = signer.jwk("k");
    if let Some(bound) = bound {
        jwk["issuer"] = json!(bound);
    }
    let keys = KeySet::parse(&jwk_set(&[jwk])).unwrap();
    let rules = TokenRules {
        discovery_issuer: discovery_issuer.to_owned(),
        audience_claim: None,
        audiences: ["n8n".to_owned()].into(),
        algorithms: crate::crypto::Algorithm::ALL.into(),
        clock_skew: std::time::Duration::ZERO,
        typ: TypRule::NotAnotherKind,
        client_claims: &[],
    };
    let compact = compact(issuer, tenant);
    let token = UntrustedToken::parse(&compact)?;
    VerifiedToken::verify(&token, &rules, &keys, &GuestCrypto, UnixSeconds(NOW))
        .map(|token| token.crypto_path().unwrap())
}

#[test]
fn a_key_signs_for_the_issuer_that_it_is_bound_to() {
    let good = Ok(CryptoPath::Guest);
    let (a, b) = (json!(A), json!(B));
    let idp = "https://idp.example";
    assert_eq!(verdict(&v2(A), &a, None, &v2(TENANT)), good);
    assert_eq!(verdict(&v2(A), &a, Some(&v2(A)), &v2(TENANT)), good);
    assert_eq!(verdict(&v2(A), &a, Some(&v2(TENANT)), &v2(TENANT)), good);
    assert_eq!(verdict(&v2(B), &b, Some(&v2(TENANT)), &v2(TENANT)), good);
    assert_eq!(verdict(idp, &Value::Null, Some(idp), idp), good);
    // Though its provider's keys were found under another issuer, or no tenant is in it.
    assert_eq!(verdict(&v1(A), &a, Some(&v1(A)), &v2(A)), good);
    assert_eq!(verdict(&v1(A), &a, Some(&v1(TENANT)), &v2(A)), good);
    assert_eq!(verdict(idp, &a, Some(idp), &v2(A)), good);
}

#[test]
fn a_key_of_one_tenant_does_not_sign_for_another() {
    let refused = Err(TokenFault::KeyOfAnotherIssuer);
    let a = json!(A);
    for (issuer, tenant, bound, discovery) in [
        (v2(A), &a, v2(B), v2(TENANT)),
        (v1(A), &a, v2(B), v2(TENANT)),
        // The provider's own list of issuers does not join two tenants.
        (v2(A), &a, v2(B), v2(B)),
        (v2(A), &a, v1(TENANT), v2(TENANT)),
        // Without a tenant in the token, a key for any tenant signs for none.
        (v2(A), &Value::Null, v2(TENANT), v2(TENANT)),
        (v2(A), &json!("x"), v2(TENANT), v2(TENANT)),
        // A tenant that the token claims and its issuer does not.
        (v2(A), &json!(B), v2(TENANT), v2(TENANT)),
        (v1(A), &json!(B), v2(TENANT), v2(TENANT)),
        (v2(A), &a, format!("{}/", v2(A)), v2(TENANT)),
        (v2(A), &a, String::new(), v2(TENANT)),
    ] {
        let found = verdict(&issuer, tenant, Some(&bound), &discovery);
        assert_eq!(found, refused, "{issuer} {tenant} {bound} {discovery}");
    }
}

#[test]
fn a_key_of_entra_signs_tokens_of_both_versions_of_its_tenant() {
    let a = json!(A);
    for bound in [v2(A), v2(TENANT)] {
        for discovery in [v2(A), v2(TENANT)] {
            let found = verdict(&v1(A), &a, Some(&bound), &discovery);
            assert_eq!(found, Ok(CryptoPath::Guest), "{bound} {discovery}");
        }
    }
    // A key of an issuer that was never asked for keys does not.
    let other = format!("https://login.elsewhere.example/{A}/v2.0");
    assert_eq!(
        verdict(&v1(A), &a, Some(&other), &v2(A)),
        Err(TokenFault::KeyOfAnotherIssuer)
    );
}

#[test]
fn a_guid_has_one_spelling() {
    assert!(is_guid(A));
    for text in [
        "",
        "72f988bf86f141af91ab2d7cd011db47",
        "{72f988bf-86f1-41af-91ab-2d7cd011db47}",
        "72F988BF-86F1-41AF-91AB-2D7CD011DB47",
        "72f988bf-86f1-41af-91ab-2d7cd011db4g",
        "72f988bf-86f1-41af-91ab-2d7cd011db4",
        "72f988bf-86f1-41af-91ab-2d7cd011db477",
        "72f988bf/86f1-41af-91ab-2d7cd011db47",
        "72f988bf-86f1/41af-91ab-2d7cd011db47",
        "72f988bf-86f1-41af/91ab-2d7cd011db47",
        "72f988bf-86f1-41af-91ab/2d7cd011db47",
        "72f988bf086f1-41af-91ab-2d7cd011db47",
        "72f988b--86f1-41af-91ab-2d7cd011db47",
    ] {
        assert!(!is_guid(text), "{text}");
    }
}

#[test]
fn a_hint_says_what_an_operator_may_have_overlooked() {
    let one = |issuer: String| BTreeMap::from([(issuer, ProviderId(0))]);
    let slash = Some("a configured issuer differs in the slash at the end alone");
    let idp = "https://idp.example";
    assert_eq!(hint(&one(format!("{idp}/")), idp), slash);
    assert_eq!(hint(&one(idp.to_owned()), &format!("{idp}/")), slash);
    let version_1 = "an Entra token of version 1.0 of a configured tenant: set \
                     requestedAccessTokenVersion to 2 or list this issuer";
    assert_eq!(hint(&one(v2(A)), &v1(A)), Some(version_1));
    let version_2 = "an Entra token of version 2.0 of a configured tenant: list this issuer";
    assert_eq!(hint(&one(v1(A)), &v2(A)), Some(version_2));
    for (configured, claimed) in [
        (v2(A), v1(B)),
        (v1(A), v2(B)),
        (v2(TENANT), v1(A)),
        (v2(A), format!("https://idp.example/{A}/as")),
        (
            idp.to_owned(),
            "https://idp.example.evil.example/".to_owned(),
        ),
        (idp.to_owned(), "x".to_owned()),
    ] {
        assert_eq!(hint(&one(configured), &claimed), None, "{claimed}");
    }
}

/// Behind a proxy, a provider may take its own address for the one that its callers know.
#[test]
fn a_hint_tells_in_what_an_issuer_differs_from_a_configured_one() {
    let issuers = BTreeMap::from([
        ("https://other.example".to_owned(), ProviderId(0)),
        ("https://sso.example/realms/main".to_owned(), ProviderId(1)),
        ("https://accounts.google.com".to_owned(), ProviderId(2)),
    ]);
    for (claimed, told) in [
        (
            "http://sso.example/realms/main",
            Some("in the scheme (http, https) alone"),
        ),
        (
            "accounts.google.com",
            Some("in the scheme (http, https) alone"),
        ),
        (
            "https://sso.example:443/realms/main",
            Some("in the port alone"),
        ),
        (
            "https://sso.example:8443/realms/main",
            Some("in the port alone"),
        ),
        (
            "https://SSO.example/realms/main",
            Some("in upper and lower case alone"),
        ),
        (
            "https://sso.example/realms/Main",
            Some("in upper and lower case alone"),
        ),
        (
            "HTTPS://sso.example/realms/main",
            Some("in upper and lower case alone"),
        ),
        (
            "https://sso.example/realms/main/",
            Some("in the slash at the end alone"),
        ),
        (
            "http://SSO.example:8080/realms/main/",
            Some("in more than one of"),
        ),
        (
            "http://sso.example:8080/realms/main",
            Some("in more than one of"),
        ),
        ("https://sso.example/realms/main//", None),
        ("https://sso.example/realms/other", None),
        ("https://sso.example.evil.example/realms/main", None),
        ("https://sso.example", None),
        ("https://[::1]/", None),
        ("", None),
        ("://", None),
    ] {
        let hint = hint(&issuers, claimed);
        match told {
            Some(told) => {
                let hint = hint.unwrap_or_default();
                assert!(hint.contains(told), "{claimed}: {hint}");
            }
            None => assert_eq!(hint, None, "{claimed}"),
        }
    }
}
