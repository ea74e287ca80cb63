//! What the command line writes.

use std::io::{ErrorKind, Write};

/// Writes a text. A reader that has read enough, such as `head`, is no error.
pub(crate) fn print(out: &mut impl Write, text: &str) -> Result<(), String> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.to_string()),
        _ => Ok(()),
    }
}
