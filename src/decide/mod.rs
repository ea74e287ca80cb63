//! The decision for a request.
//!
//! [`decide`] is a pure function. When it lacks something it says so, and when that was fetched it
//! runs again from the start: a request has no state, and there is no second path after a wait.

mod authenticate;
mod browser_token;
mod caller;
mod certified_client;
mod certified_webhook;
mod comparison;
mod connection;
mod context;
mod credential;
mod cross_site;
mod decision;
mod description;
mod draft;
mod edits;
mod embed;
mod embed_edits;
mod evidence;
mod forward;
mod internal_api;
mod introspection;
mod job;
mod metadata;
mod misplaced;
mod possession;
#[cfg(not(target_arch = "wasm32"))]
mod presented;
mod properties;
mod public_api;
mod pushed;
mod request;
mod revocation;
mod run;
mod session;
mod shadow;
mod signed_webhook;
#[cfg(test)]
mod tests;
mod token_cache;
mod told;
mod upstream;
mod use_once;
mod webhook;

pub use caller::Caller;
pub use certified_client::CertifiedClient;
pub use comparison::{Comparison, OtherDecision};
pub use connection::{Connection, ConnectionAttribute, UnknownConnection};
pub use context::DecisionContext;
pub use decision::{
    CacheOutcome, CredentialKind, Decision, DecisionRecord, DeliveryRecord, Outcome, Remember,
};
pub use edits::{
    without_made_up_identity, HeaderEdit, HeaderValue, ResponseEdit, API_KEY_HEADER,
    IDENTITY_HEADERS,
};
pub use embed_edits::{EmbedEdits, ResponseChange};
pub use evidence::Evidence;
pub use forward::{Forward, UpstreamCredential};
pub use job::{Describe, DescriptionKey, Job, JobEnd, JobResult, Progress};
#[cfg(not(target_arch = "wasm32"))]
pub use presented::presented_token;
pub use properties::{AUDIT_PROPERTY, CALLER_PROPERTIES};
pub use request::{Need, Request};
pub use revocation::{NoRevocations, Revocable, Revocation, Revocations};
pub use shadow::Judge;
pub use token_cache::{TokenCache, TokenCacheKey, MAX_CACHED_BYTES, MAX_CACHED_TOKENS};
pub use use_once::{IdDigest, UseOnce};

use crate::http::RequestHead;
use crate::n8n::{classify, classify_for_token, described, Location, Route, Surface};
use crate::policy::{Access, Instance, Instances, RestAuth};
use crate::reply::Reason;
use credential::has_token_as_api_key;
use draft::{Draft, Stop};

/// Decides what happens to a request.
// It has two callers, and the module one copy of its code.
#[inline(never)]
pub fn decide(context: DecisionContext<'_>, request: Request<'_>) -> Decision {
    finish(|draft| outcome(context, request, draft))
}

fn finish(outcome: impl FnOnce(&mut Draft) -> Result<Outcome, Stop>) -> Decision {
    let mut draft = Draft::default();
    let outcome = match outcome(&mut draft) {
        Ok(outcome) => outcome,
        Err(Stop::Reject(reason)) => {
            draft.record.note_usual_cause(&reason);
            Outcome::Reject(reason)
        }
        Err(Stop::Await(need)) => Outcome::Await(need),
    };
    Decision {
        outcome,
        record: draft.record,
        remember: draft.remember,
        use_once: draft.use_once,
        revocation: draft.revocation,
        asked_about: draft.asked_about,
        embed: draft.embed,
        otherwise: draft.otherwise,
        not_shown: None,
    }
}

