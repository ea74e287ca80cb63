//! The report as lines.

use std::io::{self, Write};

use super::Report;

pub(super) fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    for file in &report.files {
        for group in &file.groups {
            writeln!(out, "{}: {}", file.file, group.head)?;
            for one in &group.diagnostics {
                let word = one.severity.as_str();
                writeln!(out, "  {word}: {one} [{}]", one.rule.id)?;
            }
        }
    }
    match report.ignored {
        0 => Ok(()),
        1 => writeln!(out, "1 file without a configuration was left out"),
        count => writeln!(out, "{count} files without a configuration were left out"),
    }
}
