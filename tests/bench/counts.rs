//! What `make counts` counted: no other program on the machine changes it.

use std::fs;

use serde_json::Value;

use crate::report::{table, Section};
use crate::settings::Settings;
use crate::support::{installed, Outcome};

/// Each kind of request, in the order of the table, and the instructions of its decision in the first
/// version of the gate, where they were counted.
const KINDS: [(&str, &str); 8] = [
    ("repeated token", "27000"),
    ("repeated token, audit", ""),
    ("unique token", "92000"),
    ("forged token", "90000"),
    ("API key", "13500"),
    ("editor", "7800"),
    ("webhook, token", ""),
    ("webhook, open", ""),
];

const COLUMNS: [&str; 7] = [
    "",
    "steps of the module",
    "native instructions",
    "first version",
    "distinct ones",
    "allocations",
    "bytes",
];

/// The counts of the last run of `make counts`, or else those that are pinned.
pub(crate) fn section(settings: &Settings) -> Outcome<Option<Section>> {
    if !settings.wants("counts") {
        return Ok(None);
    }
    let root = installed::root();
    let [last, pinned] =
        ["target", "tests"].map(|place| root.join(place).join("counts/figures.json"));
    let text = fs::read(last).or_else(|_| fs::read(pinned))?;
    let figures: Value = serde_json::from_slice(&text)?;
    let rows = KINDS.map(|(kind, first)| {
        let of = |figure: &str| figures["counts"][kind][figure].to_string();
        vec![
            kind.to_owned(),
            of("steps"),
            of("instructions"),
            first.to_owned(),
            of("distinct"),
            of("allocations"),
            of("bytes"),
        ]
    });
    Ok(Some(Section {
        title: "What one request costs",
        text: format!("{}{ABOUT}", table(&COLUMNS, rows)),
    }))
}

const ABOUT: &str = "
Counted by `make counts`, without the check of the signature and without what Envoy does. *Steps* are
those of the module, in an interpreter; the rest is the same code compiled for this processor, below
valgrind. The first version's instructions are those of the decision alone. *Distinct ones* are those that
requests of this kind run at least once: what Envoy's own work pushes out of the processor's caches in between.
";
