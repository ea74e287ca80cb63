//! `n8n-idp-gate check`.

pub(crate) mod configuration;
mod inputs;
mod report;
mod surroundings;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;

use serde_json::Value;

use self::inputs::{Input, Inputs};
use self::report::{FileReport, Format, Group, Report};
use self::surroundings::Gates;
use crate::diagnostic::rules::{self, NO_CONFIGURATION};
use crate::diagnostic::{located, Diagnostic, Finding, Place, Rule, Severity};
use crate::file::environment::ProcessEnvironment;
use crate::file::found::refusal;
use crate::file::input;
use crate::file::manifest::{Manifest, WITHOUT_CONFIGURATION};

#[derive(clap::Args)]
#[command(after_help = "\
Exit codes:
  0  no errors
  1  errors, or warnings with --deny-warnings
  2  a file could not be read, or the arguments are wrong

docs/reference/check.md has every rule.")]
pub(crate) struct Arguments {
    /// Configurations, or Envoy files and manifests with one inside; routes may be in files of
    /// their own. A folder stands for every .yaml, .yml and .json file below it, `-` for standard
    /// input (YAML).
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Require that the environment variable of every secret is set here.
    #[arg(long)]
    require_environment: bool,
    /// Report settings that let requests past the gate as warnings, if all of them are intended.
    #[arg(long)]
    accept_bypasses: bool,
    /// Fail for warnings, too, except for accepted bypasses.
    #[arg(long)]
    deny_warnings: bool,
    /// Do not report the warnings of this rule. Can be given several times.
    #[arg(long, value_name = "RULE", value_parser = known_rule)]
    allow: Vec<&'static Rule>,
    /// How the report is written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// A rule whose warnings can be left out.
fn known_rule(id: &str) -> Result<&'static Rule, String> {
    let rule = rules::ALL.iter().find(|rule| rule.id == id);
    match rule {
        None => Err("no such rule: docs/reference/check.md has them".to_owned()),
        Some(rule) if rule.severity == Severity::Error => {
            Err("a rule of errors, which cannot be left out".to_owned())
        }
        Some(rule) => Ok(rule),
    }
}

pub(crate) fn run(arguments: &Arguments, out: &mut impl Write) -> ExitCode {
    let report = report(arguments);
    // A reader that has enough closes the pipe: that changes nothing about the files.
    let _ = report.write(arguments.format, out);
    let _ = out.flush();
    report.exit_code(arguments.deny_warnings)
}

fn report(arguments: &Arguments) -> Report {
    let mut report = Report::default();
    let Inputs { inputs, unread } = Inputs::of(&arguments.files);
    report.unread = unread;
    let mut read = Vec::new();
    for input in &inputs {
        match input.read() {
            Ok(manifest) => read.push((input, manifest)),
            Err(problem) => report.unread.push(problem),
        }
    }
    let all = All::of(read.iter().filter_map(|(_, read)| read.as_ref().ok()));
    let environment = ProcessEnvironment {
        is_required: arguments.require_environment,
    };
    let folders = arguments.files.iter().filter(|path| path.is_dir());
    let mut folders: BTreeMap<&PathBuf, bool> = folders.map(|folder| (folder, false)).collect();
    for (input, read) in &read {
        let file = match read {
            Ok(manifest) => check(manifest, input, &all, &environment),
            Err(_) if input.folder.is_some() && !input.may_be_of_the_gate() => None,
            Err(fault) => {
                let located = located(vec![fault.clone()], &input.shown(), &input.text());
                Some(FileReport::of(&input.shown(), "cannot be read", located))
            }
        };
        let has_configuration = read
            .as_ref()
            .is_ok_and(|manifest| !manifest.configurations.is_empty());
        if let Some(folder) = &input.folder {
            *folders.entry(folder).or_default() |= has_configuration || read.is_err();
        }
        match file {
            Some(file) => report.files.push(file),
            None => report.ignored = report.ignored.saturating_add(1),
        }
    }
    for (folder, _) in folders.iter().filter(|(_, has)| !**has) {
        let shown: Rc<str> = input::shown(folder).into();
        let none = without_configuration("of no file below this folder is one");
        let located = located(vec![none], &shown, "");
        report
            .files
            .push(FileReport::of(&shown, "nothing to check", located));
    }
    report.adjust(|diagnostic| adjusted(diagnostic, arguments));
    report
}

