//! Whether an Envoy file has the clusters through which its configuration calls providers.
//!
//! Envoy starts without them, and every call fails then.

mod tls;

use std::borrow::Cow;
use std::collections::BTreeMap;

use n8n_idp_gate::config::nearest;
use n8n_idp_gate::formats::printable::quoted;
use serde_json::Value;

use crate::diagnostic::rules::{CLUSTER_WITHOUT_TLS, CLUSTER_WITH_TLS, UNKNOWN_CLUSTER};
use crate::diagnostic::Fault;
use crate::file::fields::field;

/// Compares a configuration with the `static_resources` of its file. `null`: the clusters are not
/// known. `elsewhere` has clusters of other files by their names.
pub(crate) fn look(
    configuration: &Value,
    resources: &Value,
    elsewhere: &BTreeMap<String, Value>,
) -> Vec<Fault> {
    let known = resources.as_object();
    let known = known.and_then(|resources| field(resources, "clusters")?.as_array());
    let mut found = Vec::new();
    for (path, call) in all_calls(configuration) {
        let named = |cluster: &&Value| cluster["name"] == call.cluster;
        let cluster = known.and_then(|clusters| clusters.iter().find(named));
        let cluster = match known {
            Some(_) => cluster,
            None => elsewhere.get(call.cluster),
        };
        match (cluster, known) {
            (Some(cluster), _) => found.extend(mismatch(&path, &call, cluster)),
            (None, Some(clusters)) => found.push(absent(&path, call.cluster, clusters)),
            (None, None) => {}
        }
    }
    found
}

/// Adds the clusters of a document, wherever they are in it.
pub(in super::super) fn add_clusters(value: &Value, clusters: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(members) => {
            let is_cluster = ["load_assignment", "transport_socket", "connect_timeout"]
                .into_iter()
                .any(|name| field(members, name).is_some());
            if let (Some(Value::String(name)), true) = (members.get("name"), is_cluster) {
                clusters.insert(name.clone(), value.clone());
            }
            for member in members.values() {
                add_clusters(member, clusters);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| add_clusters(item, clusters)),
        _ => {}
    }
}

/// What does not fit between a call and its cluster.
fn mismatch(path: &str, call: &Call<'_>, cluster: &Value) -> Vec<Fault> {
    match (call.is_https(), has_tls(cluster)) {
        (Some(true), false) => vec![Fault::new(
            CLUSTER_WITHOUT_TLS,
            path,
            "an https URL is called through a cluster without transport_socket",
            "add one of TLS to the cluster",
        )],
        (Some(false), true) => vec![Fault::new(
            CLUSTER_WITH_TLS,
            path,
            "an http URL is called through a cluster with a transport_socket",
            "write https, or remove the transport_socket",
        )],
        (Some(true), true) => tls::look(path, call.host().as_deref(), cluster),
        _ => Vec::new(),
    }
}

/// Every call of a configuration, with the field path of its cluster. A shadow makes none, and is put in force as
/// it is.
fn all_calls(configuration: &Value) -> Vec<(String, Call<'_>)> {
    let list = |name: &str| configuration[name].as_array().into_iter().flatten();
    let providers = list("providers").enumerate();
    let providers = providers.map(|(index, one)| (format!("providers[{index}]."), calls(one)));
    let instances = list("instances").enumerate();
    let instances = instances.map(|(index, one)| (format!("instances[{index}]."), to_n8n(one)));
    let shadows = list("instances").enumerate().map(|(index, one)| {
        let calls = to_n8n(&one["shadow"]);
        (format!("instances[{index}].shadow."), calls)
    });
    let top = (String::new(), to_n8n(configuration));
    let shadow = ("shadow.".to_owned(), to_n8n(&configuration["shadow"]));
    let all = providers.chain(instances).chain(shadows);
    let all = all.chain([top, shadow]);
    let mut named = Vec::new();
    for (at, calls) in all {
        named.extend(
            calls
                .into_iter()
                .map(|call| (format!("{at}{}", call.field), call)),
        );
    }
    named
}

