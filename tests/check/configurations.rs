//! Configurations in files, and what is reported about them.

use std::fs;

use serde_json::{json, Value};

use super::{checked, configuration, envoy, Desk};

#[test]
fn a_good_file_is_called_good_and_a_bad_one_fails_with_every_error() {
    assert_eq!(
        checked(&configuration(&json!({})).to_string()),
        (Some(0), "gate.yaml: good\n".to_owned())
    );
    let (code, text) = checked("providers: []\nmetrics: maybe\n");
    assert_eq!(code, Some(1));
    assert_eq!(
        text,
        "gate.yaml: the configuration has 3 errors:\n  \
         error: gate.yaml:1:1: principals: is required if no webhook takes tokens: no token would open anything. Hint: \
         write a principal: which callers it matches, and the API key as which they act. [configuration-error]\n  \
         error: gate.yaml:1:1: providers: must not be an empty list. Hint: list at least one item. [configuration-error]\n  \
         error: gate.yaml:2:1: metrics: is an unknown word. Hint: write one of: pass, deny. [configuration-error]\n\
         n8n-idp-gate: 3 errors\n"
    );
}

#[test]
fn what_is_no_configuration_is_said_with_the_reason() {
    for (file, said) in [
        ("", "1:1: no configuration of the gate with providers in it"),
        (
            "a: 1",
            "1:1: no configuration of the gate with providers in it",
        ),
        ("a: [", "2:1: not YAML: "),
        (
            "providers: 1\nproviders: 2",
            "2:1: two fields of one name in one map",
        ),
        ("a: 1\n~: x", "2:1: a name that is no text"),
        ("a:\n  b: 1\n  b: 2", "3:3: two fields of one name"),
    ] {
        let (code, text) = checked(file);
        assert_eq!(code, Some(1), "{file}");
        assert!(
            text.contains(&format!("\n  error: gate.yaml:{said}")),
            "{file}: {text}"
        );
    }
    let desk = Desk::new(&[]);
    let (code, text) = desk.run(&["check", "absent.yaml"]);
    assert_eq!(code, Some(2));
    assert!(
        text.starts_with("n8n-idp-gate: absent.yaml: No such file"),
        "{text}"
    );
    let (code, text) = desk.run(&["check", "."]);
    assert!(
        code == Some(1) && text.contains("of no file below this folder is one"),
        "{text}"
    );
    fs::write(desk.0.path().join("latin1"), b"a: \xe9").unwrap();
    let (code, text) = desk.run(&["check", "latin1"]);
    assert_eq!(
        (code, text.as_str()),
        (Some(2), "n8n-idp-gate: latin1: is not UTF-8\n")
    );
    let (code, _) = desk.run(&["check"]);
    assert_eq!(code, Some(2));
}

