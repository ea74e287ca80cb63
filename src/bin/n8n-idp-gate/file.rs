//! Configurations in files: alone, or inside a manifest of Envoy or Istio.
//!
//! A configuration is known by where it stands: other filters have `providers` of their own.

use std::path::Path;
use std::rc::Rc;

use n8n_idp_gate::config::yaml::{step, Odd, YamlFault};
use n8n_idp_gate::config::{self, Environment, Loaded};
use n8n_idp_gate::formats::printable::printable;
use n8n_idp_gate::secret::Secret;
use serde_json::{json, Map, Value};

use crate::bypass::{field, snake};
use crate::input;
use crate::text::{is_manifest, json, Texts};

/// The environment of this process, with a stand-in for what is not set unless that is asked for:
/// where configurations are checked, the secrets should not be.
pub(crate) struct ProcessEnvironment {
    pub(crate) is_required: bool,
}

impl Environment for ProcessEnvironment {
    #[allow(
        clippy::disallowed_methods,
        reason = "this is the twin's reader of the environment"
    )]
    fn secret(&self, name: &str) -> Option<Secret> {
        let value = std::env::var(name).ok();
        let stand_in = || (!self.is_required).then(|| "not-set".to_owned());
        value.or_else(stand_in).map(Secret::new)
    }
}

/// A YAML or JSON file, with what texts in it hold put in their place.
pub(crate) struct Manifest {
    /// What is in it, with a mark in the place of each configuration.
    pub(crate) documents: Vec<Value>,
    /// Every configuration of this filter in it.
    pub(crate) configurations: Vec<Found>,
}

/// A configuration of this filter in a file.
pub(crate) struct Found {
    /// What the filter or the plugin is called.
    pub(crate) name: String,
    /// What the filter is handed.
    handed: Vec<u8>,
    /// What that says; `null` where it is no JSON.
    pub(crate) configuration: Value,
    /// Why the filter would not be handed that, or something else than it looks like.
    problems: Vec<String>,
    /// The `route_config` of the Envoy listener that it stands in, if it stands in one.
    pub(crate) routes: Rc<Value>,
    /// The `static_resources` of the Envoy file that it stands in, if it stands in one that has all
    /// clusters.
    pub(crate) resources: Rc<Value>,
}

impl Found {
    /// Reads it as the filter would.
    pub(crate) fn load(&self, environment: &dyn Environment) -> Result<Loaded, String> {
        if !self.problems.is_empty() {
            let problems = self.problems.iter();
            let lines: Vec<_> = problems.map(|problem| format!("\n  {problem}.")).collect();
            let lines = lines.concat();
            return Err(format!("cannot be read as Envoy and Kubernetes do:{lines}"));
        }
        config::load(&self.handed, environment).map_err(|errors| errors.to_string())
    }
}

/// How deep texts may stand in texts: a configuration in an Envoy file in a `ConfigMap` is two.
const MAX_TEXTS: usize = 3;

impl Manifest {
    /// Reads a file, whatever is in it.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let text = input::text(path)?;
        let say = |problem: String| format!("{}: {problem}", input::shown(path));
        let texts = Texts::default();
        let is_json = path
            .extension()
            .is_some_and(|extension| extension == "json");
        let read = if is_json {
            json(&text)
        } else {
            texts.yaml(&text).map_err(|fault| fault.to_string())
        };
        let mut search = Search {
            texts,
            found: Vec::new(),
        };
        let mut documents = Vec::new();
        for document in read.map_err(say)? {
            let mut value = document.value;
            let root = Around::of(&value, &document.odd, MAX_TEXTS);
            let is_whole = is_bare(&value, true);
            let done = search.root(&mut value, &root, is_whole);
            done.map_err(|fault| say(fault.to_string()))?;
            documents.push(value);
        }
        Ok(Self {
            documents,
            configurations: search.found,
        })
    }

    /// The configuration of this name or number in a file; where none is given, the only one.
    pub(crate) fn one_configuration(path: &Path, choice: Option<&str>) -> Result<Found, String> {
        let found = Self::read(path)?.configurations;
        if found.is_empty() {
            return Err(without_configuration(path));
        }
        let list = || {
            let names = (1_usize..).zip(&found);
            let names = names.map(|(number, found)| format!("\n  {number}: {}", found.name));
            names.collect::<String>()
        };
        let shown = input::shown(path);
        let chosen: Vec<usize> = match choice {
            None => (0..found.len()).collect(),
            Some(choice) => {
                let number = choice
                    .parse::<usize>()
                    .ok()
                    .and_then(|number| number.checked_sub(1));
                let numbered = number.filter(|number| *number < found.len());
                let names = found.iter().enumerate();
                let matching = names.filter(|(_, found)| found.name == choice);
                let matching = matching.map(|(number, _)| number);
                numbered.map_or_else(|| matching.collect(), |number| vec![number])
            }
        };
        match *chosen {
            [only] => found
                .into_iter()
                .nth(only)
                .ok_or_else(|| without_configuration(path)),
            [] => Err(format!(
                "{shown}: no configuration of that name or number:{}",
                list()
            )),
            _ => Err(format!(
                "{shown}: {} configurations; choose one with --name, by its name or number:{}",
                chosen.len(),
                list()
            )),
        }
    }
}

