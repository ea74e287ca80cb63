//! The checks of one configuration.

pub(crate) mod bodies;
mod clusters;
mod foreign_names;
mod keys;
pub(crate) mod routes;
mod values;
mod variables;
mod webhooks;

use n8n_idp_gate::config;

pub(super) use self::bodies::is_patch;
pub(super) use self::clusters::add_clusters;
use super::All;
use crate::diagnostic::rules::{CONFIGURATION_ERROR, CONFIGURATION_WARNING};
use crate::diagnostic::{Fault, Finding};
use crate::file::environment::ProcessEnvironment;
use crate::file::found::Found;

/// What was found in a configuration.
pub(super) struct Checked {
    /// Whether the filter would take it.
    pub(super) is_read: bool,
    pub(super) findings: Vec<Finding>,
}

pub(super) fn check(found: &Found, all: &All, environment: &ProcessEnvironment) -> Checked {
    let configuration = &found.configuration;
    let mut faults = clusters::look(configuration, &found.resources, &all.clusters);
    faults.extend(values::look(configuration));
    faults.extend(variables::look(configuration, found.variables.as_ref()));
    if !found.problems.is_empty() {
        let findings = found.problems.clone();
        return with(findings, faults, found, false);
    }
    let loaded = match config::load(&found.handed, environment) {
        Ok(loaded) => loaded,
        Err(errors) => {
            let errors = errors.iter().map(|error| {
                let mut finding = found.of_filter(CONFIGURATION_ERROR, error);
                if let Some(hint) = foreign_names::hint(error, configuration) {
                    finding.hint = hint;
                }
                finding
            });
            return with(errors.collect(), faults, found, false);
        }
    };
    let warnings = loaded.warnings.iter();
    let findings = warnings.map(|warning| found.of_filter(CONFIGURATION_WARNING, warning));
    let findings = findings.collect();
    let policy = &loaded.policy;
    faults.extend(keys::look(policy, configuration));
    faults.extend(routes::look(configuration, &found.routes));
    faults.extend(webhooks::look(policy));
    faults.extend(bodies::too_large(policy, found.buffer));
    let installation = found.installation;
    faults.extend(bodies::missed(policy, installation, all.is_patched));
    faults.extend(bodies::missing(policy, installation, all.is_patched));
    with(findings, faults, found, true)
}

fn with(mut findings: Vec<Finding>, faults: Vec<Fault>, found: &Found, is_read: bool) -> Checked {
    findings.extend(faults.into_iter().map(|fault| found.finding(fault)));
    Checked { is_read, findings }
}