fn outcome(
    context: DecisionContext<'_>,
    request: Request<'_>,
    draft: &mut Draft,
) -> Result<Outcome, Stop> {
    let head = request.head;
    let instances = &context.policy.instances;
    let Some(instance) = instances.of(head) else {
        return another_application(instances, head, &mut draft.record);
    };
    draft.record.instance.clone_from(&instance.name);
    let location = instance.locate(head.path()).map_err(Reason::Path)?;
    let Location::Inside(path) = location else {
        return outside(context, instance, head, &mut draft.record);
    };
    if let Some(endpoint) = pushed::endpoint(context.policy, path) {
        return pushed::decide(context, endpoint, request, draft);
    }
    let classify = if internal_api::may_get_session(instance, head) {
        classify_for_token
    } else {
        classify
    };
    let route = classify(&instance.prefixes, path).map_err(Reason::Path)?;
    draft.record.surface = Some(route.surface);
    let outcome = inside(context, instance, request, (&route, path), draft)?;
    if let (Outcome::Pass(_), Surface::Ui | Surface::Rest) = (&outcome, route.surface) {
        let embed = instance.embed.as_ref().filter(|embed| embed.enabled);
        draft.embed = embed.map(|embed| EmbedEdits::of(head, &embed.frame_ancestors));
    }
    if matches!(outcome, Outcome::Pass(_)) && has_token_as_api_key(context.policy, head) {
        draft.record.credential = Some(CredentialKind::ApiKey);
        return Err(Reason::TokenAsApiKey.into());
    }
    Ok(description::with_bearer(
        context, instance, head, &route, outcome, draft,
    ))
}

/// Decides about a request to a surface of n8n.
fn inside(
    context: DecisionContext<'_>,
    instance: &Instance,
    whole: Request<'_>,
    (route, path): (&Route<'_>, &[u8]),
    draft: &mut Draft,
) -> Result<Outcome, Stop> {
    let request = whole.head;
    match route.surface {
        Surface::PublicApi => public_api::decide(context, instance, whole, route, draft),
        Surface::Webhook
        | Surface::WebhookTest
        | Surface::WebhookWaiting
        | Surface::Form
        | Surface::Chat
        | Surface::Agent
        | Surface::Mcp => webhook::decide(context, instance, whole, route, draft),
        Surface::Gate => metadata::of_public_api(context.policy, instance, request),
        Surface::Oauth => described(path)
            .and_then(|path| {
                metadata::of_trigger(context.policy, instance, path, request, &mut draft.record)
            })
            .unwrap_or_else(|| match instance.oauth {
                Access::Pass => Ok(Outcome::Pass(without_made_up_identity(request))),
                Access::Deny => Err(Reason::OauthDenied.into()),
            }),
        Surface::Rest if embed::is_its_path(instance, path) && instance.embed.is_some() => {
            let embed = instance.embed.as_deref();
            let embed = embed.ok_or(Reason::ProxyFailure)?;
            embed::decide(context, instance, embed, whole, draft)
        }
        Surface::Rest if instance.rest == RestAuth::Bearer => {
            internal_api::decide(context, instance, whole, route, draft)
        }
        Surface::Metrics if instance.metrics == Access::Deny => Err(Reason::MetricsDenied.into()),
        Surface::Metrics | Surface::Rest | Surface::Health | Surface::Ui | Surface::Outside => {
            Ok(Outcome::Pass(without_made_up_identity(request)))
        }
    }
}

/// Decides about a request for a host that no instance has. That of another application passes as it
/// came: its headers are not those of n8n.
fn another_application(
    instances: &Instances,
    request: &RequestHead,
    record: &mut DecisionRecord,
) -> Result<Outcome, Stop> {
    if !instances.passes(request) {
        return Err(Reason::UnknownHost.into());
    }
    record.surface = Some(Surface::Outside);
    Ok(Outcome::Pass(Vec::new()))
}

/// Decides about a request outside of `path_prefix`, where n8n is not.
fn outside(
    context: DecisionContext<'_>,
    instance: &Instance,
    request: &RequestHead,
    record: &mut DecisionRecord,
) -> Result<Outcome, Stop> {
    if let Some(outcome) = metadata::at_root(context.policy, instance, request, record) {
        return outcome;
    }
    record.surface = Some(Surface::Outside);
    match instance.outside {
        Access::Pass => Ok(Outcome::Pass(without_made_up_identity(request))),
        Access::Deny => Err(Reason::OutsidePathPrefix.into()),
    }
}
