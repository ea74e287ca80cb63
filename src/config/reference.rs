//! The reference documentation of the configuration, from the declarations that read it.

use std::fmt::Write as _;

use super::raw::{
    RawApiKeyRule, RawAudit, RawCondition, RawConfiguration, RawEndpoints, RawInstance,
    RawIntrospection, RawKeys, RawKind, RawPrincipal, RawProvider, RawPublicApi, RawUserInfo,
    RawWebhook,
};
use super::section::{FieldReference, Section};
use crate::identity::{ClaimRule, ClaimsAt};

/// A whole configuration that shows the language.
pub const EXAMPLE: &str = include_str!("reference/example.yaml");

const INTRODUCTION: &str = include_str!("reference/introduction.md");

/// The page `docs/reference/configuration.md`.
pub fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    let _ = write!(page, "\n## Example\n\n```yaml\n{EXAMPLE}```\n");
    section::<RawConfiguration>(&mut page);
    section::<RawInstance>(&mut page);
    section::<RawProvider>(&mut page);
    section::<ClaimsAt>(&mut page);
    section::<RawKind>(&mut page);
    section::<RawKeys>(&mut page);
    section::<RawIntrospection>(&mut page);
    section::<RawUserInfo>(&mut page);
    section::<RawPrincipal>(&mut page);
    section::<RawCondition>(&mut page);
    section::<ClaimRule>(&mut page);
    section::<RawPublicApi>(&mut page);
    section::<RawApiKeyRule>(&mut page);
    section::<RawWebhook>(&mut page);
    section::<RawEndpoints>(&mut page);
    section::<RawAudit>(&mut page);
    page
}

fn section<S: Section>(page: &mut String) {
    let _ = write!(page, "\n## {}\n\n{}\n\n", S::TITLE, S::ABOUT.trim());
    page.push_str("| field | what it is | when absent | meaning |\n|---|---|---|---|\n");
    for FieldReference {
        name,
        shape,
        absence,
        meaning,
    } in S::fields()
    {
        let meaning = meaning.trim();
        let _ = writeln!(page, "| `{name}` | {shape} | {absence} | {meaning} |");
    }
}
