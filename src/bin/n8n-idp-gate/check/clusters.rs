//! Whether an Envoy file has the clusters through which its configuration calls providers.
//!
//! Envoy starts without them, and every call fails then.

use n8n_idp_gate::config::nearest;
use n8n_idp_gate::formats::printable::quoted;
use serde_json::Value;

use crate::file::fields::field;

/// What does not fit together.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Diagnostics {
    /// Calls that must fail.
    pub(crate) errors: Vec<String>,
    /// Calls that probably fail.
    pub(crate) warnings: Vec<String>,
}

/// Compares a configuration with the `static_resources` of its file. `null`: the clusters are not
/// known.
pub(crate) fn look(configuration: &Value, resources: &Value) -> Diagnostics {
    let mut found = Diagnostics::default();
    let Some(resources) = resources.as_object() else {
        return found;
    };
    let Some(Value::Array(clusters)) = field(resources, "clusters") else {
        return found;
    };
    let list = |name: &str| configuration[name].as_array().into_iter().flatten();
    let providers = list("providers").enumerate();
    let providers = providers.map(|(index, one)| (format!("providers[{index}]."), calls(one)));
    let instances = list("instances").enumerate();
    let instances = instances.map(|(index, one)| (format!("instances[{index}]."), to_n8n(one)));
    let top = (String::new(), to_n8n(configuration));
    for (at, calls) in providers.chain(instances).chain([top]) {
        for call in calls {
            let path = format!("{at}{}", call.field);
            let cluster = clusters
                .iter()
                .find(|cluster| cluster["name"] == call.cluster);
            match (cluster, call.is_https) {
                (None, _) => found.errors.push(absent(&path, call.cluster, clusters)),
                (Some(cluster), Some(true)) if !has_tls(cluster) => found.warnings.push(format!(
                    "{path}: an https URL is called through a cluster without \
                     transport_socket. Hint: add one of TLS to the cluster"
                )),
                (Some(cluster), Some(false)) if has_tls(cluster) => found.warnings.push(format!(
                    "{path}: an http URL is called through a cluster with a \
                     transport_socket. Hint: write https, or remove the transport_socket"
                )),
                _ => {}
            }
        }
    }
    found
}

/// A cluster that is called, and for which field.
struct Call<'c> {
    /// The field that names the cluster.
    field: &'static str,
    cluster: &'c str,
    /// Whether the URL begins with `https`, if it is known.
    is_https: Option<bool>,
}

fn scheme(address: &Value) -> Option<bool> {
    Some(address.as_str()?.starts_with("https:"))
}

/// The calls of the gate to one n8n: for users and keys, and for its description.
fn to_n8n(instance: &Value) -> Vec<Call<'_>> {
    let description = &instance["public_api"]["bearer_in_description"];
    let all = [
        ("n8n.cluster", &instance["n8n"]),
        ("public_api.bearer_in_description.cluster", description),
    ];
    let calls = all.into_iter().filter_map(|(field, n8n)| {
        n8n["cluster"].as_str().map(|cluster| Call {
            field,
            cluster,
            is_https: scheme(&n8n["uri"]).or(Some(false)),
        })
    });
    calls.collect()
}

fn calls(provider: &Value) -> Vec<Call<'_>> {
    let issuer = &provider["issuer"];
    // What is made of `tenant` or `domain` begins with https.
    let issuer = scheme(issuer.get(0).unwrap_or(issuer)).or(Some(true));
    let discovery = scheme(&provider["discovery_uri"]).or(issuer);
    let keys = scheme(&provider["jwks_uri"]);
    let keys_elsewhere = provider["jwks_cluster"].as_str();
    let first = keys.filter(|_| keys_elsewhere.is_none()).or(discovery);
    let inner = |name: &str| {
        let asked = &provider[name];
        (asked["cluster"].as_str(), scheme(&asked["uri"]))
    };
    let (introspection, introspection_scheme) = inner("introspection");
    let (userinfo, userinfo_scheme) = inner("userinfo");
    let all = [
        ("cluster", provider["cluster"].as_str(), first),
        ("jwks_cluster", keys_elsewhere, keys),
        ("introspection.cluster", introspection, introspection_scheme),
        ("userinfo.cluster", userinfo, userinfo_scheme),
    ];
    let calls = all.into_iter().filter_map(|(field, cluster, is_https)| {
        cluster.map(|cluster| Call {
            field,
            cluster,
            is_https,
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

fn absent(path: &str, cluster: &str, clusters: &[Value]) -> String {
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
    format!("{path}: the file has no cluster of this name, so that every call fails. Hint: {hint}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn looked(provider: &Value, clusters: &Value) -> Diagnostics {
        let configuration = json!({ "providers": [provider] });
        look(&configuration, &json!({ "clusters": clusters }))
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
            let said = format!(
                "providers[0].{field}: the file has no cluster of this name, so that every call \
                 fails. Hint: {hint}"
            );
            assert_eq!(looked(&provider, &clusters).errors, [said]);
        }
        let known = look(&json!({"providers": [{"cluster": "typo"}]}), &Value::Null);
        assert_eq!(known, Diagnostics::default());
        let listeners = json!({"listeners": []});
        let part = look(&json!({"providers": [{"cluster": "typo"}]}), &listeners);
        assert_eq!(part, Diagnostics::default());
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
            assert_eq!(found.errors, [""; 0], "{provider}");
            assert_eq!(
                found.warnings.len(),
                usize::from(field.is_some()),
                "{provider}"
            );
            if let Some(field) = field {
                let path = format!("providers[0].{field}: an http");
                assert!(found.warnings[0].starts_with(&path), "{:?}", found.warnings);
            }
        }
    }
}
