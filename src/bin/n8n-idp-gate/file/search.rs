//! The search for configurations in a document.
//!
//! A configuration is recognized by where it is: other filters have `providers` of their own.

use std::rc::Rc;

use n8n_idp_gate::config::yaml::{step, Odd, YamlFault};
use n8n_idp_gate::formats::printable::printable;
use serde_json::{json, Map, Value};

use super::fields::{field, shown_path, snake};
use super::found::{Found, Origin, Variables};
use super::installation::{buffer, Installation};
use super::text::{is_manifest, Texts};
use crate::diagnostic::rules::READ_DIFFERENTLY;
use crate::diagnostic::{Finding, Place};

/// The name of the one member of the mark that replaces a configuration. No file has it.
const MARK: &str = "\u{fdd0}configuration";

/// Whether a value is the mark that replaced a configuration of this filter.
pub(crate) fn is_configuration(members: &Map<String, Value>) -> bool {
    members.contains_key(MARK)
}

/// Whether a whole document is a configuration. A text in another file needs more of its fields.
pub(crate) fn is_whole_configuration(value: &Value, is_file: bool) -> bool {
    let has = |name: &str| value.get(name).is_some();
    let has_rules = OWN_FIELDS.into_iter().any(has);
    !is_manifest(value)
        && if is_file {
            has_own_providers(value) || has_rules
        } else {
            has("providers") && has_rules
        }
}

/// Fields of a configuration that other filters do not have.
const OWN_FIELDS: [&str; 3] = ["principals", "instances", "webhooks"];

/// Whether a value has `providers` that may be the gate's. `jwt_authn` has a map of that name, and
/// oauth2-proxy a list beside fields of its own.
fn has_own_providers(value: &Value) -> bool {
    let has = |name: &str| value.get(name).is_some();
    match value.get("providers") {
        None => false,
        Some(Value::Object(_)) => OWN_FIELDS.into_iter().any(has),
        Some(_) => !["upstreamConfig", "injectRequestHeaders", "server"]
            .into_iter()
            .any(has),
    }
}

/// What is around a value in its file.
#[derive(Clone)]
pub(crate) struct Around<'d> {
    odd: &'d [Odd],
    texts: usize,
    routes: Rc<Value>,
    resources: Rc<Value>,
    name: String,
    installation: Installation,
    /// What Envoy holds of a request, in bytes.
    buffer: Option<u64>,
    /// The environment variables that the plugin gets.
    variables: Option<Variables>,
    /// Where the document is.
    origin: Origin,
}

impl<'d> Around<'d> {
    pub(crate) fn of(root: &Value, odd: &'d [Odd], texts: usize, origin: Origin) -> Self {
        let has_more = ["cds_config", "cdsConfig"]
            .into_iter()
            .filter_map(|name| root.get("dynamic_resources")?.get(name))
            .any(|resources| !resources.is_null());
        let resources = if has_more {
            Value::Null
        } else {
            root.get("static_resources").cloned().unwrap_or_default()
        };
        let name = root.pointer("/metadata/name").and_then(Value::as_str);
        let name = name.unwrap_or_default();
        Self {
            odd,
            texts,
            routes: Rc::default(),
            resources: Rc::new(resources),
            name: name.to_owned(),
            installation: Installation::Unknown,
            buffer: None,
            variables: None,
            origin,
        }
    }

    /// Where the value at a JSON pointer is.
    fn origin_of(&self, at: &str) -> Origin {
        let mut origin = self.origin.clone();
        if !origin.is_in_text {
            origin.steps = at.split('/').skip(1).map(name_of_step).collect();
        }
        origin
    }
}

