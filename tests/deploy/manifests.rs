//! Tests of every manifest that has a plugin configuration.

use std::collections::BTreeSet;

use serde_json::Value;

use super::plugin::{clusters, Plugin};
use super::repository::{documents, files, File};

/// Manifests that must exist.
const EXPECTED: [&str; 4] = [
    "deploy/compose/listener.yaml",
    "deploy/envoy-gateway/policy.yaml",
    "deploy/istio/wasmplugin.yaml",
    "envoy.yaml",
];

/// A manifest, and the documents of its folder.
struct Manifest {
    file: File,
    plugins: Vec<Plugin>,
    folder: Vec<Value>,
}

fn manifests() -> Vec<Manifest> {
    let all: Vec<(File, Vec<Value>)> = files(&["yaml", "yml", "json"])
        .into_iter()
        .map(|file| {
            let documents = documents(&file.name, &file.text);
            (file, documents)
        })
        .collect();
    let folder_of = |name: &str| name.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    all.iter()
        .map(|(file, documents)| Manifest {
            file: file.clone(),
            plugins: documents.iter().flat_map(Plugin::all_in).collect(),
            folder: all
                .iter()
                .filter(|(other, _)| folder_of(&other.name) == folder_of(&file.name))
                .flat_map(|(_, documents)| documents.clone())
                .collect(),
        })
        .filter(|manifest| !manifest.plugins.is_empty())
        .collect()
}

/// Runs a check on every plugin and its manifest.
fn each(mut check: impl FnMut(&Manifest, &Plugin)) {
    for manifest in manifests() {
        for plugin in &manifest.plugins {
            check(&manifest, plugin);
        }
    }
}

#[test]
fn the_shipped_manifests_are_found() {
    let found: BTreeSet<String> = manifests()
        .into_iter()
        .map(|manifest| manifest.file.name)
        .collect();
    for expected in EXPECTED {
        assert!(
            found.contains(expected),
            "{expected} is not among {found:?}"
        );
    }
}

#[test]
fn every_configuration_loads_without_warnings_where_only_its_variables_are_set() {
    each(|manifest, plugin| {
        let name = &manifest.file.name;
        let loaded = plugin
            .load()
            .unwrap_or_else(|errors| panic!("{name}: {errors}"));
        assert_eq!(loaded.warnings, [], "{name}");
    });
}

#[test]
fn a_variable_that_is_not_handed_over_fails_the_manifest() {
    each(|manifest, plugin| {
        for variable in &plugin.variables {
            let mut lacking = plugin.clone();
            lacking.variables.remove(variable);
            let errors = lacking.load().unwrap_err().to_string();
            let problem = format!("the environment variable {variable} is not set");
            assert!(
                errors.contains(&problem),
                "{}: {errors}",
                manifest.file.name
            );
        }
    });
}

#[test]
fn every_manifest_fails_closed() {
    each(|manifest, plugin| assert!(plugin.fails_closed, "{}", manifest.file.name));
}

#[test]
fn no_manifest_writes_out_the_value_of_a_variable() {
    each(|manifest, plugin| assert!(!plugin.has_plain_values, "{}", manifest.file.name));
}

#[test]
fn every_cluster_that_is_called_is_declared_beside_the_configuration() {
    each(|manifest, plugin| {
        let declared = declared_clusters(manifest);
        for cluster in clusters(&plugin.load().unwrap().policy) {
            let name = &manifest.file.name;
            assert!(
                declared.contains(&cluster),
                "{name}: {cluster} is not among {declared:?}"
            );
        }
    });
}

#[test]
fn every_variable_is_put_into_the_proxy_beside_the_configuration() {
    for manifest in manifests() {
        // For `envoy.yaml`, the operator sets the environment when starting Envoy.
        if manifest.file.name == "envoy.yaml" {
            continue;
        }
        let given = given_variables(&manifest);
        for plugin in &manifest.plugins {
            assert_eq!(plugin.variables, given, "{}", manifest.file.name);
        }
    }
}

#[test]
fn every_provider_on_the_internet_is_called_over_tls_that_checks_the_name() {
    let checked = manifests()
        .iter()
        .flat_map(|manifest| &manifest.folder)
        .filter(|document| document["kind"] == "DestinationRule")
        // n8n is in the mesh, which has its own TLS.
        .filter(|rule| rule["metadata"]["name"] != "n8n")
        .map(|rule| {
            let tls = &rule["spec"]["trafficPolicy"]["tls"];
            let host = &rule["spec"]["host"];
            assert_eq!(tls["mode"], "SIMPLE");
            assert_eq!(&tls["sni"], host);
            assert_eq!(&tls["subjectAltNames"][0], host);
            assert!(tls["caCertificates"].is_string());
        })
        .count();
    assert_eq!(checked, 1);
}

