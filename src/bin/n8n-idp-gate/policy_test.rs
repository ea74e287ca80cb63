//! `n8n-idp-gate test`: tests of a policy.

mod compare;
mod coverage;
mod file;
mod junit;
mod run;
pub(crate) mod schema;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

use crate::explain::step::Mark;
use crate::file::input;
use crate::file::output::print;
use crate::judge::policy;
use coverage::Coverage;
use file::TestFile;
use run::TestResult;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Files with policy tests.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Fail if no test reaches some principal, role or webhook rule.
    #[arg(long)]
    require_coverage: bool,
    /// Write a report in the XML of `JUnit`, for CI systems.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// The tests of one file, after they ran.
pub(crate) struct Tested {
    /// The file.
    pub(crate) file: String,
    /// The names of its tests, and what failed.
    pub(crate) cases: Vec<(String, Vec<String>)>,
}

pub(crate) fn run(arguments: &Arguments, out: &mut impl Write) -> Result<ExitCode, String> {
    let mut coverage: BTreeMap<String, Coverage> = BTreeMap::new();
    let mut all = Vec::new();
    let mut text = String::new();
    let mut line = |line: &str| {
        text.push_str(line);
        text.push('\n');
    };
    for path in &arguments.files {
        let tested = file(path, &mut coverage);
        for (name, failures) in &tested.cases {
            if !failures.is_empty() {
                line(&format!("FAIL {}: {name}", tested.file));
                for failure in failures.iter().flat_map(|failure| failure.lines()) {
                    line(&format!("  {failure}"));
                }
            }
        }
        all.push(tested);
    }
    let cases = || all.iter().flat_map(|tested| &tested.cases);
    let failed = cases().filter(|(_, failures)| !failures.is_empty()).count();
    let passed = cases().count().saturating_sub(failed);
    line(&format!("{passed} passed, {failed} failed"));
    let mut is_covered = true;
    for (config, coverage) in &coverage {
        line(&format!("{config}: reached {}", coverage.counts()));
        for missed in coverage.missed() {
            is_covered = false;
            line(&format!("  not reached: {missed}"));
        }
    }
    if let Some(path) = &arguments.junit {
        let report = junit::report(&all)?;
        fs::write(path, report).map_err(|error| format!("{}: {error}", input::shown(path)))?;
    }
    print(out, &text)?;
    let is_good = failed == 0 && (is_covered || !arguments.require_coverage);
    Ok(if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Runs the tests of one file. A file that cannot be read is a test that fails.
fn file(path: &Path, coverage: &mut BTreeMap<String, Coverage>) -> Tested {
    let mut tested = Tested {
        file: input::shown(path),
        cases: Vec::new(),
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    let read = TestFile::read(path).and_then(|file| {
        let policy = policy(&plain(&folder.join(&file.config)), file.name.as_deref())?;
        Ok((file, policy))
    });
    let (file, policy) = match read {
        Ok(read) => read,
        Err(problem) => {
            tested
                .cases
                .push(("the file can be read".to_owned(), vec![problem]));
            return tested;
        }
    };
    let config = input::shown(&plain(&folder.join(&file.config)));
    let config = match &file.name {
        Some(name) => format!("{config} ({name})"),
        None => config,
    };
    let coverage = coverage
        .entry(config)
        .or_insert_with(|| Coverage::of(&policy));
    for test in &file.tests {
        let result = run::run(&policy, folder, test);
        if let Some(explanation) = &result.explanation {
            coverage.reach(explanation);
        }
        tested.cases.push((test.name.clone(), failures(result)));
    }
    tested
}

/// What differs, and the first check that the request failed.
fn failures(result: TestResult) -> Vec<String> {
    let mut failures = result.failures;
    let steps = result.explanation.map(|explanation| explanation.steps);
    let mut steps = steps.into_iter().flatten();
    let failed = steps.find(|step| step.mark == Mark::Failed);
    if let (false, Some(step)) = (failures.is_empty(), failed) {
        failures.push(format!("because of {}: {}", step.section, step.line()));
    }
    failures
}

/// A path without the folders that its `..` leave again.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        let is_named = matches!(plain.components().next_back(), Some(Component::Normal(_)));
        if part == Component::ParentDir && is_named {
            plain.pop();
        } else {
            plain.push(part);
        }
    }
    plain
}
