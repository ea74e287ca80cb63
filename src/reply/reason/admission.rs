//! Refusals because a list or rule of the provider does not admit the caller.

use crate::policy::NotAdmitted;
use crate::reply::challenge::{Challenge, INSUFFICIENT_SCOPE};
use crate::reply::table::faults;

faults! {
    NotAdmitted {
        Client => {
            status: 403,
            challenge: INSUFFICIENT_SCOPE,
            code: "client_not_allowed",
            detail: "This client may not use this resource.",
            meaning: "the client is not in the provider's `clients`",
            remedy: "add `client` of the audit to `clients`, if it may use n8n",
        }
        Tenant => {
            status: 403,
            challenge: INSUFFICIENT_SCOPE,
            code: "tenant_not_allowed",
            detail: "This caller may not use this resource.",
            meaning: "the tenant is not in the provider's `tenants`",
            remedy: "add the tenant to `tenants`, if its callers may use n8n",
        }
        Domain => {
            status: 403,
            challenge: INSUFFICIENT_SCOPE,
            code: "domain_not_allowed",
            detail: "This caller may not use this resource.",
            meaning: "no verified e-mail address or hosted domain is in the provider's `allowed_domains`",
            remedy: "look whether the provider verifies the address; see `allowed_domains` and `trust_email`",
        }
        Claim("repository".to_owned()) => {
            status: 403,
            challenge: INSUFFICIENT_SCOPE,
            code: "claims_not_allowed",
            detail: "This caller may not use this resource.",
            meaning: "a rule in the provider's `claims` does not hold; `fault` in the audit names the claim",
            remedy: "compare the claim with the rule; an absent one fails all but `exists: false`",
        }
    }
}
