//! Whether a caller is an application or a person. A client that can choose a claim, or leave it out,
//! must not thereby pass for an application or for a person.

use serde_json::json;

use super::*;

/// The kind of a caller with these claims, in a token that keeps RFC 9068 and in one that does not.
fn kinds(dialect: Dialect, claims: &Value) -> [Kind; 2] {
    let mut rules = rules(dialect, false);
    rules.accept_no_subject = true;
    [false, true].map(|keeps_rfc_9068| {
        let identity = read_as(&rules, claims, keeps_rfc_9068);
        identity.expect("an identity").kind
    })
}

pub(super) fn assert_kinds(dialect: Dialect, rows: impl IntoIterator<Item = (Value, Kind)>) {
    for (claims, expected) in rows {
        assert_eq!(
            kinds(dialect, &claims),
            [expected; 2],
            "{dialect:?} {claims}"
        );
    }
}

#[test]
fn any_provider_marks_applications_by_their_client_and_people_by_their_session() {
    assert_kinds(
        Dialect::Oidc,
        [
            (json!({"sub": "c", "client_id": "c"}), Kind::App),
            (json!({"sub": "c", "azp": "c"}), Kind::App),
            (json!({"sub": "o", "azp": "c", "idtyp": "app"}), Kind::App),
            (json!({"sub": "c@clients", "azp": "c"}), Kind::App),
            (
                json!({"sub": "x", "azp": "c", "gty": "client-credentials"}),
                Kind::App,
            ),
            (
                json!({"sub": "x", "azp": "c", "gty": ["client_credentials"]}),
                Kind::App,
            ),
            (
                json!({"sub": "c", "cid": "c", "grant_type": "client_credentials"}),
                Kind::App,
            ),
            (
                json!({"sub": "owner", "client_id": "c", "aut": "APPLICATION"}),
                Kind::App,
            ),
            // Amazon Cognito writes when the client logged in, too.
            (
                json!({"sub": "c", "client_id": "c", "token_use": "access", "version": 2,
                    "username": null}),
                Kind::Unknown,
            ),
            (
                json!({"sub": "u", "client_id": "c", "sid": "s"}),
                Kind::User,
            ),
            (
                json!({"sub": "u", "client_id": "c", "amr": ["pwd", "mfa"]}),
                Kind::User,
            ),
            (
                json!({"sub": "u", "client_id": "c", "idtyp": "user"}),
                Kind::User,
            ),
            (
                json!({"sub": "u", "client_id": "c", "gty": "password"}),
                Kind::User,
            ),
            (json!({"sub": "u", "cid": "c", "uid": "00u"}), Kind::User),
            (
                json!({"sub": "u", "azp": "c", "aut": "APPLICATION_USER"}),
                Kind::User,
            ),
        ],
    );
}

/// Tokens of applications and people that look alike: neither becomes the other.
#[test]
fn what_a_provider_does_not_mark_is_neither() {
    assert_kinds(
        Dialect::Oidc,
        [
            // Spring Authorization Server: an application, and a person.
            (
                json!({"sub": "reports", "aud": "reports", "scope": ["r"], "jti": "1"}),
                Kind::Unknown,
            ),
            (
                json!({"sub": "ann", "aud": "portal", "scope": ["r"], "jti": "2"}),
                Kind::Unknown,
            ),
            // Dex.
            (
                json!({"sub": "CgNhbm4SBWxvY2Fs", "aud": "n8n", "email": "ann@example.com",
                "email_verified": true, "name": "Ann"}),
                Kind::Unknown,
            ),
            // SPIRE.
            (
                json!({"sub": "spiffe://example.org/reports", "aud": ["n8n"]}),
                Kind::Unknown,
            ),
            // AD FS: when an application logged in is a text, and a security identifier no session.
            (
                json!({"appid": "c", "apptype": "Confidential", "auth_time": "2026-11-28T08:27:46.918Z",
                "ver": "1.0"}),
                Kind::Unknown,
            ),
            (
                json!({"appid": "c", "sub": "x", "sid": "S-1-5-21-1004336348-1177238915"}),
                Kind::Unknown,
            ),
            (json!({"sub": "u", "client_id": "c"}), Kind::Unknown),
            (
                json!({"sub": "u", "client_id": "c", "email": "a@b.example", "name": "Ann",
                "preferred_username": "ann", "scope": "openid profile", "acr": "1"}),
                Kind::Unknown,
            ),
            (
                json!({"sub": "u", "client_id": "c", "username": "ann"}),
                Kind::Unknown,
            ),
            (
                json!({"sub": "c", "client_id": "c", "username": "c"}),
                Kind::Unknown,
            ),
            (json!({"sub": "c"}), Kind::Unknown),
            (
                json!({"sub": "u", "client_id": "c", "sid": ""}),
                Kind::Unknown,
            ),
            (
                json!({"sub": "u", "client_id": "c", "sid": null}),
                Kind::Unknown,
            ),
            (
                json!({"sub": "u", "client_id": "c", "sid": ["s"]}),
                Kind::Unknown,
            ),
            (
                json!({"sub": "u", "client_id": "c", "amr": []}),
                Kind::Unknown,
            ),
            (
                json!({"sub": "u", "client_id": "c", "amr": "pwd"}),
                Kind::Unknown,
            ),
            (
                json!({"sub": "u", "client_id": "c", "amr": ["hwk", "swk"]}),
                Kind::Unknown,
            ),
            (
                json!({"sub": "u", "client_id": "c", "auth_time": "7"}),
                Kind::Unknown,
            ),
            (
                json!({"sub": "u", "client_id": "c", "gty": "refresh_token"}),
                Kind::Unknown,
            ),
            (
                json!({"sub": "u", "azp": "c", "uid": "random"}),
                Kind::Unknown,
            ),
        ],
    );
}

