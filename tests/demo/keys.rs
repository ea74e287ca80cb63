//! The API keys in n8n, as they come and go.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::settings::running_n8n;
use crate::support::n8n::Provisioned;
use crate::support::Outcome;

/// The time between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// Prints every API key of the n8n of a demo that runs, and then each one that is made (`+`) or
/// deleted (`-`).
pub(crate) fn follow(is_over: impl Fn() -> bool) -> Outcome<()> {
    let (port, folder) = running_n8n()?;
    let owner = Provisioned::kept_in(&folder)
        .and_then(|provisioned| provisioned.session_of_owner(port))
        .map_err(|error| format!("no demo runs here, or its n8n has another port: {error}"))?;
    let mut known = BTreeMap::new();
    while !is_over() {
        let listed = listed(&owner.all_api_keys()?);
        for line in changes(&known, &listed) {
            println!("{line}");
        }
        known = listed;
        thread::sleep(PAUSE);
    }
    Ok(())
}

/// Each key by its id, as one line.
fn listed(keys: &[Value]) -> BTreeMap<String, String> {
    let text = |key: &Value, pointer: &str| {
        let value = key.pointer(pointer).and_then(Value::as_str);
        value.unwrap_or("?").to_owned()
    };
    let line = |key: &Value| {
        let scopes = key.get("scopes").and_then(Value::as_array);
        let scopes: Vec<&str> = scopes
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let label = text(key, "/label");
        let owner = text(key, "/owner/email");
        (
            text(key, "/id"),
            format!("{owner}  {label}  {}", scopes.join(" ")),
        )
    };
    keys.iter().map(line).collect()
}

/// The keys that went and came between two looks.
fn changes(before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Vec<String> {
    let gone = before.iter().filter(|(id, _)| !now.contains_key(*id));
    let made = now.iter().filter(|(id, _)| !before.contains_key(*id));
    let gone = gone.map(|(_, line)| format!("- {line}"));
    gone.chain(made.map(|(_, line)| format!("+ {line}")))
        .collect()
}
