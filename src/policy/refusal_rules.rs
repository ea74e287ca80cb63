//! What refusals say beside their reason.

/// What the body of a refusal may say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RefusalRules {
    /// What the code of a reason is appended to for the `type` of a problem document (RFC 9457 §3.1.1).
    pub types: Option<String>,
    /// Whether the sender of a token with another audience is told the accepted ones.
    pub audiences: bool,
    /// Whether the sender of a token that was not verified is told a usual cause.
    pub hints: bool,
}
