//! Where clients find an n8n.

use n8n_idp_gate::policy::Policy;
use serde_json::{json, Value};

use super::template::put;

/// Where clients find an n8n: under which hosts, and below which path.
pub(crate) struct Site {
    /// The instance that it is, if there are several.
    pub(crate) instance: Option<String>,
    /// Its hosts. None: all of them.
    hosts: Vec<Value>,
    /// The path below which it is, such as `/n8n`; empty: it is at the root.
    prefix: String,
}

impl Site {
    /// Those of a policy, in the order of the configuration that it is read from.
    pub(crate) fn all(policy: &Policy, configuration: &Value) -> Vec<Self> {
        let list = configuration["instances"].as_array();
        let several = policy.instances.iter().enumerate();
        let sites = several.map(|(index, instance)| {
            let own = list.and_then(|list| list.get(index));
            let hosts = match own.map(|own| &own["hosts"]) {
                Some(Value::Array(hosts)) => hosts.clone(),
                Some(host @ Value::String(_)) => vec![host.clone()],
                _ => Vec::new(),
            };
            Self {
                instance: instance.name.as_deref().map(str::to_owned),
                hosts,
                prefix: instance.path_prefix().to_owned(),
            }
        });
        sites.collect()
    }

    /// The virtual host of the template as that of this n8n.
    pub(crate) fn virtual_host(&self, template: &Value, cluster: &str) -> Result<Value, String> {
        let mut host = template.clone();
        if let Some(instance) = &self.instance {
            put(&mut host, "/name", instance.as_str().into())?;
        }
        if !self.hosts.is_empty() {
            put(&mut host, "/domains", self.hosts.clone().into())?;
        }
        let routes = host.pointer_mut("/routes").and_then(Value::as_array_mut);
        for route in routes.into_iter().flatten() {
            put(route, "/route/cluster", cluster.into())?;
            self.below(route)?;
        }
        Ok(host)
    }

    /// A route at the root as one below the path, which takes the path off as the gate does. What it matches
    /// by an expression it matches by one on the whole target then: a route by an expression takes nothing off.
    fn below(&self, route: &mut Value) -> Result<(), String> {
        if self.prefix.is_empty() {
            return Ok(());
        }
        let expression = route
            .pointer("/match/safe_regex/regex")
            .and_then(Value::as_str);
        let expression = expression.map(|own| {
            let target = format!("{}(?:{own})(?:\\?.*)?", escaped(&self.prefix));
            json!([{ "name": ":path", "string_match": { "safe_regex": { "regex": target } } }])
        });
        let matched = route.get_mut("match").and_then(Value::as_object_mut);
        let matched = matched.ok_or("the template has a route that matches nothing")?;
        if let Some(headers) = expression {
            matched.remove("safe_regex");
            matched.insert("headers".to_owned(), headers);
        }
        let below = format!("{}/", self.prefix);
        matched.insert("prefix".to_owned(), below.into());
        let action = route.get_mut("route").and_then(Value::as_object_mut);
        let action = action.ok_or("the template has a route that leads nowhere")?;
        action.insert("prefix_rewrite".to_owned(), "/".into());
        Ok(())
    }
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
