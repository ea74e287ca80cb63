//! What Envoy and Kubernetes read differently.

use serde_json::json;

use super::{checked, configuration, envoy, Desk};

/// A rule on a claim, with this value in YAML.
fn rule(value: &str) -> String {
    format!(
        "providers:\n- {{name: idp, issuer: https://idp.corp.test, audiences: n8n, cluster: idp}}\n\
         webhooks:\n- path: /webhook/**\n  require:\n    claims:\n    - {{claim: num, equals: {value}}}\n"
    )
}

fn indented(text: &str, by: &str) -> String {
    text.lines().flat_map(|line| [by, line, "\n"]).collect()
}

#[test]
fn what_envoy_and_kubernetes_read_differently_is_refused_with_its_line() {
    let bare = |value: &str| checked(&rule(value));
    let envoy = |value: &str| {
        checked(&format!(
            "static_resources:\n  listeners:\n  - name: n8n-idp-gate\n    typed_config:\n      config:\n        \
             configuration:\n          \"@type\": type.googleapis.com/google.protobuf.Struct\n          value:\n{}",
            indented(&rule(value), "            ")
        ))
    };
    let plugin = |value: &str| {
        checked(&format!(
            "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nspec:\n  url: x\n  pluginConfig:\n{}",
            indented(&rule(value), "    ")
        ))
    };
    let good = |found: (Option<i32>, String)| found.0 == Some(0);
    for value in ["7", "'7'", "\"2147483648\"", "yes", "text", "'1e3'", "-1"] {
        assert!(
            good(bare(value)) && good(envoy(value)) && good(plugin(value)),
            "{value}"
        );
    }
    // Both mean one thing for each of these.
    for value in ["2147483648", "-2147483649"] {
        assert!(good(envoy(value)) && good(plugin(value)), "{value}");
        let (code, text) = bare(value);
        assert!(
            code == Some(1)
                && text.contains("\n  error: gate.yaml:7:")
                && text.contains("equals: a whole number beyond 32 bits"),
            "{value}: {text}"
        );
    }
    // Envoy makes text of these, as it is written.
    for value in ["7.0", "1e3", ".5", "0o17", "1_000", ".inf", "08"] {
        let (code, text) = envoy(value);
        assert_eq!(code, Some(0), "{value}: {text}");
        let (code, text) = bare(value);
        assert!(
            code == Some(1)
                && text.contains("\n  error: gate.yaml:7:")
                && text.contains(": a number without"),
            "{value}: {text}"
        );
        let (code, text) = plugin(value);
        assert!(
            code == Some(1)
                && text.contains("\n  error: gate.yaml:12:")
                && text.contains(": a number without"),
            "{value}: {text}"
        );
    }
    let (_, text) = envoy("7.0");
    assert!(
        text.contains(
            "warning: gate.yaml:15:32: webhooks[0].require.claims[0].equals: looks like a number"
        ),
        "{text}"
    );
    for value in ["007", "0x1f", "+7", "0x7fffffffff", "!!str 7", "!own a"] {
        for (code, text) in [bare(value), envoy(value), plugin(value)] {
            assert!(
                code == Some(1) && text.contains("[read-differently]"),
                "{value}: {text}"
            );
        }
    }
    // Outside of a configuration they do no harm.
    let plugin = format!(
        "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nspec:\n  pluginConfig:\n{}",
        indented(&rule("7"), "    ")
    );
    let other = "apiVersion: v1\nkind: ConfigMap\nweight: 0.5\nmode: 0644\n";
    let (code, text) = checked(&format!("{plugin}\n---\n{other}"));
    assert_eq!(code, Some(0), "{text}");
}

#[test]
fn a_text_that_envoy_hands_on_as_it_is_must_be_json() {
    let file = |value: &str| {
        checked(&format!(
            "static_resources:\n  listeners:\n  - name: n8n-idp-gate\n    typed_config:\n      config:\n        \
             configuration:\n          \"@type\": type.googleapis.com/google.protobuf.StringValue\n          value: {value}"
        ))
    };
    let json = configuration(&json!({})).to_string();
    assert_eq!(file(&format!("|\n            {json}\n")).0, Some(0));
    let yaml = indented(&rule("7"), "            ");
    let (code, text) = file(&format!("|\n{yaml}"));
    assert!(
        code == Some(1) && text.contains("is not JSON: line 1, column 1"),
        "{text}"
    );
    let (code, text) = file(&format!("\n{yaml}"));
    assert!(
        code == Some(1) && text.contains("`value` is not of the `@type` beside it"),
        "{text}"
    );
}

#[test]
fn envoy_reads_the_first_document_of_a_file_alone() {
    let plain = json!([{"match": {"prefix": "/"}, "route": {"cluster": "n8n"}}]);
    let file = envoy(&configuration(&json!({})), &plain);
    let (code, text) = checked(&format!("a: 1\n---\n{file}\n"));
    assert!(
        code == Some(1) && text.contains("more than one document"),
        "{text}"
    );
}

/// Envoy reads a file by its name: JSON has numbers where its YAML has text.
#[test]
fn a_json_file_is_read_as_json() {
    let file = |number: &str| {
        let rule = json!({"webhooks": [{"path": "/webhook/**", "require": {"claims": [
            {"claim": "num", "equals": "NUMBER"},
        ]}}]});
        let text = configuration(&rule)
            .to_string()
            .replace("\"NUMBER\"", number);
        Desk::new(&[("gate.json", &text)]).run(&["check", "gate.json"])
    };
    assert_eq!(
        file("2147483648"),
        (Some(0), "gate.json: good\n".to_owned())
    );
    let (code, text) = file("7.5");
    assert!(
        code == Some(1) && text.contains("equals: is no whole number"),
        "{text}"
    );
    let (code, text) = file("1, \"equals\": 2");
    assert!(
        code == Some(1) && text.contains("two fields of one name"),
        "{text}"
    );
    let (code, text) = file("7 # a");
    assert!(code == Some(1) && text.contains("not JSON"), "{text}");
}
