//! Identities of claims as providers send them, and conditions on identities.

mod claims_at;
mod email;
mod groups;
mod kind;
mod kind_rules;
mod names;
mod subject;
mod vendors;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::policy::{Admission, Condition, Freshness, KeySource, NotAdmitted, RolesFrom};
use crate::token::{TokenRules, TypRule};

fn provider(dialect: Dialect, trust_email: bool) -> Provider {
    Provider {
        name: "idp".into(),
        dialect,
        issuers: vec!["https://idp.example".to_owned()],
        token: TokenRules {
            discovery_issuer: "https://idp.example".to_owned(),
            audience_claim: None,
            audiences: BTreeSet::new(),
            algorithms: BTreeSet::new(),
            clock_skew: Duration::ZERO,
            typ: TypRule::NotAnotherKind,
            client_claims: &[],
        },
        admission: Admission::default(),
        trust_email,
        kind: KindRules::default(),
        accept_no_subject: false,
        claims_at: ClaimsAt::default(),
        roles_from: RolesFrom::Both,
        keys: KeySource::Inline(crate::crypto::KeySet::default()),
        freshness: Freshness::default(),
        revoked_kids: Vec::new(),
        introspection: None,
    }
}

/// Reads claims, with some subject where they have none.
fn read(dialect: Dialect, claims: &Value) -> Result<Identity, IdentityFault> {
    let mut claims = claims.clone();
    if claims.get("sub").is_none() {
        claims["sub"] = json!("subject");
    }
    read_as(&provider(dialect, false), &claims, false)
}