#[test]
fn configurations_and_routes_in_texts_are_read_too() {
    let text = configuration(&json!({})).to_string();
    let routes =
        json!([{"match": {"prefix": "/x/"}, "route": {"cluster": "n8n", "prefix_rewrite": "/"}}]);
    let file = envoy(&json!(text), &routes).to_string();
    let map = json!({"kind": "ConfigMap", "data": {"envoy.yaml": file}}).to_string();
    let desk = Desk::new(&[("map.json", &map)]);
    let (code, said) = desk.run(&["check", "map.json"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.starts_with("map.json: good\n"), "{said}");
    assert!(said.ends_with("n8n-idp-gate: 1 error\n"), "{said}");
    let (code, said) = desk.run(&["check", "--accept-bypasses", "map.json"]);
    assert!(
        code == Some(0)
            && said.contains("  warning: map.json:1:")
            && said.contains(": data.envoy.yaml.static"),
        "{said}"
    );
}

/// What only looks like a configuration of the gate: other filters have providers, too.
#[test]
#[allow(clippy::too_many_lines, reason = "one table, a line for each form")]
fn a_configuration_is_known_by_where_it_stands() {
    let gate = configuration(&json!({}));
    let routes = json!([{"match": {"prefix": "/"}, "route": {"cluster": "n8n"}}]);
    let jwt = json!({"name": "jwt", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        "providers": {"idp": {"issuer": "https://idp.corp.test", "from_headers": [], "forward": true}},
    }});
    let filters =
        "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/http_filters";
    let mut beside = envoy(&gate, &routes);
    let list = beside.pointer_mut(filters).unwrap().as_array_mut().unwrap();
    list.insert(0, jwt.clone());
    let other = json!({"name": "other", "typed_config": {"config": {
        "vm_config": {"code": {"local": {"filename": "/etc/other.wasm"}}},
        "configuration": {"value": {"rules": []}},
    }}});
    list.insert(0, other.clone());
    assert_eq!(
        checked(&beside.to_string()),
        (Some(0), "gate.yaml: good\n".to_owned())
    );
    let mut without = beside.clone();
    let list = without
        .pointer_mut(filters)
        .unwrap()
        .as_array_mut()
        .unwrap();
    list.retain(|filter| filter["name"] != "gate");
    let routes = without
        .pointer_mut(filters.trim_end_matches("/http_filters"))
        .unwrap();
    routes.as_object_mut().unwrap().remove("route_config");
    let (code, text) = checked(&without.to_string());
    assert!(
        code == Some(1) && text.contains("no configuration of the gate"),
        "{text}"
    );
    let security = json!({"apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": "SecurityPolicy",
        "spec": {"jwt": {"providers": [{"name": "idp"}]}}});
    let proxy = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "data": {"oauth2.yaml": json!({"providers": [{"id": "a"}], "upstreamConfig": {}}).to_string()}});
    for other in [security, proxy] {
        let (code, text) = checked(&other.to_string());
        assert!(
            code == Some(1) && text.contains("no configuration of the gate"),
            "{text}"
        );
    }
    // One that is named, and has a slip where its providers should be.
    let mut slip = gate.clone();
    let members = slip.as_object_mut().unwrap();
    let providers = members.remove("providers").unwrap();
    members.insert("provider".to_owned(), providers);
    let kind = |kind: &str, spec: Value| json!({"apiVersion": "a/v1", "kind": kind, "metadata": {"name": "p"}, "spec": spec});
    let filter = |config: &Value| {
        json!({"name": "envoy.filters.http.wasm", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {"name": "n8n-idp-gate", "configuration": {
                "@type": "type.googleapis.com/google.protobuf.Struct", "value": config,
            }},
        }})
    };
    let typed = |config: &Value| {
        json!({"name": "x", "typedConfig": {
            "@type": "type.googleapis.com/udpa.type.v1.TypedStruct",
            "typeUrl": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "value": {"config": {"rootId": "n8n-idp-gate", "configuration": {
                "@type": "type.googleapis.com/google.protobuf.StringValue", "value": config.to_string(),
            }}},
        }})
    };
    let places = |config: &Value| {
        [
            config.clone(),
            json!({"static_resources": {"listeners": [filter(config)]}}),
            json!({"static_resources": {"listeners": [typed(config)]}}),
            json!({"resources": [filter(config)]}),
            kind(
                "WasmPlugin",
                json!({"url": "oci://x/n8n-idp-gate:1", "pluginConfig": config}),
            ),
            kind(
                "EnvoyFilter",
                json!({"configPatches": [{"patch": {"value": filter(config)}}]}),
            ),
            kind(
                "EnvoyExtensionPolicy",
                json!({"wasm": [{"name": "n8n-idp-gate", "config": config}]}),
            ),
            kind(
                "EnvoyPatchPolicy",
                json!({"jsonPatches": [{"operation": {"value": typed(config)}}]}),
            ),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": config.to_string()}}),
        ]
    };
    for (good, wrong) in places(&gate).into_iter().zip(places(&slip)) {
        assert_eq!(
            checked(&good.to_string()),
            (Some(0), "gate.yaml: good\n".to_owned()),
            "{good}"
        );
        let (code, text) = checked(&wrong.to_string());
        let is_told = text.contains("providers: is required") || wrong["kind"] == "ConfigMap";
        assert!(code == Some(1) && is_told, "{wrong}: {text}");
    }
}

#[test]
fn several_configurations_of_a_file_are_all_checked_and_counted() {
    let plain = json!([{"match": {"prefix": "/"}, "route": {"cluster": "n8n"}}]);
    let mut file = envoy(&configuration(&json!({})), &plain);
    let filters =
        "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/http_filters";
    let list = file.pointer_mut(filters).unwrap().as_array_mut().unwrap();
    let mut other = list[0].clone();
    other["name"] = json!("second");
    other["typed_config"]["config"]["configuration"]["value"]["metrics"] = json!("maybe");
    list.insert(1, other);
    let (code, text) = checked(&file.to_string());
    assert_eq!(code, Some(1));
    assert!(
        text.starts_with("gate.yaml: 1 of 2, gate: good\ngate.yaml: 2 of 2, second: the configuration has 1 error:\n  error: gate.yaml:1:") && text.contains(": metrics: is an unknown word"),
        "{text}"
    );
    assert!(text.ends_with("n8n-idp-gate: 1 error\n"), "{text}");
}

/// A configuration is checked where its secrets are not.
#[test]
fn secrets_that_are_not_set_are_no_error() {
    let more = json!({
        "n8n": {"cluster": "n8n", "api_key": {"env": "NO_SUCH_KEY"}, "seed": {"env": "NO_SUCH_SEED"}},
        "principals": [{"name": "apps", "match": {"any": true}, "grant": ["workflow:list"],
            "user": {"per": "client"}}],
    });
    let file = configuration(&more).to_string();
    assert_eq!(checked(&file), (Some(0), "gate.yaml: good\n".to_owned()));
    let desk = Desk::new(&[("gate.yaml", &file)]);
    let (code, text) = desk.run(&["check", "--require-environment", "gate.yaml"]);
    assert!(
        code == Some(1) && text.contains("NO_SUCH_SEED is not set"),
        "{text}"
    );
}
