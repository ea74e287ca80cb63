//! `n8n-idp-gate check`.

mod bodies;
mod bypass;
mod clusters;
mod routes;

use std::io::Write;
use std::path::{Path, PathBuf};

use self::bypass::Gates;
use crate::file::environment::ProcessEnvironment;
use crate::file::input::{self, now};
use crate::file::manifest::{without_configuration, Manifest};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Configurations, or Envoy files and manifests with one inside; routes may be in files of
    /// their own.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Require that the environment variable of every secret is set here.
    #[arg(long)]
    require_environment: bool,
    /// Report settings that let requests past the gate as warnings, if all of them are intended.
    #[arg(long)]
    accept_bypasses: bool,
}

pub(crate) fn run(arguments: &Arguments, out: &mut impl Write) -> Result<(), String> {
    let environment = ProcessEnvironment {
        is_required: arguments.require_environment,
    };
    let mut gates = Gates::default();
    let mut manifests = Vec::new();
    for path in &arguments.files {
        let manifest = Manifest::read(path)?;
        for found in &manifest.configurations {
            gates.add(&found.configuration);
        }
        for document in &manifest.documents {
            gates.add_filters(document);
        }
        manifests.push((path, manifest));
    }
    let mut refused = 0_usize;
    let mut bypasses = 0_usize;
    let mut lost = 0_usize;
    let mut expired = 0_usize;
    let mut withheld = 0_usize;
    let mut documents = manifests
        .iter()
        .flat_map(|(_, manifest)| &manifest.documents);
    let is_patched = documents.any(bodies::is_patch);
    for (path, manifest) in &manifests {
        let found = bypass::look(&manifest.documents, &gates);
        if manifest.configurations.is_empty() && !found.has_routes {
            return Err(without_configuration(path));
        }
        let count = manifest.configurations.len();
        for (number, found) in (1_usize..).zip(&manifest.configurations) {
            let of_clusters = clusters::look(&found.configuration, &found.resources);
            lost = lost.saturating_add(of_clusters.errors.len());
            let report = match found.load(&environment) {
                Ok(loaded) => {
                    let warnings = found.origin.located(&loaded.warnings).into_iter();
                    let now = now().to_seconds();
                    let warnings = warnings.chain(loaded.policy.expiring_keys(now));
                    let keys: Vec<_> = loaded.policy.expired_keys(now).collect();
                    expired = expired.saturating_add(keys.len());
                    let of_routes = routes::warnings(&found.configuration, &found.routes);
                    let of_size = bodies::too_large(&loaded.policy, found.buffer);
                    let warnings = warnings.chain(of_routes).chain(of_clusters.warnings);
                    let installation = found.installation;
                    let missed = bodies::missed(&loaded.policy, installation, is_patched);
                    let warnings = warnings.chain(of_size).chain(missed);
                    let bodies = bodies::missing(&loaded.policy, installation, is_patched);
                    withheld = withheld.saturating_add(usize::from(bodies.is_some()));
                    let errors = of_clusters.errors.into_iter().chain(keys).chain(bodies);
                    let errors = listed("error", errors);
                    let good = if errors.is_empty() {
                        "good"
                    } else {
                        "would not work"
                    };
                    format!("{good}{errors}{}", listed("warning", warnings))
                }
                Err(errors) => {
                    refused = refused.saturating_add(1);
                    errors + &listed("error", of_clusters.errors)
                }
            };
            if count > 1 {
                let which = format!("{number} of {count}, {}: {report}", found.name);
                say(out, path, &which)?;
            } else {
                say(out, path, &report)?;
            }
        }
        let word = if arguments.accept_bypasses {
            "warning"
        } else {
            bypasses = bypasses.saturating_add(found.bypasses.len());
            "error"
        };
        let lines = listed(word, found.bypasses) + &listed("warning", found.warnings);
        if !lines.is_empty() {
            say(out, path, &format!("what surrounds the gate{lines}"))?;
        }
    }
    summary(&[
        (refused, "configuration", ["would be refused"; 2]),
        (
            bypasses,
            "setting",
            ["lets requests past the gate", "let requests past the gate"],
        ),
        (
            lost,
            "cluster",
            ["is not in its file", "are not in their files"],
        ),
        (
            expired,
            "API key",
            ["of n8n has expired", "of n8n have expired"],
        ),
        (withheld, "filter", ["would get no bodies"; 2]),
    ])
}

/// What is wrong in all files, as one line.
fn summary(problems: &[(usize, &str, [&str; 2])]) -> Result<(), String> {
    let problems = problems
        .iter()
        .filter_map(|(count, what, [one, several])| match count {
            0 => None,
            1 => Some(format!("1 {what} {one}")),
            _ => Some(format!("{count} {what}s {several}")),
        });
    let problems: Vec<_> = problems.collect();
    if problems.is_empty() {
        return Ok(());
    }
    Err(problems.join("; "))
}

fn say(out: &mut impl Write, path: &Path, report: &str) -> Result<(), String> {
    writeln!(out, "{}: {report}", input::shown(path)).map_err(|error| error.to_string())
}

fn listed(word: &str, lines: impl IntoIterator<Item = String>) -> String {
    let lines = lines.into_iter().map(|line| format!("\n  {word}: {line}"));
    lines.collect()
}
