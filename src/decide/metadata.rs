//! Requests for the metadata of guarded resources (RFC 9728). The gate sends a local reply.

use super::draft::Stop;
use super::{DecisionRecord, Outcome};
use crate::http::RequestHead;
use crate::n8n::{classify, described, Location, Surface};
use crate::policy::{Instance, Policy, RuleChoice, WebhookAuth};
use crate::reply::{
    api_metadata, metadata_preflight, trigger_metadata, LocalReply, Reason, Resource,
};

/// The document of the public API.
pub(super) fn of_public_api(
    policy: &Policy,
    instance: &Instance,
    request: &RequestHead,
) -> Result<Outcome, Stop> {
    let resource = Resource::public_api(instance, request);
    respond(request, resource, |resource| {
        api_metadata(policy, instance, resource)
    })
}

/// The document of a resource below `path_prefix`. Its URL begins at the root of the host (RFC 9728
/// §3.1), outside of the prefix. `None`: the gate has no such document.
pub(super) fn at_root(
    policy: &Policy,
    instance: &Instance,
    request: &RequestHead,
    record: &mut DecisionRecord,
) -> Option<Result<Outcome, Stop>> {
    let Ok(Location::Inside(path)) = instance.locate(described(request.path())?) else {
        return None;
    };
    let route = classify(&instance.prefixes, path).ok()?;
    if route.api_call().is_some_and(<[_]>::is_empty) {
        record.surface = Some(Surface::Gate);
        return Some(of_public_api(policy, instance, request));
    }
    of_trigger(policy, instance, path, request, record)
}

/// The document of a webhook, form or MCP trigger that a rule guards with tokens. A call without a
/// token shows any client as much. `path` is that of the trigger in n8n. `None`: no rule guards it
/// with tokens, and n8n may have a document of its own.
pub(super) fn of_trigger(
    policy: &Policy,
    instance: &Instance,
    path: &[u8],
    request: &RequestHead,
    record: &mut DecisionRecord,
) -> Option<Result<Outcome, Stop>> {
    let route = classify(&instance.prefixes, path).ok()?;
    let RuleChoice::Rule(rule) = instance.webhooks.choose(&route, request.query()) else {
        return None;
    };
    if !matches!(rule.auth, WebhookAuth::Bearer) {
        return None;
    }
    record.surface = Some(Surface::Gate);
    let resource = Resource::trigger(instance, path, request);
    Some(respond(request, resource, |resource| {
        trigger_metadata(policy, rule, resource)
    }))
}

fn respond(
    request: &RequestHead,
    resource: Option<Resource<'_>>,
    document: impl FnOnce(&Resource<'_>) -> LocalReply,
) -> Result<Outcome, Stop> {
    if request.is_preflight() {
        return Ok(Outcome::Respond(metadata_preflight()));
    }
    if !matches!(request.method(), b"GET" | b"HEAD") {
        return Err(Reason::MethodNotAllowed.into());
    }
    // Without a sound host there is no identifier of the resource.
    resource
        .map(|resource| Outcome::Respond(document(&resource)))
        .ok_or_else(|| Reason::HostMalformed.into())
}
