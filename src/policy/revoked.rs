//! Tokens that the operator revoked.

use std::collections::BTreeSet;

use crate::identity::Identity;
use crate::time::UnixSeconds;
use crate::token::VerifiedToken;

/// The tokens that the operator revoked: those for which one of these entries holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RevokedTokens(pub Vec<RevokedEntry>);

/// One entry. All that it names must hold. Values are compared byte by byte, as the provider wrote them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RevokedEntry {
    /// The providers whose tokens it is about; `None`: all of them.
    pub providers: Option<BTreeSet<String>>,
    /// `sub`.
    pub subjects: Option<BTreeSet<String>>,
    /// The OAuth client.
    pub clients: Option<BTreeSet<String>>,
    /// `sid`.
    pub sessions: Option<BTreeSet<String>>,
    /// `jti`.
    pub token_ids: Option<BTreeSet<String>>,
    /// `kid` of the key of the signature.
    pub key_ids: Option<BTreeSet<String>>,
    /// Tokens that were issued at this moment or later are not revoked.
    pub before: Option<UnixSeconds>,
}

impl RevokedTokens {
    /// Whether a token is one of them.
    pub fn contain(&self, identity: &Identity, token: &VerifiedToken) -> bool {
        self.0.iter().any(|entry| entry.holds(identity, token))
    }
}

impl RevokedEntry {
    fn holds(&self, identity: &Identity, token: &VerifiedToken) -> bool {
        let is_one = |listed: &Option<BTreeSet<String>>, value: Option<&str>| match listed {
            None => true,
            Some(listed) => value.is_some_and(|value| listed.contains(value)),
        };
        // A token that does not say when it was issued may be an old one.
        let is_older = |moment| token.issued().is_none_or(|issued| issued < moment);
        is_one(&self.providers, Some(&identity.provider))
            && is_one(&self.subjects, identity.subject.as_deref())
            && is_one(&self.clients, identity.client.as_deref())
            && is_one(&self.sessions, token.session())
            && is_one(&self.token_ids, identity.token_id.as_deref())
            && is_one(&self.key_ids, token.key_id())
            && self.before.is_none_or(is_older)
    }
}
