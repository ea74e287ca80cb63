//! Who a caller is, in one normal form whatever provider says it.

mod admission;
mod claim;
mod condition;
mod dialects;
mod dimension;
#[cfg(test)]
mod tests;

pub use admission::{Admission, NotAdmitted};
pub use claim::{ClaimRule, ClaimTest};
pub use condition::Condition;
pub use dimension::Dimension;

use std::rc::Rc;

use serde_json::{Map, Value};
use thiserror::Error;

use crate::policy::Provider;
use crate::time::UnixSeconds;
use crate::token::VerifiedToken;

/// The normal form of a caller.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// Name of the provider in the configuration.
    pub provider: Rc<str>,
    /// `iss` of the token.
    pub issuer: Rc<str>,
    /// `sub` of the token.
    pub subject: Option<String>,
    /// The OAuth client that got the token: `azp`, `appid`, `client_id` or `cid`.
    pub client: Option<String>,
    /// Whether an application or a person calls.
    pub kind: Kind,
    /// The e-mail address, only if the provider vouches for it (or is trusted to).
    pub verified_email: Option<String>,
    /// OAuth scopes that were granted.
    pub scopes: Vec<String>,
    /// Roles that were granted.
    pub roles: Vec<String>,
    /// Groups, by name or by id as the provider sends them.
    pub groups: Vec<String>,
    /// There are more groups than the token holds.
    pub groups_left_out: bool,
    /// The tenant or organisation; with Kubernetes the namespace.
    pub tenant: Option<String>,
    /// The domain of the organisation that hosts the caller's account, where the provider says so.
    pub hosted_domain: Option<String>,
    /// `jti` of the token.
    pub token_id: Option<String>,
    /// `exp` of the token.
    pub expires: UnixSeconds,
    /// Every claim as it came.
    pub claims: Rc<Map<String, Value>>,
}

/// Why a verified token says nothing clear about its caller.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum IdentityFault {
    /// A claim that must be text is something else.
    #[error("the claim {claim} is not text")]
    NotText {
        /// The claim.
        claim: &'static str,
    },
    /// Two claims name two different clients.
    #[error("the claims that name the client disagree")]
    ClientsDisagree,
    /// The subject of a Kubernetes token and its claims name two different namespaces.
    #[error("the subject and `kubernetes.io` name different namespaces")]
    NamespacesDisagree,
}

impl Identity {
    /// Reads the claims of a verified token in the dialect of its provider.
    pub fn of(token: &VerifiedToken, provider: &Provider) -> Result<Self, IdentityFault> {
        Self::read(token.claims(), token.issuer(), token.expires(), provider)
    }

    fn read(
        claims: &Rc<Map<String, Value>>,
        issuer: &Rc<str>,
        expires: UnixSeconds,
        provider: &Provider,
    ) -> Result<Self, IdentityFault> {
        let reading = provider.dialect.read(claims)?;
        let text = |name| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        Ok(Self {
            provider: Rc::clone(&provider.name),
            issuer: Rc::clone(issuer),
            subject: text("sub"),
            client: reading.client,
            kind: reading.kind,
            verified_email: verified_email(claims, reading.email_verified, provider.trust_email),
            scopes: reading.scopes,
            roles: reading.roles,
            groups: reading.groups,
            groups_left_out: reading.groups_left_out,
            hosted_domain: reading.hosted_domain,
            tenant: reading.tenant,
            token_id: text("jti"),
            expires,
            claims: Rc::clone(claims),
        })
    }

    /// The domain that the caller belongs to, in lower case: the one that hosts the account, else
    /// that of the verified e-mail address.
    fn domain(&self) -> Option<String> {
        let address = || condition::domain_of(self.verified_email.as_deref()?);
        let domain = self.hosted_domain.as_deref().or_else(address);
        domain.map(str::to_ascii_lowercase)
    }
}

/// The address, if the provider says in so many words that it belongs to the caller. Where users
/// may write any address into their profile, an unverified one is an account take-over.
fn verified_email(
    claims: &Map<String, Value>,
    vouched: Option<bool>,
    trust_email: bool,
) -> Option<String> {
    // An operator's trust covers silence, not a provider that says the address is unverified.
    let is_verified = vouched.unwrap_or(trust_email);
    let address = claims.get("email")?.as_str()?;
    let sound = address.is_ascii()
        && !address
            .bytes()
            .any(|byte| byte.is_ascii_control() || byte == b' ')
        && address.split('@').filter(|part| !part.is_empty()).count() == 2
        && address.matches('@').count() == 1;
    (is_verified && sound).then(|| address.to_owned())
}

/// What sort of caller a token stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An application that acts for itself (client credentials).
    App,
    /// A person, through some application.
    User,
}

impl Kind {
    /// The word used in configuration, headers and audit.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::User => "user",
        }
    }
}
