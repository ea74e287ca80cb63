//! Where n8n serves its surfaces.

use super::field::Field;
use super::raw::RawEndpoints;
use super::syntax::{OuterPath, Prefix, Text};
use crate::n8n::{Endpoints, PathPrefix};

/// Where an n8n serves its surfaces: paths of rules are read with it.
#[derive(Clone, Copy)]
pub(super) struct Paths<'p> {
    pub(super) endpoints: &'p Endpoints,
    pub(super) prefix: Option<&'p PathPrefix>,
}

impl Paths<'_> {
    /// The hint for the path of a rule that cannot be read.
    pub(super) fn hint(&self, path: &str, example: &str) -> String {
        match self.prefix {
            Some(prefix) if prefix.begins(path) => {
                format!("write it as n8n has it, without path_prefix, such as {example}")
            }
            _ => format!("write a path as n8n has it, such as {example}"),
        }
    }
}

/// The path prefix, if there is one. `None`: it is wrong, and that was reported.
#[allow(clippy::option_option, reason = "wrong is not absent")]
pub(super) fn path_prefix(field: Field<Text<OuterPath>>) -> Option<Option<PathPrefix>> {
    let written = field.value_or_error().ok()?;
    Some(written.and_then(|written| PathPrefix::parse(&written.text).ok()))
}

/// The endpoints, with n8n's defaults for those that are absent.
///
/// `None`: something is wrong, and that was reported.
pub(super) fn endpoints(field: Field<RawEndpoints>) -> Option<Endpoints> {
    let Field { path, value, .. } = field;
    let raw = value?;
    let endpoints = Endpoints {
        api: prefix(raw.api)?,
        rest: prefix(raw.rest)?,
        webhook: prefix(raw.webhook)?,
        webhook_test: prefix(raw.webhook_test)?,
        webhook_waiting: prefix(raw.webhook_waiting)?,
        form: prefix(raw.form)?,
        form_test: prefix(raw.form_test)?,
        form_waiting: prefix(raw.form_waiting)?,
        mcp: prefix(raw.mcp)?,
        mcp_test: prefix(raw.mcp_test)?,
    };
    let conflicts = endpoints.conflicts();
    for conflict in &conflicts {
        path.error(
            conflict.to_string(),
            "write the endpoints as n8n's environment has them",
        );
    }
    conflicts.is_empty().then_some(endpoints)
}

fn prefix(field: Field<Text<Prefix>>) -> Option<String> {
    Endpoints::normalize(&field.value?.text).ok()
}
