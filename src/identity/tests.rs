//! Identities of claims as providers send them.

mod claims_at;
mod email;
mod groups;
mod kind;
mod kind_rules;
mod names;
mod subject;
mod vendors;

use std::sync::Arc;

use serde_json::{json, Value};

use super::claim_source::ClaimSource;
use super::*;
use crate::formats::json::Document;
use crate::time::UnixSeconds;
use crate::token::{Confirmation, ResponseKind};

fn rules(dialect: Dialect, trust_email: bool) -> IdentityRules {
    IdentityRules {
        dialect,
        claims_at: ClaimsAt::default(),
        trust_email,
        kind: KindRules::default(),
        accept_no_subject: false,
    }
}

/// Reads claims, with some subject where they have none.
fn read(dialect: Dialect, claims: &Value) -> Result<Identity, IdentityFault> {
    let mut claims = claims.clone();
    if claims.get("sub").is_none() {
        claims["sub"] = json!("subject");
    }
    read_as(&rules(dialect, false), &claims, false)
}

fn read_as(
    rules: &IdentityRules,
    claims: &Value,
    keeps_rfc_9068: bool,
) -> Result<Identity, IdentityFault> {
    let issuer = claims
        .get("iss")
        .and_then(Value::as_str)
        .unwrap_or("https://idp.example");
    let source = ClaimSource {
        claims: &Arc::new(Document::from(claims)),
        issuer: &issuer.into(),
        expires: UnixSeconds(7),
        keeps_rfc_9068,
        response_kind: None,
        confirmation: None,
    };
    Identity::read(source, &"idp".into(), rules)
}

/// Client, kind, scopes, roles, groups and tenant.
type Read<'s> = (
    Option<&'s str>,
    Kind,
    &'s [&'s str],
    &'s [&'s str],
    &'s [&'s str],
    Option<&'s str>,
);

fn assert_says(dialect: Dialect, claims: &Value, expected: Read<'_>) {
    let identity = read(dialect, claims).expect("an identity");
    let owned = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    let (client, kind, scopes, roles, groups, tenant) = expected;
    assert_eq!(identity.client.as_deref(), client, "{claims}");
    assert_eq!(identity.kind, kind, "{claims}");
    assert_eq!(identity.scopes, owned(scopes), "{claims}");
    assert_eq!(identity.roles, owned(roles), "{claims}");
    assert_eq!(identity.groups, owned(groups), "{claims}");
    assert_eq!(identity.tenant.as_deref(), tenant, "{claims}");
}

#[test]
fn any_openid_provider() {
    let rfc_9068 = json!({"sub": "s6BhdRkqt3", "client_id": "s6BhdRkqt3", "scope": "a b"});
    assert_says(
        Dialect::Oidc,
        &rfc_9068,
        (Some("s6BhdRkqt3"), Kind::App, &["a", "b"], &[], &[], None),
    );
    let okta = json!({"sub": "ann@example.com", "cid": "0oa", "uid": "00u", "scp": ["a", "b"],
        "groups": ["g h"]});
    assert_says(
        Dialect::Oidc,
        &okta,
        (Some("0oa"), Kind::User, &["a", "b"], &[], &["g h"], None),
    );
    let auth0 =
        json!({"sub": "abc@clients", "azp": "abc", "gty": "client-credentials", "org_id": "o"});
    assert_says(
        Dialect::Oidc,
        &auth0,
        (Some("abc"), Kind::App, &[], &[], &[], Some("o")),
    );
    let kinde = json!({"sub": "x", "azp": "y", "gty": ["client-credentials"], "roles": "r s"});
    assert_says(
        Dialect::Oidc,
        &kinde,
        (Some("y"), Kind::App, &[], &["r s"], &[], None),
    );
    assert_says(
        Dialect::Oidc,
        &json!({"sub": "x"}),
        (None, Kind::Unknown, &[], &[], &[], None),
    );
}

