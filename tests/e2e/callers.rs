//! The kind of a caller, in whole requests: an application, a person, or unknown.

use serde_json::{json, Value};

use crate::gate::{changed, claims, key, policy, Gate, KEY_A, KEY_ID, KEY_PEOPLE, READER};
use crate::support::http::Request;

const PATH: &str = "/api/v1/workflows";

/// A rule for people, a rule for applications, and none for a listed client.
fn by_kind() -> Value {
    let mut policy = policy();
    policy["principals"] = json!([
        { "name": "people", "match": { "kind": "user" }, "grant": "*",
          "api_key": { "env": "N8N_KEY_PEOPLE" } },
        { "name": "apps", "match": { "kind": "app" }, "grant": "*",
          "api_key": { "env": "N8N_KEY_A" } },
    ]);
    policy
}

/// A token of an application or a person in the form of Spring Authorization Server.
fn of_spring(subject: &str, changes: &Value) -> String {
    let mut none = json!({"sub": subject, "client_id": null, "azp": null, "roles": null,
        "scope": ["a"]});
    for (name, value) in changes.as_object().unwrap() {
        none[name] = value.clone();
    }
    let claims = claims(subject, &[], &none);
    key().sign(&json!({"alg": "RS256", "kid": KEY_ID}), &claims)
}

#[test]
fn an_application_without_a_mark_gets_no_principal() {
    let gate = Gate::with(by_kind(), |setup| setup);
    for subject in ["reports", "ann"] {
        let token = of_spring(subject, &json!({}));
        let response = Request::get(PATH).bearer(&token).send(gate.envoy.port());
        assert_eq!(response.unwrap().refusal(), (403, json!("no_principal")));
        let record = gate.envoy.audit().pop().unwrap();
        assert_eq!(record["kind"], json!("unknown"), "{record}");
    }
    assert!(gate.recorder.take().is_empty());
    for (changes, kind, api_key) in [
        (json!({"sid": "s"}), "user", KEY_PEOPLE),
        (json!({"client_id": "reports"}), "app", KEY_A),
    ] {
        let token = of_spring("reports", &changes);
        let response = Request::get(PATH).bearer(&token).send(gate.envoy.port());
        assert_eq!(response.unwrap().status, 200, "{changes}");
        let recorded = gate.recorder.take().pop().unwrap();
        assert_eq!(recorded.values("x-auth-kind"), [kind]);
        assert_eq!(recorded.values("x-n8n-api-key"), [api_key]);
    }
}

#[test]
fn tokens_without_a_subject_id_tokens_and_odd_scopes_are_refused() {
    let gate = Gate::with(policy(), |setup| setup);
    let id_token = |changes: Value| {
        let mut all = json!({"jti": null, "client_id": null, "azp": null, "auth_time": 7});
        for (name, value) in changes.as_object().unwrap() {
            all[name] = value.clone();
        }
        let claims = claims("app-a", &[READER], &all);
        key().sign(&json!({"alg": "RS256", "kid": KEY_ID}), &claims)
    };
    for (token, status, reason) in [
        (changed(&json!({"sub": ""})), 401, "subject_missing"),
        (changed(&json!({"sub": null})), 401, "subject_missing"),
        (id_token(json!({})), 401, "wrong_type"),
        (
            id_token(json!({"at_hash": "x", "auth_time": null})),
            401,
            "wrong_type",
        ),
        (
            changed(&json!({"roles": null, "scope": format!("openid\t{READER}")})),
            403,
            "insufficient_scope",
        ),
        (
            changed(&json!({"roles": null, "scope": format!("openid\n{READER}")})),
            403,
            "insufficient_scope",
        ),
    ] {
        let response = Request::get(PATH).bearer(&token).send(gate.envoy.port());
        assert_eq!(response.unwrap().refusal(), (status, json!(reason)));
        let record = gate.envoy.audit().pop().unwrap();
        assert_eq!(
            record["hint"].is_string(),
            ["wrong_type", "insufficient_scope"].contains(&reason),
            "{record}"
        );
    }
    assert!(gate.recorder.take().is_empty());
}
