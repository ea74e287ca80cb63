//! What a line of n8n does not have.

use super::field::Field;
use super::field_path::FieldPath;
use super::raw::RawN8n;
use super::syntax::{N8nVersion, Text};
use crate::n8n::{Line, ScopeSet};
use crate::policy::RestAuth;

/// The line. `None`: the version is wrong, which was reported.
pub(super) fn line(field: &Field<Text<N8nVersion>>) -> Option<Line> {
    Line::of_version(&field.value.as_ref()?.text)
}

/// Reports what needs users and sessions, where the gate can make none.
pub(super) fn report_what_needs_users(raw: &RawN8n, line: Line) {
    if line.has_users_of_the_gate() {
        return;
    }
    // What needs it, `embed` and `user`, goes with it.
    raw.n8n.refuse(
        &no_users(line),
        "remove it, with embed and each user: give principals an api_key that was made in n8n",
    );
    let rest = raw.rest.value.as_ref().map(|word| word.0);
    if rest == Some(RestAuth::Bearer) {
        raw.rest.error(no_users(line), "write pass, or remove it");
    }
}

/// Why that is an error.
pub(super) fn no_users(line: Line) -> String {
    let line = line.as_str();
    format!("does not work with n8n {line}: the gate can make no users there, and log in as none")
}

/// Warns of scopes that mean nothing in the line. Instances of two lines may have the same roles, so that it is
/// no error.
pub(super) fn warn_of_foreign_scopes(scopes: &ScopeSet, line: Line, path: &FieldPath) {
    let foreign: Vec<_> = scopes.foreign_to(line).collect();
    if foreign.is_empty() {
        return;
    }
    path.warn(
        format!("has scopes that mean nothing in n8n {}: {}", line.as_str(), foreign.join(", ")),
        "remove them, or correct n8n_version: docs/reference/operations.md has the scopes of each version",
    );
}
