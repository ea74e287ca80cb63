//! What a refusal tells its caller beside the reason.

use std::collections::BTreeSet;

/// What a refusal tells its caller beside the reason. Nothing, unless the configuration allows it, or the
/// token was verified.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told<'t> {
    /// What the code of the reason is appended to for the `type` (RFC 9457 §3.1.1).
    pub types: Option<&'t str>,
    /// The OAuth client of a verified token.
    pub client: Option<&'t str>,
    /// The audiences of which the token must name one.
    pub audiences: Option<&'t BTreeSet<String>>,
    /// A usual cause.
    pub hint: Option<&'static str>,
}
