//! `n8n-idp-gate render`: the files around a configuration.
//!
//! The files below `deploy` and the `envoy.yaml` of the repository are the templates.

mod calls;
mod envoy;
mod envoy_gateway;
mod helm;
mod istio;
mod objects;
mod options;
mod site;
mod template;
mod upstream;
mod yaml;

use std::io::Write;
use std::path::PathBuf;

use n8n_idp_gate::config;
use serde_json::{json, Value};

use self::calls::{stand_in, Calls};
use self::options::Options;
use self::site::Site;
use crate::check::configuration::bodies;
use crate::file::environment::ProcessEnvironment;
use crate::file::installation::Installation;
use crate::file::manifest::Manifest;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What to write.
    target: Target,
    /// A configuration, or a file with one inside. It may name any clusters, or none.
    file: PathBuf,
    /// Which configuration of the file, by its name or number.
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    options: Options,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Target {
    /// Manifests for the gateway of an Istio.
    Istio,
    /// The file of an Envoy that runs by itself.
    Envoy,
    /// Manifests for Envoy Gateway.
    EnvoyGateway,
    /// A file of Docker Compose with Envoy and n8n.
    Compose,
    /// Values for the chart `istio/gateway`.
    HelmValues,
}

/// What the proxy of the templates holds of one request, in bytes.
const BUFFER: u64 = 64 * 1024;

/// A configuration that names the clusters of a target, and what it needs around it.
pub(crate) struct Gate {
    pub(crate) configuration: Value,
    pub(crate) calls: Calls,
    /// Where clients find each n8n.
    pub(crate) sites: Vec<Site>,
    /// The environment variables that it names.
    pub(crate) variables: Vec<String>,
    /// Whether the filter must get bodies.
    pub(crate) needs_bodies: bool,
    /// How much the proxy must hold of one request, in bytes.
    pub(crate) buffer: u64,
}

pub(crate) fn run(arguments: &Arguments, out: &mut impl Write) -> Result<(), String> {
    let found = Manifest::one_configuration(&arguments.file, arguments.name.as_deref())?;
    if let Some(problem) = found.problems.first() {
        return Err(format!(
            "cannot be read as Envoy and Kubernetes do: {}. Hint: {}",
            problem.message, problem.hint
        ));
    }
    let target = arguments.target;
    let options = &arguments.options;
    let gate = gate(found.configuration, target, options)?;
    let text = match target {
        Target::Istio => istio::render(&gate, options),
        Target::Envoy => envoy::render(&gate, options),
        Target::EnvoyGateway => envoy_gateway::render(&gate, options),
        Target::Compose => envoy::compose(&gate, options),
        Target::HelmValues => Ok(helm::values(&gate, options)),
    }?;
    let head = head(&gate, target);
    write!(out, "{head}{text}").map_err(|error| error.to_string())
}

fn gate(mut configuration: Value, target: Target, options: &Options) -> Result<Gate, String> {
    stand_in(&mut configuration);
    name_the_caller(&mut configuration);
    let environment = ProcessEnvironment { is_required: false };
    let load = |configuration: &Value| {
        let text = configuration.to_string();
        config::load(text.as_bytes(), &environment).map_err(|errors| errors.to_string())
    };
    let policy = load(&configuration)?.policy;
    let mut named = options.n8n.iter().map(|given| given.instance.as_deref());
    let is_there = |name: Option<&str>| {
        let mut instances = policy.instances.iter();
        instances.any(|instance| instance.name.as_deref() == name)
    };
    if let Some(name) = named.find(|name| !is_there(*name)) {
        return Err(match name {
            Some(name) => format!("--n8n: there is no instance {name}"),
            None => "--n8n: there are several instances. Hint: write INSTANCE=HOST:PORT".to_owned(),
        });
    }
    let calls = Calls::of(&policy, &configuration, options, target)?;
    calls.name(&mut configuration, target);
    // What is written is what the filter will read.
    let policy = load(&configuration)?.policy;
    let withheld = Installation::Envoy { hands_over: false };
    let needs_bodies = bodies::missing(&policy, withheld, false).is_some()
        || !bodies::missed(&policy, withheld, false).is_empty();
    let mut variables = Vec::new();
    collect_variables(&configuration, &mut variables);
    Ok(Gate {
        sites: Site::all(&policy, &configuration),
        configuration,
        calls,
        variables,
        needs_bodies,
        buffer: bodies::largest(&policy).unwrap_or(0).max(BUFFER),
    })
}

/// The access logs that are written name the caller, unless the configuration says otherwise.
fn name_the_caller(configuration: &mut Value) {
    if let Some(fields) = configuration.as_object_mut() {
        let names = json!(["principal", "client", "subject"]);
        fields.entry("caller_properties").or_insert(names);
    }
}

/// Every `{ env: NAME }` in a configuration.
fn collect_variables(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_variables(item, found)),
        Value::Object(members) => {
            if let (1, Some(Value::String(name))) = (members.len(), members.get("env")) {
                if !found.contains(name) {
                    found.push(name.clone());
                }
            }
            let members = members.values();
            members.for_each(|member| collect_variables(member, found));
        }
        _ => {}
    }
}

/// What was chosen, as comments.
fn head(gate: &Gate, target: Target) -> String {
    use std::fmt::Write as _;
    let mut head =
        "# Written by `n8n-idp-gate render`; the templates in the repository say why.\n".to_owned();
    if target == Target::HelmValues {
        return head;
    }
    for call in gate.calls.iter() {
        let (field, upstream) = (call.field(), &call.upstream);
        let (cluster, address) = (upstream.cluster(target), upstream.address());
        let _ = writeln!(head, "# {field}: {cluster} ({address})");
    }
    head
}
