//! Why a verified token has no clear caller.

use crate::token::NotText;

/// Why a verified token has no clear caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityFault {
    /// A claim that must be a string has another type.
    NotText {
        /// The claim.
        claim: &'static str,
    },
    /// Two claims name two different clients.
    ClientsDisagree,
    /// The subject of a Kubernetes token and its claims name two different namespaces.
    NamespacesDisagree,
    /// Expected a `sub` that is not empty (RFC 9068 §2.2), or a client where the provider leaves
    /// `sub` out. Stops tokens that do not say which caller they are of.
    SubjectMissing,
}

impl From<NotText> for IdentityFault {
    fn from(NotText(claim): NotText) -> Self {
        Self::NotText { claim }
    }
}