pub(crate) fn without_configuration(path: &Path) -> String {
    let path = input::shown(path);
    format!(
        "{path}: no configuration of the gate with providers in it: looked at the whole file, at \
         wasm filters, and at plugins of Istio and Envoy Gateway"
    )
}

/// The name of the one member of what stands in the place of a configuration. No file has it.
const MARK: &str = "\u{fdd0}configuration";

/// Whether a value stands in the place of a configuration of this filter.
pub(crate) fn is_configuration(members: &Map<String, Value>) -> bool {
    members.contains_key(MARK)
}

/// Whether a whole document is a configuration. A text in another file has to look like one more.
fn is_bare(value: &Value, is_file: bool) -> bool {
    let has = |name: &str| value.get(name).is_some();
    let has_rules = ["principals", "instances", "webhooks"].into_iter().any(has);
    !is_manifest(value)
        && if is_file {
            has("providers") || has_rules
        } else {
            has("providers") && has_rules
        }
}

/// What is known of the surroundings of a value.
#[derive(Clone)]
struct Around<'d> {
    odd: &'d [Odd],
    texts: usize,
    routes: Rc<Value>,
    resources: Rc<Value>,
    name: String,
}

impl<'d> Around<'d> {
    fn of(root: &Value, odd: &'d [Odd], texts: usize) -> Self {
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
        }
    }
}

/// A search for configurations, which puts what texts hold in their place.
struct Search {
    texts: Texts,
    found: Vec<Found>,
}

impl Search {
    fn root(
        &mut self,
        root: &mut Value,
        around: &Around<'_>,
        is_configuration: bool,
    ) -> Result<(), YamlFault> {
        if is_configuration {
            let configuration = root.take();
            *root = self.take(configuration, "", around, Vec::new());
            return Ok(());
        }
        self.value(root, "", around)
    }

    fn value(&mut self, value: &mut Value, at: &str, around: &Around<'_>) -> Result<(), YamlFault> {
        match value {
            Value::Object(members) => {
                let mut around = around.clone();
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
                    let root = Around::of(&value, &document.odd, texts);
                    let is_whole = is_bare(&value, false);
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

    /// Takes the configurations out of what an object says of plugins.
    fn plugins(&mut self, members: &mut Map<String, Value>, at: &str, around: &Around<'_>) {
        let name = |members: &Map<String, Value>| {
            let name = members.get("name").and_then(Value::as_str);
            name.map_or_else(|| around.name.clone(), str::to_owned)
        };
        let own = name(members);
        let is_named = speaks_of_gate(members);
        for (member, value) in members {
            let at = format!("{at}{}", step(member));
            match (&*snake(member), value) {
                ("plugin_config", value) => {
                    let around = Around {
                        name: own.clone(),
                        ..around.clone()
                    };
                    self.plugin(value, &at, &around, is_named, false);
                }
                ("wasm", Value::Array(items)) => {
                    for (index, item) in items.iter_mut().enumerate() {
                        let Some(item) = item.as_object_mut() else {
                            continue;
                        };
                        let is_named = speaks_of_gate(item);
                        let around = Around {
                            name: name(item),
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
        let is_named = is_named || speaks_of_gate(config);
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
                    problems.push(MISFIT.to_owned());
                }
                value
            }
            None => slot.clone(),
        };
        let says_providers = match &content {
            Value::Object(members) => members.contains_key("providers"),
            Value::String(text) => text.contains("providers"),
            _ => false,
        };
        if !(is_named || says_providers) {
            return;
        }
        *slot = self.take(content, at, around, problems);
    }

    fn take(
        &mut self,
        content: Value,
        at: &str,
        around: &Around<'_>,
        mut problems: Vec<String>,
    ) -> Value {
        let within = around.odd.iter().filter(|odd| {
            let below = odd.pointer.strip_prefix(at);
            below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
        });
        problems.extend(within.map(|odd| format!("line {}: {}", odd.line, odd.form)));
        problems.truncate(MOST_PROBLEMS);
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
                name
            },
            handed,
            configuration,
            problems,
            routes: Rc::clone(&around.routes),
            resources: Rc::clone(&around.resources),
        });
        json!({ MARK: self.found.len() })
    }
}

const WASM_FILTER: &str = "envoy.extensions.filters.http.wasm.v3.Wasm";

const MISFIT: &str = "`value` is not of the `@type` beside it: write google.protobuf.Struct for \
                      YAML, google.protobuf.StringValue for a text of JSON";

/// The longest name that a message repeats, in characters.
const LONGEST_NAME: usize = 100;

/// The most problems of reading that are reported of one configuration.
const MOST_PROBLEMS: usize = 100;

/// Whether what is said of a plugin names this filter's module.
fn speaks_of_gate(members: &Map<String, Value>) -> bool {
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
