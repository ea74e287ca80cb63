//! The files that `n8n-idp-gate render` writes around a configuration.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails at the first unexpected value"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

use serde::Deserialize as _;
use serde_json::{json, Value};
use serde_norway::Deserializer;

/// A configuration with two instances.
const SEVERAL: &str = "tests/render/several.yaml";

const TARGETS: [&str; 5] = ["istio", "envoy", "envoy-gateway", "compose", "helm-values"];

/// The end of the command, what it printed, and what it said was wrong.
fn run(arguments: &[&str]) -> (bool, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_n8n-idp-gate"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(arguments)
        .output()
        .unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    (output.status.success(), out, err)
}

fn rendered(target: &str, file: &str, more: &[&str]) -> String {
    let (is_good, text, problem) = run(&[&["render", target, file], more].concat());
    assert!(is_good, "{target}: {problem}");
    text
}

fn documents(text: &str) -> Vec<Value> {
    let documents = Deserializer::from_str(text).map(|document| {
        let value = serde_norway::Value::deserialize(document).unwrap();
        serde_json::to_value(value).unwrap()
    });
    documents.collect()
}

#[test]
fn every_target_is_as_it_was() {
    for target in TARGETS {
        insta::with_settings!({ snapshot_path => "render", prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(target, rendered(target, "tests/render/gate.yaml", &[]));
        });
    }
}

#[test]
fn compose_starts_the_version_of_n8n_that_the_configuration_names() {
    for (version, image) in [
        ("1.123", "n8nio/n8n:1.123.81"),
        ("1.123.80", "n8nio/n8n:1.123.80"),
        ("2.41", "n8nio/n8n:2.41.1"),
    ] {
        let file = format!("{}/render-{version}.yaml", env!("CARGO_TARGET_TMPDIR"));
        let text = format!(
            "providers: [{{ name: idp, issuer: \"https://idp.test\", audiences: [n8n], cluster: idp }}]\n\
             principals: [{{ name: a, match: {{ client: a }}, grant: tag:list, api_key: {{ env: N8N_KEY }} }}]\n\
             n8n_version: \"{version}\"\n"
        );
        fs::write(&file, text).unwrap();
        let all = documents(&rendered("compose", &file, &[]));
        assert_eq!(all[0]["services"]["n8n"]["image"], image, "{version}");
    }
}

/// The services of two instances, for the targets in Kubernetes.
const SERVICES: [&str; 4] = [
    "--n8n",
    "prod=n8n.prod.svc.cluster.local:5678",
    "--n8n",
    "test=flows.test.svc.cluster.local:5679",
];

/// The addresses of two instances.
const OWN: [&str; 4] = [
    "--n8n",
    "prod=n8n.prod.test:5678",
    "--n8n",
    "test=n8n.test.test:5679",
];

#[test]
fn several_instances_have_hosts_routes_and_clusters_of_their_own() {
    for (target, services) in [
        ("envoy", OWN),
        ("compose", OWN),
        ("istio", SERVICES),
        ("envoy-gateway", SERVICES),
    ] {
        let name = format!("{target}-several");
        let text = rendered(target, SEVERAL, &services);
        insta::with_settings!({ snapshot_path => "render", prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(name, text);
        });
    }
    for (target, more, said) in [
        ("envoy", &OWN[..2], "--n8n test=HOST:PORT"),
        (
            "envoy",
            &["--n8n", "n8n.prod.test:5678"],
            "INSTANCE=HOST:PORT",
        ),
        (
            "envoy",
            &["--n8n", "none=n8n.prod.test:5678"],
            "no instance none",
        ),
        ("istio", &OWN, "--n8n: Istio needs the service of n8n"),
        ("envoy-gateway", &OWN, "--n8n: Envoy Gateway needs"),
        ("istio", &SERVICES[..2], "--n8n test=HOST:PORT"),
    ] {
        let arguments = [&["render", target, SEVERAL], more].concat();
        let (is_good, _, problem) = run(&arguments);
        assert!(!is_good && problem.contains(said), "{more:?}: {problem}");
    }
    // The values have no addresses.
    let values = rendered("helm-values", SEVERAL, &[]);
    assert!(values.contains("name: N8N_KEY_TEST"), "{values}");
}

