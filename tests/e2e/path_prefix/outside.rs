//! `outside: pass`: another application is served beside n8n, on the same host.

use super::*;
use crate::support::recorder::Recorder;

/// n8n below `/n8n`, and a shop everywhere else. Static API keys may read executions.
fn beside(shop: &Recorder) -> Gate {
    let mut policy = below();
    policy["outside"] = json!("pass");
    policy["public_api"]["rules"] =
        json!([{ "path": "/api/v1/executions/**", "api_keys": "pass" }]);
    let routes = json!([
        { "match": { "prefix": "/n8n/" }, "route": { "cluster": "upstream", "prefix_rewrite": "/" } },
        { "match": { "prefix": "/" }, "route": { "cluster": "shop" } },
    ]);
    Gate::with(policy, |setup| {
        setup.cluster("shop", shop.port()).routes(routes)
    })
}

#[test]
fn requests_outside_the_path_prefix_pass_without_a_token_and_without_a_made_up_identity() {
    let shop = Recorder::start().unwrap();
    let gate = beside(&shop);
    let good = token("app-a", &[READER]);
    for path in [
        "/",
        "/api/v1/workflows",
        "/webhook/orders/new?x=1",
        "/webhook/closed/x",
        "/metrics",
        "/n8n-docs/x",
    ] {
        for credential in [None, Some("any"), Some(good.as_str())] {
            let mut request = Request::get(path).header("X-Auth-Client", "forged");
            if let Some(credential) = credential {
                request = request
                    .bearer(credential)
                    .header("X-N8N-API-KEY", credential);
            }
            let response = request.send(gate.envoy.port()).unwrap();
            assert_eq!(response.status, 200, "{path}: {}", response.text());
            let arrived = shop.take();
            assert_eq!(arrived.len(), 1, "{path}");
            assert_eq!(arrived[0].target, path);
            assert_eq!(arrived[0].values("x-auth-client"), [""; 0], "{path}");
            let sent: Vec<String> = credential.map(str::to_owned).into_iter().collect();
            let bearer: Vec<String> = sent.iter().map(|sent| format!("Bearer {sent}")).collect();
            assert_eq!(arrived[0].values("x-n8n-api-key"), sent, "{path}");
            assert_eq!(arrived[0].values("authorization"), bearer, "{path}");
        }
    }
    assert!(gate.recorder.take().is_empty());
}

#[test]
fn what_is_below_the_path_prefix_stays_guarded_where_the_rest_passes() {
    let shop = Recorder::start().unwrap();
    let gate = beside(&shop);
    let send = |request: &Request| request.send(gate.envoy.port()).unwrap();
    for path in guarded() {
        for request in [
            Request::get(&path),
            Request::get(&path).header("X-N8N-API-KEY", "any-key-of-n8n"),
        ] {
            let response = send(&request);
            let is_refused = (400..500).contains(&response.status);
            assert!(is_refused, "{path}: {}", response.status);
        }
    }
    assert!(gate.recorder.take().is_empty());
    assert!(shop.take().is_empty());
    for (path, role, arrives) in [
        ("/n8n/api/v1/workflows", READER, "/api/v1/workflows"),
        ("/n8n/webhook/orders/new", ORDERS, "/webhook/orders/new"),
    ] {
        let request = Request::get(path).bearer(&token("app-a", &[role]));
        assert_eq!(send(&request).status, 200, "{path}");
        let arrived = gate.recorder.take();
        assert_eq!(arrived.len(), 1, "{path}");
        assert_eq!(arrived[0].target, arrives);
        assert_eq!(arrived[0].values("x-auth-client"), ["app-a"]);
    }
    assert!(shop.take().is_empty());
}

#[test]
fn rules_for_static_api_keys_apply_below_the_path_prefix_where_the_rest_passes() {
    let shop = Recorder::start().unwrap();
    let gate = beside(&shop);
    for (path, status, reason) in [
        ("/n8n/api/v1/executions/7", 200, Value::Null),
        ("/n8n/api/v1/workflows", 401, json!("api_key_refused")),
        (
            "/n8n/api/v1/Executions/../workflows",
            400,
            json!("ambiguous_path"),
        ),
        // The path of a rule is n8n's own, without the prefix.
        ("/n8n/n8n/api/v1/executions/7", 200, Value::Null),
        (
            "/n8n/api/v1/n8n/executions/7",
            401,
            json!("api_key_refused"),
        ),
    ] {
        let request = Request::get(path).header("X-N8N-API-KEY", "static");
        let response = request.send(gate.envoy.port()).unwrap();
        assert_eq!(response.refusal(), (status, reason), "{path}");
        let arrived = gate.recorder.take();
        assert_eq!(arrived.len(), usize::from(status == 200), "{path}");
        for request in arrived {
            assert_eq!(format!("/n8n{}", request.target), path);
            assert_eq!(request.values("x-n8n-api-key"), ["static"]);
        }
    }
    assert!(shop.take().is_empty());
}
