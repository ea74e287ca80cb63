//! Whether an application or a person calls. Whoever may choose a claim, or leave it out, must not
//! thereby pass for an application.

use serde_json::json;

use super::*;

fn assert_kinds(rows: impl IntoIterator<Item = (Dialect, Value, Kind)>) {
    for (dialect, claims, expected) in rows {
        let identity = read(dialect, &claims).expect("an identity");
        assert_eq!(identity.kind, expected, "{dialect:?} {claims}");
    }
}

#[test]
fn a_person_does_not_become_an_application_by_its_subject() {
    assert_kinds([
        (
            Dialect::Ping,
            json!({"iss": "https://auth.pingone.com/e/as", "client_id": "c"}),
            Kind::App,
        ),
        (
            Dialect::Ping,
            json!({"iss": "https://sso.example.com", "client_id": "c"}),
            Kind::User,
        ),
        (
            Dialect::Ping,
            json!({"iss": "https://sso.example.com/as", "client_id": "c", "auth_time": 7}),
            Kind::User,
        ),
        (
            Dialect::Ping,
            json!({"iss": "https://sso.example.com/as", "client_id": "c", "sid": "s"}),
            Kind::User,
        ),
        (Dialect::Ping, json!({"client_id": "c"}), Kind::User),
        (
            Dialect::Ping,
            json!({"iss": "https://auth.pingone.com/e/as"}),
            Kind::User,
        ),
        (Dialect::Okta, json!({"cid": "c", "sub": "c"}), Kind::App),
        (
            Dialect::Okta,
            json!({"cid": "c", "sub": "c", "uid": "u"}),
            Kind::User,
        ),
        (
            Dialect::Okta,
            json!({"cid": "c", "sub": "c", "uid": null}),
            Kind::User,
        ),
        (Dialect::Okta, json!({"cid": "c"}), Kind::User),
        (
            Dialect::Auth0,
            json!({"azp": "c", "sub": "d@clients"}),
            Kind::User,
        ),
        (
            Dialect::Workos,
            json!({"client_id": "c", "sub": "user_c"}),
            Kind::User,
        ),
        (
            Dialect::Authentik,
            json!({"azp": "c", "preferred_username": "ak-n8n-client_credentials"}),
            Kind::User,
        ),
        (
            Dialect::Authentik,
            json!({"azp": "c", "sub": "c"}),
            Kind::User,
        ),
    ]);
}

#[test]
fn a_person_does_not_become_an_application_by_the_name_or_object_of_one() {
    assert_kinds([
        (
            Dialect::Entra,
            json!({"sub": "u", "oid": "o", "tid": "t", "preferred_username": "ann"}),
            Kind::User,
        ),
        // Where an API has rights of its own for people, their tokens have no `scp` either.
        (
            Dialect::Entra,
            json!({"azp": "c", "sub": "u", "oid": "o"}),
            Kind::User,
        ),
        (Dialect::Entra, json!({"azp": "c"}), Kind::User),
        (
            Dialect::Entra,
            json!({"azp": "c", "sub": "o", "oid": "o"}),
            Kind::App,
        ),
        (
            Dialect::Entra,
            json!({"azp": "c", "sub": "o", "oid": "o", "scp": "Read"}),
            Kind::User,
        ),
        (
            Dialect::Keycloak,
            json!({"azp": "c", "preferred_username": "service-account-c"}),
            Kind::App,
        ),
        (
            Dialect::Keycloak,
            json!({"azp": "c", "preferred_username": "service-account-c", "sid": "s"}),
            Kind::User,
        ),
        (
            Dialect::Keycloak,
            json!({"azp": "c", "preferred_username": "service-account-c", "session_state": "s"}),
            Kind::User,
        ),
        (
            Dialect::Kubernetes,
            json!({"sub": "system:serviceaccount:jobs"}),
            Kind::User,
        ),
        (
            Dialect::Kubernetes,
            json!({"sub": "system:node:worker"}),
            Kind::User,
        ),
        (
            Dialect::Kubernetes,
            json!({"sub": "system:serviceaccount:jobs:x"}),
            Kind::App,
        ),
        (Dialect::Google, json!({"azp": "", "sub": ""}), Kind::User),
        // As tokeninfo says it of a service account.
        (
            Dialect::Google,
            json!({"azp": "7", "email": "a@p.iam.gserviceaccount.com", "email_verified": true}),
            Kind::App,
        ),
        (
            Dialect::Google,
            json!({"azp": "7", "email": "a@p.iam.gserviceaccount.com"}),
            Kind::User,
        ),
        (
            Dialect::Google,
            json!({"azp": "7", "email": "a@gmail.com", "email_verified": true}),
            Kind::User,
        ),
    ]);
}

