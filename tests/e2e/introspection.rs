//! Opaque tokens, and providers with bad introspection responses.

use std::thread;
use std::time::Duration;

use serde_json::{json, Value};

use crate::gate::{changed, claims, now, policy, provider, Gate, AUDIENCE, ISSUER, READER};
use crate::support::http::{Request, Response};
use crate::support::scripted_provider::ScriptedProvider;
use crate::support::server::{Reply, Script};

const INTROSPECTION: &str = "/introspect";
const SECRET: &str = "s3cret/of+gate";

/// The shared policy, with introspection.
fn asking(changes: &Value) -> Value {
    let mut policy = policy();
    let mut asked = json!({
        "uri": format!("{ISSUER}{INTROSPECTION}"),
        "client_id": "gate",
        "client_secret": { "env": "INTROSPECTION_SECRET" },
        "timeout": "1s",
    });
    for (name, value) in changes.as_object().unwrap() {
        asked[name] = value.clone();
    }
    policy["providers"][0]["introspection"] = asked;
    policy
}

fn introspected(changes: &Value) -> Script {
    let mut body = claims("app-a", &[READER], changes);
    for (name, usual) in [("active", json!(true)), ("token_type", json!("Bearer"))] {
        if body.get(name).is_none() {
            body[name] = usual;
        }
    }
    Script::Reply(Reply::json(&body))
}

fn gate(changes: &Value, script: Script) -> Gate {
    let provider = provider();
    provider.script(INTROSPECTION, script);
    Gate::at(provider, asking(changes), |setup| {
        setup.secret("INTROSPECTION_SECRET", SECRET)
    })
}

fn list(gate: &Gate, token: &str) -> Response {
    let request = Request::get("/api/v1/workflows").bearer(token);
    request.send(gate.envoy.port()).unwrap()
}

fn refusal(response: &Response) -> (u16, String) {
    let reason = response.json()["reason"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    (response.status, reason)
}

#[test]
fn a_provider_is_asked_once_about_each_token_with_the_gate_s_own_credentials() {
    let gate = gate(&json!({}), introspected(&json!({"jti": "opaque-1"})));
    let statuses: Vec<u16> = thread::scope(|scope| {
        let callers: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| list(&gate, "opaque-1+/=").status))
            .collect();
        callers
            .into_iter()
            .map(|caller| caller.join().unwrap())
            .collect()
    });
    assert_eq!(statuses, [200; 8]);
    assert_eq!(gate.provider.requests(INTROSPECTION), 1);
    let recorded = gate.provider.last(INTROSPECTION).unwrap();
    assert_eq!(recorded.method, "POST");
    let body = String::from_utf8(recorded.body.clone()).unwrap();
    assert_eq!(body, "token=opaque-1%2B%2F%3D&token_type_hint=access_token");
    // The encoded form of `gate:s3cret%2Fof%2Bgate`.
    assert_eq!(
        recorded.values("authorization"),
        ["Basic Z2F0ZTpzM2NyZXQlMkZvZiUyQmdhdGU="]
    );
    assert_eq!(
        recorded.values("content-type"),
        ["application/x-www-form-urlencoded"]
    );
    let audit = gate.envoy.audit();
    assert_eq!(audit.len(), 8);
    for record in &audit {
        // Requests that did not wait found the token in the cache of the worker.
        let status = record.get("introspection").and_then(Value::as_str);
        let held = record["cache"] == json!("hit");
        assert_eq!(status, (!held).then_some("active"), "{record}");
        assert_eq!((record.get("crypto"), record.get("jti")), (None, None));
    }
    for shown in [gate.envoy.log_text(), gate.envoy.stats().unwrap()] {
        assert!(!shown.contains("opaque-1"), "the log has a token");
        assert!(!shown.contains("s3cret"), "the log has a secret");
    }
}

