//! `n8n-idp-gate check`.

use std::io::Write;
use std::path::PathBuf;

use crate::file::{configurations, load, ProcessEnvironment};
use crate::routes;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Configurations, or Envoy and Istio manifests with one inside.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Demand that every secret's environment variable is set here.
    #[arg(long)]
    require_environment: bool,
}

pub(crate) fn run(arguments: &Arguments, out: &mut impl Write) -> Result<(), String> {
    let environment = ProcessEnvironment {
        is_required: arguments.require_environment,
    };
    let mut refused = 0_usize;
    for path in &arguments.files {
        for found in configurations(path)? {
            let report = match load(&found.configuration, &environment) {
                Ok(loaded) => {
                    let warnings = loaded.warnings.iter().map(ToString::to_string);
                    let of_routes = routes::warnings(&found.configuration, &found.routes);
                    let lines: Vec<String> = warnings
                        .chain(of_routes)
                        .map(|warning| format!("\n  warning: {warning}"))
                        .collect();
                    format!("good{}", lines.concat())
                }
                Err(errors) => {
                    refused = refused.saturating_add(1);
                    errors
                }
            };
            writeln!(out, "{}: {report}", path.display()).map_err(|error| error.to_string())?;
        }
    }
    match refused {
        0 => Ok(()),
        1 => Err("1 configuration would be refused".to_owned()),
        count => Err(format!("{count} configurations would be refused")),
    }
}
