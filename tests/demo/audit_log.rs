//! The gate's audit records, in a separate file.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use crate::support::envoy::Envoy;
use crate::support::Outcome;

/// One JSON line for each decision of the gate.
#[derive(Debug)]
pub(crate) struct AuditLog {
    file: File,
    written: usize,
}

impl AuditLog {
    /// Begins a new file and replaces an old one.
    pub(crate) fn create(file: &Path) -> Outcome<Self> {
        Ok(Self {
            file: File::create(file)?,
            written: 0,
        })
    }

    /// Adds the audit records since the last call.
    pub(crate) fn follow(&mut self, envoy: &Envoy) -> Outcome<()> {
        let records = envoy.audit();
        for record in records.iter().skip(self.written) {
            writeln!(self.file, "{record}")?;
        }
        self.written = records.len();
        Ok(())
    }
}
