//! Tokens and introspection responses in the forms of real providers.

use serde_json::{json, Value};

use crate::gate::{changed, claims, policy, provider, Gate, AUDIENCE, ISSUER, READER};
use crate::support::http::Request;
use crate::support::server::{Reply, Script};

const PATH: &str = "/api/v1/workflows";
const USERINFO: &str = "/me";
const INTROSPECTION: &str = "/introspect";

/// The status, reason, roles and audit record of a call.
fn call(gate: &Gate, token: &str) -> (u16, Option<String>, Vec<String>, Value) {
    let response = Request::get(PATH).bearer(token).send(gate.envoy.port());
    let response = response.unwrap();
    let recorded = gate.recorder.take().pop();
    let roles = recorded.map(|recorded| recorded.values("x-auth-roles").join(" "));
    let record = gate.envoy.audit().pop().unwrap();
    let reason = record["reason"].as_str().map(str::to_owned);
    (response.status, reason, roles.into_iter().collect(), record)
}

fn refused(status: u16, reason: &str) -> (u16, Option<String>) {
    (status, Some(reason.to_owned()))
}

#[test]
fn roles_under_other_names_count_in_tokens_and_responses() {
    const NAMESPACED: &str = "https://example.com/roles";
    let mut policy = policy();
    policy["providers"][0]["claims_at"] = json!({
        "roles": [[NAMESPACED], ["ext", "roles"], ["urn:zitadel:iam:org:project:roles"]],
    });
    policy["providers"][0]["introspection"] = json!({
        "uri": format!("{ISSUER}{INTROSPECTION}"), "client_id": "gate",
        "client_secret": {"env": "INTROSPECTION_SECRET"},
    });
    let provider = provider();
    let mut body = claims("app-a", &[], &json!({"ext": {"roles": [READER]}}));
    body["active"] = json!(true);
    body["token_type"] = json!("Bearer");
    provider.script(INTROSPECTION, Script::Reply(Reply::json(&body)));
    let gate = Gate::at(provider, policy, |setup| {
        setup.secret("INTROSPECTION_SECRET", "secret")
    });
    for token in [
        changed(&json!({"roles": null, NAMESPACED: [READER, 7, null]})),
        changed(&json!({"roles": null, "urn:zitadel:iam:org:project:roles": {READER: {"7": "a"}}})),
        "opaque".to_owned(),
    ] {
        let (status, _, roles, record) = call(&gate, &token);
        assert_eq!((status, roles), (200, vec![READER.to_owned()]), "{record}");
    }
    for changes in [
        // The claim of the dialect does not count any more.
        json!({}),
        json!({"roles": null, NAMESPACED: {READER: false}}),
        json!({"roles": null, NAMESPACED: [[READER]]}),
        json!({"roles": null, "ext": READER}),
        json!({"roles": null, "ext.roles": [READER]}),
    ] {
        let (status, reason, ..) = call(&gate, &changed(&changes));
        assert_eq!(
            (status, reason),
            refused(403, "insufficient_scope"),
            "{changes}"
        );
    }
}

/// Ory Hydra's userinfo response has the `aud` of ID tokens for a person, and no `sub` for an
/// application.
#[test]
fn userinfo_without_a_subject_is_refused_and_cached() {
    let mut policy = policy();
    policy["providers"][0]["userinfo"] = json!({
        "uri": format!("{ISSUER}{USERINFO}"), "accept_any_audience": true,
    });
    policy["principals"][1]["grant"] = json!("workflow:list");
    let gate = Gate::with(policy, |setup| setup);
    let person = json!({"sub": "u-17", "aud": ["portal"], "iss": ISSUER, "iat": 1,
        "email": "ann@example.com", "email_verified": "true"});
    gate.provider
        .script(USERINFO, Script::Reply(Reply::json(&person)));
    let (status, _, _, record) = call(&gate, "of-ann");
    assert_eq!(status, 200, "{record}");
    let without_subject = [
        json!({"aud": ["portal"], "iss": ISSUER, "iat": 1}),
        json!({}),
        json!({"sub": ""}),
        json!({"sub": 7}),
        json!({"sub": null, "email": "ann@example.com", "email_verified": true}),
    ];
    for (number, body) in without_subject.into_iter().enumerate() {
        gate.provider
            .script(USERINFO, Script::Reply(Reply::json(&body)));
        let asked = gate.provider.requests(USERINFO);
        for _ in 0..2 {
            let (status, reason, _, record) = call(&gate, &format!("of-app-{number}"));
            assert_eq!((status, reason), refused(401, "subject_missing"), "{body}");
            assert!(record["hint"].to_string().contains("userinfo"), "{record}");
        }
        assert_eq!(gate.provider.requests(USERINFO), asked + 1, "{body}");
    }
}

#[test]
fn an_empty_audience_is_none_in_tokens_and_responses() {
    for audience_claim in [None, Some("client_id")] {
        let mut policy = policy();
        let idp = &mut policy["providers"][0];
        idp["introspection"] = json!({
            "uri": format!("{ISSUER}{INTROSPECTION}"), "client_id": "gate",
            "client_secret": {"env": "INTROSPECTION_SECRET"},
        });
        if let Some(name) = audience_claim {
            idp["audience_claim"] = json!(name);
            idp["audiences"] = json!([AUDIENCE, "app-a"]);
        }
        let gate = Gate::at(provider(), policy, |setup| {
            setup.secret("INTROSPECTION_SECRET", "secret")
        });
        for (number, audience) in [json!([]), json!(""), json!([""])].into_iter().enumerate() {
            let changes = json!({ "aud": audience });
            let mut body = claims("app-a", &[READER], &changes);
            body["active"] = json!(true);
            body["token_type"] = json!("Bearer");
            gate.provider
                .script(INTROSPECTION, Script::Reply(Reply::json(&body)));
            for token in [changed(&changes), format!("opaque-{number}")] {
                let (status, reason, _, record) = call(&gate, &token);
                if audience_claim.is_some() {
                    assert_eq!(status, 200, "{record}");
                    continue;
                }
                assert_eq!((status, reason), refused(401, "audience_missing"));
                assert_eq!(record["claimed"]["client"], json!("app-a"), "{record}");
                assert!(
                    record["hint"].to_string().contains("audience_claim"),
                    "{record}"
                );
                assert!(!record.to_string().contains("opaque-"), "{record}");
            }
        }
    }
}

/// A client sends the scope of a challenge to its provider.
#[test]
fn a_challenge_names_a_scope_of_the_provider_or_none() {
    for (supported, expected) in [(None, None), (Some("flows.write"), Some("flows.write"))] {
        let mut policy = policy();
        policy["roles"]["flows.write"] = json!(["workflow:create"]);
        if let Some(scope) = supported {
            policy["public_api"] = json!({"scopes_supported": [scope]});
        }
        let gate = Gate::with(policy, |setup| setup);
        let request = Request::new("POST", PATH).bearer(&changed(&json!({})));
        let response = request.send(gate.envoy.port()).unwrap();
        assert_eq!(response.refusal(), (403, json!("insufficient_scope")));
        let challenge = response.header("www-authenticate").unwrap();
        let scope = challenge.split_once(", scope=\"").map(|(_, rest)| rest);
        let scope = scope.and_then(|rest| rest.split_once('"'));
        assert_eq!(scope.map(|(scope, _)| scope), expected, "{challenge}");
        let detail = response.json()["detail"].to_string();
        assert!(detail.contains("workflow:create"), "{detail}");
    }
}
