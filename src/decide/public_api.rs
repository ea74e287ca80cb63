//! Calls of n8n's public API.

use std::sync::Arc;

use super::authenticate::authenticate;
use super::caller::{ResolvedPrincipal, UpstreamKey};
use super::credential::{ClientKey, Credential};
use super::draft::{Draft, Stop};
use super::edits::{with_key_of_bearer, without_credentials, without_made_up_identity};
use super::misplaced::is_token;
use super::possession::{Scheme, Sender};
use super::run;
use super::{DecisionContext, DecisionRecord, Forward, Need, Outcome, Request, UpstreamCredential};
use crate::facts::{Availability, Fact};
use crate::http::{hostname, RequestHead};
use crate::n8n::{Operation, Route, ScopeSet};
use crate::policy::{ApiKeys, DpopUse, Instance, StaticKey};
use crate::reply::Reason;
use crate::secret::Secret;
use crate::token::ApiKeyForm;

pub(super) fn decide(
    context: DecisionContext<'_>,
    instance: &Instance,
    whole: Request<'_>,
    route: &Route<'_>,
    draft: &mut Draft,
) -> Result<Outcome, Stop> {
    let request = whole.head;
    let operation = Operation::find(request.method(), route, instance.line);
    draft.record.operation = operation.map(Operation::name);
    if instance.public_api.public_description
        && matches!(request.method(), b"GET" | b"HEAD")
        && route.is_api_description()
    {
        // n8n looks at no credential there, and must not get a token.
        return Ok(Outcome::Pass(without_credentials(request, false, None)));
    }
    let credential = Credential::of_api_call(context.policy, &instance.public_api, request)?;
    draft.record.credential = credential.kind();
    let (scheme, token) = match credential {
        Credential::Bearer(token, _) => (Scheme::Bearer, token),
        Credential::Dpop(token) => (Scheme::Dpop, token),
        Credential::ApiKey(key) => {
            return with_api_key(context, instance, request, (route, &key), &mut draft.record);
        }
        Credential::None => return Err(Reason::NoCredential.into()),
    };
    let sender = Sender {
        request: whole,
        scheme,
        token: &token,
        dpop: DpopUse::Accepted,
    };
    let evidence = authenticate(context, instance, &sender, draft)?;
    let principal = evidence.caller().principal()?;
    match operation {
        None if !principal.granted.is_all() => return Err(Reason::UnknownOperation.into()),
        None => {}
        Some(operation) if operation.is_allowed_by(&principal.granted) => {}
        Some(operation) => {
            let missing: Vec<_> = operation.missing_from(&principal.granted).collect();
            let ask_for = scopes_to_ask_for(instance, principal, &missing);
            return Err(Reason::InsufficientScope { missing, ask_for }.into());
        }
    }
    if let Some(workflow) = operation.and_then(|operation| operation.workflow_to_run(route)) {
        return run::decide(context, (instance, workflow), whole, &evidence);
    }
    let credential = upstream_key(context, &principal.upstream)?;
    Ok(Outcome::Forward(Forward::to_public_api(
        instance, request, &evidence, credential,
    )))
}

/// The API key that n8n gets. One that the gate makes is made only for a request that is allowed.
fn upstream_key(
    context: DecisionContext<'_>,
    upstream: &UpstreamKey,
) -> Result<UpstreamCredential, Stop> {
    let request = match upstream {
        UpstreamKey::Static(keys) => {
            let key = static_key(context, keys).ok_or(Reason::ProxyFailure)?;
            return Ok(UpstreamCredential::StaticKey(key));
        }
        UpstreamKey::NoUser => return Err(Reason::NoUser.into()),
        UpstreamKey::Minted(request) => request,
    };
    match context.facts.minted_key(request) {
        Availability::Known(key) => Ok(UpstreamCredential::MintedKey(
            Arc::clone(request),
            key.clone(),
        )),
        Availability::Pending => Err(Need::Fact(Fact::MintedKey(Arc::clone(request))).into()),
        Availability::Unavailable(outage) => Err(Reason::UpstreamKeyUnavailable(outage).into()),
    }
}

/// The first key that n8n accepts, as far as is known. If it accepts none, the first one, so that its
/// response says so.
fn static_key(context: DecisionContext<'_>, keys: &[StaticKey]) -> Option<Secret> {
    let first = keys.first()?;
    if keys.len() == 1 {
        return Some(first.key.clone());
    }
    let is_good =
        |key: &&StaticKey| !key.has_expired(context.now) && !context.facts.is_refused(&key.key);
    let key = keys.iter().find(is_good).unwrap_or(first);
    Some(key.key.clone())
}

/// The scopes that a client can ask its provider for to get what is missing: of those that
/// `scopes_supported` lists and that grant it, the ones that grant least, so that a client does not
/// ask for more than it needs. Names that are under `roles` only are roles, or scopes under a
/// shorter name than a client asks for. Nothing, if no other scope would help.
pub(super) fn scopes_to_ask_for(
    instance: &Instance,
    principal: &ResolvedPrincipal,
    missing: &[&'static str],
) -> Vec<String> {
    let mut all = Vec::new();
    let mut covered = ScopeSet::default();
    for scope in missing {
        let most = principal.most_by_scopes.as_ref();
        if !most.is_some_and(|most| most.contains(scope)) {
            return Vec::new();
        }
        if covered.contains(scope) {
            continue;
        }
        let asked = instance.public_api.scopes_supported.iter();
        let grants = asked.filter_map(|asked| {
            let granted = granted_by(instance, asked)?;
            granted.contains(scope).then_some((granted, asked))
        });
        let size = |granted: &ScopeSet| {
            if granted.is_all() {
                usize::MAX
            } else {
                granted.iter().count()
            }
        };
        let Some((granted, asked)) = grants.min_by_key(|(granted, _)| size(granted)) else {
            return Vec::new();
        };
        covered.extend(granted);
        all.push(asked.clone());
    }
    all
}

/// What a scope grants that a client asks for. Entra and others have a longer name for it in requests
/// than in tokens: `api://n8n/Flows.Read` becomes `Flows.Read`.
fn granted_by<'i>(instance: &'i Instance, asked: &str) -> Option<&'i ScopeSet> {
    let short = || instance.grants.get(asked.rsplit('/').next()?);
    instance.grants.get(asked).or_else(short)
}

/// A call with a static API key, which only n8n can check.
fn with_api_key(
    context: DecisionContext<'_>,
    instance: &Instance,
    request: &RequestHead,
    (route, sent): (&Route<'_>, &ClientKey<'_>),
    record: &mut DecisionRecord,
) -> Result<Outcome, Stop> {
    let key = sent.value.trim_ascii();
    if let Ok(ApiKeyForm::Key(claims)) = std::str::from_utf8(key).map(ApiKeyForm::of) {
        record.api_key = Some(claims);
    }
    let rules = &instance.public_api.api_keys;
    let host = rules.name_hosts().then(|| hostname::requested(request));
    match rules.choose(host.flatten().as_deref(), route) {
        // Every request that passes is searched for tokens of providers later, on all surfaces.
        ApiKeys::Pass if sent.is_bearer => Ok(Outcome::Pass(with_key_of_bearer(request, key))),
        ApiKeys::Pass => Ok(Outcome::Pass(without_made_up_identity(request))),
        ApiKeys::Refuse if is_token(context.policy, key) => Err(Reason::TokenAsApiKey.into()),
        ApiKeys::Refuse => Err(Reason::ApiKeyRefused.into()),
    }
}
