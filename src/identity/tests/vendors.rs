//! The marks of single vendors: what a person or an application may choose, or leave out, makes
//! neither of the one the other.

use serde_json::json;

use super::kind::assert_kinds;
use super::*;

#[test]
fn a_person_does_not_become_an_application_by_its_subject() {
    let ping_one = "https://auth.pingone.com/e/as";
    assert_kinds(
        Dialect::Ping,
        [
            (json!({"iss": ping_one, "client_id": "c"}), Kind::App),
            (
                json!({"iss": "https://sso.example.com", "client_id": "c"}),
                Kind::Unknown,
            ),
            (
                json!({"iss": ping_one, "client_id": "c", "auth_time": 7}),
                Kind::Unknown,
            ),
            (
                json!({"iss": ping_one, "client_id": "c", "sid": "s"}),
                Kind::Unknown,
            ),
            (
                json!({"iss": ping_one, "client_id": "c", "sub": "u"}),
                Kind::Unknown,
            ),
            (
                json!({"iss": ping_one, "client_id": "c", "sub": "u", "sid": "s"}),
                Kind::User,
            ),
            (
                json!({"iss": ping_one, "client_id": "c", "sub": "c", "sid": "s"}),
                Kind::Unknown,
            ),
            (
                json!({"iss": "https://sso.example.com", "client_id": "c", "sub": "c"}),
                Kind::App,
            ),
        ],
    );
    assert_kinds(
        Dialect::Okta,
        [
            (json!({"cid": "c", "sub": "c"}), Kind::App),
            (json!({"cid": "c", "sub": "c", "uid": "u"}), Kind::User),
            (json!({"cid": "c", "sub": "ann", "uid": "u"}), Kind::User),
            (json!({"cid": "c", "sub": "c", "uid": ""}), Kind::Unknown),
            (json!({"cid": "c", "sub": "ann"}), Kind::Unknown),
            (json!({"cid": "c"}), Kind::Unknown),
        ],
    );
    let odd = read(Dialect::Okta, &json!({"cid": "c", "sub": "c", "uid": null}));
    assert_eq!(odd.unwrap_err(), IdentityFault::NotText { claim: "uid" });
}

#[test]
fn the_names_of_a_vendor_s_people_and_applications_tell_them() {
    assert_kinds(
        Dialect::Auth0,
        [
            (json!({"azp": "c", "sub": "c@clients"}), Kind::App),
            (
                json!({"azp": "c", "sub": "c@clients", "gty": "client-credentials"}),
                Kind::App,
            ),
            (json!({"azp": "c", "sub": "d@clients"}), Kind::Unknown),
            (json!({"azp": "c", "sub": "c"}), Kind::Unknown),
            (json!({"azp": "c", "sub": "auth0|7"}), Kind::User),
            (
                json!({"azp": "c", "sub": "samlp|corp|c@clients"}),
                Kind::User,
            ),
            (
                json!({"azp": "c", "sub": "auth0|7", "gty": "client-credentials"}),
                Kind::Unknown,
            ),
            (
                json!({"azp": "c", "sub": "x", "gty": "password"}),
                Kind::User,
            ),
        ],
    );
    assert_kinds(
        Dialect::Workos,
        [
            (json!({"client_id": "c", "sub": "c"}), Kind::App),
            (json!({"client_id": "c", "sub": "user_c"}), Kind::Unknown),
            (
                json!({"client_id": "c", "sub": "user_c", "sid": "s"}),
                Kind::User,
            ),
            (
                json!({"client_id": "c", "sub": "c", "sid": "s"}),
                Kind::Unknown,
            ),
        ],
    );
    assert_kinds(
        Dialect::Authentik,
        [
            (
                json!({"azp": "c", "preferred_username": "ak-n8n-client_credentials"}),
                Kind::Unknown,
            ),
            (json!({"azp": "c", "sub": "c"}), Kind::Unknown),
            // A service account's app password opens a session, too.
            (
                json!({"azp": "c", "sub": "u", "sid": "s", "amr": ["pwd"]}),
                Kind::Unknown,
            ),
        ],
    );
}

