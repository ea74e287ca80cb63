//! What the command line reads, within bounds: a path may name a device without an end, and a pipe
//! may never close.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use n8n_idp_gate::formats::printable::printable;
use n8n_idp_gate::time::UnixMillis;

/// The most that is read of one file or pipe.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// The longest path or argument that a message repeats, in characters.
const LONGEST: usize = 500;

/// The time.
#[allow(
    clippy::disallowed_methods,
    reason = "this is the twin's reader of the clock"
)]
pub(crate) fn now() -> UnixMillis {
    let since_1970 = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    UnixMillis(u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX))
}

/// The bytes of a file or pipe.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let say = |problem: String| format!("{}: {problem}", shown(path));
    let file = File::open(path).map_err(|error| say(error.to_string()))?;
    let kind = file.metadata().map_err(|error| say(error.to_string()))?;
    let kind = kind.file_type();
    if kind.is_dir() || is_device(kind) {
        return Err(say("is neither a file nor a pipe".to_owned()));
    }
    bounded(file).map_err(say)
}

/// The text of a file or pipe.
pub(crate) fn text(path: &Path) -> Result<String, String> {
    let bytes = bytes(path)?;
    String::from_utf8(bytes).map_err(|_| format!("{}: is not UTF-8", shown(path)))
}

/// The text of a file or pipe, or of standard input for `-`.
pub(crate) fn text_or_stdin(path: &Path) -> Result<String, String> {
    if path.as_os_str() != "-" {
        return text(path);
    }
    let bytes = bounded(io::stdin().lock()).map_err(|problem| format!("-: {problem}"))?;
    String::from_utf8(bytes).map_err(|_| "-: is not UTF-8".to_owned())
}

/// A path as messages show it.
pub(crate) fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy(), LONGEST).into_owned()
}

fn bounded(source: impl Read) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let most = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX);
    let mut source = source.take(most.saturating_add(1));
    let read = source.read_to_end(&mut bytes);
    read.map_err(|error| error.to_string())?;
    if bytes.len() > MAX_BYTES {
        return Err(format!("is larger than {} MiB", MAX_BYTES / (1024 * 1024)));
    }
    Ok(bytes)
}

#[cfg(unix)]
fn is_device(kind: std::fs::FileType) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    kind.is_char_device() || kind.is_block_device()
}

#[cfg(not(unix))]
const fn is_device(_: std::fs::FileType) -> bool {
    false
}
