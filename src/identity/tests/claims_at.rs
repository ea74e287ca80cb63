//! Claims that stand elsewhere than where the dialect looks.

use serde_json::json;

use super::*;

fn at(parts: &[(IdentityPart, &[&[&str]])]) -> ClaimsAt {
    let path = |path: &&[&str]| {
        let names = path.iter().map(|name| (*name).to_owned());
        ClaimPath::from(names.collect::<Vec<_>>())
    };
    let all = parts.iter().flat_map(|(what, paths)| {
        let paths: Vec<_> = paths.iter().map(|names| (*what, path(names))).collect();
        paths
    });
    ClaimsAt(all.collect())
}

fn with(dialect: Dialect, at: ClaimsAt) -> IdentityRules {
    let mut rules = rules(dialect, false);
    rules.claims_at = at;
    rules
}

fn read_at(dialect: Dialect, at: ClaimsAt, claims: &Value) -> Result<Identity, IdentityFault> {
    let mut claims = claims.clone();
    claims["sub"] = json!("subject");
    read_as(&with(dialect, at), &claims, false)
}

fn roles_at(paths: &[&[&str]], claims: &Value) -> Vec<String> {
    let named = at(&[(IdentityPart::Roles, paths), (IdentityPart::Groups, paths)]);
    let identity = read_at(Dialect::Oidc, named, claims).unwrap();
    assert_eq!(identity.roles, identity.groups, "{claims}");
    identity.roles
}

#[test]
fn roles_and_groups_are_read_where_vendors_put_them() {
    let auth0 = "https://example.com/roles";
    let zitadel = "urn:zitadel:iam:org:project:roles";
    for (at, claims, expected) in [
        (
            &[&[auth0][..]][..],
            json!({auth0: ["a", "b", "a"], "roles": ["c"]}),
            vec!["a", "b"],
        ),
        (
            &[&["cognito:groups"]],
            json!({"cognito:groups": ["a"]}),
            vec!["a"],
        ),
        (
            &[&["ext", "roles"]],
            json!({"ext": {"roles": ["a"]}, "roles": ["b"]}),
            vec!["a"],
        ),
        (
            &[&[zitadel]],
            json!({zitadel: {"admin": {"71": "example.com"}, "reader": {"71": "example.com"}}}),
            vec!["admin", "reader"],
        ),
        (&[&["role"]], json!({"role": "a b,c"}), vec!["a b,c"]),
        (
            &[&["roles"], &["role"]],
            json!({"roles": ["a", "b"], "role": "b"}),
            vec!["a", "b"],
        ),
        (&[&["flags"]], json!({"flags": {"a": true}}), vec!["a"]),
    ] {
        assert_eq!(roles_at(at, &claims), expected, "{claims}");
    }
}

#[test]
fn what_is_no_name_gives_none_and_the_claim_of_the_dialect_counts_no_more() {
    for value in [
        json!(null),
        json!(true),
        json!(7),
        json!([7, null, ["a"], {"name": "a"}, true]),
        json!({}),
        json!({"a": false, "b": null, "c": 1, "d": "true", "e": {}, "f": ["x"]}),
    ] {
        let claims = json!({"r": value, "roles": ["own"], "groups": ["own"]});
        assert_eq!(roles_at(&[&["r"]], &claims), [""; 0], "{claims}");
    }
    for claims in [
        json!({"roles": ["own"]}),
        json!({"ext": "text", "roles": ["own"]}),
        json!({"ext": [{"r": ["a"]}]}),
        json!({"ext": {"r": {"a": false}}, "ext.r": ["a"]}),
    ] {
        assert_eq!(roles_at(&[&["ext", "r"]], &claims), [""; 0], "{claims}");
    }
}

#[test]
fn keycloak_s_own_roles_count_no_more_where_others_do() {
    let claims = json!({"azp": "c", "realm_access": {"roles": ["admin"]}, "n8n": ["reader"]});
    let named = at(&[(IdentityPart::Roles, &[&["n8n"]])]);
    let identity = read_at(Dialect::Keycloak, named, &claims).unwrap();
    assert_eq!(identity.roles, ["reader"]);
    assert_eq!(identity.client.as_deref(), Some("c"));
}

#[test]
fn scopes_are_cut_at_one_space_wherever_they_are() {
    let scopes = |value: Value| {
        let named = at(&[(IdentityPart::Scopes, &[&["scopes"]])]);
        let claims = json!({"scopes": value, "scope": "own"});
        read_at(Dialect::Oidc, named, &claims).unwrap().scopes
    };
    assert_eq!(scopes(json!(["a", "b"])), ["a", "b"]);
    assert_eq!(scopes(json!("a b")), ["a", "b"]);
    for value in [json!("a\tb"), json!(["a b"]), json!({"a": true}), json!(7)] {
        assert_eq!(scopes(value.clone()), [""; 0], "{value}");
    }
}

