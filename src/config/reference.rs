//! The reference documentation of the configuration and its schema, from the declarations that read it.

mod providers;
mod schema;
mod section;
mod shapes;
mod syntaxes;

pub use schema::{schema, SCHEMA_FILE};

use std::fmt::Write as _;

use section::SectionReference;

use super::raw::{
    RawApiKeyRule, RawAudit, RawBearerInDescription, RawCertificateRule, RawClaimNot, RawClaimRule,
    RawClaimTests, RawClaimsAt, RawClientCertificates, RawCondition, RawConfiguration,
    RawDpopProofs, RawEmbed, RawEndpoints, RawInstance, RawIntrospection, RawKeys, RawKind, RawN8n,
    RawPrincipal, RawProvider, RawProvisioning, RawPublicApi, RawPush, RawRefusals, RawRevoked,
    RawSignature, RawTokenFrom, RawUser, RawUserInfo, RawWebhook,
};
use super::rules::{Demand, Rule, When};
use super::section::{AbsenceReference, FieldReference};
use super::shape::Shape;

/// A whole configuration that shows the language.
pub const EXAMPLE: &str = include_str!("reference/example.yaml");

const INTRODUCTION: &str = include_str!("reference/introduction.md");

/// All objects, in the order of the page. The first is the configuration itself.
fn sections() -> Vec<SectionReference> {
    vec![
        SectionReference::of::<RawConfiguration>(),
        SectionReference::of::<RawN8n>(),
        SectionReference::of::<RawInstance>(),
        SectionReference::of::<RawProvider>(),
        SectionReference::of::<RawClaimsAt>(),
        SectionReference::of::<RawKind>(),
        SectionReference::of::<RawKeys>(),
        SectionReference::of::<RawIntrospection>(),
        SectionReference::of::<RawUserInfo>(),
        SectionReference::of::<RawPush>(),
        SectionReference::of::<RawPrincipal>(),
        SectionReference::of::<RawUser>(),
        SectionReference::of::<RawCondition>(),
        SectionReference::of::<RawClaimRule>(),
        SectionReference::of::<RawClaimTests>(),
        SectionReference::of::<RawClaimNot>(),
        SectionReference::of::<RawProvisioning>(),
        SectionReference::of::<RawEmbed>(),
        SectionReference::of::<RawPublicApi>(),
        SectionReference::of::<RawBearerInDescription>(),
        SectionReference::of::<RawApiKeyRule>(),
        SectionReference::of::<RawWebhook>(),
        SectionReference::of::<RawTokenFrom>(),
        SectionReference::of::<RawSignature>(),
        SectionReference::of::<RawEndpoints>(),
        SectionReference::of::<RawCertificateRule>(),
        SectionReference::of::<RawDpopProofs>(),
        SectionReference::of::<RawClientCertificates>(),
        SectionReference::of::<RawRevoked>(),
        SectionReference::of::<RawAudit>(),
        SectionReference::of::<RawRefusals>(),
    ]
}

/// The page `docs/reference/configuration.md`.
pub fn page() -> String {
    // The link is from the page, not from the file in the sources.
    let link = format!("[{SCHEMA_FILE}]({SCHEMA_FILE})");
    let mut page = INTRODUCTION.replace("{schema}", &link);
    let _ = write!(page, "\n## Example\n\n```yaml\n{EXAMPLE}```\n");
    let sections = sections();
    for section in &sections {
        write_section(&mut page, section);
    }
    syntaxes::write(&mut page, &sections);
    page
}

fn write_section(page: &mut String, section: &SectionReference) {
    let _ = write!(page, "\n## {}\n\n{}\n", section.title, section.about);
    let own = section.fields.iter().filter(|field| field.part.is_none());
    let own: Vec<_> = own.collect();
    if !own.is_empty() {
        page.push_str("\n| field | what it is | when absent | meaning |\n|---|---|---|---|\n");
    }
    for field in own {
        let FieldReference {
            name,
            shape,
            absence,
            meaning,
            ..
        } = field;
        let absence = match absence {
            AbsenceReference::Required => "**required**".to_owned(),
            AbsenceReference::Means(meaning) => (*meaning).to_owned(),
            AbsenceReference::Default(value) => match value.as_str() {
                Some(text) => format!("`{text}`"),
                None => format!("`{value}`"),
            },
            AbsenceReference::FieldsHaveDefaults => "see its fields".to_owned(),
        };
        let _ = writeln!(page, "| `{name}` | {shape} | {absence} | {meaning} |");
    }
    let part = section.fields.iter().find_map(|field| field.part);
    if let Some(part) = part {
        let fields = Shape::Section(part);
        let _ = write!(page, "\nIt also has the fields of {fields}.\n");
    }
    if !section.own_rules.is_empty() {
        page.push('\n');
    }
    for rule in section.own_rules {
        let _ = writeln!(page, "- {}.", in_words(rule));
    }
}

/// A rule as a sentence.
fn in_words(rule: &Rule) -> String {
    let names = |names: &[&str], before_last: &str| {
        let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        match names.split_last() {
            Some((last, others)) if !others.is_empty() => {
                format!("{} {before_last} {last}", others.join(", "))
            }
            _ => names.concat(),
        }
    };
    let subject = match rule.when {
        When::Always => None,
        When::Given(name) => Some(format!("`{name}`")),
        When::Is(name, words) => Some(format!("`{name}` with {}", names(words, "or"))),
        When::IsFalse(name) => Some(format!("`{name}: false`")),
    };
    match (subject, rule.demand) {
        (None, Demand::AnyOf(one_of)) => format!("One of {} is required", names(one_of, "and")),
        (None, Demand::Without(none_of)) => format!("{} are not allowed", names(none_of, "and")),
        (Some(subject), Demand::AnyOf(one_of)) => {
            format!("{subject} needs {}", names(one_of, "or"))
        }
        (Some(subject), Demand::Without(none_of)) => {
            format!("{subject} excludes {}", names(none_of, "and"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::rules::At;

    #[test]
    fn a_rule_names_only_fields_of_its_section() {
        for section in sections() {
            let known = |name: &str| section.fields.iter().any(|field| field.name == name);
            for rule in &section.rules {
                let (Demand::AnyOf(names) | Demand::Without(names)) = rule.demand;
                let names = names.iter().copied().chain(rule.trigger());
                let at = match rule.at {
                    At::Field(name) => Some(name),
                    At::Each | At::Object => None,
                };
                for name in names.chain(at) {
                    assert!(known(name), "{}: {name}", section.title);
                }
            }
        }
    }

    #[test]
    fn every_section_that_a_field_has_is_on_the_page() {
        let sections = sections();
        for field in sections.iter().flat_map(|section| &section.fields) {
            if let Shape::Section(title) = &field.shape {
                let is_there = sections.iter().any(|section| section.title == *title);
                assert!(is_there, "{title}");
            }
        }
    }
}