/// A diagnostic with what the arguments say of its rule. `None`: it is left out.
fn adjusted(mut diagnostic: Diagnostic, arguments: &Arguments) -> Option<Diagnostic> {
    if diagnostic.rule.is_bypass && arguments.accept_bypasses {
        diagnostic.severity = Severity::Warning;
    }
    let is_allowed = arguments.allow.contains(&diagnostic.rule);
    (!is_allowed).then_some(diagnostic)
}

/// What the files have that counts for all of them.
struct All {
    gates: Gates,
    /// Clusters by their names.
    clusters: BTreeMap<String, Value>,
    /// Whether one of them patches the plugin of Envoy Gateway.
    is_patched: bool,
}

impl All {
    fn of<'m>(manifests: impl Iterator<Item = &'m Manifest>) -> Self {
        let mut all = Self {
            gates: Gates::default(),
            clusters: BTreeMap::new(),
            is_patched: false,
        };
        for manifest in manifests {
            for found in &manifest.configurations {
                all.gates.add(&found.configuration);
            }
            for document in &manifest.documents {
                all.gates.add_filters(document);
                all.gates.add_workloads(document);
                configuration::add_clusters(document, &mut all.clusters);
                all.is_patched |= configuration::is_patch(document);
            }
        }
        all
    }
}

/// The report on a file. `None`: it is one of a folder, and is not about the gate.
fn check(
    manifest: &Manifest,
    input: &Input,
    all: &All,
    environment: &ProcessEnvironment,
) -> Option<FileReport> {
    let around = surroundings::look(&manifest.documents, &all.gates);
    let count = manifest.configurations.len();
    let mut groups = Vec::new();
    for (number, found) in (1_usize..).zip(&manifest.configurations) {
        let checked = configuration::check(found, all, environment);
        let is_error = |finding: &Finding| finding.rule.severity == Severity::Error;
        let verdict = match (checked.is_read, checked.findings.iter().any(is_error)) {
            (false, _) => refusal(&checked.findings),
            (true, true) => "would not work".to_owned(),
            (true, false) => "good".to_owned(),
        };
        let head = if count > 1 {
            format!("{number} of {count}, {}: {verdict}", found.name)
        } else {
            verdict
        };
        let diagnostics = located(checked.findings, &manifest.file, &manifest.text);
        groups.push(Group { head, diagnostics });
    }
    let is_helpful = around.surrounds
        || manifest.documents.iter().any(|document| {
            let mut clusters = BTreeMap::new();
            configuration::add_clusters(document, &mut clusters);
            configuration::is_patch(document) || !clusters.is_empty()
        });
    if count == 0 && input.folder.is_none() && !is_helpful {
        let none = without_configuration(WITHOUT_CONFIGURATION);
        let located = located(vec![none], &manifest.file, &manifest.text);
        return Some(FileReport::of(&manifest.file, "nothing to check", located));
    }
    if count == 0 && around.findings.is_empty() {
        return None;
    }
    let diagnostics = located(around.findings, &manifest.file, &manifest.text);
    if !diagnostics.is_empty() {
        let head = "what surrounds the gate".to_owned();
        groups.push(Group { head, diagnostics });
    }
    let file = Rc::clone(&manifest.file);
    Some(FileReport { file, groups })
}

fn without_configuration(looked: &str) -> Finding {
    Finding {
        rule: NO_CONFIGURATION,
        place: Place::START,
        path: String::new(),
        message: format!("no configuration of the gate with providers in it: {looked}"),
        hint: "name the file with the configuration".to_owned(),
    }
}
