//! A real Envoy with the filter.

pub(crate) mod minimal;
pub(crate) mod records;
mod setup;

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::thread;
use std::time::Duration;

use serde_json::{json, Value};
use tempfile::TempDir;

use self::minimal::{all_but, filter, NAME};
use self::setup::File;
use super::http::{exchange_within, Request};
use super::process::{Ending, Process};
use super::{envoy_file, installed, Outcome};

pub(crate) use self::setup::Setup;

/// How long Envoy may take to start; compiling the module is most of it.
const START: Duration = Duration::from_secs(60);

impl Setup {
    /// Starts Envoy and waits until it serves.
    pub(crate) fn start(self) -> Outcome<Envoy> {
        let (gate, admin) = (self.gate, self.admin);
        let mut envoy = self.launch()?;
        envoy.process.wait_until(START, |_| {
            is_ready(admin) && TcpStream::connect((Ipv4Addr::LOCALHOST, gate)).is_ok()
        })?;
        Ok(envoy)
    }

    /// Starts Envoy, waits until it ends with an error, and returns its log.
    pub(crate) fn start_is_refused(self) -> Outcome<String> {
        let mut envoy = self.launch()?;
        let status = envoy.process.wait_for_end(START)?;
        if status.success() {
            return Err(format!("Envoy ended with {status}").into());
        }
        Ok(envoy.log_text())
    }

    fn launch(self) -> Outcome<Envoy> {
        let directory = tempfile::tempdir()?;
        let (name, text) = match &self.file {
            File::Shipped { ports, edits } => {
                installed::wasm()?;
                ("envoy.yaml", edited(envoy_file::text_with(*ports)?, edits)?)
            }
            File::Minimal {
                plugin, env_keys, ..
            } => {
                let module = self.module.clone().map_or_else(installed::wasm, Ok)?;
                let mut filter = filter(&module, plugin, env_keys);
                let config = filter.pointer_mut("/config").and_then(Value::as_object_mut);
                if let Some(config) = config {
                    if let Some(withheld) = self.withheld {
                        let restriction = "capability_restriction_config".to_owned();
                        config.insert(restriction, all_but(withheld)?);
                    }
                    if self.holds_heads_alone {
                        let option = "allow_on_headers_stop_iteration".to_owned();
                        config.insert(option, json!(true));
                    }
                }
                let discovery = directory.path().join(DISCOVERY);
                publish(&discovery, &filter)?;
                ("envoy.json", self.bootstrap(&filter, &discovery)?)
            }
        };
        let file = directory.path().join(name);
        fs::write(&file, text)?;
        let process = Process::start(
            "Envoy",
            &installed::envoy()?,
            &directory.path().join("log"),
            Ending::Kill,
            |command| {
                command
                    .current_dir(installed::root())
                    .envs(self.environment.iter().map(|(name, value)| (name, value)))
                    .arg("--config-path")
                    .arg(file)
                    .args(["--use-dynamic-base-id", "--concurrency"])
                    .arg(self.concurrency.to_string())
                    .args(["--log-level", "warning", "--component-log-level"])
                    .arg(format!("wasm:{}", self.log_level));
            },
        )?;
        Ok(Envoy {
            process,
            port: self.gate,
            admin: self.admin,
            file: self.file,
            directory,
        })
    }
}

/// The text with its edits. Each edit must match exactly once.
fn edited(text: String, edits: &[(String, String)]) -> Outcome<String> {
    edits.iter().try_fold(text, |text, (before, after)| {
        match text.matches(before.as_str()).count() {
            1 => Ok(text.replace(before.as_str(), after)),
            count => Err(format!("{before:?} is in the file {count} times").into()),
        }
    })
}

/// The file for extension discovery.
const DISCOVERY: &str = "filter.json";

/// Writes the discovered file in one step, because Envoy watches for a file that is moved here.
fn publish(path: &Path, filter: &Value) -> Outcome<()> {
    let resource = json!({
        "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
        "name": NAME,
        "typed_config": filter,
    });
    let draft = path.with_extension("draft");
    fs::write(&draft, json!({ "resources": [resource] }).to_string())?;
    fs::rename(&draft, path)?;
    Ok(())
}

/// Whether the Envoy with this admin port is ready.
pub(crate) fn is_ready(admin: u16) -> bool {
    let request = Request::get("/ready").bytes();
    exchange_within(admin, &request, Duration::from_secs(1))
        .is_ok_and(|response| response.status == 200)
}

/// A running Envoy. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Envoy {
    process: Process,
    port: u16,
    admin: u16,
    file: File,
    directory: TempDir,
}

impl Envoy {
    /// The port for clients.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Replaces the configuration of a filter that is [`Setup::discovered`]. It takes effect a
    /// moment later.
    pub(crate) fn update(&self, plugin: &Value) -> Outcome<()> {
        let File::Minimal { env_keys, .. } = &self.file else {
            return Err("the shipped file is not discovered".into());
        };
        let filter = filter(&installed::wasm()?, plugin, env_keys);
        publish(&self.directory.path().join(DISCOVERY), &filter)
    }

    /// All metrics, in the text format of Prometheus.
    pub(crate) fn stats(&self) -> Outcome<String> {
        self.admin_page("/stats/prometheus")
    }

    /// The metric whose name begins with `name` and has `label` in it, once it has reached `least`.
    /// Workers report their counts a few times a second.
    pub(crate) fn counted(&self, name: &str, label: &str, least: u64) -> Outcome<u64> {
        let mut count = 0;
        for _ in 0..50 {
            let stats = self.stats()?;
            count = stats
                .lines()
                .filter(|line| line.starts_with(name) && line.contains(label))
                .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
                .sum();
            if count >= least {
                break;
            }
            thread::sleep(Duration::from_millis(100));
        }
        Ok(count)
    }

    /// A page of Envoy's admin interface.
    pub(crate) fn admin_page(&self, path: &str) -> Outcome<String> {
        Ok(Request::get(path).send(self.admin)?.text())
    }

    /// Everything that Envoy and the filter logged.
    pub(crate) fn log_text(&self) -> String {
        self.process.log_text()
    }

    /// The audit records so far, oldest first: the lines of the filter that are JSON and hold a
    /// `decision`. Each conforms to the schema that the documentation has.
    pub(crate) fn audit(&self) -> Vec<Value> {
        self.log_text()
            .lines()
            .filter_map(|line| line.split_once("wasm log ")?.1.split_once('{'))
            .filter_map(|(_, rest)| serde_json::from_str::<Value>(&format!("{{{rest}")).ok())
            .filter(|record| record.get("decision").is_some())
            .inspect(records::assert_conforms)
            .collect()
    }
}
