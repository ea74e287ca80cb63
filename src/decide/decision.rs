//! The decision for one request.

use std::sync::Arc;

use super::{
    Caller, Comparison, EmbedEdits, Forward, HeaderEdit, Job, Need, ResponseEdit, Revocation,
    TokenCache, TokenCacheKey, UseOnce,
};
use crate::crypto::CryptoPath;
use crate::identity::Identity;
use crate::n8n::Surface;
use crate::reply::{LocalReply, Reason};
use crate::token::{CompactToken, KeyClaims, UnverifiedClaims};

/// The decision for one request. It is small, because it is handed on several times: what is large in it, or
/// rare, is boxed.
#[derive(Clone, Debug)]
pub struct Decision {
    /// What happens to the request.
    pub outcome: Outcome,
    /// What the decision found out, for audit and metrics.
    pub record: Box<DecisionRecord>,
    /// The change that this decision makes to the token cache.
    pub remember: Option<Remember>,
    /// What is changed in n8n's response so that pages of other origins can show it.
    pub embed: Option<EmbedEdits>,
    /// The token whose status the decision awaits, wherever the client sent it. The gate asks the provider
    /// about it.
    pub asked_about: Option<CompactToken<'static>>,
    /// What happens instead of a job that has nothing to show.
    pub otherwise: Option<Box<Outcome>>,
    /// Why the job had nothing to show.
    pub not_shown: Option<String>,
    /// What this request may use once. Whether it is the first one is found out by the gate.
    pub use_once: Option<Box<UseOnce>>,
    /// What a provider revokes by this request, which the gate stores.
    pub revocation: Option<Box<Revocation>>,
}

/// What happens to a request.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// n8n gets it, for a verified caller.
    Forward(Forward),
    /// n8n gets it as it came, without the identity headers of the client.
    Pass(Vec<HeaderEdit>),
    /// It is refused.
    Reject(Reason),
    /// The gate sends a local reply.
    Respond(LocalReply),
    /// The gate carries out the operation itself, and then sends a local reply.
    Job(Job),
    /// The gate does so now.
    UnderWay,
    /// It cannot be decided without this.
    Await(Need),
    /// n8n got it before. The response of n8n goes to the client, and is recorded.
    UpstreamResponse,
}

impl Outcome {
    /// The name in audit and metrics.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Forward(_) => "forward",
            Self::Pass(_) => "pass",
            Self::Reject(_) => "reject",
            Self::Respond(_) => "respond",
            // Reported only of requests whose client left while they waited.
            Self::Await(_) | Self::Job(_) | Self::UnderWay => "abandoned",
            Self::UpstreamResponse => "answered",
        }
    }

    /// What has to be changed in the head of n8n's response to this request.
    pub const fn response_edits(&self) -> &'static [ResponseEdit] {
        match self {
            // A workflow that returns the headers of its request, or a proxy in front of n8n, must
            // not show an API key to the client.
            Self::Forward(forward) => forward.response_edits(),
            Self::Pass(_) => &[ResponseEdit::REMOVE_API_KEY],
            Self::Reject(_)
            | Self::Respond(_)
            | Self::Job(_)
            | Self::UnderWay
            | Self::Await(_)
            | Self::UpstreamResponse => &[],
        }
    }
}

/// What the decision for a request found out, for audit and metrics.
#[derive(Clone, Debug, Default)]
pub struct DecisionRecord {
    /// The instance of n8n that it is for, if it has a name.
    pub instance: Option<Arc<str>>,
    /// The surface of n8n; `None`: the path has no single reading.
    pub surface: Option<Surface>,
    /// The operation of the public API, in n8n's scope name where it has one.
    pub operation: Option<&'static str>,
    /// The caller, once its token was verified.
    pub identity: Option<Arc<Identity>>,
    /// The claims of a token that was read and not accepted, if the audit record or a wait needs them.
    pub claimed: Option<UnverifiedClaims>,
    /// A usual cause of a refusal. What of it is told to the caller: see [`told`](Self::told).
    pub hint: Option<&'static str>,
    /// The provider whose keys and rules were applied, whether the token was verified or not.
    pub provider: Option<Arc<str>>,
    /// The name of the caller's principal.
    pub principal: Option<Arc<str>>,
    /// What checked the signature.
    pub crypto_path: Option<CryptoPath>,
    /// The token status of the provider, if it was asked: `active` or `inactive`.
    pub introspection: Option<&'static str>,
    /// Whether the token was found in the token cache.
    pub cache: Option<CacheOutcome>,
    /// The token was verified before, and must be verified again.
    pub was_verified: bool,
    /// The signed delivery that it is, or claims to be.
    pub delivery: Option<DeliveryRecord>,
    /// The credential that was read.
    pub credential: Option<CredentialKind>,
    /// Whether the resource takes no bearer tokens.
    pub requires_proof: bool,
    /// The claims of an API key. Only n8n can verify them.
    pub api_key: Option<KeyClaims>,
    /// The address that the request came from, if the host was asked for it.
    pub address: Option<Arc<str>>,
    /// The status of n8n's response, if it has to be recorded.
    pub upstream_status: Option<u16>,
    /// The execution of n8n that the gate started.
    pub execution: Option<String>,
    /// What the policy that is only judged would decide, if there is one.
    pub shadow: Option<Comparison>,
}

/// What is known of a signed delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRecord {
    /// The sender, as the rule has it.
    pub sender: &'static str,
    /// The id that came with it. With some senders it is not signed.
    pub id: Option<String>,
    /// The number of the secret with which it is signed, from 1. `None`: its signature is not good, or was
    /// not checked.
    pub secret: Option<u16>,
}

/// The kind of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// A bearer token.
    Bearer,
    /// A token with a `DPoP` proof.
    Dpop,
    /// A bearer token in the header of API keys.
    BearerAsApiKey,
    /// A bearer token in a cookie.
    BearerInCookie,
    /// A bearer token in the query.
    BearerInQuery,
    /// A certificate of the client.
    Certificate,
    /// An API key, or what the client sent in place of one.
    ApiKey,
    /// A signature over the body.
    Signature,
}

impl CredentialKind {
    /// The name in the audit record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => "bearer",
            Self::Dpop => "dpop",
            Self::BearerAsApiKey => "bearer_as_api_key",
            Self::BearerInCookie => "bearer_in_cookie",
            Self::BearerInQuery => "bearer_in_query",
            Self::Certificate => "certificate",
            Self::ApiKey => "api_key",
            Self::Signature => "signature",
        }
    }
}

/// Whether a good token was found in the token cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheOutcome {
    /// It was: this worker verified the same bytes before.
    Hit,
    /// It was not, and was verified now.
    Miss,
}

impl CacheOutcome {
    /// The name in the audit record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
        }
    }
}

/// What a decision tells the token cache, which it only reads.
#[derive(Clone, Debug)]
pub enum Remember {
    /// This entry was used.
    Used(TokenCacheKey),
    /// This token was verified.
    Verified(TokenCacheKey, Arc<Caller>),
}

impl TokenCache<Caller> {
    /// Does what a decision says.
    pub fn apply(&mut self, remember: Remember) {
        match remember {
            Remember::Used(key) => self.credit(&key),
            Remember::Verified(key, caller) => {
                let weight = caller.weight();
                self.remember(key, caller, weight);
            }
        }
    }
}
