//! Istio's own checks of tokens, before the gate.

use serde_json::{json, Value};

use super::{configuration, Desk};

/// A plugin with the gate, and a `RequestAuthentication`, with these members.
fn files(plugin: &Value, authentication: &Value) -> [String; 2] {
    let mut gate = json!({
        "apiVersion": "extensions.istio.io/v1alpha1", "kind": "WasmPlugin",
        "metadata": {"name": "gate", "namespace": "ingress"},
        "spec": {"failStrategy": "FAIL_CLOSE", "phase": "STATS",
            "selector": {"matchLabels": {"istio": "ingress"}},
            "pluginConfig": configuration(&json!({}))},
    });
    let mut tokens = json!({
        "apiVersion": "security.istio.io/v1", "kind": "RequestAuthentication",
        "metadata": {"name": "tokens", "namespace": "ingress"},
        "spec": {"jwtRules": [{"issuer": "https://idp.corp.test"}]},
    });
    for (file, more) in [(&mut gate, plugin), (&mut tokens, authentication)] {
        for (pointer, value) in more.as_object().unwrap() {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            let parent = file.pointer_mut(parent).unwrap();
            let members = parent.as_object_mut().unwrap();
            members.insert(name.to_owned(), value.clone());
            members.retain(|_, value| !value.is_null());
        }
    }
    [gate.to_string(), tokens.to_string()]
}

/// Whether the file of Istio has a finding, beside the one of the gate.
fn is_found(plugin: &Value, authentication: &Value) -> bool {
    let [gate, tokens] = files(plugin, authentication);
    let desk = Desk::new(&[("gate.yaml", &gate), ("tokens.yaml", &tokens)]);
    let (code, text) = desk.run(&["check", "gate.yaml", "tokens.yaml"]);
    assert_eq!(code, Some(0), "{text}");
    let found = text.matches("[token-removed]").count();
    assert_eq!(
        text.matches("warning: tokens.yaml").count(),
        found,
        "{text}"
    );
    found == 1
}

#[test]
fn a_token_that_istio_removes_before_the_gate_is_found() {
    let target = |name: &str| json!([{"kind": "Gateway", "name": name}]);
    let of_gateway = json!({"/spec/selector": null, "/spec/targetRefs": target("edge")});
    let named = json!({"gateway.networking.k8s.io/gateway-name": "edge"});
    let by_label = json!({"/spec/selector/matchLabels": named});
    for (plugin, authentication, expected) in [
        (json!({}), json!({}), true),
        // Without a phase it runs at the end of the chain.
        (json!({"/spec/phase": null}), json!({}), true),
        (json!({"/spec/phase": "AUTHZ"}), json!({}), true),
        (json!({"/spec/phase": "AUTHN"}), json!({}), false),
        (json!({}), json!({"/metadata/namespace": "shop"}), false),
        (
            json!({}),
            json!({"/metadata/namespace": "istio-system"}),
            true,
        ),
        (json!({}), json!({"/metadata/namespace": null}), true),
        (
            json!({}),
            json!({"/spec/selector": {"matchLabels": {"istio": "shop"}}}),
            false,
        ),
        (
            json!({}),
            json!({"/spec/selector": {"matchLabels": {"app": "gateway"}}}),
            true,
        ),
        (
            json!({}),
            json!({"/spec/targetRefs": target("edge")}),
            false,
        ),
        (
            of_gateway.clone(),
            json!({"/spec/targetRefs": target("edge")}),
            true,
        ),
        (
            of_gateway.clone(),
            json!({"/spec/targetRefs": target("shop")}),
            false,
        ),
        (of_gateway, json!({}), true),
        (
            by_label.clone(),
            json!({"/spec/targetRefs": target("edge")}),
            true,
        ),
        (by_label, json!({"/spec/targetRefs": target("shop")}), false),
        (
            json!({}),
            json!({"/spec/jwtRules": [{"issuer": "a", "forwardOriginalToken": true}]}),
            false,
        ),
        (
            json!({}),
            json!({"/spec/jwtRules": [{"issuer": "a", "fromCookies": ["token"]}]}),
            false,
        ),
    ] {
        assert_eq!(
            is_found(&plugin, &authentication),
            expected,
            "{plugin} {authentication}"
        );
    }
}

#[test]
fn an_envoy_filter_is_behind_istio_unless_it_is_put_first() {
    let patch = |operation: &str, before: Option<&str>| {
        let filter = json!({"name": "gate", "typed_config": {"config": {
            "failure_policy": "FAIL_RELOAD",
            "configuration": {"value": configuration(&json!({}))},
        }}});
        let other = before.map(|name| json!({"subFilter": {"name": name}}));
        json!({
            "apiVersion": "networking.istio.io/v1alpha3", "kind": "EnvoyFilter",
            "metadata": {"name": "gate", "namespace": "ingress"},
            "spec": {"workloadSelector": {"labels": {"istio": "ingress"}}, "configPatches": [{
                "applyTo": "HTTP_FILTER",
                "match": {"listener": {"filterChain": {"filter": other.unwrap_or_default()}}},
                "patch": {"operation": operation, "value": filter},
            }]},
        })
    };
    let [_, tokens] = files(&json!({}), &json!({}));
    let router = Some("envoy.filters.http.router");
    for (operation, before, expected) in [
        ("INSERT_BEFORE", router, true),
        ("ADD", None, true),
        ("INSERT_FIRST", router, false),
        ("INSERT_BEFORE", Some("envoy.filters.http.jwt_authn"), false),
        ("INSERT_BEFORE", None, false),
    ] {
        let gate = patch(operation, before).to_string();
        let desk = Desk::new(&[("gate.yaml", &gate), ("tokens.yaml", &tokens)]);
        let (_, text) = desk.run(&["check", "gate.yaml", "tokens.yaml"]);
        let is_found = text.contains("[token-removed]");
        assert_eq!(is_found, expected, "{operation} {before:?}: {text}");
    }
}
