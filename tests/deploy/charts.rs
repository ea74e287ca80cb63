//! The charts of Istio's gateway and of Envoy Gateway with the values for them, as `helm template` writes
//! them: the API server takes the objects, and they are those that the manifests are about.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{json, Value};

use super::crds;
use super::envoy::installed;
use super::rendered::rendered;
use super::repository::{documents, root};

/// Configurations, of which the first is shipped, each with the options for it.
const GATES: [(&str, &[&str]); 4] = [
    ("deploy/istio/wasmplugin.yaml", &[]),
    ("tests/render/gate.yaml", &["--gateway", "edge"]),
    (
        "tests/render/signed.yaml",
        &["--key-host", "login=keys.example.net"],
    ),
    (
        "tests/render/several.yaml",
        &[
            "--n8n",
            "prod=n8n.prod.svc.cluster.local:5678",
            "--n8n",
            "test=n8n.test.svc.cluster.local:5678",
        ],
    ),
];

#[test]
fn the_gateway_of_istio_has_what_the_manifests_rely_on() {
    for (file, more) in GATES {
        let values = rendered("helm-values", file, more);
        let name = if more.contains(&"--gateway") {
            "edge"
        } else {
            "n8n-ingress"
        };
        let objects = chart("istio-gateway", name, "n8n-ingress", &values).unwrap();
        assert_eq!(crds::faults(&objects), [], "{file}");
        let deployment = of_kind(&objects, "Deployment");
        let pod = &deployment["spec"]["template"];
        let container = &pod["spec"]["containers"][0];
        let manifests = documents(file, &rendered("istio", file, more));
        let rule = manifests.iter().find(|one| {
            let selector = one.pointer("/spec/selector/matchLabels/istio");
            one["kind"] == "WasmPlugin" && selector == Some(&name.into())
                || one.pointer("/spec/workloadSelector/labels/istio") == Some(&name.into())
        });
        assert!(rule.is_some(), "{file}");
        for labels in [
            &pod["metadata"]["labels"],
            &deployment["spec"]["selector"]["matchLabels"],
        ] {
            assert_eq!(labels["istio"], name, "{file}");
        }
        let policy = of_kind(&manifests, "AuthorizationPolicy");
        let account = pod["spec"]["serviceAccountName"].as_str().unwrap();
        assert_eq!(
            policy["spec"]["rules"][0]["from"][0]["source"]["principals"],
            json!([format!("cluster.local/ns/n8n-ingress/sa/{account}")])
        );
        assert_eq!(
            of_kind(&objects, "ServiceAccount")["metadata"]["name"],
            account
        );
        // Each variable that the module is handed comes from the Secret.
        let variables = container["env"].as_array().unwrap();
        for variable in variables {
            let key = variable.pointer("/valueFrom/secretKeyRef/key");
            assert_eq!(key, Some(&variable["name"]), "{file}: {variable}");
        }
        let text = Value::from(manifests.clone()).to_string();
        for variable in variables {
            assert!(text.contains(&variable["name"].to_string()), "{variable}");
        }
        let has_plugin = manifests.iter().any(|one| one["kind"] == "WasmPlugin");
        if has_plugin {
            let plugin = of_kind(&manifests, "WasmPlugin");
            let handed = plugin["spec"]["vmConfig"]["env"].as_array().unwrap();
            assert_eq!(handed.len(), variables.len(), "{file}");
        }
        // Those of the chart are kept.
        let annotations = &pod["metadata"]["annotations"];
        assert_eq!(
            annotations["sidecar.istio.io/componentLogLevel"],
            "wasm:info"
        );
        assert_eq!(annotations["inject.istio.io/templates"], "gateway");
        let statistics = annotations["proxy.istio.io/config"].as_str().unwrap();
        let statistics = &documents("the annotation", statistics)[0]["proxyStatsMatcher"];
        let prefixes = json!(["wasmcustom.n8n_idp_gate"]);
        assert_eq!(statistics["inclusionPrefixes"], prefixes, "{file}");
        // An EnvoyFilter reads the module from the mounted image.
        let mounted = container["volumeMounts"][0]["mountPath"].as_str();
        assert_eq!(mounted.is_some(), !has_plugin, "{file}");
        if let Some(path) = mounted {
            assert!(text.contains(&format!("{path}/plugin.wasm")), "{file}");
            let image = &pod["spec"]["volumes"][0]["image"]["reference"];
            assert!(image.as_str().unwrap().contains("@sha256:"), "{image}");
        }
    }
}

#[test]
fn the_shipped_values_are_those_of_the_chart() {
    let shipped = std::fs::read_to_string(root().join("deploy/istio/gateway-values.yaml")).unwrap();
    let written = rendered("helm-values", "deploy/istio/wasmplugin.yaml", &[]);
    let [shipped, written] = [shipped, written]
        .map(|values| chart("istio-gateway", "n8n-ingress", "n8n-ingress", &values).unwrap());
    assert_eq!(shipped, written);
    // The chart's own schema would refuse a value that it does not read.
    let refused = chart(
        "istio-gateway",
        "n8n-ingress",
        "n8n-ingress",
        "envVarsFrom: []",
    );
    let refused = refused.unwrap_err();
    assert!(refused.contains("envVarsFrom"), "{refused}");
}

#[test]
fn envoy_gateway_takes_patches_with_the_values_for_them() {
    let path = root().join("deploy/envoy-gateway/chart-values.yaml");
    let values = std::fs::read_to_string(path).unwrap();
    let own = |values: &str| {
        let objects = chart("envoy-gateway", "eg", "envoy-gateway-system", values).unwrap();
        assert_eq!(crds::faults(&objects), []);
        let map = of_kind(&objects, "ConfigMap");
        let text = map["data"]["envoy-gateway.yaml"].as_str().unwrap();
        documents("the configuration", text).remove(0)
    };
    let mut with = own(&values);
    let without = own("");
    assert_eq!(
        with["extensionApis"]["enableEnvoyPatchPolicy"],
        Value::Bool(true)
    );
    with["extensionApis"] = without["extensionApis"].clone();
    assert_eq!(with, without);
}

/// The one object of a kind, or the first.
fn of_kind<'o>(objects: &'o [Value], kind: &str) -> &'o Value {
    let found = objects.iter().find(|object| object["kind"] == kind);
    found.unwrap_or_else(|| panic!("no {kind}"))
}

/// The objects of a chart, or what is wrong with the values.
fn chart(name: &str, release: &str, namespace: &str, values: &str) -> Result<Vec<Value>, String> {
    let directory: PathBuf = installed("CHARTS_DIR", ".local/charts");
    let mut helm = Command::new(directory.join("template"))
        .arg(directory.join(name))
        .args([release, namespace])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = helm.stdin.take().unwrap();
    stdin.write_all(values.as_bytes()).unwrap();
    drop(stdin);
    let output = helm.wait_with_output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    if !output.status.success() {
        return Err(err);
    }
    let objects = documents(name, &out).into_iter();
    Ok(objects.filter(|object| !object.is_null()).collect())
}