#[test]
fn an_application_is_told_by_its_own_subject_or_its_grant() {
    for dialect in [Dialect::Auth0, Dialect::Oidc] {
        assert_kinds([
            (dialect, json!({"azp": "c", "sub": "c@clients"}), Kind::App),
            (
                dialect,
                json!({"azp": "c", "sub": "x", "gty": "client-credentials"}),
                Kind::App,
            ),
            (
                dialect,
                json!({"azp": "c", "sub": "x", "gty": ["refresh_token", "client-credentials"]}),
                Kind::App,
            ),
            (
                dialect,
                json!({"azp": "c", "sub": "x", "gty": "password"}),
                Kind::User,
            ),
            (
                dialect,
                json!({"azp": "c", "sub": "x", "gty": []}),
                Kind::User,
            ),
            (dialect, json!({"azp": "c", "sub": "@clientsc"}), Kind::User),
            (dialect, json!({"azp": "", "sub": "@clients"}), Kind::User),
            (dialect, json!({"sub": "x"}), Kind::User),
            (dialect, json!({"azp": "c"}), Kind::User),
        ]);
    }
}

#[test]
fn an_application_is_told_by_what_its_provider_declares() {
    for (dialect, sub) in [(Dialect::Oidc, "u"), (Dialect::Entra, "u")] {
        assert_kinds([
            (
                dialect,
                json!({"azp": "c", "sub": sub, "oid": "o", "idtyp": "app"}),
                Kind::App,
            ),
            (
                dialect,
                json!({"azp": "c", "sub": sub, "oid": "o", "idtyp": "user"}),
                Kind::User,
            ),
        ]);
    }
    assert_kinds([
        // An ID token of a person without a client.
        (Dialect::Entra, json!({"sub": "o", "oid": "o"}), Kind::User),
        (Dialect::Keycloak, json!({"azp": "c"}), Kind::User),
        (
            Dialect::Keycloak,
            json!({"preferred_username": "service-account-"}),
            Kind::User,
        ),
        (
            Dialect::Ping,
            json!({"iss": "https://x/as", "client_id": "c", "sub": "c"}),
            Kind::App,
        ),
    ]);
    for mark in ["sub", "sid", "auth_time", "acr"] {
        let mut claims = json!({"iss": "https://x/as", "client_id": "c"});
        assert_kinds([(Dialect::Ping, claims.clone(), Kind::App)]);
        claims[mark] = json!("1");
        assert_kinds([(Dialect::Ping, claims, Kind::User)]);
    }
}

#[test]
fn the_tenant_of_a_service_account_is_its_namespace() {
    let tenant = |claims: Value| read(Dialect::Kubernetes, &claims).map(|one| one.tenant);
    let account = "system:serviceaccount:jobs:runner";
    let jobs = Ok(Some("jobs".to_owned()));
    let in_namespace =
        |namespace: Value| json!({"sub": account, "kubernetes.io": {"namespace": namespace}});
    assert_eq!(tenant(json!({"sub": account})), jobs);
    assert_eq!(tenant(json!({"sub": account, "kubernetes.io": {}})), jobs);
    assert_eq!(tenant(in_namespace(json!("jobs"))), jobs);
    let with_colon = json!({"sub": "system:serviceaccount:jobs:run:ner"});
    assert_eq!(tenant(with_colon), jobs);
    for other in [json!("other"), json!("jobs:runner"), json!(7), json!(null)] {
        let found = tenant(in_namespace(other.clone()));
        assert_eq!(found, Err(IdentityFault::NamespacesDisagree), "{other}");
    }
    assert_eq!(tenant(json!({"sub": "system:node:worker"})), Ok(None));
    let of_none = json!({"sub": "x", "kubernetes.io": {"namespace": "jobs"}});
    assert_eq!(tenant(of_none), Err(IdentityFault::NamespacesDisagree));
}

#[test]
fn the_first_claim_that_names_a_tenant_counts() {
    let tenant = |claims: Value| read(Dialect::Oidc, &claims).unwrap().tenant;
    let both = json!({"tid": "t", "org_id": "o"});
    assert_eq!(tenant(both).as_deref(), Some("t"));
    assert_eq!(tenant(json!({"org_id": "o"})).as_deref(), Some("o"));
}