#[test]
fn entra_of_both_versions() {
    let v2_app = json!({"azp": "c", "oid": "o", "sub": "o", "roles": ["R"], "tid": "t"});
    assert_says(
        Dialect::Entra,
        &v2_app,
        (Some("c"), Kind::App, &[], &["R"], &[], Some("t")),
    );
    let v1_user =
        json!({"appid": "c", "sub": "u", "scp": "Read Write", "tid": "t", "groups": ["g"]});
    assert_says(
        Dialect::Entra,
        &v1_user,
        (
            Some("c"),
            Kind::User,
            &["Read", "Write"],
            &[],
            &["g"],
            Some("t"),
        ),
    );
    let declared = json!({"azp": "c", "idtyp": "user", "oid": "o", "sub": "o", "tid": "t"});
    assert_says(
        Dialect::Entra,
        &declared,
        (Some("c"), Kind::User, &[], &[], &[], Some("t")),
    );
}

#[test]
fn keycloak_with_roles_of_the_realm_and_of_clients() {
    let claims = json!({
        "azp": "Orders", "sub": "f1", "preferred_username": "service-account-orders",
        "scope": "profile email", "realm_access": {"roles": ["reader"]},
        "resource_access": {"n8n": {"roles": ["admin"]}, "odd": 7},
    });
    let expected: Read<'_> = (
        Some("Orders"),
        Kind::App,
        &["profile", "email"],
        &["reader", "n8n:admin"],
        &[],
        None,
    );
    assert_says(Dialect::Keycloak, &claims, expected);
    let person = json!({"azp": "portal", "preferred_username": "service-account-orders"});
    assert_says(
        Dialect::Keycloak,
        &person,
        (Some("portal"), Kind::Unknown, &[], &[], &[], None),
    );
}

#[test]
fn what_is_granted_in_two_claims_counts_once() {
    let claims = json!({"azp": "c", "sub": "u", "scope": "a b", "scp": ["b", "c"]});
    assert_says(
        Dialect::Oidc,
        &claims,
        (Some("c"), Kind::Unknown, &["a", "b", "c"], &[], &[], None),
    );
}

#[test]
fn grants_of_another_type_grant_nothing() {
    let odd =
        json!({"sub": "x", "roles": {"a": 1}, "scope": 7, "scp": null, "groups": [1, ["x"], "g"]});
    assert_says(
        Dialect::Oidc,
        &odd,
        (None, Kind::Unknown, &[], &[], &["g"], None),
    );
}

#[test]
fn a_client_of_another_type_is_a_fault_and_not_an_absence() {
    for dialect in [Dialect::Oidc, Dialect::Entra, Dialect::Keycloak] {
        let fault = read(dialect, &json!({"azp": ["a"]})).unwrap_err();
        assert_eq!(fault, IdentityFault::NotText { claim: "azp" });
    }
    for (dialect, claim) in [
        (Dialect::Okta, "cid"),
        (Dialect::Okta, "sub"),
        (Dialect::Auth0, "client_id"),
        (Dialect::Auth0, "org_id"),
        (Dialect::Google, "hd"),
        (Dialect::Google, "email"),
        (Dialect::Ping, "client_id"),
        (Dialect::Ping, "env"),
        (Dialect::Authentik, "azp"),
        (Dialect::Workos, "org_id"),
        (Dialect::Kubernetes, "sub"),
        (Dialect::GithubActions, "repository"),
        (Dialect::GithubActions, "repository_owner"),
    ] {
        let fault = read(dialect, &json!({ claim: ["x"] })).unwrap_err();
        assert_eq!(fault, IdentityFault::NotText { claim }, "{dialect:?}");
    }
    for (claim, value) in [("tid", json!(7)), ("idtyp", json!(["app"]))] {
        let mut claims = json!({});
        claims[claim] = value;
        assert_eq!(
            read(Dialect::Entra, &claims).unwrap_err(),
            IdentityFault::NotText { claim }
        );
    }
}

fn claim_is(name: &str, value: &str) -> ClaimRule {
    ClaimRule {
        path: vec![name.to_owned()].into(),
        exists: None,
        all: vec![ClaimTest::OneOf(vec![json!(value)])],
        none: Vec::new(),
    }
}
