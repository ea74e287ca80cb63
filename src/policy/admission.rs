//! Which callers of a provider are admitted.

use std::collections::BTreeSet;

use super::condition;
use crate::identity::{ClaimRule, Identity};

/// The lists of a provider that must have the caller, and the rules that must hold, for all principals
/// and webhooks. An absent list admits every caller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Admission {
    /// OAuth clients.
    pub clients: Option<BTreeSet<String>>,
    /// Tenants.
    pub tenants: Option<BTreeSet<String>>,
    /// Domains of verified e-mail addresses, in lower case.
    pub domains: Option<BTreeSet<String>>,
    /// Rules on claims, all of which must hold.
    pub claims: Vec<ClaimRule>,
}

/// Why a caller is not admitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotAdmitted {
    /// The client is not listed.
    Client,
    /// The tenant is not listed.
    Tenant,
    /// No verified address in a listed domain.
    Domain,
    /// The rule on this claim does not hold: the names in its path, joined by dots.
    Claim(String),
}

impl Admission {
    /// Whether a caller is admitted. No list has a caller without client, tenant or domain.
    ///
    /// # Errors
    ///
    /// The first list that does not have the caller, or the first rule that does not hold.
    pub fn check(&self, identity: &Identity) -> Result<(), NotAdmitted> {
        let listed = condition::is_one;
        if !listed(self.tenants.as_ref(), identity.tenant.as_deref()) {
            return Err(NotAdmitted::Tenant);
        }
        if !listed(self.clients.as_ref(), identity.client.as_deref()) {
            return Err(NotAdmitted::Client);
        }
        if self.domains.is_some() {
            let domain = identity.domain();
            if !listed(self.domains.as_ref(), domain.as_deref()) {
                return Err(NotAdmitted::Domain);
            }
        }
        let failing = self
            .claims
            .iter()
            .find(|rule| rule.misses_groups(identity) || !rule.holds(&identity.claims));
        failing.map_or(Ok(()), |rule| {
            Err(NotAdmitted::Claim(rule.path.names().join(".")))
        })
    }
}