/// The files of compose have their own addresses, plugin and provider's cluster, and a listener for
/// metrics with its cluster. The rest is equal.
#[test]
fn the_envoy_files_of_compose_differ_from_the_shipped_one_only_in_addresses_plugin_and_provider() {
    assert_eq!(
        without_surroundings(&compose_in_one_file()),
        without_surroundings(&document("envoy.yaml"))
    );
}

/// The bootstrap of compose with the listener that Envoy discovers, in place of that for metrics.
pub(crate) fn compose_in_one_file() -> Value {
    let mut bootstrap = document("deploy/compose/envoy.yaml");
    let mut listener = document("deploy/compose/listener.yaml")["resources"][0].clone();
    listener.as_object_mut().unwrap().remove("@type").unwrap();
    let members = bootstrap.as_object_mut().unwrap();
    members.remove("dynamic_resources").unwrap();
    members.remove("node").unwrap();
    let listeners = bootstrap["static_resources"]["listeners"]
        .as_array_mut()
        .unwrap();
    assert_eq!(listeners.len(), 1);
    assert_eq!(listeners[0]["name"], "metrics");
    listeners[0] = listener;
    bootstrap
}

fn document(name: &str) -> Value {
    let mut files = files(&["yaml"]).into_iter();
    let file = files.find(|file| file.name == name).unwrap();
    documents(name, &file.text).remove(0)
}

fn without_surroundings(document: &Value) -> Value {
    let mut document = document.clone();
    let resources = &mut document["static_resources"];
    resources["listeners"][0]["address"] = Value::Null;
    let manager = &mut resources["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"];
    let plugin = &mut manager["http_filters"][0]["typed_config"]["config"];
    plugin["configuration"] = Value::Null;
    plugin["vm_config"]["code"] = Value::Null;
    let clusters = resources["clusters"].as_array_mut().unwrap();
    clusters.retain(|cluster| cluster["name"] == "n8n");
    assert_eq!(clusters.len(), 1);
    clusters[0]["load_assignment"]["endpoints"] = Value::Null;
    document
}

/// The clusters of an Envoy file, those that Istio makes from service entries and from the services
/// that routes lead to, and those that a patch adds to Envoy Gateway's bootstrap.
fn declared_clusters(manifest: &Manifest) -> BTreeSet<String> {
    let mut declared = BTreeSet::new();
    let mut add = |name: &Value| declared.extend(name.as_str().map(str::to_owned));
    for document in &manifest.folder {
        let clusters = document["static_resources"]["clusters"].as_array();
        clusters
            .into_iter()
            .flatten()
            .for_each(|cluster| add(&cluster["name"]));
    }
    for document in &manifest.folder {
        let patches = document["spec"]["bootstrap"]["jsonPatches"].as_array();
        patches
            .into_iter()
            .flatten()
            .for_each(|patch| add(&patch["value"]["name"]));
        let routes = document["spec"]["http"].as_array().into_iter().flatten();
        let destinations = routes.flat_map(|route| route["route"].as_array().into_iter().flatten());
        for destination in destinations.map(|route| &route["destination"]) {
            if let (Some(host), port) = (destination["host"].as_str(), &destination["port"]) {
                add(&format!("outbound|{}||{host}", port["number"]).into());
            }
        }
        if document["kind"] != "ServiceEntry" {
            continue;
        }
        for host in document["spec"]["hosts"].as_array().unwrap() {
            for port in document["spec"]["ports"].as_array().unwrap() {
                let name = format!("outbound|{}||{}", port["number"], host.as_str().unwrap());
                add(&name.into());
            }
        }
    }
    declared
}

/// The variables of API keys that the other files of a manifest's folder put into the proxy's
/// environment.
fn given_variables(manifest: &Manifest) -> BTreeSet<String> {
    let mut given = BTreeSet::new();
    for document in &manifest.folder {
        let containers = document["spec"]["template"]["spec"]["containers"].as_array();
        let gateway = &document["spec"]["provider"]["kubernetes"]["envoyDeployment"]["container"];
        // The values of a chart have them at the top.
        let values = &document["envVarFrom"];
        let lists = containers.into_iter().flatten().chain([gateway]);
        let lists = lists.map(|container| &container["env"]).chain([values]);
        for list in lists {
            for variable in list.as_array().into_iter().flatten() {
                assert!(variable["valueFrom"]["secretKeyRef"].is_object());
                given.insert(variable["name"].as_str().unwrap().to_owned());
            }
        }
    }
    // docker-compose.yaml passes on keys.env, which this script writes.
    if manifest.file.name == "deploy/compose/listener.yaml" {
        let script = files(&["mjs"])
            .into_iter()
            .find(|file| file.name == "deploy/compose/provision.mjs")
            .unwrap();
        given.extend(
            script
                .text
                .lines()
                .filter_map(|line| {
                    line.trim()
                        .strip_prefix("variable: \"")?
                        .strip_suffix("\",")
                })
                .map(str::to_owned),
        );
    }
    given
}
