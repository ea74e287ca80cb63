//! Where n8n serves its surfaces.

use super::raw::RawEndpoints;
use super::read::{Syntax, Text};
use super::report::Message;
use super::section::{optional_as, Field, Rule};
use crate::n8n::{EndpointFault, Endpoints, PathPrefix};

/// A path prefix of n8n.
pub(super) struct Prefix;

impl Syntax for Prefix {
    const SHAPE: &'static str = "path prefix";

    fn check(text: &str) -> Result<(), Message> {
        if text.starts_with('/') || text.ends_with('/') {
            let hint = "write it without, as n8n's own variable has it";
            return Err(Message::new("has a slash at an end", hint));
        }
        Endpoints::normalize(text).map(|_| ()).map_err(|fault| {
            let problem = match fault {
                EndpointFault::Empty => "must have a segment",
                EndpointFault::Segment(_) => "has a segment that is not plain",
            };
            Message::new(
                problem,
                "use letters, digits, ., _, ~ and -, as n8n's own variable has it",
            )
        })
    }
}

/// The path below which an n8n is served.
pub(super) struct OuterPath;

impl Syntax for OuterPath {
    const SHAPE: &'static str = "path";

    fn check(text: &str) -> Result<(), Message> {
        let sound = text.starts_with('/') && PathPrefix::parse(text).is_ok();
        if sound {
            return Ok(());
        }
        Err(Message::new(
            "is no plain path below which n8n could be served",
            "write it as the route matches it, such as /n8n: letters, digits, ., _, ~ and -",
        ))
    }
}

/// The path prefix, if there is one. `None`: it is wrong, and that was reported.
#[allow(clippy::option_option, reason = "wrong is not absent")]
pub(super) fn path_prefix(field: Field<Text<OuterPath>>) -> Option<Option<PathPrefix>> {
    let written = field.value_or_error().ok()?;
    Some(written.and_then(|written| PathPrefix::parse(&written.text).ok()))
}

/// The prefix may be absent, and then is the one that n8n has when nobody sets it.
pub(super) fn as_n8n_has_it<T>(pick: impl Fn(Endpoints) -> String) -> Rule<T> {
    optional_as(|| format!("`{}`", pick(Endpoints::default())))
}

/// The endpoints, with n8n's defaults for those that are not named.
///
/// `None`: something is wrong, and that was reported.
pub(super) fn endpoints(field: Field<RawEndpoints>) -> Option<Endpoints> {
    let Field { path, value, .. } = field;
    let raw = value?;
    let usual = Endpoints::default();
    let endpoints = Endpoints {
        api: prefix(raw.api, usual.api)?,
        rest: prefix(raw.rest, usual.rest)?,
        webhook: prefix(raw.webhook, usual.webhook)?,
        webhook_test: prefix(raw.webhook_test, usual.webhook_test)?,
        webhook_waiting: prefix(raw.webhook_waiting, usual.webhook_waiting)?,
        form: prefix(raw.form, usual.form)?,
        form_test: prefix(raw.form_test, usual.form_test)?,
        form_waiting: prefix(raw.form_waiting, usual.form_waiting)?,
        mcp: prefix(raw.mcp, usual.mcp)?,
        mcp_test: prefix(raw.mcp_test, usual.mcp_test)?,
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

fn prefix(field: Field<Text<Prefix>>, usual: String) -> Option<String> {
    match field.value_or_error().ok()? {
        Some(written) => Endpoints::normalize(&written.text).ok(),
        None => Some(usual),
    }
}
