//! Every rule has a file in which it is found: one of the wrong files, or one of these.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{json, Value};

use super::{configuration, envoy, n8n, Desk};

/// The rules that the program lists.
fn known() -> BTreeSet<String> {
    let desk = Desk::new(&[("gate.yaml", &configuration(&json!({})).to_string())]);
    let (_, text) = desk.run(&["check", "--format", "sarif", "gate.yaml"]);
    let report: Value = serde_json::from_str(&text).unwrap();
    let rules = report["runs"][0]["tool"]["driver"]["rules"].as_array();
    let rules = rules.unwrap().iter();
    rules
        .map(|rule| rule["id"].as_str().unwrap().to_owned())
        .collect()
}

/// The rules that are found in a file, with these variables in the environment.
fn found(file: &str, variables: &[(&str, String)]) -> BTreeSet<String> {
    let desk = Desk::new(&[("gate.yaml", file)]);
    let output = Command::new(env!("CARGO_BIN_EXE_n8n-idp-gate"))
        .current_dir(desk.0.path())
        .args(["check", "--format", "json", "gate.yaml"])
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let list = report["diagnostics"].as_array().unwrap().iter();
    list.map(|one| one["rule"].as_str().unwrap().to_owned())
        .collect()
}

fn route(more: &Value) -> Value {
    let mut whole = json!({"match": {"prefix": "/n8n/"}, "route": {"cluster": "n8n"}});
    let action = whole["route"].as_object_mut().unwrap();
    action.extend(more.as_object().unwrap().clone());
    json!([whole])
}

fn at_the_gate(member: &str, value: Value) -> String {
    let mut file = envoy(&configuration(&json!({})), &route(&json!({})));
    file["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
        ["http_filters"][0]["typed_config"]["config"][member] = value;
    file.to_string()
}

fn with_listener(context: &Value) -> String {
    let by_certificate = configuration(&json!({
        "client_certificates": {"from": "connection", "verified": true},
        "webhooks": [{"path": "/webhook/**", "auth": "certificate", "certificate": {"dns": "a"}},
            {"path": "/form/**", "auth": "bearer"}],
    }));
    let mut file = envoy(&by_certificate, &json!([]));
    file["static_resources"]["listeners"][0]["filter_chains"][0]["transport_socket"] = json!({
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": context,
        },
    });
    file.to_string()
}

fn signed(max_body: &str) -> String {
    let rules = json!({"webhooks": [
        {"path": "/webhook/**", "auth": "bearer"},
        {"path": "/form/**", "auth": "signature",
         "signature": {"sender": "github", "secrets": [{"env": "SECRET"}], "max_body": max_body}},
    ]});
    envoy(&configuration(&rules), &route(&json!({}))).to_string()
}

fn instances() -> Value {
    let plain = configuration(&json!({}));
    json!({"providers": plain["providers"], "instances": [{
        "name": "a", "hosts": "a.corp.test", "webhooks": plain["webhooks"],
    }]})
}

/// A file with a second listener, which leads to n8n without the gate.
fn around_the_gate() -> String {
    let mut file = envoy(&configuration(&json!({})), &route(&json!({})));
    let listeners = file["static_resources"]["listeners"]
        .as_array_mut()
        .unwrap();
    let mut other = listeners[0].clone();
    let router = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";
    other["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"] =
        json!([{"name": "envoy.filters.http.router", "typed_config": {"@type": router}}]);
    listeners.push(other);
    file.to_string()
}

/// A file in which a domain of another application leads to n8n.
fn undecided() -> String {
    let shared = configuration(&json!({"hosts": "n8n.corp.test", "other_hosts": "pass"}));
    let mut file = envoy(&shared, &route(&json!({})));
    let chains = &mut file["static_resources"]["listeners"][0]["filter_chains"];
    let routes = &mut chains[0]["filters"][0]["typed_config"]["route_config"];
    let to_n8n = routes["virtual_hosts"][0].clone();
    let hosts = [("n8n", "n8n.corp.test"), ("shop", "shop.corp.test")];
    let hosts = hosts.map(|(name, domain)| {
        let mut host = to_n8n.clone();
        host["name"] = json!(name);
        host["domains"] = json!([domain]);
        host
    });
    routes["virtual_hosts"] = json!(hosts);
    file.to_string()
}

