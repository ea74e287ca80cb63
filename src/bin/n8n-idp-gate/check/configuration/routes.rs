//! Whether Envoy's virtual hosts fit the instances of a configuration.
//!
//! The gate chooses an instance by the host, and Envoy the upstream. If they choose differently, one n8n
//! gets the API keys of another. The filter cannot see Envoy's routes; a check of the whole file can.

use std::collections::{BTreeMap, BTreeSet};

use n8n_idp_gate::http::HostPattern;
use serde_json::Value;

use crate::diagnostic::rules::{UNDECIDED_HOST, VIRTUAL_HOST};
use crate::diagnostic::Fault;

/// What does not fit in the `route_config` beside a configuration.
pub(crate) fn look(configuration: &Value, routes: &Value) -> Vec<Fault> {
    let instances = list(&configuration["instances"]);
    let virtual_hosts = list(&routes["virtual_hosts"]);
    let passes = configuration["other_hosts"] == "pass";
    let mut warnings = Vec::new();
    if passes {
        warnings = undecided(configuration, virtual_hosts);
    }
    if instances.is_empty() || virtual_hosts.is_empty() {
        return warnings;
    }
    let mut owners = BTreeMap::new();
    for (number, instance) in instances.iter().enumerate() {
        for host in texts(&instance["hosts"]) {
            owners.insert(host, number);
        }
    }
    let mut led = BTreeSet::new();
    for virtual_host in virtual_hosts {
        let name = virtual_host["name"].as_str().unwrap_or_default();
        let mut warn = |problem: String, hint: &str| {
            let problem = format!("virtual host {name:?} {problem}");
            warnings.push(Fault::new(VIRTUAL_HOST, "instances", problem, hint));
        };
        let mut led_to = BTreeSet::new();
        for domain in texts(&virtual_host["domains"]) {
            if let Some(owner) = owners.get(&domain) {
                led_to.insert(owner);
            } else if domain.contains(':') {
                let problem = format!(
                    "has the domain {domain:?}: with ports, Envoy chooses differently from the gate"
                );
                let hint = "remove the port, and set ignore_port_in_host_matching";
                warn(problem, hint);
            } else if !passes {
                let problem = format!("has the domain {domain:?}, which is no host of an instance");
                warn(problem, "remove the domain, or add it to an instance");
            }
            led.insert(domain);
        }
        if led_to.len() > 1 {
            let problem = "leads hosts of several instances to one n8n".to_owned();
            warn(problem, "make a virtual host for each instance");
        }
    }
    for host in owners.keys().filter(|host| !led.contains(*host)) {
        let problem = format!("no virtual host has the domain {host:?}");
        let hint = "add it to the virtual host of its n8n";
        warnings.push(Fault::new(VIRTUAL_HOST, "instances", problem, hint));
    }
    warnings
}

/// Domains that lead to an n8n and pass as those of another application.
fn undecided(configuration: &Value, virtual_hosts: &[Value]) -> Vec<Fault> {
    let instances = list(&configuration["instances"]).iter();
    let hosts = instances.chain([configuration]);
    let hosts = hosts.flat_map(|one| texts(&one["hosts"]));
    let hosts: Vec<_> = hosts.filter_map(|host| HostPattern::parse(&host)).collect();
    let is_decided = |domain: &str| {
        let name = domain.split_once(':').map_or(domain, |(name, _)| name);
        let domain = HostPattern::parse(name);
        domain.is_some_and(|domain| hosts.iter().any(|host| host.covers(&domain)))
    };
    let domains = virtual_hosts.iter().flat_map(|virtual_host| {
        let domains = texts(&virtual_host["domains"]).into_iter();
        domains.map(move |domain| (domain, clusters(virtual_host)))
    });
    let (of_n8n, others): (Vec<_>, Vec<_>) = domains.partition(|(domain, _)| is_decided(domain));
    let of_n8n: BTreeSet<_> = of_n8n
        .into_iter()
        .flat_map(|(_, clusters)| clusters)
        .collect();
    let others = others.iter();
    let undecided = others.filter(|(_, clusters)| !clusters.is_disjoint(&of_n8n));
    let undecided = undecided.map(|(domain, _)| {
        let problem = format!(
            "the domain {domain:?} is not in hosts and leads to n8n: its requests reach n8n without a decision"
        );
        let hint = "add it to hosts, or remove the route";
        Fault::new(UNDECIDED_HOST, "other_hosts", problem, hint)
    });
    undecided.collect()
}