/// Two n8n whose hosts overlap: in Istio and in the Gateway API, a gateway or listener that named the hosts would give
/// the routes of the domain to the host below it.
#[test]
fn no_gateway_gives_the_routes_of_a_domain_to_the_host_of_another_n8n() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gate.yaml");
    let path = path.to_str().unwrap();
    let text = fs::read_to_string(SEVERAL).unwrap();
    fs::write(
        path,
        text.replace("n8n-test.corp.test, ", "")
            .replace("*.n8n-test.corp", "*.corp"),
    )
    .unwrap();
    let istio = documents(&rendered("istio", path, &SERVICES));
    let of = |documents: &[Value], kind: &str, pointer: &str| {
        let own = documents.iter().filter(|one| one["kind"] == kind);
        let values: Vec<_> = own.map(|one| one.pointer(pointer).cloned()).collect();
        values
    };
    let hosts = of(&istio, "Gateway", "/spec/servers/0/hosts");
    assert_eq!(hosts, [Some(json!(["./*"]))]);
    let hosts = of(&istio, "VirtualService", "/spec/hosts");
    assert_eq!(
        hosts,
        [Some(json!(["n8n.corp.test"])), Some(json!(["*.corp.test"]))]
    );
    let gateway = documents(&rendered("envoy-gateway", path, &SERVICES));
    let names = of(&gateway, "Gateway", "/spec/listeners/0/hostname");
    assert_eq!(names, [None]);
    let names = of(&gateway, "Gateway", "/spec/listeners/1");
    assert_eq!(names, [None]);
}

/// One n8n, whose hosts the configuration names, below a path.
#[test]
fn one_n8n_below_a_path_keeps_the_names_of_its_objects() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gate.yaml");
    let path = path.to_str().unwrap();
    let text = fs::read_to_string("tests/render/gate.yaml").unwrap();
    let text = text.replace(
        "public_api: { resource: https://n8n.example.com/api/v1 }",
        "",
    );
    let with = |more: &str| fs::write(path, format!("{text}{more}\n")).unwrap();
    with("path_prefix: /tools/n8n");
    let names = |text: &str| -> Vec<_> {
        let all = documents(text).into_iter();
        all.map(|one| (one["kind"].clone(), one["metadata"].clone()))
            .collect()
    };
    for target in ["istio", "envoy-gateway"] {
        let written = rendered(target, path, &[]);
        assert_eq!(
            names(&written),
            names(&rendered(target, "tests/render/gate.yaml", &[]))
        );
        assert!(written.contains("n8n.example.com"), "{written}");
        assert!(written.contains("\"/tools/n8n"), "{written}");
    }
    with("hosts: [Flows.example.com, '*.flows.example.com']");
    for (target, kind, pointer, expected) in [
        (
            "istio",
            "Gateway",
            "/spec/servers/0/hosts",
            json!(["./flows.example.com", "./*.flows.example.com"]),
        ),
        (
            "istio",
            "VirtualService",
            "/spec/hosts",
            json!(["flows.example.com", "*.flows.example.com"]),
        ),
        (
            "envoy-gateway",
            "HTTPRoute",
            "/spec/hostnames",
            json!(["flows.example.com", "*.flows.example.com"]),
        ),
    ] {
        let all = documents(&rendered(target, path, &[]));
        let mut own = all.iter().filter(|one| one["kind"] == kind).peekable();
        assert!(
            own.peek().is_some() && own.all(|one| one.pointer(pointer) == Some(&expected)),
            "{target} {kind}"
        );
    }
    let many: Vec<_> = ('a'..='q')
        .map(|letter| format!("{letter}.example"))
        .collect();
    for (target, more, said) in [
        (
            "istio",
            "hosts: n8n_a.example.com",
            "hosts: n8n_a.example.com is no name",
        ),
        (
            "envoy-gateway",
            "hosts: 192.0.2.1",
            "hosts: the Gateway API routes no address",
        ),
        (
            "envoy-gateway",
            &format!("hosts: [{}]", many.join(", ")),
            "hosts: an HTTPRoute has 16 at most",
        ),
    ] {
        with(more);
        let (is_good, _, problem) = run(&["render", target, path]);
        assert!(!is_good && problem.contains(said), "{more}: {problem}");
    }
}

