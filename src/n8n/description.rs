//! n8n's own description of its public API (`OpenAPI` 3.0), and what the gate adds to it: that every
//! operation that takes an API key takes a bearer token, too.
//!
//! The document is not parsed into values and written anew: a few texts are inserted, and each other byte
//! stays. Whatever is not written as n8n writes it is left alone, because clients generate code from it.

mod edit;
mod flow;
mod page;
#[cfg(test)]
mod tests;
mod yaml;

use edit::Edit;

use super::Route;

/// The largest description that is read, in bytes. That of n8n 2.41.1 has 757 KB.
pub const MAX_DESCRIPTION: usize = 2 * 1024 * 1024;

/// A form in which n8n serves the description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DescriptionForm {
    /// `openapi.yml`.
    Yaml,
    /// `docs/swagger-ui-init.js`, which the page for people runs.
    Page,
}

impl DescriptionForm {
    /// The form that n8n serves there.
    pub fn at(route: &Route<'_>) -> Option<Self> {
        let is = |segment: &str, name: &str| segment.eq_ignore_ascii_case(name);
        match route.api_call()? {
            [only] if is(only, "openapi.yml") => Some(Self::Yaml),
            [docs, file] if is(docs, "docs") && is(file, "swagger-ui-init.js") => Some(Self::Page),
            _ => None,
        }
    }

    /// Its path in n8n.
    pub fn path(self, api: &str) -> String {
        let name = match self {
            Self::Yaml => "openapi.yml",
            Self::Page => "docs/swagger-ui-init.js",
        };
        format!("/{api}/v1/{name}")
    }
}

/// The description with bearer tokens beside API keys, and with the addresses where clients get them.
/// `None`: it is of a form that is not known.
pub fn with_bearer(
    form: DescriptionForm,
    text: &str,
    token_endpoints: &[String],
) -> Option<String> {
    let mut edit = Edit::new(text, token_endpoints);
    match form {
        DescriptionForm::Yaml => yaml::edit(&mut edit)?,
        DescriptionForm::Page => page::edit(&mut edit)?,
    }
    edit.finish()
}