/// The clusters that routes lead to.
pub(crate) fn clusters(value: &Value) -> BTreeSet<&str> {
    match value {
        Value::Object(members) => {
            let weighted = members.get("weighted_clusters");
            let weighted = weighted.and_then(|weighted| weighted.get("clusters"));
            let weighted = weighted.and_then(Value::as_array).into_iter().flatten();
            let weighted = weighted.filter_map(|one| one.get("name")?.as_str());
            let own = members.get("cluster").and_then(Value::as_str);
            own.into_iter()
                .chain(weighted)
                .chain(members.values().flat_map(clusters))
                .collect()
        }
        Value::Array(items) => items.iter().flat_map(clusters).collect(),
        _ => BTreeSet::new(),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// One text, or several, in lower case, as hosts are compared.
fn texts(value: &Value) -> Vec<String> {
    let one = std::slice::from_ref(value);
    let all = value.as_array().map_or(one, Vec::as_slice);
    let texts = all.iter().filter_map(Value::as_str);
    texts.map(str::to_ascii_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_domain_that_leads_to_n8n_without_a_decision_is_named() {
        let configuration = json!({"hosts": ["n8n.test", "*.n8n.test"], "other_hosts": "pass"});
        let to = |domains: Value, cluster: &str| json!({"domains": domains, "routes": [{"route": {"cluster": cluster}}]});
        let undecided =
            |virtual_hosts: Value| look(&configuration, &json!({ "virtual_hosts": virtual_hosts }));
        let n8n = to(json!(["n8n.test", "N8N.test:443", "a.n8n.test"]), "n8n");
        let shop = to(json!(["shop.test", "*"]), "shop");
        assert_eq!(undecided(json!([n8n, shop])), []);
        for domain in ["shop.test", "*", "*.test", "xn8n.test", "n8n.test.evil"] {
            let found = undecided(json!([n8n, to(json!([domain]), "n8n")]));
            assert_eq!(found.len(), 1, "{domain}: {found:?}");
            let problem = format!("the domain {domain:?} is not in hosts");
            assert!(found[0].message.starts_with(&problem), "{found:?}");
        }
    }

    fn warned(domains: [&[&str]; 2]) -> Vec<String> {
        let configuration = json!({ "instances": [
            { "name": "prod", "hosts": ["n8n.example.com"] },
            { "name": "test", "hosts": "*.Example.com" },
        ]});
        let [prod, test] = domains;
        let routes = json!({ "virtual_hosts": [
            { "name": "prod", "domains": prod },
            { "name": "test", "domains": test },
        ]});
        messages(&configuration, &routes)
    }

    fn messages(configuration: &Value, routes: &Value) -> Vec<String> {
        let found = look(configuration, routes).into_iter();
        found.map(|fault| fault.message).collect()
    }

    #[test]
    fn virtual_hosts_with_the_hosts_of_the_instances_are_not_warned_of() {
        assert_eq!(warned([&["n8n.example.com"], &["*.example.com"]]), [""; 0]);
        // One n8n for every host, and instances whose routes are elsewhere.
        let any = json!({ "virtual_hosts": [{ "name": "n8n", "domains": ["*"] }] });
        assert_eq!(messages(&json!({ "principals": [] }), &any), [""; 0]);
        let instances = json!({ "instances": [{ "name": "a", "hosts": "a.example" }] });
        assert_eq!(messages(&instances, &Value::Null), [""; 0]);
    }

    #[test]
    fn what_may_send_one_n8n_the_keys_of_another_is_warned_of() {
        for (domains, said) in [
            (
                [
                    &["n8n.example.com", "n8n.example.com:*"][..],
                    &["*.example.com"][..],
                ],
                "virtual host \"prod\" has the domain \"n8n.example.com:*\": with ports,",
            ),
            (
                [&["n8n.example.com"], &["*.example.com", "*"]],
                "virtual host \"test\" has the domain \"*\", which is no host",
            ),
            (
                [&["n8n.example.com", "*.example.com"], &[]],
                "virtual host \"prod\" leads hosts of several instances",
            ),
            (
                [&["n8n.example.com"], &[]],
                "no virtual host has the domain \"*.example.com\"",
            ),
        ] {
            let warned = warned(domains);
            assert_eq!(warned.len(), 1, "{warned:?}");
            assert!(warned[0].starts_with(said), "{warned:?}");
        }
    }
}
