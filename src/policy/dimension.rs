//! The values by which identities and conditions are looked up.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::Condition;
use crate::identity::{domain_of, Identity};

/// A property of a caller that a condition can list values of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    /// The provider.
    Provider,
    /// The OAuth client.
    Client,
    /// The subject.
    Subject,
    /// The verified e-mail address, in lower case.
    Email,
    /// Its domain.
    EmailDomain,
    /// The tenant.
    Tenant,
    /// A role.
    Role,
    /// A scope.
    Scope,
    /// A group.
    Group,
}

impl Dimension {
    /// Every value of an identity.
    pub fn values_of(identity: &Identity) -> Vec<(Self, Cow<'_, str>)> {
        let email = identity
            .verified_email
            .as_deref()
            .map(str::to_ascii_lowercase);
        let domain = email.as_deref().and_then(domain_of).map(str::to_owned);
        let single = [
            (Self::Provider, Some(identity.provider.as_ref())),
            (Self::Client, identity.client.as_deref()),
            (Self::Subject, identity.subject.as_deref()),
            (Self::Tenant, identity.tenant.as_deref()),
        ];
        let several = [
            (Self::Role, &identity.roles),
            (Self::Scope, &identity.scopes),
            (Self::Group, &identity.groups),
        ];
        let single = single
            .into_iter()
            .filter_map(|(dimension, value)| Some((dimension, Cow::Borrowed(value?))));
        let owned = [(Self::Email, email), (Self::EmailDomain, domain)]
            .into_iter()
            .filter_map(|(dimension, value)| Some((dimension, Cow::Owned(value?))));
        let several = several.into_iter().flat_map(|(dimension, values)| {
            values
                .iter()
                .map(move |value| (dimension, Cow::Borrowed(value.as_str())))
        });
        single.chain(owned).chain(several).collect()
    }
}

impl Condition {
    /// The dimensions that it lists values of, of which an identity must have one.
    pub fn lists(&self) -> impl Iterator<Item = (Dimension, &BTreeSet<String>)> {
        [
            (Dimension::Provider, &self.providers),
            (Dimension::Client, &self.clients),
            (Dimension::Subject, &self.subjects),
            (Dimension::Email, &self.emails),
            (Dimension::EmailDomain, &self.email_domains),
            (Dimension::Tenant, &self.tenants),
            (Dimension::Role, &self.roles),
            (Dimension::Scope, &self.scopes),
            (Dimension::Group, &self.groups),
        ]
        .into_iter()
        .filter_map(|(dimension, values)| Some((dimension, values.as_ref()?)))
    }

    /// One value of each dimension, such that every condition that [covers](Self::covers) this one
    /// and lists values of one of these dimensions lists this value there.
    pub fn samples(&self) -> impl Iterator<Item = (Dimension, Cow<'_, str>)> {
        let own = self
            .lists()
            .filter_map(|(dimension, values)| Some((dimension, values.first()?.as_str())));
        // A condition on a domain covers one on addresses within it.
        let address = self.emails.as_ref().and_then(BTreeSet::first);
        let domain = address
            .and_then(|address| domain_of(address))
            .map(|domain| (Dimension::EmailDomain, domain));
        own.chain(domain)
            .map(|(dimension, value)| (dimension, Cow::Borrowed(value)))
    }
}
