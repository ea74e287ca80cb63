//! Where clients find an n8n.

use std::net::Ipv4Addr;

use n8n_idp_gate::policy::Policy;
use serde_json::Value;

/// Where clients find an n8n: under which hosts, and below which path.
pub(crate) struct Site {
    /// The instance that it is, if there are several.
    pub(crate) instance: Option<String>,
    /// Its hosts, in lower case. None: those that the options name, or all of them.
    pub(crate) hosts: Vec<String>,
    /// The path below which it is, such as `/n8n`; empty: it is at the root.
    pub(crate) prefix: String,
    /// What is behind the names of its objects in Kubernetes, if there are several.
    label: Option<String>,
}

impl Site {
    /// Those of a policy, in the order of the configuration that it is read from.
    pub(crate) fn all(policy: &Policy, configuration: &Value) -> Vec<Self> {
        let list = configuration["instances"].as_array();
        let mut sites: Vec<Self> = Vec::new();
        for (index, instance) in policy.instances.iter().enumerate() {
            let own = list.and_then(|list| list.get(index));
            let hosts = match &own.unwrap_or(configuration)["hosts"] {
                Value::Array(hosts) => hosts.iter().filter_map(Value::as_str).collect(),
                host => Vec::from_iter(host.as_str()),
            };
            let hosts = hosts.into_iter().map(str::to_ascii_lowercase);
            let name = instance.name.as_deref();
            let label = name.map(|name| {
                let label = label(name);
                let is_taken = |other: &Self| other.label.as_deref() == Some(&label);
                if sites.iter().any(is_taken) {
                    // A number of its own, which no other name ends with after a dot.
                    format!("{label}.{index}")
                } else {
                    label
                }
            });
            sites.push(Self {
                instance: name.map(str::to_owned),
                hosts: hosts.collect(),
                prefix: instance.path_prefix().to_owned(),
                label,
            });
        }
        sites
    }

    /// Whether the templates need no other change for it than names.
    pub(crate) fn is_as_shipped(&self) -> bool {
        self.instance.is_none() && self.hosts.is_empty() && self.prefix.is_empty()
    }

    /// Its own name for an object of Kubernetes.
    pub(crate) fn named(&self, name: &str) -> String {
        match &self.label {
            Some(label) => format!("{name}-{label}"),
            None => name.to_owned(),
        }
    }

    /// A path of n8n as clients write it.
    pub(crate) fn below(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// An expression of paths at the root as one of the targets of requests below the prefix.
    pub(crate) fn expression_below(&self, expression: &str) -> String {
        format!("{}(?:{expression})(?:\\?.*)?", escaped(&self.prefix))
    }

    /// Refuses a host that the objects of Kubernetes cannot name, though Envoy can.
    pub(crate) fn check_hosts(&self, takes_addresses: bool) -> Result<(), String> {
        for host in &self.hosts {
            let labels = host.strip_prefix("*.").unwrap_or(host).split('.');
            let mut labels = labels.map(str::as_bytes);
            let is_plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            let ends_plain = |label: &[u8]| {
                [label.first(), label.last()]
                    .into_iter()
                    .all(|byte| byte.is_some_and(is_plain))
            };
            let is_label = |label: &[u8]| {
                ends_plain(label) && label.iter().all(|byte| is_plain(byte) || *byte == b'-')
            };
            if !labels.all(is_label) {
                return Err(format!(
                    "hosts: {host} is no name for the routes of this target, which take letters, digits and inner \
                     hyphens. Hint: give that n8n another host, or render `envoy`"
                ));
            }
            if !takes_addresses && host.parse::<Ipv4Addr>().is_ok() {
                return Err(format!(
                    "hosts: the Gateway API routes no address, such as {host}. Hint: give that n8n a name"
                ));
            }
        }
        Ok(())
    }
}

/// The name of an instance as a part of a name of Kubernetes (RFC 1123).
fn label(name: &str) -> String {
    let label = name.to_ascii_lowercase().replace('_', "-");
    label.trim_end_matches('-').to_owned()
}

/// A path as an expression that matches it alone.
fn escaped(path: &str) -> String {
    let mut escaped = String::new();
    for letter in path.chars() {
        if !letter.is_ascii_alphanumeric() && !matches!(letter, '/' | '-' | '_') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(host: &str) -> Site {
        Site {
            instance: None,
            hosts: vec![host.to_owned()],
            prefix: "/team.a".to_owned(),
            label: None,
        }
    }

    #[test]
    fn a_host_that_kubernetes_cannot_name_is_refused() {
        for host in ["n8n.example.com", "*.example.com", "a", "1-2.example"] {
            assert_eq!(at(host).check_hosts(false), Ok(()), "{host}");
        }
        for host in ["n8n_a.example.com", "-a.example.com", "a-.example", "*._x"] {
            let said = at(host).check_hosts(true).unwrap_err();
            assert!(
                said.contains(&format!("hosts: {host} is no name")),
                "{said}"
            );
        }
        assert_eq!(at("192.0.2.1").check_hosts(true), Ok(()));
        let said = at("192.0.2.1").check_hosts(false).unwrap_err();
        assert!(said.contains("routes no address"), "{said}");
    }

    #[test]
    fn what_is_below_a_path_is_matched_there_alone() {
        let site = at("n8n.example.com");
        assert_eq!(site.below("/chat"), "/team.a/chat");
        assert_eq!(
            site.expression_below("/a|/b"),
            r"/team\.a(?:/a|/b)(?:\?.*)?"
        );
        assert_eq!(label("Prod_2-"), "prod-2");
    }
}
