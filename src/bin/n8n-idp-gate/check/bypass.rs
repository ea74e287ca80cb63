//! Bypasses in Envoy files and manifests: routes that rewrite the path after the decision of the gate,
//! routes for which it is switched off, and plugins that let requests through when the module fails.
//!
//! The filter cannot see them. Names of fields are compared in Envoy's form, `prefix_rewrite`,
//! and in that of Kubernetes, `prefixRewrite`.

mod route;

use serde_json::{Map, Value};

use self::route::{Rewrite, Route};
use crate::file::fields::{field, snake};
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
}

impl Gates {
    /// Adds a configuration.
    pub(crate) fn add(&mut self, configuration: &Value) {
        let instances = configuration["instances"].as_array();
        self.go_by_host |= instances.is_some();
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
pub(crate) struct Diagnostics {
    /// The bypasses.
    pub(crate) bypasses: Vec<String>,
    /// What is probably not meant.
    pub(crate) warnings: Vec<String>,
    /// Whether there are routes at all.
    pub(crate) has_routes: bool,
}

/// Looks through a file.
pub(crate) fn look(documents: &[Value], gates: &Gates) -> Diagnostics {
    let mut walk = Walk {
        gates,
        path: Vec::new(),
        routes: Vec::new(),
        found: Diagnostics::default(),
    };
    for document in documents {
        walk.value(document);
    }
    walk.compare_routes();
    walk.found
}

struct Walk<'w> {
    gates: &'w Gates,
    path: Vec<String>,
    routes: Vec<Route>,
    found: Diagnostics,
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
                    self.path.push(format!("[{index}]"));
                    holds |= self.value(item);
                    self.path.pop();
                }
                holds
            }
            _ => false,
        }
    }

    fn object(&mut self, members: &Map<String, Value>) -> bool {
        let is_action = self.path.last().is_some_and(|name| name == "route");
        let rewrites = route::rewrites(members, is_action, &self.gates.prefixes);
        self.found.has_routes |= route::is_routing(members);
        for (rewrite, name) in rewrites {
            match rewrite {
                Rewrite::Doubles => self.warn(&name, DOUBLES),
                Rewrite::Path => self.bypass(&name, REWRITES),
                Rewrite::Host if self.gates.go_by_host => self.warn(&name, HOST),
                Rewrite::Fits | Rewrite::Host => {}
            }
        }
        self.routes
            .extend(Route::of(members, &self.here(""), &self.gates.prefixes));
        for (name, value) in members {
            if snake(name) == "typed_per_filter_config" {
                self.switched_off(name, value);
            }
        }
        if self.gates.go_by_certificate {
            self.certificates(members);
        }
        let mut holds = false;
        for (name, value) in members {
            // A redirect gives the client another path, and the gate decides on the next request anew.
            if matches!(&*snake(name), "redirect" | "request_redirect") {
                continue;
            }
            self.path.push(name.clone());
            holds |= self.value(value);
            self.path.pop();
        }
        if holds {
            self.failing_open(members);
        }
        holds
    }

    fn switched_off(&mut self, field_name: &str, filters: &Value) {
        for (filter, config) in filters.as_object().into_iter().flatten() {
            if config["disabled"] == true && self.gates.may_be(filter) {
                self.path.push(field_name.to_owned());
                self.bypass(&format!("{filter}.disabled"), SWITCHED_OFF);
                self.path.pop();
            }
        }
    }

    /// A TLS context of a listener, or how it verifies certificates.
    fn certificates(&mut self, members: &Map<String, Value>) {
        for (name, value) in members {
            let is_verification = snake(name) == "trust_chain_verification";
            if is_verification && (value == "ACCEPT_UNTRUSTED" || value.as_u64() == Some(1)) {
                self.bypass(&format!("{name}: ACCEPT_UNTRUSTED"), UNVERIFIED);
            }
        }
        let kind = members.get("@type").and_then(Value::as_str);
        if !kind.is_some_and(|kind| kind.ends_with(".DownstreamTlsContext")) {
            return;
        }
        let context = field(members, "common_tls_context").and_then(Value::as_object);
        let asks = context.is_some_and(|context| {
            let mut names = context.keys().map(|name| snake(name));
            names.any(|name| name.contains("validation_context"))
        });
        if !asks {
            self.warn("common_tls_context", ASKS_FOR_NONE);
        }
    }

    /// An object around a configuration: a plugin, or a filter.
    fn failing_open(&mut self, members: &Map<String, Value>) {
        let is_filter = members.get("name").is_some() && field(members, "typed_config").is_some();
        for (name, value) in members {
            let opens = match &*snake(name) {
                "failure_policy" => value == "FAIL_OPEN" || value.as_u64() == Some(3),
                "fail_strategy" => value == "FAIL_OPEN",
                "fail_open" => value == true,
                _ => false,
            };
            if opens {
                let says = value
                    .as_str()
                    .map_or(String::new(), |word| format!(": {word}"));
                self.bypass(&format!("{name}{says}"), FAILS_OPEN);
            }
            if is_filter && matches!(&*snake(name), "disabled" | "is_optional") && value == true {
                self.bypass(name, SWITCHED_OFF);
            }
            if snake(name) == "capability_restriction_config" {
                self.not_called(name, value);
            }
        }
    }

    /// Callbacks that the host must not call: it uses its default instead, which lets the request pass.
    /// If nothing is listed, nothing is restricted.
    fn not_called(&mut self, name: &str, restriction: &Value) {
        let members = restriction.as_object();
        let allowed = members.and_then(|members| field(members, "allowed_capabilities"));
        let allowed = allowed.and_then(Value::as_object);
        let Some(allowed) = allowed.filter(|allowed| !allowed.is_empty()) else {
            return;
        };
        for callback in HOLDING_CALLBACKS {
            if !allowed.contains_key(callback) {
                self.bypass(&format!("{name} without {callback}"), NOT_CALLED);
            }
        }
    }

    /// If the gate lets requests pass that are not below `path_prefix`, no route for them may lead to n8n.
    fn compare_routes(&mut self) {
        let fitting = self.routes.iter().filter(|route| route.fits);
        let clusters: Vec<&str> = fitting.map(|route| &*route.cluster).collect();
        let mut bypasses = Vec::new();
        for route in self.routes.iter().filter(|route| !route.fits) {
            if self.gates.pass_outside && clusters.contains(&&*route.cluster) {
                bypasses.push(format!("{}: {OUTSIDE}", route.at));
            }
        }
        if !self.gates.prefixes.is_empty() && !self.routes.is_empty() && clusters.is_empty() {
            self.found.warnings.push(NOT_REMOVED.to_owned());
        }
        self.found.bypasses.extend(bypasses);
    }

    fn bypass(&mut self, name: &str, problem: &str) {
        let path = self.here(name);
        self.found.bypasses.push(format!("{path}: {problem}"));
    }

    fn warn(&mut self, name: &str, problem: &str) {
        let path = self.here(name);
        self.found.warnings.push(format!("{path}: {problem}"));
    }

    fn here(&self, name: &str) -> String {
        let mut path = String::new();
        for step in self.path.iter().map(String::as_str).chain([name]) {
            if !path.is_empty() && !step.is_empty() && !step.starts_with('[') {
                path.push('.');
            }
            path.push_str(step);
        }
        n8n_idp_gate::formats::printable::printable(&path, LONGEST_PATH).into_owned()
    }
}