#[test]
fn a_person_does_not_become_an_application_by_the_name_or_object_of_one() {
    assert_kinds(
        Dialect::Entra,
        [
            (
                json!({"sub": "u", "oid": "o", "tid": "t", "preferred_username": "ann"}),
                Kind::User,
            ),
            // Where an API has rights of its own for people, their tokens have no `scp` either.
            (json!({"azp": "c", "sub": "u", "oid": "o"}), Kind::User),
            (json!({"azp": "c"}), Kind::Unknown),
            (json!({"sub": "o", "oid": "o"}), Kind::Unknown),
            (json!({"azp": "c", "sub": "c"}), Kind::Unknown),
            (json!({"azp": "c", "sub": "o", "oid": "o"}), Kind::App),
            (
                json!({"azp": "c", "sub": "o", "oid": "o", "scp": "Read"}),
                Kind::User,
            ),
            (
                json!({"azp": "c", "sub": "o", "oid": "o", "idtyp": "user"}),
                Kind::User,
            ),
            (
                json!({"azp": "c", "sub": "o", "oid": "o", "idtyp": "device"}),
                Kind::Unknown,
            ),
            (
                json!({"azp": "c", "sub": "u", "oid": "o", "idtyp": "app"}),
                Kind::App,
            ),
            (
                json!({"azp": "c", "sub": "u", "oid": "o", "idtyp": "app", "scp": "Read"}),
                Kind::Unknown,
            ),
        ],
    );
    let account = "service-account-c";
    assert_kinds(
        Dialect::Keycloak,
        [
            (
                json!({"azp": "c", "preferred_username": account}),
                Kind::App,
            ),
            (
                json!({"azp": "C", "preferred_username": account}),
                Kind::App,
            ),
            (
                json!({"azp": "d", "preferred_username": account}),
                Kind::Unknown,
            ),
            (
                json!({"azp": "c", "preferred_username": account, "sid": "s"}),
                Kind::Unknown,
            ),
            (
                json!({"azp": "c", "preferred_username": account, "session_state": "s"}),
                Kind::Unknown,
            ),
            (
                json!({"azp": "c", "preferred_username": "ann", "sid": "s"}),
                Kind::User,
            ),
            (
                json!({"azp": "c", "preferred_username": "ann", "session_state": "s"}),
                Kind::User,
            ),
            (
                json!({"azp": "c", "preferred_username": "ann"}),
                Kind::Unknown,
            ),
            (
                json!({"azp": "c", "preferred_username": "ann", "sid": "s", "clientHost": "h"}),
                Kind::Unknown,
            ),
            (
                json!({"azp": "c", "preferred_username": "x", "username": account, "sid": "s"}),
                Kind::Unknown,
            ),
            (json!({"azp": "c", "sub": "c"}), Kind::Unknown),
            (json!({"azp": "c", "sub": "f", "sid": "s"}), Kind::Unknown),
        ],
    );
}

#[test]
fn tokens_that_only_machines_get_stand_for_no_person() {
    assert_kinds(
        Dialect::Kubernetes,
        [
            (json!({"sub": "system:serviceaccount:jobs"}), Kind::Unknown),
            (json!({"sub": "system:node:worker"}), Kind::Unknown),
            (json!({"sub": "system:serviceaccount:jobs:x"}), Kind::App),
            (json!({"sub": "ann", "sid": "s"}), Kind::Unknown),
        ],
    );
    assert_kinds(
        Dialect::GithubActions,
        [(
            json!({"repository": "o/r", "sub": "x", "sid": "s"}),
            Kind::App,
        )],
    );
    let people = "7.apps.googleusercontent.com";
    assert_kinds(
        Dialect::Google,
        [
            // As tokeninfo says it of a service account.
            (
                json!({"azp": "7", "email": "a@p.iam.gserviceaccount.com", "email_verified": true}),
                Kind::App,
            ),
            (
                json!({"azp": "7", "email": "a@p.iam.gserviceaccount.com"}),
                Kind::Unknown,
            ),
            (json!({"azp": "7", "sub": "7"}), Kind::App),
            (
                json!({"azp": "a@p.iam.gserviceaccount.com", "sub": "7"}),
                Kind::App,
            ),
            (
                json!({"azp": people, "sub": "8", "email": "a@gmail.com", "email_verified": true}),
                Kind::User,
            ),
            (
                json!({"azp": people, "sub": "8", "hd": "example.com"}),
                Kind::User,
            ),
            // An account that acts for a person of its organisation.
            (
                json!({"azp": "7", "email": "ann@example.com", "email_verified": true}),
                Kind::Unknown,
            ),
            (
                json!({"azp": people, "email": "a@p.iam.gserviceaccount.com", "email_verified": true}),
                Kind::App,
            ),
        ],
    );
}
