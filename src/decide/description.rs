//! Requests for n8n's own description of its public API, in which bearer tokens are shown.

use std::sync::Arc;

use super::draft::Draft;
use super::job::{Describe, DescriptionKey};
use super::{DecisionContext, Job, Outcome};
use crate::http::RequestHead;
use crate::n8n::description::DescriptionForm;
use crate::n8n::Route;
use crate::policy::{Instance, ProviderId};

/// Has the gate show the description in place of n8n, for a request that n8n would get. It shows nothing
/// that n8n would not, so that it does not matter who asks.
pub(super) fn with_bearer(
    context: DecisionContext<'_>,
    instance: &Instance,
    request: &RequestHead,
    route: &Route<'_>,
    outcome: Outcome,
    draft: &mut Draft,
) -> Outcome {
    let Some(shown) = &instance.public_api.bearer_in_description else {
        return outcome;
    };
    let reads = matches!(request.method(), b"GET" | b"HEAD");
    let reaches_n8n = matches!(outcome, Outcome::Forward(_) | Outcome::Pass(_));
    let form = DescriptionForm::at(route).filter(|_| reads && reaches_n8n);
    let Some(form) = form else {
        return outcome;
    };
    let token_endpoints = if shown.token_endpoints {
        token_endpoints(context, instance)
    } else {
        Vec::new()
    };
    draft.otherwise = Some(Box::new(outcome));
    let key = DescriptionKey {
        instance: instance.id,
        form,
        token_endpoints,
    };
    let path = form.path(&instance.endpoints().api);
    let describe = Describe::new(key, Arc::clone(shown), path);
    Outcome::Job(Job::Describe(Box::new(describe)))
}

/// Where clients get tokens, as far as is known: of the providers whose callers can have a principal.
fn token_endpoints(context: DecisionContext<'_>, instance: &Instance) -> Vec<String> {
    let names = instance.public_api.providers.as_ref();
    let providers = context.policy.providers.iter().enumerate();
    let providers =
        providers.filter(|(_, provider)| names.is_none_or(|names| names.contains(&*provider.name)));
    let endpoints =
        providers.filter_map(|(index, _)| context.facts.token_endpoint(ProviderId(index)));
    let mut all: Vec<String> = Vec::new();
    for endpoint in endpoints {
        if !all.iter().any(|known| known == endpoint) {
            all.push(endpoint.to_owned());
        }
    }
    all
}
