//! The facts as a decision names and sees them.

use std::sync::Arc;

use super::browser_login::LoginRequest;
use super::key_set::{KeyIdDigest, NewerKeys};
use super::minted_key::MintRequest;
use super::token_status::TokenStatus;
use crate::crypto::KeySet;
use crate::facts::Availability;
use crate::policy::ProviderId;
use crate::secret::Secret;
use crate::token::{TokenDigest, TokenFault};

/// Something that a decision needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The keys of a provider.
    KeySet(ProviderId),
    /// The keys of a provider, refetched because a token names a key that is not among them. The digest
    /// is that of the token's `kid`, or of the token, where it has none.
    NewerKeySet(ProviderId, KeyIdDigest),
    /// The keys of a provider, refetched because the signature of a token is good under none of the keys
    /// that it names. The digest is that of the token. If the new keys do not help either, the token is
    /// refused for this fault.
    ChangedKeySet(ProviderId, KeyIdDigest, TokenFault),
    /// The status of a token. Whether the caller is let in is decided by it.
    TokenStatusToDecide(ProviderId, TokenDigest),
    /// The status of a JWT, which must confirm it (`always`). Its signature is good: no
    /// attacker made it up.
    TokenStatusToConfirm(ProviderId, TokenDigest),
    /// An API key of n8n that the gate makes.
    MintedKey(Arc<MintRequest>),
    /// The session of the user for which the gate would make this API key.
    Session(Arc<MintRequest>),
    /// The session that the log-in of a browser makes.
    BrowserLogin(Arc<LoginRequest>),
}

/// The facts as a decision sees them.
pub trait Facts {
    /// The keys of a provider.
    fn key_set(&self, provider: ProviderId) -> Availability<&KeySet>;

    /// Whether fetching the provider's keys again may bring a key that is not among them: the one
    /// with this `kid`, or that of this token, where it names none.
    fn newer_keys(&self, provider: ProviderId, key_id: KeyIdDigest) -> NewerKeys;

    /// Whether a fetch may bring another key under the `kid` of this token, which names one that is
    /// known and did not make its signature. The digest of the token is made only if it counts.
    fn may_have_changed(&self, provider: ProviderId, token: &dyn Fn() -> KeyIdDigest) -> bool;

    /// The status of a token, by which it is decided whether the caller is let in.
    fn token_status_to_decide(
        &self,
        provider: ProviderId,
        token: &TokenDigest,
    ) -> Availability<TokenStatus>;

    /// The status of a JWT whose signature is good.
    fn token_status_to_confirm(
        &self,
        provider: ProviderId,
        token: &TokenDigest,
    ) -> Availability<TokenStatus> {
        self.token_status_to_decide(provider, token)
    }

    /// The API key that the gate makes for this request.
    fn minted_key(&self, request: &MintRequest) -> Availability<&Secret>;

    /// The session of the user for which the gate makes this API key: a `Cookie` header of n8n.
    fn session(&self, request: &MintRequest) -> Availability<&Secret>;

    /// The session that this log-in of a browser made: a pair of name and value.
    fn browser_login(&self, request: &LoginRequest) -> Availability<&Secret>;

    /// Where clients of a provider get tokens, if its discovery document was read and says so.
    fn token_endpoint(&self, _: ProviderId) -> Option<&str> {
        None
    }

    /// Whether n8n refused this API key a while ago.
    fn is_refused(&self, key: &Secret) -> bool;
}