#[test]
fn the_client_is_the_one_that_all_named_claims_have() {
    let client = |claims: &Value| {
        let named = at(&[
            (IdentityPart::Client, &[&["ext", "client"], &["app"]]),
            (IdentityPart::Tenant, &[&["ext", "org"], &["org"]]),
        ]);
        read_at(Dialect::Oidc, named, claims).map(|identity| (identity.client, identity.tenant))
    };
    let some = |text: &str| Some(text.to_owned());
    for (claims, expected) in [
        (
            json!({"ext": {"client": "a"}, "azp": "b"}),
            (some("a"), None),
        ),
        (
            json!({"app": "a", "client_id": "b", "tid": "t"}),
            (some("a"), None),
        ),
        (
            json!({"ext": {"client": "a", "org": "o"}, "app": "a", "org": "p"}),
            (some("a"), some("o")),
        ),
        (json!({"azp": "b"}), (None, None)),
        (json!({"app": ""}), (None, None)),
        (json!({"app": null, "ext": null}), (None, None)),
    ] {
        assert_eq!(client(&claims), Ok(expected), "{claims}");
    }
    let not_text = |claim| Err(IdentityFault::NotText { claim });
    for (claims, fault) in [
        (
            json!({"ext": {"client": "a"}, "app": "b"}),
            Err(IdentityFault::ClientsDisagree),
        ),
        (json!({"app": ["a"]}), not_text("claims_at.client")),
        (
            json!({"ext": "a", "app": "a"}),
            not_text("claims_at.client"),
        ),
        (json!({"app": "a", "org": 7}), not_text("claims_at.tenant")),
    ] {
        assert_eq!(client(&claims), fault, "{claims}");
    }
}

/// Otherwise a claim that no longer counts could make a person an application.
#[test]
fn the_client_that_counts_marks_an_application() {
    let named = || at(&[(IdentityPart::Client, &[&["app"]])]);
    for (claims, kind) in [
        (json!({"app": "subject"}), Kind::App),
        (json!({"client_id": "subject"}), Kind::Unknown),
    ] {
        let identity = read_at(Dialect::Oidc, named(), &claims).unwrap();
        assert_eq!(identity.kind, kind, "{claims}");
    }
}

#[test]
fn a_provider_s_own_word_names_no_client_where_the_operator_does() {
    let claims = Arc::new(Document::from(&json!({"sub": "s", "app": null})));
    let confirmation = Confirmation {
        client: Some("another".to_owned()),
        has_owner: false,
    };
    let source = ClaimSource {
        claims: &claims,
        issuer: &"https://idp.example".into(),
        expires: UnixSeconds(7),
        keeps_rfc_9068: false,
        response_kind: None,
        confirmation: Some(&confirmation),
    };
    let named = at(&[(IdentityPart::Client, &[&["app"]])]);
    let moved = Identity::read(source, &"idp".into(), &with(Dialect::Oidc, named)).unwrap();
    assert_eq!(moved.client, None);
    let usual = Identity::read(source, &"idp".into(), &rules(Dialect::Oidc, false)).unwrap();
    assert_eq!(usual.client.as_deref(), Some("another"));
}

/// `email_verified` is about `email`. It must not verify an address in another claim, which a person may
/// be able to write.
#[test]
fn an_address_elsewhere_counts_by_trust_alone_and_never_against_a_no() {
    let address = |claims: &Value, trust| {
        let mut rules = with(
            Dialect::Oidc,
            at(&[(IdentityPart::Email, &[&["ext", "mail"], &["mail"]])]),
        );
        rules.trust_email = trust;
        let mut claims = claims.clone();
        claims["sub"] = json!("s");
        read_as(&rules, &claims, false).unwrap().verified_email
    };
    for (claims, trusted) in [
        (json!({"mail": "a@b.example"}), true),
        (json!({"mail": "a@b.example", "email_verified": true}), true),
        (
            json!({"mail": "a@b.example", "email_verified": "False"}),
            false,
        ),
        (json!({"ext": {"mail": "a@b.example"}}), true),
        (
            json!({"ext": {"mail": "a@b.example", "email_verified": true}}),
            true,
        ),
        (
            json!({"ext": {"mail": "a@b.example", "email_verified": false}}),
            false,
        ),
        (
            json!({"ext": {"mail": "a@b.example"}, "email_verified": false}),
            false,
        ),
        (
            json!({"email": "a@b.example", "email_verified": true}),
            false,
        ),
        (json!({"mail": ["a@b.example"]}), false),
    ] {
        assert_eq!(address(&claims, false), None, "{claims}");
        let expected = trusted.then(|| "a@b.example".to_owned());
        assert_eq!(address(&claims, true), expected, "{claims}");
    }
}