/// A cluster that is called, and for which field.
struct Call<'c> {
    /// The field that names the cluster.
    field: &'static str,
    cluster: &'c str,
    /// The URL, if it is known.
    url: Option<Cow<'c, str>>,
}

impl Call<'_> {
    /// Whether the URL begins with `https`.
    fn is_https(&self) -> Option<bool> {
        Some(self.url.as_ref()?.starts_with("https:"))
    }

    /// The host of the URL, without its port.
    fn host(&self) -> Option<String> {
        let (_, rest) = self.url.as_ref()?.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next()?;
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => authority,
        };
        (!host.is_empty()).then(|| host.to_ascii_lowercase())
    }
}

fn text(value: &Value) -> Option<Cow<'_, str>> {
    value.as_str().map(Cow::Borrowed)
}

/// The calls of the gate to one n8n: for users and keys, and for its description.
fn to_n8n(instance: &Value) -> Vec<Call<'_>> {
    let description = &instance["public_api"];
    let description = &description["bearer_in_description"];
    let all = [
        ("n8n.cluster", &instance["n8n"]),
        ("public_api.bearer_in_description.cluster", description),
    ];
    let calls = all.into_iter().filter_map(|(field, n8n)| {
        n8n["cluster"].as_str().map(|cluster| Call {
            field,
            cluster,
            url: text(&n8n["uri"]).or(Some("http:".into())),
        })
    });
    calls.collect()
}

fn calls(provider: &Value) -> Vec<Call<'_>> {
    let issuer = &provider["issuer"];
    // What is made of `tenant` or `domain` begins with https.
    let domain = provider["domain"].as_str();
    let made = || domain.map_or("https:".into(), |domain| format!("https://{domain}").into());
    let issuer = text(issuer.get(0).unwrap_or(issuer)).or_else(|| Some(made()));
    let discovery = text(&provider["discovery_uri"]).or(issuer);
    let keys = text(&provider["jwks_uri"]);
    let keys_elsewhere = provider["jwks_cluster"].as_str();
    let first = keys.clone().filter(|_| keys_elsewhere.is_none());
    let inner = |name: &str| {
        let asked = &provider[name];
        (asked["cluster"].as_str(), text(&asked["uri"]))
    };
    let (introspection, introspection_uri) = inner("introspection");
    let (userinfo, userinfo_uri) = inner("userinfo");
    let all = [
        ("cluster", provider["cluster"].as_str(), first.or(discovery)),
        ("jwks_cluster", keys_elsewhere, keys),
        ("introspection.cluster", introspection, introspection_uri),
        ("userinfo.cluster", userinfo, userinfo_uri),
    ];
    let calls = all.into_iter().filter_map(|(field, cluster, url)| {
        cluster.map(|cluster| Call {
            field,
            cluster,
            url,
        })
    });
    calls.collect()
}

fn has_tls(cluster: &Value) -> bool {
    let members = cluster.as_object();
    members.is_some_and(|members| {
        ["transport_socket", "transport_socket_matches"]
            .into_iter()
            .any(|name| field(members, name).is_some())
    })
}