/// The name or number that is a step of a JSON pointer.
fn name_of_step(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

/// A search for configurations, which replaces texts that are YAML by their content.
pub(crate) struct Search {
    pub(crate) texts: Texts,
    pub(crate) found: Vec<Found>,
}

impl Search {
    pub(crate) fn root(
        &mut self,
        root: &mut Value,
        around: &Around<'_>,
        is_configuration: bool,
    ) -> Result<(), YamlFault> {
        if is_configuration {
            let configuration = root.take();
            *root = self.take(configuration, ["", ""], around, Vec::new());
            return Ok(());
        }
        self.value(root, "", around)
    }

    fn value(&mut self, value: &mut Value, at: &str, around: &Around<'_>) -> Result<(), YamlFault> {
        match value {
            Value::Object(members) => {
                let mut around = around.clone();
                if members.contains_key("filter_chains") {
                    around.buffer = buffer(members);
                }
                if let Some(routes) = members.get("route_config") {
                    around.routes = Rc::new(routes.clone());
                }
                self.plugins(members, at, &around);
                for (name, member) in members {
                    self.value(member, &format!("{at}{}", step(name)), &around)?;
                }
                Ok(())
            }
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.value(item, &format!("{at}/{index}"), around)?;
                }
                Ok(())
            }
            Value::String(text) if may_hold_a_manifest(text) => {
                let inner = match self.texts.yaml(text) {
                    Ok(documents) => documents,
                    Err(fault) if fault.is_of_a_bound() => return Err(fault),
                    Err(_) => return Ok(()),
                };
                if !inner.iter().any(|document| document.value.is_object()) {
                    return Ok(());
                }
                let texts = around.texts.checked_sub(1).ok_or(YamlFault::TooDeep)?;
                let mut values = Vec::new();
                for document in inner {
                    let mut value = document.value;
                    let origin = Origin {
                        is_in_text: true,
                        ..around.origin_of(at)
                    };
                    let root = Around::of(&value, &document.odd, texts, origin);
                    let is_whole = is_whole_configuration(&value, false);
                    self.root(&mut value, &root, is_whole)?;
                    values.push(value);
                }
                *value = match values.pop() {
                    Some(only) if values.is_empty() => only,
                    last => Value::Array(values.into_iter().chain(last).collect()),
                };
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Takes the configurations out of the plugins of an object.
    fn plugins(&mut self, members: &mut Map<String, Value>, at: &str, around: &Around<'_>) {
        let name = |members: &Map<String, Value>| {
            let name = members.get("name").and_then(Value::as_str);
            name.map_or_else(|| around.name.clone(), str::to_owned)
        };
        let own = name(members);
        let is_named = names_the_gate(members);
        let variables = Variables::of_istio(members);
        for (member, value) in members {
            let at = format!("{at}{}", step(member));
            match (&*snake(member), value) {
                ("plugin_config", value) => {
                    let around = Around {
                        name: own.clone(),
                        installation: Installation::Istio,
                        variables: Some(variables.clone()),
                        ..around.clone()
                    };
                    self.plugin(value, &at, &around, is_named, false);
                }
                ("wasm", Value::Array(items)) => {
                    for (index, item) in items.iter_mut().enumerate() {
                        let Some(item) = item.as_object_mut() else {
                            continue;
                        };
                        let is_named = names_the_gate(item);
                        let around = Around {
                            name: name(item),
                            installation: Installation::EnvoyGateway,
                            variables: Some(Variables::of_envoy_gateway(item)),
                            ..around.clone()
                        };
                        if let Some(config) = item.get_mut("config") {
                            let at = format!("{at}/{index}/config");
                            self.plugin(config, &at, &around, is_named, false);
                        }
                    }
                }
                ("typed_config", Value::Object(typed)) => {
                    let around = Around {
                        name: own.clone(),
                        ..around.clone()
                    };
                    self.filter(typed, at, &around, own.contains("n8n-idp-gate"));
                }
                _ => {}
            }
        }
    }

    /// A filter of Envoy: a wasm filter, as itself or as a `TypedStruct`.
    fn filter(
        &mut self,
        mut typed: &mut Map<String, Value>,
        mut at: String,
        around: &Around<'_>,
        is_named: bool,
    ) {
        let is_typed = |members: &Map<String, Value>, name: &str, end: &str| {
            let found = field(members, name).and_then(Value::as_str);
            found.is_none_or(|found| found.ends_with(end))
        };
        let is_struct = typed.get("@type").and_then(Value::as_str);
        if is_struct.is_some_and(|name| name.ends_with("TypedStruct")) {
            if !is_typed(typed, "type_url", WASM_FILTER) {
                return;
            }
            let Some(Value::Object(inner)) = typed.get_mut("value") else {
                return;
            };
            typed = inner;
            at += "/value";
        } else if !is_typed(typed, "@type", WASM_FILTER) {
            return;
        }
        let Some(Value::Object(config)) = typed.get_mut("config") else {
            return;
        };
        let is_named = is_named || names_the_gate(config);
        let around = &Around {
            installation: Installation::of_envoy(config),
            variables: Variables::of_envoy(config),
            ..around.clone()
        };
        if let Some(configuration) = config.get_mut("configuration") {
            at += "/config/configuration";
            self.plugin(configuration, &at, around, is_named, true);
        }
    }

    /// The configuration of a plugin, if it is this filter's. In an Envoy file it has a type.
    fn plugin(
        &mut self,
        slot: &mut Value,
        at: &str,
        around: &Around<'_>,
        is_named: bool,
        is_any: bool,
    ) {
        let mut problems = Vec::new();
        let typed = slot.as_object().filter(|members| {
            is_any && (members.contains_key("@type") || members.contains_key("value"))
        });
        let typed_value = typed.is_some();
        let content = match typed {
            Some(members) => {
                let value = members.get("value").cloned().unwrap_or_default();
                let kind = members.get("@type").and_then(Value::as_str);
                let kind = kind.map(|kind| kind.rsplit('.').next().unwrap_or_default());
                let fits = match kind {
                    Some("StringValue") => value.is_string(),
                    Some("Struct") => value.is_object(),
                    Some(_) => false,
                    None => true,
                };
                if !fits {
                    problems.push(misread(around, at, MISFIT));
                }
                value
            }
            None => slot.clone(),
        };
        let says_providers = match &content {
            Value::Object(_) => has_own_providers(&content),
            // A text that is no JSON is refused, and may be the gate's.
            Value::String(text) => {
                let read = serde_json::from_str(text);
                text.contains("providers") && read.map_or(true, |value| has_own_providers(&value))
            }
            _ => false,
        };
        if !(is_named || says_providers) {
            return;
        }
        let content_at = if typed_value {
            format!("{at}/value")
        } else {
            at.to_owned()
        };
        *slot = self.take(content, [at, &content_at], around, problems);
    }

    /// Takes a configuration. `at` are the pointers to it with its type, and without.
    fn take(
        &mut self,
        content: Value,
        [at, content_at]: [&str; 2],
        around: &Around<'_>,
        mut problems: Vec<Finding>,
    ) -> Value {
        let within = around.odd.iter().filter(|odd| {
            let below = odd.pointer.strip_prefix(at);
            below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
        });
        problems.extend(within.map(|odd| misread(around, &odd.pointer, &odd.form.to_string())));
        problems.truncate(MOST_PROBLEMS);
        let mut origin = around.origin_of(content_at);
        origin.is_in_text |= content.is_string();
        let (handed, configuration) = match content {
            Value::String(text) => {
                let configuration = serde_json::from_str(&text).unwrap_or_default();
                (text.into_bytes(), configuration)
            }
            other => (other.to_string().into_bytes(), other),
        };
        let name = printable(&around.name, LONGEST_NAME);
        self.found.push(Found {
            name: if name.is_empty() {
                "the whole file".to_owned()
            } else {
                name.into_owned()
            },
            handed,
            configuration,
            problems,
            routes: Rc::clone(&around.routes),
            resources: Rc::clone(&around.resources),
            installation: around.installation,
            buffer: around.buffer,
            variables: around.variables.clone(),
            origin,
        });
        json!({ MARK: self.found.len() })
    }
}

/// What programs read differently at a JSON pointer.
fn misread(around: &Around<'_>, at: &str, sentence: &str) -> Finding {
    let Origin {
        document, steps, ..
    } = around.origin_of(at);
    let path = shown_path(&steps);
    Finding::of_sentence(
        READ_DIFFERENTLY,
        Place::Value(document, steps),
        &path,
        sentence,
        MISFIT_HINT,
    )
}

const WASM_FILTER: &str = "envoy.extensions.filters.http.wasm.v3.Wasm";

const MISFIT: &str = "`value` is not of the `@type` beside it";

const MISFIT_HINT: &str =
    "write google.protobuf.Struct for YAML, google.protobuf.StringValue for a text of JSON";

/// The longest name that a message repeats, in characters.
const LONGEST_NAME: usize = 100;

/// The most problems of reading that are reported of one configuration.
const MOST_PROBLEMS: usize = 100;

/// Whether the fields of a plugin, except its configuration, name the module of this filter.
fn names_the_gate(members: &Map<String, Value>) -> bool {
    let mut about = members.iter().filter(|(name, _)| {
        !matches!(
            &*snake(name),
            "configuration" | "config" | "plugin_config" | "typed_config"
        )
    });
    about.any(|(_, value)| {
        let text = value.to_string();
        text.contains("n8n-idp-gate") || text.contains("n8n_idp_gate")
    })
}

fn may_hold_a_manifest(text: &str) -> bool {
    let words = [
        "providers",
        "rewrite",
        "Rewrite",
        "per_filter_config",
        "PerFilterConfig",
    ];
    text.contains(':') && words.iter().any(|word| text.contains(word))
}
