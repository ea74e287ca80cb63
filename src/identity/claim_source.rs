//! Where the claims of a caller come from.

use std::sync::Arc;

use crate::formats::json::Document;
use crate::time::UnixSeconds;
use crate::token::{Confirmation, ResponseKind};

/// What is known of a caller before its claims are read by a dialect.
#[derive(Clone, Copy)]
pub(super) struct ClaimSource<'s> {
    pub(super) claims: &'s Arc<Document>,
    pub(super) issuer: &'s Arc<str>,
    pub(super) expires: UnixSeconds,
    /// The token's `typ` is `at+jwt`: it keeps RFC 9068.
    pub(super) keeps_rfc_9068: bool,
    /// The kind of the provider's response with these claims; `None`: they are a JWT's.
    pub(super) response_kind: Option<ResponseKind>,
    /// What the introspection response about a signed token says.
    pub(super) confirmation: Option<&'s Confirmation>,
}