#[test]
fn marks_of_both_are_marks_of_neither() {
    assert_kinds(
        Dialect::Oidc,
        [
            (
                json!({"sub": "c", "client_id": "c", "sid": "s"}),
                Kind::Unknown,
            ),
            (
                json!({"sub": "c", "client_id": "c", "amr": ["pwd"]}),
                Kind::Unknown,
            ),
            (
                json!({"sub": "c", "client_id": "c", "idtyp": "user"}),
                Kind::Unknown,
            ),
            (
                json!({"sub": "u", "client_id": "c", "idtyp": "app", "sid": "s"}),
                Kind::Unknown,
            ),
            (
                json!({"sub": "c@clients", "azp": "c", "sid": "s"}),
                Kind::Unknown,
            ),
            // A service account of Keycloak whose client uses refresh tokens.
            (
                json!({"sub": "f", "azp": "c", "sid": "s", "preferred_username": "service-account-c"}),
                Kind::Unknown,
            ),
            (
                json!({"sub": "f", "azp": "c", "sid": "s", "clientHost": "203.0.113.9"}),
                Kind::Unknown,
            ),
        ],
    );
}

/// Cognito and authentik say of applications when they logged in; RFC 9068 does so of people only.
#[test]
fn the_time_of_a_login_marks_a_person_only_under_rfc_9068() {
    let person = json!({"sub": "u", "client_id": "c", "auth_time": 7});
    assert_eq!(kinds(Dialect::Oidc, &person), [Kind::Unknown, Kind::User]);
    let application = json!({"sub": "c", "client_id": "c", "auth_time": 7});
    assert_eq!(
        kinds(Dialect::Oidc, &application),
        [Kind::App, Kind::Unknown]
    );
}

#[test]
fn its_own_subject_or_its_grant_marks_an_application() {
    for dialect in [Dialect::Auth0, Dialect::Oidc] {
        let grants = ["refresh_token", "client-credentials"];
        let rows = [
            (json!({"azp": "c", "sub": "c@clients"}), Kind::App),
            (
                json!({"azp": "c", "sub": "x", "gty": "client-credentials"}),
                Kind::App,
            ),
            (json!({"azp": "c", "sub": "x", "gty": grants}), Kind::App),
            (
                json!({"azp": "c", "sub": "x", "gty": "password"}),
                Kind::User,
            ),
            (json!({"azp": "c", "sub": "x", "gty": []}), Kind::Unknown),
            (json!({"azp": "c", "sub": "@clientsc"}), Kind::Unknown),
            (json!({"azp": "", "sub": "@clients"}), Kind::Unknown),
            (json!({"sub": "x"}), Kind::Unknown),
            (json!({"azp": "c"}), Kind::Unknown),
        ];
        assert_kinds(dialect, rows);
    }
}

#[test]
fn what_its_provider_declares_marks_an_application() {
    for dialect in [Dialect::Oidc, Dialect::Entra] {
        for (word, kind) in [("app", Kind::App), ("user", Kind::User)] {
            let claims = json!({"azp": "c", "sub": "u", "oid": "o", "idtyp": word});
            assert_kinds(dialect, [(claims, kind)]);
        }
    }
    let account = json!({"sub": "x", "preferred_username": "service-account-"});
    assert_kinds(Dialect::Keycloak, [(account, Kind::Unknown)]);
    let ping_one = json!({"iss": "https://x/as", "client_id": "c"});
    for mark in ["sub", "sid", "auth_time", "acr"] {
        assert_kinds(Dialect::Ping, [(ping_one.clone(), Kind::App)]);
        let mut claims = ping_one.clone();
        claims[mark] = json!("1");
        assert_kinds(Dialect::Ping, [(claims, Kind::Unknown)]);
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
