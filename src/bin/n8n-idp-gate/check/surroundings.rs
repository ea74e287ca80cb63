//! What surrounds the gate in Envoy files and manifests: routes that rewrite the path after its decision,
//! plugins that let requests through when the module fails, filters before it, and Envoy's own settings.
//!
//! The filter cannot see them. Names of fields are compared in Envoy's form, `prefix_rewrite`,
//! and in that of Kubernetes, `prefixRewrite`.

mod admin;
mod connection_manager;
mod other_listener;
mod plugin;
mod properties;
mod request_authentication;
mod route;
mod tls;
mod vm;

use serde_json::{Map, Value};

use self::other_listener::Ways;
use self::properties::Properties;
use self::request_authentication::{gates_after, is_request_authentication, Workload};
use self::route::{Rewrite, Route};
use crate::diagnostic::rules::{
    HOST_REWRITTEN, OUTSIDE_PREFIX, PATH_REWRITTEN, PREFIX_DOUBLED, PREFIX_KEPT, SWITCHED_OFF,
};
use crate::diagnostic::{Finding, Place, Rule};
use crate::file::fields::{field, shown_path, snake};
use crate::file::search::is_configuration;

/// What routes must fit, from the configurations.
#[derive(Default)]
pub(crate) struct Gates {
    prefixes: Vec<String>,
    pass_outside: bool,
    go_by_host: bool,
    /// Whether a webhook rule admits clients by their certificates.
    go_by_certificate: bool,
    /// The names of the HTTP filters that hold a configuration.
    filters: Vec<String>,
    /// The properties of a request that the gate sets.
    properties: Properties,
    /// The pods in which the gate runs after Istio's own checks of tokens.
    after_istio: Vec<Workload>,
}

impl Gates {
    /// Adds a configuration.
    pub(crate) fn add(&mut self, configuration: &Value) {
        self.properties.add(configuration);
        let instances = configuration["instances"].as_array();
        self.go_by_host |= instances.is_some() || !configuration["hosts"].is_null();
        for gate in instances.into_iter().flatten().chain([configuration]) {
            if let Some(prefix) = gate["path_prefix"].as_str() {
                self.prefixes.push(prefix.trim_end_matches('/').to_owned());
            }
            self.pass_outside |= gate["outside"] == "pass";
            let mut rules = gate["webhooks"].as_array().into_iter().flatten();
            self.go_by_certificate |= rules.any(|rule| rule["auth"] == "certificate");
        }
    }

    /// Adds the names of the HTTP filters of a file.
    pub(crate) fn add_filters(&mut self, value: &Value) {
        match value {
            Value::Object(members) if is_configuration(members) => {}
            Value::Object(members) => {
                let config = field(members, "typed_config");
                if let (Some(Value::String(name)), Some(config)) = (members.get("name"), config) {
                    if holds_configuration(config) && !self.filters.contains(name) {
                        self.filters.push(name.clone());
                    }
                }
                members.values().for_each(|member| self.add_filters(member));
            }
            Value::Array(items) => items.iter().for_each(|item| self.add_filters(item)),
            _ => {}
        }
    }

    /// Adds the pods of a file in which the gate runs.
    pub(crate) fn add_workloads(&mut self, document: &Value) {
        gates_after(document, &mut self.after_istio);
    }

    /// Whether a filter that is switched off by this name may be the gate. If no file names it, any
    /// filter may be that is not Envoy's own.
    fn may_be(&self, filter: &str) -> bool {
        if self.filters.is_empty() {
            !filter.starts_with("envoy.")
        } else {
            self.filters.iter().any(|name| name == filter)
        }
    }
}

/// What was found in a file.
#[derive(Default)]
pub(crate) struct Surroundings {
    pub(crate) findings: Vec<Finding>,
    /// Whether there is something that surrounds a gate: routes, or checks of tokens by Istio.
    pub(crate) surrounds: bool,
}

/// Looks through a file.
pub(crate) fn look(documents: &[Value], gates: &Gates) -> Surroundings {
    let mut walk = Walk {
        gates,
        document: 0,
        steps: Vec::new(),
        routes: Vec::new(),
        ways: Ways::default(),
        found: Surroundings::default(),
    };
    for (number, document) in documents.iter().enumerate() {
        walk.document = number;
        walk.value(document);
    }
    walk.compare_routes();
    walk.compare_listeners();
    walk.found
}

struct Walk<'w> {
    gates: &'w Gates,
    /// The number of the document.
    document: usize,
    /// What leads to the value in it.
    steps: Vec<String>,
    routes: Vec<Route>,
    ways: Ways,
    found: Surroundings,
}

