//! Issuers of one tenant and of many.

use serde_json::{json, Value};

use super::*;
use crate::token::issuer_samples::{compact, v1, v2, A, B};

fn index(issuers: impl IntoIterator<Item = (String, ProviderId)>) -> IssuerIndex {
    IssuerIndex::new(issuers.into_iter().collect())
}

/// Three providers: tenant A by name, every tenant, and one that is not Entra.
fn issuers() -> IssuerIndex {
    index([
        (v2(A), ProviderId(0)),
        (v2(TENANT), ProviderId(1)),
        (v1(TENANT), ProviderId(1)),
        ("https://idp.example".to_owned(), ProviderId(2)),
    ])
}

fn owner_of(issuer: &str, tenant: &Value) -> Option<usize> {
    let compact = compact(issuer, tenant);
    let token = UntrustedToken::parse(&compact).unwrap();
    issuers().provider_of(&token).map(|id| id.0)
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

#[test]
fn a_hint_says_what_an_operator_may_have_overlooked() {
    let one = |issuer: String| index([(issuer, ProviderId(0))]);
    let slash = Some("a configured issuer differs in the slash at the end alone");
    let idp = "https://idp.example";
    assert_eq!(one(format!("{idp}/")).hint(idp), slash);
    assert_eq!(one(idp.to_owned()).hint(&format!("{idp}/")), slash);
    let version_1 = "an Entra token of version 1.0 of a configured tenant: set \
                     requestedAccessTokenVersion to 2 or list this issuer";
    assert_eq!(one(v2(A)).hint(&v1(A)), Some(version_1));
    let version_2 = "an Entra token of version 2.0 of a configured tenant: list this issuer";
    assert_eq!(one(v1(A)).hint(&v2(A)), Some(version_2));
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
        assert_eq!(one(configured).hint(&claimed), None, "{claimed}");
    }
}

/// Behind a proxy, a provider may take its own address for the one that its callers know.
#[test]
fn a_hint_tells_in_what_an_issuer_differs_from_a_configured_one() {
    let issuers = index([
        ("https://other.example".to_owned(), ProviderId(0)),
        ("https://sso.example/realms/main".to_owned(), ProviderId(1)),
        ("https://accounts.google.com".to_owned(), ProviderId(2)),
    ]);
    for (claimed, hinted) in [
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
        let hint = issuers.hint(claimed);
        match hinted {
            Some(hinted) => {
                let hint = hint.unwrap_or_default();
                assert!(hint.contains(hinted), "{claimed}: {hint}");
            }
            None => assert_eq!(hint, None, "{claimed}"),
        }
    }
}
