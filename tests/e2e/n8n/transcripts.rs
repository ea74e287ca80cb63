//! Compares the audit records in the documentation with those of a run.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::support::installed;

/// The pages that show steps of the demo with their audit records.
const PAGES: [&str; 2] = ["README.md", "docs/guides/demo.md"];

/// Members that differ in each run: times, ids, and addresses with a port.
const VARY: [&str; 9] = [
    "time",
    "jti",
    "request_id",
    "iss",
    "host",
    "path",
    "claimed",
    "api_key",
    "user_agent",
];

/// Members of a verification, which is done once for each token: another test may have sent it before.
const OF_VERIFICATION: [&str; 2] = ["cache", "crypto"];

/// The differences between the pages and the record of the step with this title.
pub(crate) fn faults(title: &str, record: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    for page in PAGES {
        let text = fs::read_to_string(installed::root().join(page)).unwrap();
        let Some(shown) = shown(&text, title) else {
            if page != "README.md" {
                faults.push(format!("{page} shows no record of it"));
            }
            continue;
        };
        let names: BTreeSet<&String> = [&shown, record]
            .into_iter()
            .filter_map(Value::as_object)
            .flat_map(serde_json::Map::keys)
            .collect();
        for name in names {
            if OF_VERIFICATION.contains(&name.as_str()) {
                continue;
            }
            let (own, other) = (shown.get(name), record.get(name));
            let differs = if VARY.contains(&name.as_str()) {
                own.map(members) != other.map(members)
            } else {
                own != other
            };
            if differs {
                let (shown, found) = (shown.get(name), record.get(name));
                faults.push(format!(
                    "{page} shows {name}: {shown:?}, but it is {found:?}"
                ));
            }
        }
    }
    faults
}

/// The names of the members of a value.
fn members(value: &Value) -> Vec<&String> {
    value
        .as_object()
        .into_iter()
        .flat_map(serde_json::Map::keys)
        .collect()
}

/// The record of a step in a page. Its lines are wrapped between members.
fn shown(page: &str, title: &str) -> Option<Value> {
    let (_, step) = page.split_once(title)?;
    let (_, record) = step.split_once("# the gate's audit record\n")?;
    let lines = record.lines();
    let lines = lines.take_while(|line| !line.is_empty() && !line.starts_with("```"));
    serde_json::from_str(&lines.collect::<String>()).ok()
}
