//! Which identities a rule matches.

use std::collections::BTreeSet;

use crate::identity::{domain_of, ClaimRule, Identity, Kind};

/// A condition on an identity. Every dimension that is given must match; within a dimension, one of
/// the listed values is enough. [`Condition::default`] matches every caller, so that the configuration
/// makes one only for `any: true`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// Provider names.
    pub providers: Option<BTreeSet<String>>,
    /// OAuth clients.
    pub clients: Option<BTreeSet<String>>,
    /// Subjects.
    pub subjects: Option<BTreeSet<String>>,
    /// App or user.
    pub kind: Option<Kind>,
    /// Verified e-mail addresses, in lower case.
    pub emails: Option<BTreeSet<String>>,
    /// Domains of verified e-mail addresses, in lower case.
    pub email_domains: Option<BTreeSet<String>>,
    /// Tenants.
    pub tenants: Option<BTreeSet<String>>,
    /// Roles, of which the identity must have one.
    pub roles: Option<BTreeSet<String>>,
    /// Scopes, of which the identity must have one.
    pub scopes: Option<BTreeSet<String>>,
    /// Groups, of which the identity must be in one.
    pub groups: Option<BTreeSet<String>>,
    /// Rules on claims, all of which must hold.
    pub claims: Vec<ClaimRule>,
}

/// The first field of a condition that does not match an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mismatch<'c> {
    /// `provider`.
    Provider,
    /// `client`.
    Client,
    /// `subject`.
    Subject,
    /// `kind`.
    Kind,
    /// `email`.
    Email,
    /// `email_domain`.
    EmailDomain,
    /// `tenant`.
    Tenant,
    /// `roles`.
    Roles,
    /// `scopes`.
    Scopes,
    /// `groups`.
    Groups,
    /// This rule of `claims`.
    Claim(&'c ClaimRule),
}

impl Condition {
    /// Whether the condition matches an identity.
    pub fn holds(&self, identity: &Identity) -> bool {
        self.mismatch(identity).is_none()
    }

    /// The first field that does not match an identity; `None`: the condition matches.
    pub fn mismatch(&self, identity: &Identity) -> Option<Mismatch<'_>> {
        let found = self.mismatch_but_for_groups(identity);
        found.or_else(|| {
            if !has_one(self.groups.as_ref(), &identity.groups) {
                return Some(Mismatch::Groups);
            }
            let left_out = self.claims.iter();
            let mut left_out = left_out.filter(|rule| rule.misses_groups(identity));
            left_out.next().map(Mismatch::Claim)
        })
    }

    /// Whether the condition might match if the token had all groups of the caller: everything else
    /// matches, and the condition asks for a group that the token does not have.
    pub fn misses_groups(&self, identity: &Identity) -> bool {
        identity.groups_left_out
            && !self.holds(identity)
            && self.mismatch_but_for_groups(identity).is_none()
    }

    fn mismatch_but_for_groups(&self, identity: &Identity) -> Option<Mismatch<'_>> {
        if !is_one(self.providers.as_ref(), Some(&identity.provider)) {
            return Some(Mismatch::Provider);
        }
        if !is_one(self.clients.as_ref(), identity.client.as_deref()) {
            return Some(Mismatch::Client);
        }
        if !is_one(self.subjects.as_ref(), identity.subject.as_deref()) {
            return Some(Mismatch::Subject);
        }
        if self.kind.is_some_and(|kind| kind != identity.kind) {
            return Some(Mismatch::Kind);
        }
        if self.emails.is_some() || self.email_domains.is_some() {
            let email = identity.verified_email.as_deref();
            let email = email.map(str::to_ascii_lowercase);
            if !is_one(self.emails.as_ref(), email.as_deref()) {
                return Some(Mismatch::Email);
            }
            let domain = email.as_deref().and_then(domain_of);
            if !is_one(self.email_domains.as_ref(), domain) {
                return Some(Mismatch::EmailDomain);
            }
        }
        if !is_one(self.tenants.as_ref(), identity.tenant.as_deref()) {
            return Some(Mismatch::Tenant);
        }
        if !has_one(self.roles.as_ref(), &identity.roles) {
            return Some(Mismatch::Roles);
        }
        if !has_one(self.scopes.as_ref(), &identity.scopes) {
            return Some(Mismatch::Scopes);
        }
        let mut failing = self
            .claims
            .iter()
            .filter(|rule| !(rule.misses_groups(identity) || rule.holds(&identity.claims)));
        failing.next().map(Mismatch::Claim)
    }

    /// Whether this condition matches every identity that `other` matches. A rule with `other` after a
    /// rule with this one would never be reached.
    pub fn covers(&self, other: &Self) -> bool {
        includes(self.providers.as_ref(), other.providers.as_ref())
            && includes(self.clients.as_ref(), other.clients.as_ref())
            && includes(self.subjects.as_ref(), other.subjects.as_ref())
            && self.kind.is_none_or(|kind| other.kind == Some(kind))
            && (includes(self.emails.as_ref(), other.emails.as_ref()))
            && self.covers_domains_of(other)
            && includes(self.tenants.as_ref(), other.tenants.as_ref())
            && includes(self.roles.as_ref(), other.roles.as_ref())
            && includes(self.scopes.as_ref(), other.scopes.as_ref())
            && includes(self.groups.as_ref(), other.groups.as_ref())
            // Only equal rules on claims are compared, not whether one follows from another.
            && self.claims.iter().all(|rule| other.claims.contains(rule))
    }

    /// A listed e-mail address lies within its domain.
    fn covers_domains_of(&self, other: &Self) -> bool {
        let Some(domains) = &self.email_domains else {
            return true;
        };
        let within = |addresses: &BTreeSet<String>| {
            addresses
                .iter()
                .all(|address| domain_of(address).is_some_and(|domain| domains.contains(domain)))
        };
        includes(Some(domains), other.email_domains.as_ref())
            || other.emails.as_ref().is_some_and(within)
    }
}

pub(super) fn is_one(allowed: Option<&BTreeSet<String>>, value: Option<&str>) -> bool {
    allowed.is_none_or(|allowed| value.is_some_and(|value| allowed.contains(value)))
}

fn has_one(allowed: Option<&BTreeSet<String>>, values: &[String]) -> bool {
    allowed.is_none_or(|allowed| values.iter().any(|value| allowed.contains(value)))
}

fn includes(wide: Option<&BTreeSet<String>>, narrow: Option<&BTreeSet<String>>) -> bool {
    wide.is_none_or(|wide| narrow.is_some_and(|narrow| narrow.is_subset(wide)))
}
