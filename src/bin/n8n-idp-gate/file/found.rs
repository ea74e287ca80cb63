//! A configuration of this filter that was found in a file.

use std::collections::BTreeSet;
use std::rc::Rc;

use n8n_idp_gate::config::{self, Environment, Loaded};
use serde_json::Value;

use super::installation::Installation;
use crate::diagnostic::rules::CONFIGURATION_ERROR;
use crate::diagnostic::{located, Fault, Finding, Place, Rule};

/// A configuration of this filter in a file.
pub(crate) struct Found {
    /// The name of the filter or of the plugin.
    pub(crate) name: String,
    /// The text that the filter receives.
    pub(crate) handed: Vec<u8>,
    /// The document in it; `null` if it is no JSON.
    pub(crate) configuration: Value,
    /// Why the filter would receive something else, or nothing.
    pub(crate) problems: Vec<Finding>,
    /// The `route_config` of the Envoy listener around it, if there is one.
    pub(crate) routes: Rc<Value>,
    /// The `static_resources` of the Envoy file around it, if that has all clusters.
    pub(crate) resources: Rc<Value>,
    /// How the filter is installed with it.
    pub(crate) installation: Installation,
    /// What Envoy holds of a request over HTTP/1, in bytes, if that is known.
    pub(crate) buffer: Option<u64>,
    /// The environment variables that the plugin gets, if that is known.
    pub(crate) variables: Option<Variables>,
    /// Where it is.
    pub(crate) origin: Origin,
}

/// The environment variables that a plugin gets, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Variables {
    /// Those of the environment of Envoy.
    pub(crate) of_host: BTreeSet<String>,
    /// Those whose values are in the file.
    pub(crate) in_file: BTreeSet<String>,
}

/// Where a configuration is in a file.
#[derive(Clone)]
pub(crate) struct Origin {
    /// The file, as messages show it.
    pub(crate) file: Rc<str>,
    /// The text of the file.
    pub(crate) text: Rc<str>,
    /// The number of the document in the text.
    pub(crate) document: usize,
    /// The names and numbers that lead to the configuration.
    pub(crate) steps: Vec<String>,
    /// Whether these lead to a text, in which nothing has a position.
    pub(crate) is_in_text: bool,
}

impl Found {
    /// Reads it as the filter would. An error has the position and the path of each fault.
    pub(crate) fn load(&self, environment: &dyn Environment) -> Result<Loaded, String> {
        self.read(environment).map_err(|findings| {
            let head = refusal(&findings);
            let located = located(findings, &self.origin.file, &self.origin.text);
            let lines = located.iter().map(|one| format!("\n  {one}"));
            head + &lines.collect::<String>()
        })
    }

    /// Reads it as the filter would.
    pub(crate) fn read(&self, environment: &dyn Environment) -> Result<Loaded, Vec<Finding>> {
        if !self.problems.is_empty() {
            return Err(self.problems.clone());
        }
        config::load(&self.handed, environment).map_err(|errors| {
            let errors = errors.iter();
            errors
                .map(|error| self.of_filter(CONFIGURATION_ERROR, error))
                .collect()
        })
    }

    /// What the filter itself says of the configuration.
    pub(crate) fn of_filter(&self, rule: &'static Rule, found: &config::Diagnostic) -> Finding {
        let fault = Fault::new(rule, &found.path, &found.problem, &found.hint);
        let mut finding = self.finding(fault);
        if finding.path.is_empty() {
            "configuration".clone_into(&mut finding.path);
        }
        finding
    }

    /// A fault, as a finding in the file.
    pub(crate) fn finding(&self, fault: Fault) -> Finding {
        let mut steps = self.origin.steps.clone();
        if !self.origin.is_in_text {
            steps.extend(steps_of_path(&fault.path));
        }
        Finding {
            rule: fault.rule,
            place: Place::Value(self.origin.document, steps),
            path: fault.path,
            message: fault.message,
            hint: fault.hint,
        }
    }
}

/// The head of a report on a configuration that cannot be used.
pub(crate) fn refusal(findings: &[Finding]) -> String {
    let is_refused = |finding: &&Finding| finding.rule == CONFIGURATION_ERROR;
    match findings.iter().filter(is_refused).count() {
        0 => "cannot be read as Envoy and Kubernetes do:".to_owned(),
        1 => "the configuration has 1 error:".to_owned(),
        count => format!("the configuration has {count} errors:"),
    }
}

/// The names and numbers of a field path: `roles["a.b"][1]` has three.
fn steps_of_path(path: &str) -> Vec<String> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        let (step, after) = if let Some(quoted) = rest.strip_prefix("[\"") {
            in_quotes(quoted)
        } else if let Some(number) = rest.strip_prefix('[') {
            let (number, after) = number.split_once(']').unwrap_or((number, ""));
            (number.to_owned(), after)
        } else {
            let name = rest.strip_prefix('.').unwrap_or(rest);
            let end = name.find(['.', '[']).unwrap_or(name.len());
            let (name, after) = name.split_at_checked(end).unwrap_or((name, ""));
            (name.to_owned(), after)
        };
        steps.push(step);
        rest = after;
    }
    steps
}

/// The name in quotes at the beginning of a text, and what follows after the quotes and the bracket.
fn in_quotes(text: &str) -> (String, &str) {
    let mut name = String::new();
    let mut is_escaped = false;
    for (index, letter) in text.char_indices() {
        match letter {
            '\\' if !is_escaped => is_escaped = true,
            '"' if !is_escaped => {
                let after = text.get(index..).and_then(|rest| rest.strip_prefix("\"]"));
                return (name, after.unwrap_or_default());
            }
            letter => {
                is_escaped = false;
                name.push(letter);
            }
        }
    }
    (name, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_path_comes_apart_into_its_steps() {
        for (path, steps) in [
            ("", &[][..]),
            ("metrics", &["metrics"]),
            (
                "providers[10].keys.ttl",
                &["providers", "10", "keys", "ttl"],
            ),
            (r#"roles["N8N.Admin"][1]"#, &["roles", "N8N.Admin", "1"]),
            (r#"roles["a\"]\\b"].x"#, &["roles", "a\"]\\b", "x"]),
            (r#"roles["cut"#, &["roles", "cut"]),
            ("a[1", &["a", "1"]),
        ] {
            assert_eq!(steps_of_path(path), steps, "{path}");
        }
    }
}
