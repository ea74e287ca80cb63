//! Static API keys in audit records of the gate.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::file::input;

/// The longest line that is read, in bytes. Records are shorter.
const LONGEST: u64 = 256 * 1024;

/// The most keys that are told apart. Their claims are not verified, so that a client can make up any
/// number of them.
const MOST: usize = 10_000;

/// A key that audit records have seen.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// n8n's id of the user, as the key claims it.
    pub(super) subject: String,
    /// The id in the key.
    pub(super) id: String,
    pub(super) count: u64,
    /// The time of the last record.
    pub(super) last: String,
}

/// Reads files with audit records, alone or as Envoy logs them.
pub(super) fn read(files: &[PathBuf]) -> Result<Vec<Seen>, String> {
    let mut seen = BTreeMap::new();
    for file in files {
        let say = |error: io::Error| format!("{}: {error}", input::shown(file));
        let done = if file.as_path() == Path::new("-") {
            collect(io::stdin().lock(), &mut seen)
        } else {
            collect(BufReader::new(File::open(file).map_err(say)?), &mut seen)
        };
        done.map_err(say)?;
    }
    let seen = seen.into_iter().map(|((subject, id), (count, last))| Seen {
        subject,
        id,
        count,
        last,
    });
    Ok(seen.collect())
}

type Counts = BTreeMap<(String, String), (u64, String)>;

fn collect(mut source: impl BufRead, seen: &mut Counts) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if source.by_ref().take(LONGEST).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let Some((key, time)) = record(&line) else {
            continue;
        };
        if seen.len() >= MOST && !seen.contains_key(&key) {
            continue;
        }
        let (count, last) = seen.entry(key).or_default();
        *count = count.saturating_add(1);
        // Times have one form, so that they are in the order of their texts.
        if time > *last {
            *last = time;
        }
    }
}

/// User and id of the key of a record, and its time.
fn record(line: &[u8]) -> Option<((String, String), String)> {
    let start = line.iter().position(|byte| *byte == b'{')?;
    let value: Value = serde_json::from_slice(line.get(start..)?).ok()?;
    if value.get("credential")?.as_str()? != "api_key" {
        return None;
    }
    let key = value.get("api_key")?;
    let text = |name: &str| key.get(name).and_then(Value::as_str).unwrap_or_default();
    let time = value
        .get("time")
        .and_then(Value::as_str)
        .unwrap_or_default();
    Some((
        (text("sub").to_owned(), text("jti").to_owned()),
        time.to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_found_in_a_log_and_counted() {
        let log = concat!(
            r#"{"api_key":{"jti":"k","sub":"u"},"credential":"api_key","time":"2026-11-29T10:00:00Z"}"#,
            "\n[info] wasm log: ",
            r#"{"api_key":{"jti":"k","sub":"u"},"credential":"api_key","time":"2026-11-28T10:00:00Z"}"#,
            "\n",
            r#"{"credential":"bearer","sub":"u","time":"2026-11-29T10:00:00Z"}"#,
            "\nno record {\n"
        );
        let mut seen = Counts::new();
        collect(log.as_bytes(), &mut seen).unwrap();
        let key = ("u".to_owned(), "k".to_owned());
        let expected = Counts::from([(key, (2, "2026-11-29T10:00:00Z".to_owned()))]);
        assert_eq!(seen, expected);
    }
}