/// A shadow makes no call. The clusters that it names are those that it would call in force.
#[test]
fn the_clusters_of_a_shadow_are_those_of_its_n8n() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gate.yaml");
    let path = path.to_str().unwrap();
    let shadow = "shadow:\n  n8n: { cluster: other, api_key: { env: A }, seed: { env: N8N_NEXT_SEED } }\n  public_api: \
                  { bearer_in_description: { cluster: other } }\n";
    let text = fs::read_to_string("tests/render/gate.yaml").unwrap();
    fs::write(path, format!("{text}{shadow}")).unwrap();
    for (target, cluster) in [
        ("envoy", "n8n"),
        ("istio", "outbound|5678||n8n.n8n.svc.cluster.local"),
        ("envoy-gateway", "n8n-idp-gate-n8n"),
    ] {
        let written = rendered(target, path, &[]);
        assert!(!written.contains("cluster: other"), "{written}");
        for field in [
            "n8n",
            "shadow.n8n",
            "shadow.public_api.bearer_in_description",
        ] {
            let line = format!("# {field}.cluster: {cluster} (");
            assert!(written.contains(&line), "{line}{written}");
        }
        assert!(written.contains("N8N_NEXT_SEED"), "{written}");
    }
    // One instance has provisioning in its shadow alone, and the description of the other has no cluster.
    let text = fs::read_to_string(SEVERAL).unwrap();
    let shadow = shadow.replace('\n', "\n    ");
    let more = "    public_api: { bearer_in_description: {} }";
    fs::write(path, format!("{text}    {}\n{more}\n", shadow.trim_end())).unwrap();
    let written = rendered("envoy", path, &OWN);
    for (field, cluster) in [
        ("instances[0].n8n", "n8n-prod"),
        ("instances[1].shadow.n8n", "n8n-test"),
        ("instances[1].public_api.bearer_in_description", "n8n-test"),
        (
            "instances[1].shadow.public_api.bearer_in_description",
            "n8n-test",
        ),
    ] {
        let line = format!("# {field}.cluster: {cluster} (");
        assert!(written.contains(&line), "{line}{written}");
    }
    fs::write(
        folder.path().join("envoy.yaml"),
        written.replace("  cluster: n8n-test", "  cluster: n8n-tset"),
    )
    .unwrap();
    let (_, said, _) = run(&["check", folder.path().join("envoy.yaml").to_str().unwrap()]);
    assert!(said.contains("instances[1].shadow.n8n.cluster"), "{said}");
}

#[test]
fn where_bodies_are_checked_they_are_handed_over() {
    let more = ["--key-host", "login=keys.example.net"];
    for target in ["istio", "envoy-gateway", "helm-values"] {
        let name = format!("{target}-signed");
        let text = rendered(target, "tests/render/signed.yaml", &more);
        insta::with_settings!({ snapshot_path => "render", prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(name, text);
        });
    }
    let text = rendered("envoy", "tests/render/signed.yaml", &more);
    assert!(text.contains("allow_on_headers_stop_iteration: true"));
}

#[test]
fn check_finds_nothing_in_what_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rendered.yaml");
    for (file, more) in [
        ("tests/render/gate.yaml", &[][..]),
        (
            "tests/render/signed.yaml",
            &["--key-host", "login=keys.example.net"],
        ),
        ("deploy/istio/wasmplugin.yaml", &[]),
        ("deploy/envoy-gateway/policy.yaml", &[]),
        ("envoy.yaml", &[]),
    ] {
        for target in ["istio", "envoy", "envoy-gateway"] {
            // Istio has no cluster for the address of its provider.
            if (target, file) == ("istio", "envoy.yaml") {
                continue;
            }
            fs::write(&path, rendered(target, file, more)).unwrap();
            let (is_good, said, problem) = run(&["check", path.to_str().unwrap()]);
            assert!(is_good, "{target} {file}: {said}{problem}");
            let warnings: Vec<_> = said
                .lines()
                .filter(|line| line.contains("warning:"))
                .collect();
            // The configuration itself calls over http, and names hosts of examples.
            let own = |line: &&&str| line.contains("http") || line.ends_with("[placeholder]");
            let warnings = warnings.iter().filter(|line| !own(line));
            assert_eq!(warnings.count(), 0, "{target} {file}: {said}");
        }
    }
    for (target, services) in [
        ("envoy", OWN),
        ("istio", SERVICES),
        ("envoy-gateway", SERVICES),
    ] {
        fs::write(&path, rendered(target, SEVERAL, &services)).unwrap();
        let (is_good, said, problem) = run(&["check", path.to_str().unwrap()]);
        assert!(is_good && problem.is_empty(), "{said}{problem}");
        assert!(!said.contains("warning:"), "{said}");
    }
}

