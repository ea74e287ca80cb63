//! Every manifest, judged by the definitions of Istio 1.32, Gateway API 1.6 and Envoy Gateway 1.9 as
//! an API server judges it, with their rules in CEL.

use std::env;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{json, Value};

use super::repository::{documents, files, root, yaml_blocks};

#[test]
fn every_manifest_is_accepted_by_an_api_server() {
    let (names, manifests): (Vec<_>, Vec<_>) = shipped().into_iter().unzip();
    for kind in [
        "BackendTrafficPolicy",
        "ClientTrafficPolicy",
        "DestinationRule",
        "EnvoyExtensionPolicy",
        "EnvoyFilter",
        "EnvoyProxy",
        "Gateway",
        "HTTPRoute",
        "NetworkPolicy",
        "VirtualService",
        "WasmPlugin",
    ] {
        let has_kind = |manifest: &Value| manifest["kind"] == kind;
        assert!(manifests.iter().any(has_kind), "no {kind} is shipped");
    }
    let faults = faults(&manifests);
    let faults: Vec<String> = faults
        .iter()
        .map(|(number, fault)| format!("{}: {fault}", names[*number]))
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_manifest_that_an_api_server_refuses_is_refused_here() {
    let all = shipped();
    let changed = |kind: &str, pointer: &str, member: &str, value: Value| {
        let found = all.iter().find(|(_, manifest)| manifest["kind"] == kind);
        let mut manifest = found.unwrap().1.clone();
        manifest.pointer_mut(pointer).unwrap()[member] = value;
        manifest
    };
    let cases = [
        // CEL: `must be a valid duration greater than 1ms`.
        (
            changed("VirtualService", "/spec/http/0", "timeout", json!("0s")),
            "spec.http[0].timeout: Invalid value: \"string\": must be a valid duration greater than 1ms",
        ),
        (
            changed("VirtualService", "/spec/http/0", "time_out", json!("1s")),
            "spec.http[0].time_out: unknown field",
        ),
        (
            changed("WasmPlugin", "/spec", "sha256", json!("abc")),
            "spec.sha256: Invalid value: \"abc\"",
        ),
        (
            changed("HTTPRoute", "/spec/rules/0/backendRefs/0", "port", json!(0)),
            "spec.rules[0].backendRefs[0].port: Invalid value: 0",
        ),
        // CEL: a service has a port.
        (
            changed("HTTPRoute", "/spec/rules/0", "backendRefs", json!([{"name": "n8n"}])),
            "Must have port for Service reference",
        ),
        (
            changed("EnvoyExtensionPolicy", "/spec", "targetRefs", json!([{
                "group": "", "kind": "Service", "name": "n8n",
            }])),
            "spec: Invalid value: \"object\": this policy can only have a targetRefs[*].group of",
        ),
        (
            changed("NetworkPolicy", "/spec", "ingres", json!([])),
            "unknown field \"ingres\"",
        ),
        (json!({"apiVersion": "v2", "kind": "Gateway", "metadata": {"name": "n8n"}}), "no such kind"),
    ];
    let (manifests, expected): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
    let faults = faults(&manifests);
    for (number, expected) in expected.into_iter().enumerate() {
        let mut own = faults.iter().filter(|(of, _)| *of == number);
        assert!(
            own.any(|(_, fault)| fault.contains(expected)),
            "{expected}: {faults:?}"
        );
    }
}

/// The manifests of the repository and of its pages, each with its file.
fn shipped() -> Vec<(String, Value)> {
    let mut texts = Vec::new();
    for file in files(&["yaml", "md"]) {
        let is_page = Path::new(&file.name)
            .extension()
            .is_some_and(|end| end == "md");
        if is_page {
            let blocks = yaml_blocks(&file.text).into_iter();
            texts.extend(blocks.map(|(line, text)| (format!("{}:{line}", file.name), text)));
        } else if file.name.starts_with("deploy/") {
            texts.push((file.name, file.text));
        }
    }
    let mut found = Vec::new();
    for (name, text) in texts {
        let manifests = documents(&name, &text).into_iter();
        let manifests =
            manifests.filter(|one| one["apiVersion"].is_string() && one["kind"].is_string());
        found.extend(manifests.map(|one| (name.clone(), one)));
    }
    found
}

/// What an API server would say, with the number of the manifest.
pub(crate) fn faults(manifests: &[Value]) -> Vec<(usize, String)> {
    let directory = installed();
    let mut judge = Command::new(directory.join("crds"))
        .arg(directory.join("definitions"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines: Vec<String> = manifests.iter().map(Value::to_string).collect();
    judge
        .stdin
        .take()
        .unwrap()
        .write_all(lines.join("\n").as_bytes())
        .unwrap();
    let output = judge.wait_with_output().unwrap();
    assert!(output.status.success(), "{:?}", output.status);
    let said = String::from_utf8(output.stdout).unwrap();
    let faults = said.lines().map(|line| {
        let (number, fault) = line.split_once('\t').unwrap();
        (number.parse().unwrap(), fault.to_owned())
    });
    faults.collect()
}

#[allow(
    clippy::disallowed_methods,
    reason = "make names the programs in the environment"
)]
fn installed() -> PathBuf {
    let path = env::var_os("CRDS_DIR").map_or_else(|| root().join(".local/crds"), PathBuf::from);
    assert!(
        path.exists(),
        "{} does not exist: `make crds`",
        path.display()
    );
    path
}
