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