fn absent(path: &str, cluster: &str, clusters: &[Value]) -> Fault {
    let names = clusters
        .iter()
        .filter_map(|cluster| cluster["name"].as_str());
    let hint = match nearest(cluster, names.clone()) {
        Some(near) => format!("did you mean {}?", quoted(near)),
        None => format!(
            "it has {}",
            names.map(quoted).collect::<Vec<_>>().join(", ")
        ),
    };
    let problem = "the file has no cluster of this name, so that every call fails";
    Fault::new(UNKNOWN_CLUSTER, path, problem, hint)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn looked(provider: &Value, clusters: &Value) -> Vec<Fault> {
        let resources = json!({ "clusters": clusters });
        looked_at(&json!({ "providers": [provider] }), &resources)
    }

    fn looked_at(configuration: &Value, resources: &Value) -> Vec<Fault> {
        look(configuration, resources, &BTreeMap::new())
    }

    #[test]
    fn a_cluster_that_is_not_there_is_named_with_the_nearest() {
        let clusters = json!([{"name": "n8n"}, {"name": "idp"}]);
        for (provider, field, hint) in [
            (json!({"cluster": "id"}), "cluster", "did you mean \"idp\"?"),
            (
                json!({"cluster": "typo"}),
                "cluster",
                "it has \"n8n\", \"idp\"",
            ),
            (
                json!({"jwks_cluster": "idp2"}),
                "jwks_cluster",
                "did you mean \"idp\"?",
            ),
            (
                json!({"introspection": {"cluster": "Idp"}}),
                "introspection.cluster",
                "did you mean \"idp\"?",
            ),
            (
                json!({"userinfo": {"cluster": "idpp"}}),
                "userinfo.cluster",
                "did you mean \"idp\"?",
            ),
        ] {
            let path = format!("providers[0].{field}");
            let said = "the file has no cluster of this name, so that every call fails";
            let fault = Fault::new(UNKNOWN_CLUSTER, path, said, hint);
            assert_eq!(looked(&provider, &clusters), [fault]);
        }
        let known = looked_at(&json!({"providers": [{"cluster": "typo"}]}), &Value::Null);
        assert_eq!(known, []);
        let listeners = json!({"listeners": []});
        let part = looked_at(&json!({"providers": [{"cluster": "typo"}]}), &listeners);
        assert_eq!(part, []);
    }

    #[test]
    fn an_address_and_a_cluster_that_do_not_fit_are_warned_of() {
        let clusters = json!([
            {"name": "plain"},
            {"name": "tls", "transport_socket": {"name": "tls"}},
            {"name": "some", "transportSocketMatches": []},
        ]);
        for (provider, field) in [
            (
                json!({"issuer": "https://a", "cluster": "plain"}),
                Some("cluster"),
            ),
            (json!({"domain": "a", "cluster": "plain"}), Some("cluster")),
            (
                json!({"issuer": ["http://a"], "cluster": "tls"}),
                Some("cluster"),
            ),
            (
                json!({"issuer": "https://a", "jwks_uri": "http://a", "cluster": "tls"}),
                Some("cluster"),
            ),
            (
                json!({"issuer": "https://a", "cluster": "tls", "jwks_uri": "https://b", "jwks_cluster": "plain"}),
                Some("jwks_cluster"),
            ),
            (
                json!({"issuer": "https://a", "introspection": {"uri": "https://a", "cluster": "plain"}}),
                Some("introspection.cluster"),
            ),
            (
                json!({"issuer": "https://a", "userinfo": {"uri": "http://a", "cluster": "tls"}}),
                Some("userinfo.cluster"),
            ),
            (json!({"issuer": "https://a", "cluster": "tls"}), None),
            (json!({"issuer": "https://a", "cluster": "some"}), None),
            (json!({"issuer": ["http://a"], "cluster": "plain"}), None),
            (
                json!({"issuer": "https://a", "jwks_uri": "http://a", "cluster": "plain"}),
                None,
            ),
            (
                json!({"issuer": "https://a", "cluster": "tls", "jwks_cluster": "plain"}),
                None,
            ),
        ] {
            let found = looked(&provider, &clusters);
            let paths: Vec<_> = found.iter().map(|fault| fault.path.clone()).collect();
            let expected = field.map(|field| format!("providers[0].{field}"));
            assert_eq!(
                paths,
                expected.into_iter().collect::<Vec<_>>(),
                "{provider}"
            );
            assert!(found
                .iter()
                .all(|fault| fault.rule.id.starts_with("cluster-with")));
        }
    }
}
