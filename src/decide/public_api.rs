//! Calls of n8n's public API.

use super::authenticate::authenticate;
use super::caller::ResolvedPrincipal;
use super::edits::{without_made_up_identity, API_KEY_HEADER};
use super::misplaced::is_token;
use super::{Credential, DecisionContext, DecisionRecord, Forward, Outcome, Stop};
use crate::http::{hostname, RequestHead};
use crate::n8n::{Operation, Route, ScopeSet};
use crate::policy::{ApiKeys, Instance};
use crate::reply::Reason;
use crate::token::{bearer, ApiKeyForm, Bearer};

pub(super) fn decide(
    context: DecisionContext<'_>,
    instance: &Instance,
    request: &RequestHead,
    route: &Route,
    record: &mut DecisionRecord,
) -> Result<Outcome, Stop> {
    let operation = Operation::find(request.method(), route);
    record.operation = operation.map(Operation::name);
    let bearer = bearer(request).map_err(Reason::Bearer)?;
    let token = match (bearer, api_key(request)?) {
        (Bearer::Token(token), ApiKey::Absent) => token,
        // The same key twice: n8n took it before there was a gate, and whichever of the two it
        // looks at, the caller is the same.
        (Bearer::Token(token), ApiKey::Present(key))
            if token.expose().as_bytes() == key && !is_token(context.policy, key) =>
        {
            return with_api_key(context, instance, request, (route, key), record);
        }
        (Bearer::Token(_), ApiKey::Present(_) | ApiKey::Empty) => {
            return Err(Reason::TwoCredentials.into());
        }
        (_, ApiKey::Present(key)) => {
            return with_api_key(context, instance, request, (route, key), record);
        }
        (_, ApiKey::Absent | ApiKey::Empty) => return Err(Reason::NoCredential.into()),
    };
    record.credential = Some(Credential::Bearer);
    let caller = authenticate(context, instance, &token, record)?;
    let standing = caller.standing()?;
    match operation {
        None if !standing.granted.is_all() => return Err(Reason::UnknownOperation.into()),
        None => {}
        Some(operation) if operation.is_allowed_by(&standing.granted) => {}
        Some(operation) => {
            let missing: Vec<_> = operation.missing_from(&standing.granted).collect();
            let ask_for = scopes_to_ask_for(instance, standing, &missing);
            return Err(Reason::InsufficientScope { missing, ask_for }.into());
        }
    }
    Ok(Outcome::Forward(Forward::to_public_api(
        request, &caller, standing,
    )))
}

/// The scopes that a client can ask its provider for to get what is missing: of those that
/// `scopes_supported` names and that grant it, the ones that grant least, lest a client is led to ask
/// for more than it needs. Names under `roles` that stand there alone are roles, or scopes under a
/// shorter name than they are asked for. Nothing, where another scope would not help.
fn scopes_to_ask_for(
    instance: &Instance,
    standing: &ResolvedPrincipal,
    missing: &[&'static str],
) -> Vec<String> {
    let mut all = Vec::new();
    let mut covered = ScopeSet::default();
    for scope in missing {
        let most = standing.most_by_scopes.as_ref();
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

/// What a scope grants that a client asks for. Entra and others take it by a longer name than they
/// write into the token: `api://n8n/Flows.Read` becomes `Flows.Read`.
fn granted_by<'i>(instance: &'i Instance, asked: &str) -> Option<&'i ScopeSet> {
    let short = || instance.grants.get(asked.rsplit('/').next()?);
    instance.grants.get(asked).or_else(short)
}

/// What becomes of a call with a static key, which n8n alone can check.
fn with_api_key(
    context: DecisionContext<'_>,
    instance: &Instance,
    request: &RequestHead,
    (route, key): (&Route, &[u8]),
    record: &mut DecisionRecord,
) -> Result<Outcome, Stop> {
    record.credential = Some(Credential::ApiKey);
    let key = key.trim_ascii();
    if let Ok(ApiKeyForm::Key(claims)) = std::str::from_utf8(key).map(ApiKeyForm::of) {
        record.api_key = Some(claims);
    }
    let rules = &instance.public_api.api_keys;
    let host = rules.name_hosts().then(|| hostname::requested(request));
    match rules.choose(host.flatten().as_deref(), route) {
        // A token of a provider is looked for in all that passes, whatever the surface.
        ApiKeys::Pass => Ok(Outcome::Pass(without_made_up_identity(request))),
        ApiKeys::Refuse if is_token(context.policy, key) => Err(Reason::TokenAsApiKey.into()),
        ApiKeys::Refuse => Err(Reason::ApiKeyRefused.into()),
    }
}

enum ApiKey<'r> {
    Absent,
    /// A header without a value: n8n would look for a session instead.
    Empty,
    Present(&'r [u8]),
}

/// Looks at the client's own API key. n8n joins two of them to one that is worth nothing; which
/// of them another reader would take, nobody can say.
fn api_key(request: &RequestHead) -> Result<ApiKey<'_>, Reason> {
    let mut values = request.values(API_KEY_HEADER);
    match (values.next(), values.next()) {
        (None, _) => Ok(ApiKey::Absent),
        (Some(_), Some(_)) => Err(Reason::DuplicateApiKey),
        // Envoy joins headers of one name with a comma, and no key holds one.
        (Some(value), None) if value.contains(&b',') => Err(Reason::DuplicateApiKey),
        (Some(value), None) if value.trim_ascii().is_empty() => Ok(ApiKey::Empty),
        (Some(value), None) => Ok(ApiKey::Present(value)),
    }
}
