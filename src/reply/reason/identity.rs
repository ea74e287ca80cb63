//! Refusals because the token verifies, but does not say clearly who the caller is.

use crate::identity::IdentityFault;
use crate::reply::challenge::{Challenge, INVALID_TOKEN};
use crate::reply::table::faults;

faults! {
    IdentityFault {
        NotText { claim: "azp" } => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "identity_claim_malformed",
            detail: "The access token does not say clearly who the caller is.",
            meaning: "a claim about the caller is not text; `fault` in the audit names it",
            remedy: "correct the claim at the provider; look at its mappers",
        }
        ClientsDisagree => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "clients_disagree",
            detail: "The access token does not say clearly who the caller is.",
            meaning: "the claims that name the client disagree",
            remedy: "correct the mappers of the provider, so that one client is named",
        }
        NamespacesDisagree => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "namespaces_disagree",
            detail: "The access token does not say clearly who the caller is.",
            meaning: "the subject and `kubernetes.io` name different namespaces",
            remedy: "find out which program made the token: no API server makes such a token",
        }
        SubjectMissing => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "subject_missing",
            detail: "The access token does not say clearly who the caller is.",
            meaning: "the token has no subject, or an empty one",
            remedy: "have the provider put `sub` into its tokens, or see `accept_no_subject`; where userinfo was asked, see `hint`",
        }
    }
}