#[test]
fn the_shipped_values_are_rendered_again() {
    let text = rendered("helm-values", "deploy/istio/wasmplugin.yaml", &[]);
    let shipped = fs::read_to_string("deploy/istio/gateway-values.yaml").unwrap();
    assert_eq!(documents(&text), documents(&shipped));
}

/// The shipped manifests are what is rendered of their own configuration.
#[test]
fn the_shipped_manifests_are_rendered_again() {
    for (target, folder, file, others) in [
        (
            "istio",
            "deploy/istio",
            "wasmplugin.yaml",
            &[
                "route.yaml",
                "limits.yaml",
                "access-log.yaml",
                "only-through-the-gateway.yaml",
            ][..],
        ),
        (
            "envoy-gateway",
            "deploy/envoy-gateway",
            "policy.yaml",
            &["limits.yaml", "route.yaml"],
        ),
    ] {
        let text = rendered(target, &format!("{folder}/{file}"), &[]);
        let mut written = documents(&text);
        let without_clusters = |document: &mut Value| {
            for pointer in ["/spec/pluginConfig", "/spec/wasm/0/config"] {
                let Some(configuration) = document.pointer_mut(pointer) else {
                    continue;
                };
                configuration["providers"][0]["cluster"] = Value::Null;
            }
        };
        written.iter_mut().for_each(without_clusters);
        for name in others.iter().chain([&file]) {
            let text = fs::read_to_string(Path::new(folder).join(name)).unwrap();
            for mut document in documents(&text) {
                without_clusters(&mut document);
                assert!(written.contains(&document), "{folder}/{name}: {document}");
            }
        }
    }
}

#[test]
fn a_wrong_configuration_or_option_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gate.yaml");
    let path = path.to_str().unwrap();
    let text = fs::read_to_string("tests/render/gate.yaml").unwrap();
    for (old, new, more, said) in [
        (
            "audiences: [api",
            "audiencs: [api",
            &[][..],
            "providers[1].audiencs",
        ),
        (
            "keys.example.com",
            "192.0.2.1",
            &[],
            "https://192.0.2.1:443: Istio has no cluster",
        ),
        (
            "tenant:",
            "jwks_cluster: other\n    tenant:",
            &[],
            "providers[0].jwks_cluster: the address",
        ),
        (
            "",
            "",
            &["--host", "n8n.example.com:443"],
            "'--host <HOST>'",
        ),
        ("", "", &["--sha256", "abc"], "'--sha256 <SHA256>'"),
        (
            "",
            "",
            &["--n8n", "192.0.2.1:5678"],
            "--n8n: Istio needs the service",
        ),
        (
            "",
            "",
            &["--image", "oci://registry.example.com/gate:1"],
            "'--image <IMAGE>'",
        ),
    ] {
        fs::write(path, text.replacen(old, new, 1)).unwrap();
        let (is_good, _, problem) = run(&[&["render", "istio", path], more].concat());
        assert!(!is_good, "{new}");
        assert!(problem.contains(said), "{new}: {problem}");
    }
}

#[test]
fn names_and_addresses_are_those_of_the_options() {
    let more = [
        ["--host", "flows.test"],
        ["--n8n", "flows.automation.svc.cluster.local:80"],
        ["--gateway", "edge"],
        ["--namespace", "edge-ns"],
        ["--certificate", "flows-cert"],
        ["--secret", "flow-keys"],
        ["--image", "registry.test/gate:2"],
        ["--gateway-class", "eg"],
    ]
    .concat();
    for target in ["istio", "envoy-gateway", "helm-values"] {
        let text = rendered(target, "tests/render/gate.yaml", &more);
        for shipped in [
            "n8n-ingress",
            "n8n-example-com",
            "n8n-api-keys",
            "5678",
            "n8n.n8n.",
        ] {
            assert!(!text.contains(shipped), "{target} has {shipped}:\n{text}");
        }
        assert_eq!(text, rendered(target, "tests/render/gate.yaml", &more));
    }
}

#[test]
fn no_value_of_a_variable_is_written() {
    let output = Command::new(env!("CARGO_BIN_EXE_n8n-idp-gate"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["render", "helm-values", "tests/render/gate.yaml"])
        .env(
            "N8N_GATE_SEED",
            "a-value-that-only-the-environment-has-0123456789",
        )
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("name: N8N_GATE_SEED"), "{text}");
    assert!(!text.contains("only-the-environment"));
}