#[test]
fn id_and_secret_can_be_sent_in_the_form() {
    let gate = gate(
        &json!({"auth": "client_secret_post"}),
        introspected(&json!({})),
    );
    assert_eq!(list(&gate, "opaque").status, 200);
    let recorded = gate.provider.last(INTROSPECTION).unwrap();
    assert_eq!(
        String::from_utf8(recorded.body.clone()).unwrap(),
        "token=opaque&token_type_hint=access_token&client_id=gate&client_secret=s3cret%2Fof%2Bgate"
    );
    assert_eq!(recorded.values("authorization"), [""; 0]);
}

#[test]
fn with_always_a_jwt_that_was_revoked_is_refused() {
    let gate = gate(
        &json!({"always": true, "ttl": "1s"}),
        introspected(&json!({})),
    );
    let token = changed(&json!({}));
    assert_eq!(list(&gate, &token).status, 200);
    gate.provider
        .script(INTROSPECTION, introspected(&json!({"active": false})));
    thread::sleep(Duration::from_millis(1100));
    assert_eq!(refusal(&list(&gate, &token)), (401, "inactive".to_owned()));
    let asked = gate.provider.requests(INTROSPECTION);
    assert_eq!(asked, 2);
    let forged = format!("{token}AAAA");
    assert_eq!(
        refusal(&list(&gate, &forged)),
        (401, "bad_signature".to_owned())
    );
    assert_eq!(gate.provider.requests(INTROSPECTION), asked);
}

#[test]
fn an_introspection_response_that_fails_a_check_is_refused_and_cached() {
    let cases = [
        (json!({"active": false}), (401, "inactive")),
        (json!({"aud": "api://other"}), (401, "wrong_audience")),
        (json!({"aud": null}), (401, "audience_missing")),
        (
            json!({"iss": "https://evil.example"}),
            (401, "answer_disagrees"),
        ),
        (json!({"exp": 1}), (401, "expired")),
        (json!({"token_type": "refresh_token"}), (401, "wrong_type")),
        (json!({"token_type": "N_A"}), (401, "wrong_type")),
    ];
    let gate = gate(&json!({}), introspected(&json!({})));
    for (number, (changes, expected)) in cases.into_iter().enumerate() {
        gate.provider.script(INTROSPECTION, introspected(&changes));
        for _ in 0..3 {
            let (status, reason) = refusal(&list(&gate, &format!("opaque-{number}")));
            assert_eq!((status, reason.as_str()), expected, "{changes}");
        }
        assert_eq!(
            gate.provider.requests(INTROSPECTION),
            number + 1,
            "{changes}"
        );
    }
}

#[test]
fn userinfo_and_tokeninfo_get_the_token_itself() {
    const USERINFO: &str = "/me";
    let uri = format!("{ISSUER}{USERINFO}");
    let person = json!({"sub": "u-17", "email": "ann@example.com", "email_verified": true});
    let info = json!({"sub": "u-17", "email": "ann@gmail.com", "email_verified": "true",
        "aud": AUDIENCE, "azp": "app-a", "exp": (now() + 300).to_string()});
    let mut stale = info.clone();
    stale["exp"] = json!((now() - 1).to_string());
    let mut of_another = info.clone();
    of_another["aud"] = json!("another-application");
    let cases = [
        (
            "oidc",
            vec![
                (Some(person), (403, "insufficient_scope")),
                (None, (401, "inactive")),
            ],
        ),
        (
            "google",
            vec![
                (Some(of_another), (401, "wrong_audience")),
                (Some(stale), (401, "expired")),
                // The caller is known, but it has no role for this operation.
                (Some(info), (403, "insufficient_scope")),
            ],
        ),
    ];
    for (kind, cases) in cases {
        let mut policy = policy();
        policy["providers"][0] = json!({
            "name": "idp", "type": kind, "issuer": ISSUER, "audiences": [AUDIENCE],
            "userinfo": {"uri": uri, "cluster": "idp"},
        });
        if kind == "oidc" {
            policy["providers"][0]["userinfo"]["accept_any_audience"] = json!(true);
        }
        let gate = Gate::with(policy, |setup| setup);
        for (number, (body, expected)) in cases.into_iter().enumerate() {
            let refused = Script::Reply(Reply::status(401));
            let script = body.map_or(refused, |body| Script::Reply(Reply::json(&body)));
            gate.provider.script(USERINFO, script);
            let token = format!("ya29.c.{number}");
            let (status, reason) = refusal(&list(&gate, &token));
            assert_eq!((status, reason.as_str()), expected, "{kind}");
            let recorded = gate.provider.last(USERINFO).unwrap();
            assert_eq!(
                (recorded.method.as_str(), recorded.target.as_str()),
                ("GET", USERINFO)
            );
            assert_eq!(
                recorded.values("authorization"),
                [format!("Bearer {token}")]
            );
        }
    }
}