fn read_as(
    provider: &Provider,
    claims: &Value,
    keeps_rfc_9068: bool,
) -> Result<Identity, IdentityFault> {
    let claims = Rc::new(claims.as_object().expect("claims").clone());
    let issuer = claims
        .get("iss")
        .and_then(Value::as_str)
        .unwrap_or("https://idp.example");
    let said = Said {
        claims: &claims,
        issuer: &issuer.into(),
        expires: UnixSeconds(7),
        keeps_rfc_9068,
        is_answer: false,
        answered: None,
    };
    Identity::read(said, provider)
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

fn person() -> Identity {
    Identity {
        provider: "idp".into(),
        issuer: "https://idp.example".into(),
        subject: Some("u".to_owned()),
        client: Some("c".to_owned()),
        kind: Kind::User,
        verified_email: Some("Ann@Example.com".to_owned()),
        scopes: vec!["s".to_owned()],
        roles: vec!["r".to_owned(), "q".to_owned()],
        groups: vec!["g".to_owned()],
        groups_left_out: false,
        tenant: Some("t".to_owned()),
        hosted_domain: None,
        token_id: None,
        expires: UnixSeconds(7),
        claims: Rc::new(Map::from_iter([("c".to_owned(), json!("x"))])),
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

fn one(value: &str) -> BTreeSet<String> {
    BTreeSet::from([value.to_owned()])
}

/// For every dimension: a condition that holds for [`person`], and one that does not.
fn dimensions() -> BTreeMap<&'static str, [Condition; 2]> {
    let make = |set: fn(&mut Condition, &str), values: [&str; 2]| {
        values.map(|value| {
            let mut condition = Condition::default();
            set(&mut condition, value);
            condition
        })
    };
    BTreeMap::from([
        (
            "provider",
            make(|c, v| c.providers = Some(one(v)), ["idp", "other"]),
        ),
        ("client", make(|c, v| c.clients = Some(one(v)), ["c", "C"])),
        (
            "subject",
            make(|c, v| c.subjects = Some(one(v)), ["u", "u "]),
        ),
        (
            "email",
            make(
                |c, v| c.emails = Some(one(v)),
                ["ann@example.com", "bob@example.com"],
            ),
        ),
        (
            "domain",
            make(
                |c, v| c.email_domains = Some(one(v)),
                ["example.com", "ample.com"],
            ),
        ),
        ("tenant", make(|c, v| c.tenants = Some(one(v)), ["t", "x"])),
        ("role", make(|c, v| c.roles = Some(one(v)), ["q", "x"])),
        ("scope", make(|c, v| c.scopes = Some(one(v)), ["s", "x"])),
        ("group", make(|c, v| c.groups = Some(one(v)), ["g", "x"])),
        (
            "claims",
            make(|c, v| c.claims = vec![claim_is("c", v)], ["x", "y"]),
        ),
        (
            "kind",
            [Kind::User, Kind::App].map(|kind| Condition {
                kind: Some(kind),
                ..Condition::default()
            }),
        ),
    ])
}

#[test]
fn every_dimension_that_is_given_must_hold() {
    assert!(Condition::default().holds(&person()));
    for (name, [holds, fails]) in dimensions() {
        assert!(holds.holds(&person()), "{name}");
        assert!(!fails.holds(&person()), "{name}");
    }
    let nobody = Identity {
        subject: None,
        client: None,
        kind: Kind::App,
        verified_email: None,
        scopes: Vec::new(),
        roles: Vec::new(),
        groups: Vec::new(),
        tenant: None,
        claims: Rc::default(),
        provider: "".into(),
        ..person()
    };
    for (name, [holds, _]) in dimensions() {
        assert!(!holds.holds(&nobody), "{name}");
    }
}

#[test]
fn a_condition_covers_those_that_are_narrower() {
    let all = dimensions();
    for (name, [holds, fails]) in &all {
        assert!(Condition::default().covers(holds), "{name}");
        assert!(!holds.covers(&Condition::default()), "{name}");
        assert!(holds.covers(holds), "{name}");
        assert!(!holds.covers(fails), "{name}");
    }
    let [ann, _] = &all["email"];
    let [domain, elsewhere] = &all["domain"];
    assert!(domain.covers(ann), "the address lies in the domain");
    assert!(!elsewhere.covers(ann));
    assert!(!ann.covers(domain));
}

#[test]
fn rules_on_claims_follow_from_the_same_rules_and_more() {
    let with = |claims: &[ClaimRule]| Condition {
        claims: claims.to_vec(),
        ..Condition::default()
    };
    let (one, other) = (claim_is("c", "x"), claim_is("d", "x"));
    let both = with(&[other.clone(), one.clone()]);
    assert!(with(std::slice::from_ref(&one)).covers(&both));
    assert!(!with(&[one.clone(), other.clone()]).covers(&with(&[one])));
    let looser = ClaimRule {
        exists: Some(true),
        all: Vec::new(),
        ..other.clone()
    };
    assert!(!with(&[looser]).covers(&with(&[other])), "not worked out");
}

/// Of which callers a provider's lists and rules say what.
#[test]
fn the_lists_of_a_provider_are_checked_one_by_one() {
    let refused = |admission: &Admission, identity: &Identity| admission.check(identity).err();
    let list = |value: &str| Some(one(value));
    for (listed, unlisted, fault) in [
        (
            Admission {
                clients: list("c"),
                ..Admission::default()
            },
            Admission {
                clients: list("C"),
                ..Admission::default()
            },
            NotAdmitted::Client,
        ),
        (
            Admission {
                tenants: list("t"),
                ..Admission::default()
            },
            Admission {
                tenants: list("T"),
                ..Admission::default()
            },
            NotAdmitted::Tenant,
        ),
        (
            Admission {
                domains: list("example.com"),
                ..Admission::default()
            },
            Admission {
                domains: list("ample.com"),
                ..Admission::default()
            },
            NotAdmitted::Domain,
        ),
        (
            Admission {
                claims: vec![claim_is("c", "x")],
                ..Admission::default()
            },
            Admission {
                claims: vec![claim_is("c", "y")],
                ..Admission::default()
            },
            NotAdmitted::Claim("c".to_owned()),
        ),
    ] {
        let nobody = Identity {
            client: None,
            tenant: None,
            verified_email: None,
            claims: Rc::default(),
            ..person()
        };
        assert_eq!(refused(&listed, &person()), None);
        assert_eq!(refused(&unlisted, &person()), Some(fault.clone()));
        assert_eq!(refused(&listed, &nobody), Some(fault));
        assert_eq!(refused(&Admission::default(), &nobody), None);
    }
}

#[test]
fn the_domain_that_hosts_an_account_goes_before_that_of_its_address() {
    let admission = Admission {
        domains: Some(one("hosted.example")),
        ..Admission::default()
    };
    let hosted = Identity {
        hosted_domain: Some("Hosted.example".to_owned()),
        ..person()
    };
    assert_eq!(admission.check(&hosted), Ok(()));
    assert_eq!(admission.check(&person()), Err(NotAdmitted::Domain));
    let by_address = Admission {
        domains: Some(one("example.com")),
        ..Admission::default()
    };
    assert_eq!(by_address.check(&person()), Ok(()));
    assert_eq!(by_address.check(&hosted), Err(NotAdmitted::Domain));
}
