//! Calls to n8n, which several commands make.

pub(crate) mod client;
pub(crate) mod session;

use std::fmt::Write as _;
use std::io::Write;

use n8n_idp_gate::formats::printable::printable;

/// The most characters of a text of n8n that are shown.
const LONGEST: usize = 200;

/// A text of n8n or of the command line as messages show it.
pub(crate) fn shown(text: &str) -> String {
    printable(text, LONGEST).into_owned()
}

/// Writes a line.
pub(crate) fn say(out: &mut (impl Write + ?Sized), line: &str) -> Result<(), String> {
    writeln!(out, "{line}").map_err(|error| error.to_string())
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
