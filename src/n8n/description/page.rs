//! The script of the page for people: the description is JSON in it.

use serde::Deserialize as _;
use serde_json::value::RawValue;

use super::edit::{is_method, Edit, API_KEY, BEARER};
use super::flow::Flow;

/// What comes before the description, without space.
const BEFORE: [&str; 3] = ["var options = {", "\"swaggerDoc\"", ":"];

pub(super) fn edit(edit: &mut Edit<'_>) -> Option<()> {
    let text = edit.text;
    let (first, others) = BEFORE.split_first()?;
    let mut rest = text.split_once(first)?.1;
    for next in others {
        rest = rest.trim_ascii_start().strip_prefix(next)?;
    }
    let start = text.len().checked_sub(rest.len())?;
    // From here on it is known to be good JSON.
    <&RawValue>::deserialize(&mut serde_json::Deserializer::from_str(rest)).ok()?;
    let whole = Flow::new(text, start);
    let (_, version) = member(whole, "openapi")?;
    version.text().starts_with("3.").then_some(())?;
    requirement_of(edit, whole)?;
    for (_, path) in member(whole, "paths")?.1.members()? {
        for (name, operation) in path.members()? {
            if is_method(name) {
                requirement_of(edit, operation)?;
            } else if name == "$ref" {
                return None;
            }
        }
    }
    schemes(edit, member(whole, "components")?.1)
}

fn member<'t>(object: Flow<'t>, name: &str) -> Option<(&'t str, Flow<'t>)> {
    let members = object.members()?;
    members.into_iter().find(|(known, _)| *known == name)
}

/// The requirement of an operation, or of all that have none.
fn requirement_of(edit: &mut Edit<'_>, object: Flow<'_>) -> Option<()> {
    for (name, mut value) in object.members()? {
        if name == "security" {
            let requirement = value.requirement()?;
            edit.require(&requirement, format!(", {{\"{BEARER}\": []}}"));
        }
    }
    Some(())
}

fn schemes(edit: &mut Edit<'_>, components: Flow<'_>) -> Option<()> {
    let (_, schemes) = member(components, "securitySchemes")?;
    member(schemes, API_KEY)?;
    let known = member(schemes, BEARER);
    let members = match &known {
        // A scheme without any member is none.
        Some((_, bearer)) => Some(bearer.members()?).filter(|members| !members.is_empty())?,
        None => Vec::new(),
    };
    let values = members.iter().map(|(name, value)| (*name, value.text()));
    let missing = edit.missing(&values)?;
    let missing = missing.iter();
    let missing = missing.map(|(name, value)| format!("\"{name}\": {value}, "));
    let mut missing = missing.collect::<String>();
    let mut object = known.map_or(schemes, |(_, bearer)| bearer);
    object.at = object.at.saturating_add(1);
    if known.is_none() {
        let members = missing.trim_end_matches(", ");
        missing = format!("\"{BEARER}\": {{{members}}}, ");
    }
    edit.insert(object.at, missing);
    Some(())
}
