//! What leads past the gate in Envoy files and manifests: routes that rewrite the path which the
//! gate judged, routes for which it is switched off, and plugins that let requests through when
//! the module fails.
//!
//! The filter sees none of that. Names of fields are compared in Envoy's form, `prefix_rewrite`,
//! and in that of Kubernetes, `prefixRewrite`.

mod route;

use serde_json::{Map, Value};

use self::route::{Rewrite, Route};
use crate::search::is_configuration;

/// What the configurations say that routes have to fit.
#[derive(Default)]
pub(crate) struct Gates {
    prefixes: Vec<String>,
    pass_outside: bool,
    go_by_host: bool,
    /// The names of the HTTP filters that hold a configuration.
    filters: Vec<String>,
}

impl Gates {
    /// Adds what a configuration says.
    pub(crate) fn add(&mut self, configuration: &Value) {
        let instances = configuration["instances"].as_array();
        self.go_by_host |= instances.is_some();
        for gate in instances.into_iter().flatten().chain([configuration]) {
            if let Some(prefix) = gate["path_prefix"].as_str() {
                self.prefixes.push(prefix.trim_end_matches('/').to_owned());
            }
            self.pass_outside |= gate["outside"] == "pass";
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

    /// Whether a filter that is switched off by this name may be the gate: where no file names it,
    /// any that is not Envoy's own.
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
    /// What leads past the gate.
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
        place: Vec::new(),
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
    place: Vec<String>,
    routes: Vec<Route>,
    found: Diagnostics,
}

impl Walk<'_> {
    /// Looks at a value and all in it; says whether a configuration is among that.
    fn value(&mut self, value: &Value) -> bool {
        match value {
            Value::Object(members) if is_configuration(members) => true,
            Value::Object(members) => self.object(members),
            Value::Array(items) => {
                let mut holds = false;
                for (index, item) in items.iter().enumerate() {
                    self.place.push(format!("[{index}]"));
                    holds |= self.value(item);
                    self.place.pop();
                }
                holds
            }
            _ => false,
        }
    }

    fn object(&mut self, members: &Map<String, Value>) -> bool {
        let is_action = self.place.last().is_some_and(|name| name == "route");
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
        let mut holds = false;
        for (name, value) in members {
            // A redirect tells the client another path, and the gate judges that anew.
            if matches!(&*snake(name), "redirect" | "request_redirect") {
                continue;
            }
            self.place.push(name.clone());
            holds |= self.value(value);
            self.place.pop();
        }
        if holds {
            self.failing_open(members);
        }
        holds
    }

    fn switched_off(&mut self, field_name: &str, filters: &Value) {
        for (filter, config) in filters.as_object().into_iter().flatten() {
            if config["disabled"] == true && self.gates.may_be(filter) {
                self.place.push(field_name.to_owned());
                self.bypass(&format!("{filter}.disabled"), SWITCHED_OFF);
                self.place.pop();
            }
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

    /// Callbacks that the host is not to call: it takes its default instead, which is "go on".
    /// Where nothing is listed, nothing is restricted.
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

    /// Where the gate lets pass what is not below `path_prefix`, such a route must not lead to n8n.
    fn compare_routes(&mut self) {
        let fitting = self.routes.iter().filter(|route| route.fits);
        let clusters: Vec<&str> = fitting.map(|route| &*route.cluster).collect();
        let mut bypasses = Vec::new();
        for route in self.routes.iter().filter(|route| !route.fits) {
            if self.gates.pass_outside && clusters.contains(&&*route.cluster) {
                bypasses.push(format!("{}: {OUTSIDE}", route.place));
            }
        }
        if !self.gates.prefixes.is_empty() && !self.routes.is_empty() && clusters.is_empty() {
            self.found.warnings.push(NOT_TAKEN_OFF.to_owned());
        }
        self.found.bypasses.extend(bypasses);
    }

    fn bypass(&mut self, name: &str, problem: &str) {
        let place = self.here(name);
        self.found.bypasses.push(format!("{place}: {problem}"));
    }

    fn warn(&mut self, name: &str, problem: &str) {
        let place = self.here(name);
        self.found.warnings.push(format!("{place}: {problem}"));
    }

    fn here(&self, name: &str) -> String {
        let mut place = String::new();
        for step in self.place.iter().map(String::as_str).chain([name]) {
            if !place.is_empty() && !step.is_empty() && !step.starts_with('[') {
                place.push('.');
            }
            place.push_str(step);
        }
        n8n_idp_gate::formats::printable::printable(&place, LONGEST_PLACE)
    }
}

/// The longest place that is named, in characters.
const LONGEST_PLACE: usize = 500;

const REWRITES: &str = "the path is rewritten after the gate has judged it, so that n8n gets one \
     that was not judged. Hint: take it out; for an n8n below a path, write path_prefix in the \
     configuration, and match that prefix with a slash at its end (prefix: /n8n/, \
     prefix_rewrite: /)";
const DOUBLES: &str = "n8n gets a path with two slashes, and serves nothing there. Hint: match \
     the prefix with a slash at its end";
const HOST: &str = "the host is rewritten after the gate has chosen an instance by it. Hint: see \
     that the route leads to the n8n of that instance";
const SWITCHED_OFF: &str = "the gate is switched off, and everything passes here. Hint: take it \
     out; what may pass is a matter of the configuration";
const FAILS_OPEN: &str = "every request passes when the module cannot be loaded or fails. Hint: \
     write FAIL_RELOAD or FAIL_CLOSED (failStrategy: FAIL_CLOSE, failOpen: false)";
/// The callbacks in which a request is held.
const HOLDING_CALLBACKS: [&str; 3] = [
    "proxy_on_request_headers",
    "proxy_on_request_body",
    "proxy_on_request_trailers",
];

const NOT_CALLED: &str = "the gate is not called for this part of a request, which then goes on \
     unjudged. Hint: list every name of scripts/wasm-exports.txt, or take the restriction out";
const OUTSIDE: &str = "leads to the n8n that is below path_prefix, and outside is pass: nothing \
     is judged here. Hint: take the route out, or outside";
const NOT_TAKEN_OFF: &str = "path_prefix is there, and no route takes it off. Hint: match \
     prefix: /n8n/ and write prefix_rewrite: /";

/// A member, under its name in Envoy's form or in that of Kubernetes.
pub(crate) fn field<'m>(members: &'m Map<String, Value>, name: &str) -> Option<&'m Value> {
    let found = members.iter().find(|(other, _)| snake(other) == name);
    found.map(|(_, value)| value)
}

/// A name in Envoy's form.
pub(crate) fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len());
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

fn holds_configuration(value: &Value) -> bool {
    match value {
        Value::Object(members) => {
            is_configuration(members) || members.values().any(holds_configuration)
        }
        Value::Array(items) => items.iter().any(holds_configuration),
        _ => false,
    }
}
