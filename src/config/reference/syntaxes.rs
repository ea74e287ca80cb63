//! The syntaxes of texts, as the reference documentation lists them.

use std::fmt::Write as _;

use super::section::SectionReference;
use crate::config::duration::UNITS;
use crate::config::shape::{Description, Shape};

/// Writes a table with each syntax that a field has.
pub(super) fn write(page: &mut String, sections: &[SectionReference]) {
    page.push_str("\n## Syntaxes\n\n| what | rules | example |\n|---|---|---|\n");
    let mut texts: Vec<Description> = Vec::new();
    for field in sections.iter().flat_map(|section| &section.fields) {
        texts_of(&field.shape, &mut texts);
    }
    let units: Vec<_> = UNITS.iter().map(|(name, _)| format!("`{name}`")).collect();
    let duration = format!(
        "Whole numbers with the units {}, in this order, each at most once.",
        units.join(", ")
    );
    let others = [
        ("duration", duration.as_str(), "1h30m"),
        (
            "size",
            "A whole number with one of the units `B`, `KiB` and `MiB`.",
            "1MiB",
        ),
        (
            "n8n scope",
            "A scope as n8n has it. `workflow:*` stands for all of a resource; `*` for \
             everything, operations included that the gate does not know. `rest` and `embed`, \
             which `*` does not contain, are the gate's own: for n8n's internal API, and for log-ins of browsers.",
            "workflow:read",
        ),
        (
            "claim path",
            "Names with a dot between each two, or a list of names, in which dots are part of a name.",
            "realm_access.roles",
        ),
        (
            "claim value",
            "A string, a boolean, or a whole number in plain digits from -(2^53 - 1) to 2^53 - 1.",
            "example-org/workflows",
        ),
        (
            "secret",
            "A map with the name of an environment variable of the virtual machine. The secret itself is \
             never in the configuration.",
            "{ env: N8N_KEY_MY_DAEMON }",
        ),
    ];
    let texts = texts
        .iter()
        .map(|text| (text.name, text.rules, text.example));
    for (name, rules, example) in texts.chain(others) {
        let example = example.replace('|', "\\|");
        let _ = writeln!(page, "| {name} | {rules} | `{example}` |");
    }
}

/// The kinds of text in a shape, each once.
fn texts_of(shape: &Shape, found: &mut Vec<Description>) {
    match shape {
        Shape::Text(text) if !found.contains(text) => found.push(*text),
        Shape::OneOrMany(item) | Shape::List { item, .. } | Shape::Map(item) => {
            texts_of(item, found);
        }
        Shape::Either(one, other) => {
            texts_of(one, found);
            texts_of(other, found);
        }
        _ => {}
    }
}
