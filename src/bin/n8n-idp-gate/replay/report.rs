//! A summary for people and for programs. The guide on shadows describes the members.

use std::fmt::Write as _;

use serde_json::{json, Value};

use super::summary::{Change, Decided, Found, Group, Summary};

/// Changes with each change of a member that programs may read.
const VERSION: u8 = 1;

/// How many groups of each kind people are shown.
const SHOWN: usize = 40;

/// What no record shows.
const GRANTED: &str = "tokens, API keys and deliveries are found, read and checked as before";

/// Writes a summary as text.
pub(crate) fn text(summary: &Summary, has_old: bool) -> String {
    let mut text = String::new();
    let mut line = |line: &str| {
        text.push_str(line);
        text.push('\n');
    };
    line(&format!("{} records replayed", summary.replayed));
    line(&counted(summary.same, "same"));
    for change in Change::ALL {
        if let Some(count) = summary.changed.get(&change) {
            line(&counted(*count, &change.in_words()));
        }
    }
    line(&counted(summary.unknown, "unknown"));
    if !has_old {
        line(&format!("taken for granted without --old: {GRANTED}"));
    }
    for (why, count) in &summary.skipped {
        line(&format!("left out: {count} {why}"));
    }
    if summary.others > 0 {
        line(&format!("lines without a record: {}", summary.others));
    }
    if summary.bad > 0 {
        line(&format!("lines that cannot be read: {}", summary.bad));
        for named in &summary.named {
            line(&format!("  {named}"));
        }
    }
    let changes = summary.changes();
    if !changes.is_empty() {
        line("\nwould be decided otherwise:");
    }
    for (group, found) in changes.iter().take(SHOWN) {
        let head = format!("{}, {}", group.who, group.what);
        line(&counted(found.count, &head));
        line(&format!("          {}", changed(group)));
        line(&when(found));
    }
    rest(&mut line, changes.len());
    let open = summary.open();
    if !open.is_empty() {
        line("\nunknown, for want of:");
    }
    for (open, found) in open.iter().take(SHOWN) {
        let needs: Vec<_> = open.needs.iter().map(String::as_str).collect();
        let head = format!("{}, {}", open.who, open.what);
        line(&counted(found.count, &head));
        line(&format!("          {}", needs.join(", ")));
        line(&when(found));
    }
    rest(&mut line, open.len());
    if summary.ungrouped > 0 {
        line(&format!(
            "{} more records are counted above and in no group: there are too many groups",
            summary.ungrouped
        ));
    }
    text
}

/// What would change, as far as it differs.
fn changed(group: &Group) -> String {
    let shown = |own: &Decided, other: &Decided| {
        let mut shown = own.reason.unwrap_or(own.decision).to_owned();
        if own.missing != other.missing && !own.missing.is_empty() {
            let _ = write!(shown, " of {}", own.missing.join(" "));
        }
        match own.principal.as_deref() {
            Some(principal) if own.principal != other.principal => {
                let _ = write!(shown, " for {principal}");
            }
            _ => {}
        }
        shown
    };
    let (before, after) = (&group.before, &group.after);
    let with = match group.change {
        Change::Credential => " with another API key or user of n8n",
        _ => "",
    };
    format!("{} -> {}{with}", shown(before, after), shown(after, before))
}

fn counted(count: u64, what: &str) -> String {
    format!("{count:>8}  {what}")
}

fn rest(line: &mut impl FnMut(&str), count: usize) {
    let rest = count.saturating_sub(SHOWN);
    if rest > 0 {
        line(&format!(
            "          and {rest} groups more: --json has them"
        ));
    }
}

fn when(found: &Found) -> String {
    let mut when = if found.count == 1 {
        format!("          at {}", found.first)
    } else {
        format!("          from {} to {}", found.first, found.last)
    };
    if let Some(example) = &found.example {
        let _ = write!(when, ", such as the request {example}");
    }
    when
}

/// Writes a summary as one JSON document.
pub(crate) fn json(summary: &Summary, has_old: bool) -> Value {
    let totals = Change::ALL.into_iter().map(|change| {
        let count = summary.changed.get(&change).copied().unwrap_or_default();
        (change.as_str().to_owned(), json!(count))
    });
    let mut totals: serde_json::Map<String, Value> = totals.collect();
    totals.insert("same".to_owned(), json!(summary.same));
    totals.insert("unknown".to_owned(), json!(summary.unknown));
    let changes = summary.changes().into_iter().map(|(group, found)| {
        let mut members = of_found(found);
        for (name, value) in [
            ("change", group.change.as_str()),
            ("caller", &group.who),
            ("request", &group.what),
        ] {
            members.insert(name.to_owned(), json!(value));
        }
        members.insert("before".to_owned(), of_decided(&group.before));
        members.insert("after".to_owned(), of_decided(&group.after));
        Value::Object(members)
    });
    let changes: Vec<_> = changes.collect();
    let open = summary.open().into_iter().map(|(open, found)| {
        let mut members = of_found(found);
        members.insert("caller".to_owned(), json!(open.who));
        members.insert("request".to_owned(), json!(open.what));
        members.insert("needs".to_owned(), json!(open.needs));
        Value::Object(members)
    });
    let open: Vec<_> = open.collect();
    let granted = (!has_old).then_some(GRANTED);
    json!({
        "version": VERSION,
        "lines": summary.lines,
        "lines_without_record": summary.others,
        "lines_not_read": { "count": summary.bad, "first": summary.named },
        "left_out": summary.skipped,
        "replayed": summary.replayed,
        "totals": totals,
        "taken_for_granted": granted,
        "changes": changes,
        "unknown": open,
        "records_without_group": summary.ungrouped,
    })
}

fn of_decided(decided: &Decided) -> Value {
    json!({
        "decision": decided.decision,
        "reason": decided.reason,
        "principal": decided.principal,
        "missing": decided.missing,
    })
}

fn of_found(found: &Found) -> serde_json::Map<String, Value> {
    let members = [
        ("count", json!(found.count)),
        ("first", json!(found.first)),
        ("last", json!(found.last)),
        ("example", json!(found.example)),
    ];
    let members = members.map(|(name, value)| (name.to_owned(), value));
    members.into_iter().collect()
}
