//! Bodies that rules check, and that Envoy does not hand over by itself.

use serde_json::{json, Value};

use super::{configuration, envoy, Desk};

fn signed() -> Value {
    configuration(&json!({"webhooks": [
        {"path": "/webhook/**", "auth": "bearer"},
        {"path": "/form/**", "auth": "signature",
         "signature": {"sender": "github", "secrets": [{"env": "GITHUB_SECRET"}]}},
    ]}))
}

/// The exit code for files, and what is said of them.
fn said(files: &[&Value]) -> (Option<i32>, String) {
    let texts: Vec<_> = (0..)
        .zip(files)
        .map(|(number, file)| (format!("{number}.json"), file.to_string()))
        .collect();
    let pairs: Vec<_> = texts
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let arguments: Vec<_> = std::iter::once("check")
        .chain(texts.iter().map(|(name, _)| name.as_str()))
        .collect();
    Desk::new(&pairs).run(&arguments)
}

const MISSING: &str = "a rule checks signatures, and Envoy does not hand over bodies without \
                       allow_on_headers_stop_iteration: true. Hint: ";

/// A log-out token is in the body of its request.
#[test]
fn an_envoy_file_for_events_hands_bodies_over_or_fails_the_check() {
    let mut configuration = configuration(&json!({"sharing_secret": {"env": "SHARING_SECRET"}}));
    configuration["providers"][0]["logout"] = json!({"audience": "portal"});
    let routes = json!([{"match": {"prefix": "/"}, "route": {"cluster": "n8n"}}]);
    let (code, text) = said(&[&envoy(&configuration, &routes)]);
    assert_eq!(code, Some(1), "{text}");
    let expected = "a provider sends events, and Envoy does not hand over bodies";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn an_envoy_file_hands_bodies_over_or_fails_the_check() {
    let file = |configuration: &Value, member: Value| {
        let routes = json!([{"match": {"prefix": "/"}, "route": {"cluster": "n8n"}}]);
        let mut file = envoy(configuration, &routes);
        let config = file
            .pointer_mut(
                "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/http_filters/0\
                 /typed_config/config",
            )
            .unwrap();
        let members = config.as_object_mut().unwrap();
        members.extend(member.as_object().unwrap().clone());
        file
    };
    for (member, is_good) in [
        (json!({"allow_on_headers_stop_iteration": true}), true),
        (json!({"allowOnHeadersStopIteration": true}), true),
        (json!({"allow_on_headers_stop_iteration": false}), false),
        (json!({}), false),
    ] {
        let (code, text) = said(&[&file(&signed(), member.clone())]);
        assert_eq!(code, Some(i32::from(!is_good)), "{member}: {text}");
        let hint = "write it beside failure_policy, in the config of the plugin";
        let is_named = text.contains(&format!(": {MISSING}{hint}. [bodies-withheld]\n"));
        assert_eq!(is_named, !is_good, "{member}: {text}");
        let is_summed_up = text.ends_with("n8n-idp-gate: 1 error\n");
        assert_eq!(is_summed_up, !is_good, "{text}");
    }
    // Without such a rule nothing is missing.
    let (code, text) = said(&[&file(&configuration(&json!({})), json!({}))]);
    assert_eq!(code, Some(0), "{text}");
}

#[test]
fn a_listener_that_holds_less_than_a_rule_takes_is_warned_of() {
    let file = |max_body: &str, listener: Value, route: Value| {
        let mut configuration = signed();
        configuration["webhooks"][1]["signature"]["max_body"] = json!(max_body);
        let mut plain = json!({"match": {"prefix": "/"}, "route": {"cluster": "n8n"}});
        plain
            .as_object_mut()
            .unwrap()
            .extend(route.as_object().unwrap().clone());
        let mut file = envoy(&configuration, &json!([plain]));
        let members = file["static_resources"]["listeners"][0]
            .as_object_mut()
            .unwrap();
        members.extend(listener.as_object().unwrap().clone());
        file
    };
    let none = json!({});
    let small = json!({"per_connection_buffer_limit_bytes": 65536});
    let raised = json!({"request_body_buffer_limit": 2_097_152});
    for (max_body, listener, route, is_named) in [
        ("1MiB", &none, &none, false),
        ("2MiB", &none, &none, true),
        ("64KiB", &small, &none, false),
        ("1MiB", &small, &none, true),
        ("1MiB", &small, &raised, false),
    ] {
        let (_, text) = said(&[&file(max_body, listener.clone(), route.clone())]);
        let warned = text.contains("webhooks: a rule takes bodies of ");
        assert_eq!(warned, is_named, "{max_body} {listener} {route}: {text}");
    }
}

/// They work without bodies, too.
#[test]
fn runs_and_embedded_log_ins_without_bodies_are_warned_of() {
    let n8n =
        json!({"cluster": "n8n", "api_key": {"env": "PROVISIONING"}, "seed": {"env": "SEED"}});
    let with = |grant: &str, embed: bool| {
        let mut policy = json!({"n8n": n8n, "principals": [{"name": "app", "match": {"any": true},
            "grant": [grant], "user": {"per": "client"}}]});
        if embed {
            policy["embed"] = json!({"origins": "https://portal.example.com"});
            policy["roles"] = json!({"Portal": ["embed"]});
        }
        let routes = json!([{"match": {"prefix": "/"}, "route": {"cluster": "n8n"}}]);
        let (code, text) = said(&[&envoy(&configuration(&policy), &routes)]);
        assert_eq!(code, Some(0), "{text}");
        [
            text.contains(": a run of a workflow may have input, and Envoy does not"),
            text.contains(": an embedded log-in may be a form, and Envoy does not"),
        ]
    };
    assert_eq!(with("workflow:read", false), [false, false]);
    assert_eq!(with("workflow:execute", false), [true, false]);
    assert_eq!(with("*", false), [false, false]);
    assert_eq!(with("workflow:read", true), [false, true]);
}

#[test]
fn the_plugins_of_istio_and_envoy_gateway_cannot_hand_bodies_over() {
    let istio = json!({"apiVersion": "extensions.istio.io/v1alpha1", "kind": "WasmPlugin",
        "metadata": {"name": "gate"}, "spec": {"failStrategy": "FAIL_CLOSE", "pluginConfig": signed()}});
    let (code, text) = said(&[&istio]);
    assert!(
        code == Some(1) && text.contains(&format!("{MISSING}WasmPlugin does not have it")),
        "{text}"
    );
    let gateway = json!({"apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": "EnvoyExtensionPolicy", "metadata": {"name": "gate"},
        "spec": {"wasm": [{"name": "n8n-idp-gate", "failOpen": false, "config": signed()}]}});
    let (code, text) = said(&[&gateway]);
    assert!(
        code == Some(1)
            && text.contains(&format!("{MISSING}EnvoyExtensionPolicy does not have it")),
        "{text}"
    );
    let patch = json!({"apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": "EnvoyPatchPolicy",
        "metadata": {"name": "bodies"}, "spec": {"type": "JSONPatch", "jsonPatches": [{
            "operation": {"op": "add", "value": true,
                "path": "/typed_config/config/allow_on_headers_stop_iteration"}}]}});
    let (_, text) = said(&[&gateway, &patch]);
    assert!(!text.contains(MISSING), "{text}");
}

/// A file with the configuration alone says nothing about its installation.
#[test]
fn a_configuration_alone_passes() {
    let (code, text) = said(&[&signed()]);
    assert_eq!((code, text.as_str()), (Some(0), "0.json: good\n"));
}
