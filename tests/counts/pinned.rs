//! The figures that are pinned in `figures.json`: a change of the code that moves one must update it.

use std::path::PathBuf;
use std::{env, fs};

use serde_json::{json, Map, Value};

/// By how many parts in a thousand a figure may differ.
const TOLERANCE: u64 = 20;

/// What a person does about it.
const HOW: &str = "if that is meant, UPDATE_COUNTS=1 make counts writes tests/counts/figures.json";

/// The figures of one request, by their names.
pub(crate) type Figures = Vec<(&'static str, u64)>;

/// What was counted, each case with its figures.
pub(crate) struct Counted {
    /// What these figures are of.
    pub(crate) what: &'static str,
    /// What they depend on beside the code.
    pub(crate) made_with: String,
    /// Whether there is a count of every case.
    pub(crate) is_all: bool,
    pub(crate) cases: Vec<(&'static str, Figures)>,
}

/// Compares the figures with those of the file, or writes them there. An error has a line for each that
/// differs. A text says why there was nothing to compare.
pub(crate) fn settle(counted: &Counted) -> Result<Option<String>, String> {
    let pinned = read("tests/counts/figures.json");
    let merged = merged(&pinned, counted);
    if counted.is_all {
        // For the report of `make bench`.
        write("target/counts/figures.json", &merged)?;
    }
    if env::var("UPDATE_COUNTS").is_ok_and(|wish| wish == "1") {
        if !counted.is_all {
            return Err("only a run of all cases writes the figures".to_owned());
        }
        write("tests/counts/figures.json", &merged)?;
        return Ok(Some("written to tests/counts/figures.json".to_owned()));
    }
    let made_with = &counted.made_with;
    let pinned_with = pinned["made_with"][counted.what]
        .as_str()
        .unwrap_or("nothing");
    if pinned_with != made_with {
        return Ok(Some(format!(
            "not compared: counted with {made_with}; the pinned figures are of {pinned_with}"
        )));
    }
    let changes = changes(&pinned, counted);
    if changes.is_empty() {
        Ok(None)
    } else {
        Err(format!("{}\n{HOW}", changes.join("\n")))
    }
}

/// A line for each figure that differs too much from the pinned one.
fn changes(pinned: &Value, counted: &Counted) -> Vec<String> {
    let mut changes = Vec::new();
    for (case, figures) in &counted.cases {
        for (figure, now) in figures {
            let before = pinned["counts"][case][figure].as_u64();
            if before.is_none_or(|before| differs(before, *now)) {
                let before = before.map_or("none".to_owned(), |before| before.to_string());
                changes.push(format!("{case}: {now} {figure}, pinned: {before}"));
            }
        }
    }
    changes
}

const fn differs(before: u64, now: u64) -> bool {
    now.abs_diff(before).saturating_mul(1000) > before.saturating_mul(TOLERANCE)
}

/// The pinned figures with these in place of theirs.
fn merged(pinned: &Value, counted: &Counted) -> Value {
    let mut merged = pinned.clone();
    merged["made_with"][counted.what] = json!(counted.made_with);
    for (case, figures) in &counted.cases {
        for (figure, value) in figures {
            merged["counts"][case][figure] = json!(value);
        }
    }
    merged
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// A file of figures. One that is absent has none.
fn read(name: &str) -> Value {
    let text = fs::read_to_string(path(name)).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_else(|_| json!({ "made_with": {}, "counts": {} }))
}

/// One line for each case, so that a difference of two versions can be read.
fn write(name: &str, figures: &Value) -> Result<(), String> {
    let none = Map::new();
    let lines = |member: &str| {
        let members = figures[member].as_object().unwrap_or(&none).iter();
        let lines = members.map(|(name, value)| format!("    {}: {value}", json!(name)));
        lines.collect::<Vec<_>>().join(",\n")
    };
    let (made_with, counts) = (lines("made_with"), lines("counts"));
    let text = format!(
        "{{\n  \"made_with\": {{\n{made_with}\n  }},\n  \"counts\": {{\n{counts}\n  }}\n}}\n"
    );
    let path = path(name);
    let written = path.parent().map_or(Ok(()), fs::create_dir_all);
    let written = written.and_then(|()| fs::write(&path, text));
    written.map_err(|error| format!("{name}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::{changes, merged, Counted};
    use serde_json::json;

    fn counted(steps: u64) -> Counted {
        Counted {
            what: "module",
            made_with: "a compiler".to_owned(),
            is_all: true,
            cases: vec![("editor", vec![("steps", steps)])],
        }
    }

    #[test]
    fn a_figure_that_grows_or_shrinks_by_more_than_two_percent_is_a_change() {
        let pinned = json!({ "counts": { "editor": { "steps": 1000, "bytes": 7 } } });
        for (steps, is_change) in [(979, true), (980, false), (1020, false), (1021, true)] {
            assert_eq!(
                !changes(&pinned, &counted(steps)).is_empty(),
                is_change,
                "{steps}"
            );
        }
        let merged = merged(&pinned, &counted(5));
        assert_eq!(
            merged["counts"]["editor"],
            json!({ "steps": 5, "bytes": 7 })
        );
        assert_eq!(merged["made_with"]["module"], "a compiler");
    }

    #[test]
    fn a_case_that_is_new_is_a_change() {
        let changes = changes(&json!({}), &counted(5));
        assert_eq!(changes, ["editor: 5 steps, pinned: none"]);
    }
}
