//! What the challenge of a refusal says.

/// What the `WWW-Authenticate` header says (RFC 6750 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// There is none: another token of the same kind does not help.
    None,
    /// The scheme alone, because no credential was sent (RFC 6750 §3.1).
    Bare,
    /// With this `error` code.
    Error(&'static str),
}

pub(super) const INVALID_REQUEST: Challenge = Challenge::Error("invalid_request");
pub(super) const INVALID_TOKEN: Challenge = Challenge::Error("invalid_token");
pub(super) const INVALID_PROOF: Challenge = Challenge::Error("invalid_dpop_proof");
pub(super) const INSUFFICIENT_SCOPE: Challenge = Challenge::Error("insufficient_scope");
