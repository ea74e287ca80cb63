//! The decision: what becomes of a request.
//!
//! [`decide`] is a pure function. When it lacks a fact it says so, and when the fact has come it
//! is simply run again from the start: there is no state of a request, and no second path after a
//! wait.

mod authenticate;
mod caller;
mod edits;
mod forward;
mod introspection;
mod metadata;
mod misplaced;
mod properties;
mod public_api;
#[cfg(test)]
mod tests;
mod token_cache;
mod upstream;
mod webhook;

pub use caller::Caller;
pub use edits::{
    without_made_up_identity, HeaderEdit, HeaderValue, API_KEY_HEADER, IDENTITY_HEADERS,
};
pub use forward::Forward;
pub use properties::CALLER_PROPERTIES;
pub use token_cache::{TokenCache, TokenCacheKey, MAX_CACHED_BYTES, MAX_CACHED_TOKENS};

use misplaced::holds_token_as_key;

use std::rc::Rc;

use crate::crypto::{CryptoPath, SignatureVerifier};
use crate::facts::{Fact, Facts};
use crate::http::RequestHead;
use crate::identity::Identity;
use crate::n8n::{classify, described, Location, Route, Surface};
use crate::policy::{Access, Instance, Policy};
use crate::reply::{LocalReply, Reason};
use crate::time::UnixSeconds;
use crate::token::{KeyClaims, UnverifiedClaims};

/// Everything that a decision rests on beside the request.
#[derive(Clone, Copy)]
pub struct DecisionContext<'g> {
    /// The operator's policy.
    pub policy: &'g Policy,
    /// What is known so far.
    pub facts: &'g dyn Facts,
    /// What is remembered of tokens that were verified before.
    pub token_cache: &'g TokenCache<Caller>,
    /// Who checks signatures.
    pub crypto: &'g dyn SignatureVerifier,
    /// The time.
    pub now: UnixSeconds,
}

/// What becomes of a request, and what the audit says of it.
#[derive(Clone, Debug)]
pub struct Decision {
    /// What becomes of it.
    pub outcome: Outcome,
    /// What was found out on the way.
    pub record: DecisionRecord,
}

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It goes on in the name of a verified caller.
    Forward(Forward),
    /// It goes on as it came, but for identity headers that the client made up.
    Pass(Vec<HeaderEdit>),
    /// It is refused.
    Reject(Reason),
    /// This filter answers it.
    Respond(LocalReply),
    /// It cannot be decided before this is known.
    Await(Fact),
    /// It went on before, and n8n's answer, which goes to the caller, is one to know of.
    Answered,
}

impl Outcome {
    /// The word used in audit and metrics.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Forward(_) => "forward",
            Self::Pass(_) => "pass",
            Self::Reject(_) => "reject",
            Self::Respond(_) => "respond",
            // Reported only of requests that hung up while they waited.
            Self::Await(_) => "abandoned",
            Self::Answered => "answered",
        }
    }
}

/// What was found out about a request, for audit and metrics.
#[derive(Clone, Debug, Default)]
pub struct DecisionRecord {
    /// The instance of n8n that it is for, if it has a name.
    pub instance: Option<Rc<str>>,
    /// The part of n8n that it goes to; `None` when the path has no single reading.
    pub surface: Option<Surface>,
    /// The operation of the public API, in n8n's scope name where it has one.
    pub operation: Option<&'static str>,
    /// Who the caller is, once the token was verified.
    pub identity: Option<Rc<Identity>>,
    /// What a token says of itself that was read and not accepted.
    pub claimed: Option<UnverifiedClaims>,
    /// What an operator may have overlooked, for the audit alone.
    pub hint: Option<&'static str>,
    /// The provider whose keys and rules were applied, verified or not.
    pub provider: Option<Rc<str>>,
    /// The principal that stands for the caller.
    pub principal: Option<Rc<str>>,
    /// Who checked the signature.
    pub crypto_path: Option<CryptoPath>,
    /// What the provider said of the token, if it was asked: `active` or `inactive`.
    pub introspection: Option<&'static str>,
    /// Whether the token was verified now or before.
    pub cache: Option<CacheOutcome>,
    /// It was verified before, and must be once more.
    pub was_verified: bool,
    /// The credential that was looked at.
    pub credential: Option<Credential>,
    /// What a key of n8n's says of itself. Only n8n can verify it.
    pub api_key: Option<KeyClaims>,
    /// The address that the request came from, where somebody asked the host for it.
    pub address: Option<Rc<str>>,
    /// The status of n8n's answer, where it is one to know of.
    pub upstream_status: Option<u16>,
}