/// A file whose access log reads the client and the audit record, which the gate sets if it has these fields.
fn reading(more: &Value) -> String {
    let mut file = envoy(&configuration(more), &route(&json!({})));
    let chains = &mut file["static_resources"]["listeners"][0]["filter_chains"];
    chains[0]["filters"][0]["typed_config"]["access_log"] = json!([{"typed_config": {"log_format": {
        "json_format": {"client": "%FILTER_STATE(wasm.n8n_idp_gate.client:PLAIN)%"},
        "text_format": "%FILTER_STATE(wasm.n8n_idp_gate.audit:PLAIN)%",
    }}}]);
    file.to_string()
}

#[test]
fn what_an_access_log_reads_must_be_set() {
    for (fields, is_found) in [
        (json!({}), true),
        (json!({"caller_properties": "client"}), true),
        (
            json!({"caller_properties": ["principal"], "audit": {"to": "both"}}),
            true,
        ),
        (
            json!({"caller_properties": ["client"], "audit": {"to": "both"}}),
            false,
        ),
        (
            json!({"caller_properties": "client", "audit": {"to": "access_log"}}),
            false,
        ),
    ] {
        let found = found(&reading(&fields), &[]);
        assert_eq!(
            found.contains("property-not-set"),
            is_found,
            "{fields}: {found:?}"
        );
    }
}

/// A rule, and a file in which it is found.
#[allow(clippy::too_many_lines, reason = "one table, a line for each rule")]
fn cases() -> Vec<(&'static str, String)> {
    let principal = |more: Value| {
        let mut principal =
            json!({"name": "app", "match": {"client": "app"}, "grant": "workflow:execute"});
        let members = principal.as_object_mut().unwrap();
        members.extend(more.as_object().unwrap().clone());
        json!({ "principals": [principal] })
    };
    let key = |variable: &str| {
        let key = json!({"api_key": {"env": variable}});
        configuration(&principal(key)).to_string()
    };
    let mut minted = principal(json!({"user": {"per": "client"}}));
    minted["n8n"] =
        json!({"cluster": "n8n", "api_key": {"env": "PROVISIONING"}, "seed": {"env": "SEED"}});
    let below = |outside: &str| configuration(&json!({"path_prefix": "/n8n", "outside": outside}));
    let away = route(&json!({"prefix_rewrite": "/"}));
    let mut around = away.clone();
    around
        .as_array_mut()
        .unwrap()
        .push(json!({"match": {"prefix": "/hooks/"}, "route": {"cluster": "n8n"}}));
    let mut doubled = away.clone();
    doubled[0]["match"]["prefix"] = json!("/n8n");
    let mut plain = configuration(&json!({}));
    plain["providers"][0]["issuer"] = json!("http://127.0.0.1:9000");
    let mut with_tls = envoy(&plain, &route(&json!({})));
    with_tls["static_resources"]["clusters"] = json!([{"name": "idp", "transport_socket": {}}]);
    let mut idle = configuration(&json!({"webhooks": [
        {"path": "/webhook/**", "auth": "bearer", "require": {"provider": "idp"}},
    ]}));
    idle["providers"].as_array_mut().unwrap().push(json!({
        "name": "idle", "issuer": "https://idle.corp.test", "audiences": "n8n", "cluster": "idle",
    }));
    let mut hex = configuration(&json!({})).to_string();
    hex.insert_str(1, "\"metrics\": 0x1f, ");
    let same_but_for_case = json!({"webhooks": [
        {"path": "/webhook/Orders", "auth": "bearer"}, {"path": "/webhook/orders", "auth": "bearer"},
    ]});
    let verified = json!({"validation_context": {"trusted_ca": {"filename": "ca.pem"},
        "trust_chain_verification": "ACCEPT_UNTRUSTED"}});
    vec![
        ("undecided-host", undecided()),
        ("property-not-set", reading(&json!({}))),
        ("around-the-gate", around_the_gate()),
        ("outside-prefix", envoy(&below("pass"), &around).to_string()),
        (
            "callback-missing",
            at_the_gate(
                "capability_restriction_config",
                json!({"allowed_capabilities": {"proxy_on_request_headers": {}}}),
            ),
        ),
        ("certificate-unverified", with_listener(&verified)),
        ("certificate-not-asked", with_listener(&json!({}))),
        ("unreadable", "a: [".to_owned()),
        ("read-differently", hex),
        ("no-configuration", "a: 1".to_owned()),
        ("configuration-error", "providers: []".to_owned()),
        ("configuration-warning", idle.to_string()),
        ("bodies-withheld", signed("1MiB")),
        ("buffer-too-small", signed("2MiB")),
        (
            "bodies-withheld-in-part",
            envoy(&configuration(&minted), &route(&json!({}))).to_string(),
        ),
        ("api-key-expired", key("OLD_KEY")),
        ("api-key-expires", key("ENDING_KEY")),
        ("not-an-api-key", key("OTHER_KEY")),
        ("cluster-with-tls", with_tls.to_string()),
        (
            "host-rewritten",
            envoy(&instances(), &route(&json!({"host_rewrite_literal": "x"}))).to_string(),
        ),
        (
            "virtual-host",
            envoy(&instances(), &route(&json!({}))).to_string(),
        ),
        (
            "prefix-kept",
            envoy(&below("deny"), &route(&json!({}))).to_string(),
        ),
        (
            "prefix-doubled",
            envoy(&below("deny"), &doubled).to_string(),
        ),
        (
            "webhook-ambiguous",
            configuration(&same_but_for_case).to_string(),
        ),
    ]
}