/// The longest path that a message shows, in characters.
const LONGEST_PATH: usize = 500;

const REWRITES: &str = "the path is rewritten after the gate decided on it, so that n8n gets one \
     without a decision. Hint: remove it; for an n8n below a path, write path_prefix in the \
     configuration, and match that prefix with a slash at its end (prefix: /n8n/, \
     prefix_rewrite: /)";
const DOUBLES: &str =
    "n8n gets a path with two slashes, below which it serves nothing. Hint: match \
     the prefix with a slash at its end";
const HOST: &str = "the host is rewritten after the gate chose an instance by it. Hint: make \
     sure that the route leads to the n8n of that instance";
const UNVERIFIED: &str =
    "the listener accepts certificates that it has not verified, and a rule with \
     auth: certificate trusts the names in them: any client could make one. Hint: remove it";
const ASKS_FOR_NONE: &str = "the listener asks no client for a certificate, and a rule with auth: \
     certificate refuses all. Hint: write validation_context with the trusted_ca of the clients, unless \
     certificates come from a proxy";
const SWITCHED_OFF: &str = "the gate is switched off, and everything passes here. Hint: remove \
     it; the configuration says which requests pass";
const FAILS_OPEN: &str = "every request passes when the module cannot be loaded or fails. Hint: \
     write FAIL_RELOAD or FAIL_CLOSED (failStrategy: FAIL_CLOSE, failOpen: false)";
/// The callbacks in which the gate can stop a request.
const HOLDING_CALLBACKS: [&str; 3] = [
    "proxy_on_request_headers",
    "proxy_on_request_body",
    "proxy_on_request_trailers",
];

const NOT_CALLED: &str = "the gate is not called for this part of a request, which then passes \
     without a decision. Hint: list every name of scripts/wasm-exports.txt, or remove the restriction";
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