/// What a caller showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A bearer token.
    Bearer,
    /// An API key of n8n's, or what stood in its place.
    ApiKey,
}

impl Credential {
    /// The word used in audit.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => "bearer",
            Self::ApiKey => "api_key",
        }
    }
}

/// Whether a good token was verified now or before.
#[derive(Clone, Debug)]
pub enum CacheOutcome {
    /// Before: the same bytes were sent to this worker.
    Hit,
    /// Now, and this is worth remembering for the next request with the same token.
    Miss(TokenCacheKey, Rc<Caller>),
}

impl CacheOutcome {
    /// The word used in audit.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss(..) => "miss",
        }
    }
}

/// Decides what becomes of a request.
pub fn decide(context: DecisionContext<'_>, request: &RequestHead) -> Decision {
    let mut record = DecisionRecord::default();
    let outcome = match outcome(context, request, &mut record) {
        Ok(outcome) => outcome,
        Err(Stop::Reject(reason)) => Outcome::Reject(reason),
        Err(Stop::Await(fact)) => Outcome::Await(fact),
    };
    Decision { outcome, record }
}

/// Why the way to a forward ends early.
enum Stop {
    Reject(Reason),
    Await(Fact),
}

impl From<Reason> for Stop {
    fn from(reason: Reason) -> Self {
        Self::Reject(reason)
    }
}

fn outcome(
    context: DecisionContext<'_>,
    request: &RequestHead,
    record: &mut DecisionRecord,
) -> Result<Outcome, Stop> {
    let instance = context.policy.instances.of(request);
    let instance = instance.ok_or(Reason::UnknownHost)?;
    record.instance.clone_from(&instance.name);
    let location = instance.locate(request.path()).map_err(Reason::Path)?;
    let Location::Inside(path) = location else {
        return outside(context, instance, request, record);
    };
    let route = classify(&instance.endpoints, path).map_err(Reason::Path)?;
    record.surface = Some(route.surface);
    let outcome = inside(context, instance, request, (&route, path), record)?;
    if matches!(outcome, Outcome::Pass(_)) && holds_token_as_key(context.policy, request) {
        record.credential = Some(Credential::ApiKey);
        return Err(Reason::TokenAsApiKey.into());
    }
    Ok(outcome)
}

/// What becomes of a request to a part of n8n.
fn inside(
    context: DecisionContext<'_>,
    instance: &Instance,
    request: &RequestHead,
    (route, path): (&Route, &[u8]),
    record: &mut DecisionRecord,
) -> Result<Outcome, Stop> {
    match route.surface {
        Surface::PublicApi => public_api::decide(context, instance, request, route, record),
        Surface::Webhook
        | Surface::WebhookTest
        | Surface::WebhookWaiting
        | Surface::Form
        | Surface::Chat
        | Surface::Agent
        | Surface::Mcp => webhook::decide(context, instance, request, route, record),
        Surface::Gate => metadata::of_public_api(context.policy, instance, request),
        Surface::Oauth => described(path)
            .and_then(|path| metadata::of_trigger(context.policy, instance, path, request, record))
            .unwrap_or_else(|| match instance.oauth {
                Access::Pass => Ok(Outcome::Pass(without_made_up_identity(request))),
                Access::Deny => Err(Reason::OauthDenied.into()),
            }),
        Surface::Metrics if instance.metrics == Access::Deny => Err(Reason::MetricsDenied.into()),
        Surface::Metrics | Surface::Rest | Surface::Health | Surface::Ui | Surface::Outside => {
            Ok(Outcome::Pass(without_made_up_identity(request)))
        }
    }
}

/// What becomes of a request outside of `path_prefix`, where n8n is not.
fn outside(
    context: DecisionContext<'_>,
    instance: &Instance,
    request: &RequestHead,
    record: &mut DecisionRecord,
) -> Result<Outcome, Stop> {
    if let Some(answer) = metadata::at_root(context.policy, instance, request, record) {
        return answer;
    }
    record.surface = Some(Surface::Outside);
    match instance.outside {
        Access::Pass => Ok(Outcome::Pass(without_made_up_identity(request))),
        Access::Deny => Err(Reason::OutsidePathPrefix.into()),
    }
}