#[test]
fn every_rule_has_a_file_in_which_it_is_found() {
    let mut covered = BTreeSet::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check/wrong");
    for entry in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let lines = text.lines().filter_map(|line| line.split_once("# wrong: "));
        covered.extend(lines.flat_map(|(_, rules)| rules.split(' ').map(str::to_owned)));
    }
    let variables = [
        ("OLD_KEY", n8n::key(-60)),
        ("ENDING_KEY", n8n::key(24 * 3600)),
        ("OTHER_KEY", "0123456789abcdef0123456789abcdef".to_owned()),
    ];
    for (rule, file) in cases() {
        let found = found(&file, &variables);
        assert!(found.contains(rule), "{rule}: {found:?} in {file}");
        covered.insert(rule.to_owned());
    }
    assert_eq!(covered, known());
}

/// The page lists what the program knows.
#[test]
fn the_page_has_every_rule() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/check.md");
    let page = fs::read_to_string(page).unwrap();
    for rule in known() {
        assert!(page.contains(&format!("\n| `{rule}` | ")), "{rule}");
    }
}

/// What is near to a finding, and is none.
#[test]
fn what_is_right_is_not_reported() {
    let variables = [
        ("GOOD_KEY", n8n::key(90 * 24 * 3600)),
        ("OLD_FORM", format!("n8n_api_{}", "a1".repeat(40))),
    ];
    let key = |variable: &str| {
        configuration(
            &json!({"principals": [{"name": "app", "match": {"client": "app"},
            "grant": "workflow:list", "api_key": {"env": variable}}]}),
        )
        .to_string()
    };
    let apart = json!({"webhooks": [
        {"path": "/webhook/orders", "auth": "bearer"}, {"path": "/webhook/orders/*/x", "auth": "bearer"},
        {"path": "/webhook/**", "auth": "bearer"},
    ]});
    for file in [
        key("GOOD_KEY"),
        key("OLD_FORM"),
        configuration(&apart).to_string(),
        at_the_gate("failure_policy", json!("FAIL_CLOSED")),
        at_the_gate(
            "vm_config",
            json!({"environment_variables": {"host_env_keys": ["UNUSED"]}}),
        ),
    ] {
        assert_eq!(found(&file, &variables), BTreeSet::new(), "{file}");
    }
}
