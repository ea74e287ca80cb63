//! What `check` reports, in each format.

mod json;
mod sarif;
mod text;

use std::io::{self, Write};
use std::process::ExitCode;
use std::rc::Rc;

use crate::diagnostic::{Diagnostic, Severity};

/// How a report is written.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum Format {
    /// Lines for people and editors.
    Text,
    /// One JSON object.
    Json,
    /// SARIF 2.1.0, as code scanners take it.
    Sarif,
}

/// The report on all files.
#[derive(Default)]
pub(super) struct Report {
    pub(super) files: Vec<FileReport>,
    /// How many files of folders are not about the gate.
    pub(super) ignored: usize,
    /// What could not be read, and why.
    pub(super) unread: Vec<String>,
}

/// The report on one file.
pub(super) struct FileReport {
    pub(super) file: Rc<str>,
    pub(super) groups: Vec<Group>,
}

/// The diagnostics about one thing, in the order of the file.
pub(super) struct Group {
    /// What they are about, and the verdict on it.
    pub(super) head: String,
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl FileReport {
    /// A report with one group.
    pub(super) fn of(file: &Rc<str>, head: &str, diagnostics: Vec<Diagnostic>) -> Self {
        let head = head.to_owned();
        Self {
            file: Rc::clone(file),
            groups: vec![Group { head, diagnostics }],
        }
    }
}

impl Report {
    /// Changes each diagnostic, or leaves it out. A group without any is left out if that is why.
    pub(super) fn adjust(&mut self, adjusted: impl Fn(Diagnostic) -> Option<Diagnostic>) {
        for file in &mut self.files {
            file.groups.retain_mut(|group| {
                let before = std::mem::take(&mut group.diagnostics);
                let had_some = !before.is_empty();
                group.diagnostics = before.into_iter().filter_map(&adjusted).collect();
                !had_some || !group.diagnostics.is_empty() || group.head.ends_with("good")
            });
        }
    }

    /// Every diagnostic: file by file, in the order of each file.
    fn diagnostics(&self) -> impl Iterator<Item = &Diagnostic> {
        self.files.iter().flat_map(|file| {
            let groups = file.groups.iter();
            let mut all: Vec<_> = groups.flat_map(|group| &group.diagnostics).collect();
            all.sort_by_key(|one| (one.position.line, one.position.column));
            all
        })
    }

    fn count(&self, severity: Severity) -> usize {
        let all = self.diagnostics();
        all.filter(|one| one.severity == severity).count()
    }

    pub(super) fn write(&self, format: Format, out: &mut impl Write) -> io::Result<()> {
        match format {
            Format::Text => text::write(self, out)?,
            Format::Json => writeln!(out, "{:#}", json::report(self))?,
            Format::Sarif => writeln!(out, "{:#}", sarif::report(self))?,
        }
        out.flush()?;
        let mut notes = self.unread.clone();
        notes.extend(self.summary());
        for note in notes {
            writeln!(io::stderr(), "n8n-idp-gate: {note}")?;
        }
        Ok(())
    }

    /// How much is wrong, in one line.
    fn summary(&self) -> Option<String> {
        let counted = |count: usize, what: &str| match count {
            0 => None,
            1 => Some(format!("1 {what}")),
            _ => Some(format!("{count} {what}s")),
        };
        let errors = counted(self.count(Severity::Error), "error");
        let warnings = counted(self.count(Severity::Warning), "warning");
        let all: Vec<_> = errors.into_iter().chain(warnings).collect();
        (!all.is_empty()).then(|| all.join(", "))
    }

    /// What the process ends with.
    pub(super) fn exit_code(&self, denies_warnings: bool) -> ExitCode {
        let fails = |one: &Diagnostic| {
            let is_denied = denies_warnings && !one.rule.is_bypass;
            one.severity == Severity::Error || is_denied
        };
        if !self.unread.is_empty() {
            ExitCode::from(2)
        } else if self.diagnostics().any(fails) {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        }
    }
}