impl Walk<'_> {
    /// Looks at a value and at all values in it. Returns whether a configuration is among them.
    fn value(&mut self, value: &Value) -> bool {
        match value {
            Value::Object(members) if is_configuration(members) => true,
            Value::Object(members) => self.object(members),
            Value::Array(items) => {
                let mut holds = false;
                for (index, item) in items.iter().enumerate() {
                    self.steps.push(index.to_string());
                    holds |= self.value(item);
                    self.steps.pop();
                }
                holds
            }
            Value::String(text) => {
                self.properties(text);
                false
            }
            _ => false,
        }
    }

    fn object(&mut self, members: &Map<String, Value>) -> bool {
        let is_action = self.steps.last().is_some_and(|name| name == "route");
        let rewrites = route::rewrites(members, is_action, &self.gates.prefixes);
        self.found.surrounds |= route::is_routing(members);
        if is_request_authentication(members) {
            self.found.surrounds = true;
            self.request_authentication(members);
        }
        for (rewrite, name) in rewrites {
            match rewrite {
                Rewrite::Doubles => self.report(PREFIX_DOUBLED, &name, DOUBLES),
                Rewrite::Path => self.report(PATH_REWRITTEN, &name, REWRITES),
                Rewrite::Host if self.gates.go_by_host => self.report(HOST_REWRITTEN, &name, HOST),
                Rewrite::Fits | Rewrite::Host => {}
            }
        }
        let place = self.place(&[]);
        self.routes
            .extend(Route::of(members, place, &self.gates.prefixes));
        let is_bootstrap = ["static_resources", "dynamic_resources"]
            .into_iter()
            .any(|name| field(members, name).is_some());
        for (name, value) in members {
            match &*snake(name) {
                "typed_per_filter_config" => self.switched_off(name, value),
                "admin" if is_bootstrap => self.admin(name, value),
                _ => {}
            }
        }
        if self.gates.go_by_certificate {
            self.certificates(members);
        }
        let has_no_gate = other_listener::is_without_the_gate(members);
        let mut holds = false;
        for (name, value) in members {
            if has_no_gate && snake(name) == "route_config" {
                self.routes_without_the_gate(name, value);
                continue;
            }
            // A redirect gives the client another path, and the gate decides on the next request anew.
            if matches!(&*snake(name), "redirect" | "request_redirect") {
                continue;
            }
            self.steps.push(name.clone());
            holds |= self.value(value);
            self.steps.pop();
        }
        if holds {
            self.plugin(members);
            self.connection_manager(members);
            self.routes_with_the_gate(members);
        }
        if self.steps.is_empty() {
            self.shared_vms(members);
        }
        holds
    }

    fn switched_off(&mut self, field_name: &str, filters: &Value) {
        for (filter, config) in filters.as_object().into_iter().flatten() {
            if config["disabled"] == true && self.gates.may_be(filter) {
                self.steps.extend([field_name.to_owned(), filter.clone()]);
                self.report(SWITCHED_OFF, "disabled", plugin::SWITCHED_OFF);
                self.steps.truncate(self.steps.len().saturating_sub(2));
            }
        }
    }

    /// If the gate lets requests pass that are not below `path_prefix`, no route for them may lead to n8n.
    fn compare_routes(&mut self) {
        let fitting = self.routes.iter().filter(|route| route.fits);
        let clusters: Vec<&str> = fitting.map(|route| &*route.cluster).collect();
        let others = self.routes.iter().filter(|route| !route.fits);
        let around = others.filter(|route| clusters.contains(&&*route.cluster));
        let around: Vec<Finding> = around
            .filter(|_| self.gates.pass_outside)
            .map(|route| finding(OUTSIDE_PREFIX, route.place.clone(), OUTSIDE))
            .collect();
        if let (true, Some(first), true) = (
            clusters.is_empty(),
            self.routes.first(),
            !self.gates.prefixes.is_empty(),
        ) {
            let mut kept = finding(PREFIX_KEPT, first.place.clone(), NOT_REMOVED);
            kept.path.clear();
            self.found.findings.push(kept);
        }
        self.found.findings.extend(around);
    }

    /// Reports something at a field of the object. What follows the first blank of `name` is shown alone.
    fn report(&mut self, rule: &'static Rule, name: &str, sentence: &str) {
        let (field, rest) = name
            .find([':', ' '])
            .and_then(|end| name.split_at_checked(end))
            .unwrap_or((name, ""));
        let names: Vec<&str> = field.split('.').filter(|name| !name.is_empty()).collect();
        let mut finding = finding(rule, self.place(&names), sentence);
        finding.path.push_str(rest);
        self.found.findings.push(finding);
    }

    fn place(&self, names: &[&str]) -> Place {
        let names = names.iter().map(|name| (*name).to_owned());
        let steps = self.steps.iter().cloned().chain(names);
        Place::Value(self.document, steps.collect())
    }
}

/// A finding at a value.
fn finding(rule: &'static Rule, place: Place, sentence: &str) -> Finding {
    let path = match &place {
        Place::Value(_, steps) => shown_path(steps),
        Place::Position(_) => String::new(),
    };
    Finding::of_sentence(rule, place, &path, sentence, rule.remedy)
}

const REWRITES: &str = "the path is rewritten after the gate decided on it, so that n8n gets one \
     without a decision. Hint: remove it; for an n8n below a path, write path_prefix in the \
     configuration, and match that prefix with a slash at its end (prefix: /n8n/, \
     prefix_rewrite: /)";
const DOUBLES: &str =
    "n8n gets a path with two slashes, below which it serves nothing. Hint: match \
     the prefix with a slash at its end";
const HOST: &str = "the host is rewritten after the gate chose an instance by it. Hint: make \
     sure that the route leads to the n8n of that instance";
const OUTSIDE: &str = "leads to the n8n that is below path_prefix, and outside is pass: the \
     gate takes no decision here. Hint: remove the route, or outside";
const NOT_REMOVED: &str = "path_prefix is there, and no route removes it. Hint: match \
     prefix: /n8n/ and write prefix_rewrite: /";

fn holds_configuration(value: &Value) -> bool {
    match value {
        Value::Object(members) => {
            is_configuration(members) || members.values().any(holds_configuration)
        }
        Value::Array(items) => items.iter().any(holds_configuration),
        _ => false,
    }
}
