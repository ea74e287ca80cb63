//! The figures that are pinned in `figures.json`: a change of the code that moves one must update it.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::Failure;

/// By how many parts in a thousand a figure may differ.
const TOLERANCE: u64 = 20;

const HOW: &str = "if that is meant, UPDATE_COUNTS=1 make counts writes tests/counts/figures.json";

/// What one request costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) instructions: u64,
    pub(crate) allocations: u64,
    pub(crate) bytes: u64,
}

impl Count {
    const fn named(self) -> [(&'static str, u64); 3] {
        [
            ("instructions", self.instructions),
            ("allocations", self.allocations),
            ("bytes", self.bytes),
        ]
    }
}

/// Prints the counts beside those of the file, and compares them, or writes them there.
pub(crate) fn report(counts: &[(&str, Count)], is_all: bool) -> Result<(), Failure> {
    let file = file();
    let pinned: Value =
        fs::read(&file).map_or(Ok(Value::Null), |text| serde_json::from_slice(&text))?;
    let mut changes = Vec::new();
    println!(
        "{:<24}{:>14}{:>14}{:>10}",
        "one request", "instructions", "allocations", "bytes"
    );
    for (name, count) in counts {
        let mut line = format!("{name:<24}");
        for ((figure, value), width) in count.named().into_iter().zip([14, 14, 10]) {
            let _ = write!(line, "{value:>width$}");
            let before = pinned["counts"][name][figure].as_u64();
            if before.is_none_or(|before| differs(before, value)) {
                let before = before.map_or("none".to_owned(), |before| before.to_string());
                changes.push(format!("{name}: {value} {figure}, pinned: {before}"));
            }
        }
        println!("{line}");
    }
    let made_with = made_with();
    if env::var("UPDATE_COUNTS").is_ok_and(|wish| wish == "1") {
        if !is_all {
            return Err("only a run of all cases writes the figures".into());
        }
        fs::write(&file, written(counts, &made_with))?;
        println!("written to tests/counts/figures.json");
        return Ok(());
    }
    let pinned_with = pinned["made_with"].as_str().unwrap_or_default();
    if pinned_with != made_with {
        println!("not compared: counted with {made_with}; the figures are of {pinned_with}");
        return Ok(());
    }
    if changes.is_empty() {
        return Ok(());
    }
    Err(format!("{}\n{HOW}", changes.join("\n")).into())
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/counts/figures.json")
}

const fn differs(before: u64, now: u64) -> bool {
    now.abs_diff(before).saturating_mul(1000) > before.saturating_mul(TOLERANCE)
}

/// One line for each case, so that a difference of two versions can be read.
fn written(counts: &[(&str, Count)], made_with: &str) -> String {
    let lines: Vec<String> = counts
        .iter()
        .map(|(name, count)| {
            let figures: Vec<String> = count
                .named()
                .iter()
                .map(|(figure, value)| format!("\"{figure}\": {value}"))
                .collect();
            format!("    \"{name}\": {{ {} }}", figures.join(", "))
        })
        .collect();
    let lines = lines.join(",\n");
    format!("{{\n  \"made_with\": \"{made_with}\",\n  \"counts\": {{\n{lines}\n  }}\n}}\n")
}

/// What the figures depend on beside the code. `malloc` and `memcpy` are the C library's.
fn made_with() -> String {
    let said = |program: &str, argument: &str| {
        let output = Command::new(program).arg(argument).output();
        let text = output.map_or_else(|_| Vec::new(), |output| output.stdout);
        let text = String::from_utf8_lossy(&text);
        text.split(" (")
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    [
        said("rustc", "--version"),
        said("getconf", "GNU_LIBC_VERSION"),
        said("valgrind", "--version"),
        env::consts::ARCH.to_owned(),
    ]
    .join(", ")
}
