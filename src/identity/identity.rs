//! A caller in its normal form.

use std::sync::Arc;

use super::domain_of;
use super::kind::Kind;
use crate::formats::json::Document;
use crate::time::UnixSeconds;

/// A caller in its normal form, with any provider.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// Name of the provider in the configuration.
    pub provider: Arc<str>,
    /// `iss` of the token.
    pub issuer: Arc<str>,
    /// `sub` of the token.
    pub subject: Option<String>,
    /// The OAuth client that got the token: `azp`, `appid`, `client_id` or `cid`, or the one in
    /// the introspection response.
    pub client: Option<String>,
    /// Whether the caller is an application or a person.
    pub kind: Kind,
    /// The e-mail address, only if the provider says that it is verified, or is trusted to verify it.
    pub verified_email: Option<String>,
    /// The OAuth scopes of the token.
    pub scopes: Vec<String>,
    /// Roles that were granted.
    pub roles: Vec<String>,
    /// Groups, by name or by id as the provider sends them.
    pub groups: Vec<String>,
    /// There are more groups than the token holds.
    pub groups_left_out: bool,
    /// The tenant or organisation; with Kubernetes the namespace.
    pub tenant: Option<String>,
    /// The domain of the organisation that hosts the caller's account, if the provider names it.
    pub hosted_domain: Option<String>,
    /// `jti` of the token.
    pub token_id: Option<String>,
    /// `exp` of the token.
    pub expires: UnixSeconds,
    /// Every claim as it came.
    pub claims: Arc<Document>,
}

impl Identity {
    /// The caller's domain, in lower case: the one that hosts the account, else that of the verified
    /// e-mail address.
    pub fn domain(&self) -> Option<String> {
        let address = || domain_of(self.verified_email.as_deref()?);
        let domain = self.hosted_domain.as_deref().or_else(address);
        domain.map(str::to_ascii_lowercase)
    }
}