/// One gate with a provider for each fault.
#[test]
fn a_provider_with_bad_responses_gives_503() {
    let active = || Reply::json(&json!({"active": true, "aud": AUDIENCE, "client_id": "app-a"}));
    let new = |status, kind, body: &str| Script::Reply(Reply::new(status, kind, body));
    let huge = format!("{{\"active\":true}}{}", " ".repeat(20_000));
    let signed = "application/token-introspection+jwt";
    let cases = [
        (Script::Close, "unavailable"),
        (Script::Hang, "timeout"),
        (Script::CutOff(active()), "no_response"),
        (Script::Reply(Reply::status(401)), "client_refused"),
        (Script::Reply(Reply::status(429)), "rate_limited"),
        (Script::Reply(Reply::status(400)), "client_error"),
        (Script::Reply(Reply::status(500)), "server_error"),
        (
            Script::Reply(Reply::status(302).header("location", "/")),
            "redirect",
        ),
        (Script::Reply(Reply::status(404)), "not_found"),
        (new(200, "text/html", "{\"active\":true}"), "content_type"),
        (new(200, signed, "a.b.c"), "content_type"),
        (
            new(200, "application/json", "{\"active\":\"true\"}"),
            "answer_malformed",
        ),
        (new(200, "application/json", "<html>"), "answer_malformed"),
        (new(200, "application/json", &huge), "too_large"),
    ];
    let mut policy = asking(&json!({}));
    let mut servers = Vec::new();
    for (number, (script, _)) in cases.iter().enumerate() {
        let issuer = format!("https://idp-{number}.example.test");
        let server = ScriptedProvider::start(&issuer, &[]).unwrap();
        server.script(INTROSPECTION, script.clone());
        let mut provider = policy["providers"][0].clone();
        let name = format!("idp-{number}");
        provider["name"] = json!(name);
        provider["issuer"] = json!(issuer);
        provider["introspection"]["cluster"] = json!(name);
        provider["token_prefix"] = json!(format!("p{number}_"));
        policy["providers"].as_array_mut().unwrap().push(provider);
        servers.push((name, server));
    }
    let provider = provider();
    provider.script(INTROSPECTION, introspected(&json!({})));
    let gate = Gate::at(provider, policy, |setup| {
        let setup = setup.secret("INTROSPECTION_SECRET", SECRET);
        servers.iter().fold(setup, |setup, (name, server)| {
            setup.cluster(name, server.port())
        })
    });
    for (number, (_, fault)) in cases.iter().enumerate() {
        let response = list(&gate, &format!("p{number}_token"));
        let expected = (503, "introspection_unavailable".to_owned());
        assert_eq!(refusal(&response), expected, "{fault}");
        let pause = response.header("retry-after").unwrap_or_default();
        assert!(pause.parse::<u64>().is_ok(), "{fault}: {pause:?}");
        let audit = gate.envoy.audit();
        let record = audit.last().unwrap();
        assert_eq!(record["provider"], json!(format!("idp-{number}")));
        assert_eq!(record["fault"], json!(fault), "{record}");
        // The gate does not call it again at once.
        list(&gate, &format!("p{number}_token"));
        assert_eq!(servers[number].1.requests(INTROSPECTION), 1, "{fault}");
        let name =
            format!("n8n_idp_gate_introspection_failures_fault_{fault}_provider_idp_{number}{{");
        assert_eq!(gate.envoy.counted(&name, "", 1).unwrap(), 1, "{fault}");
    }
    assert_eq!(list(&gate, "opaque").status, 200, "another provider works");
}
