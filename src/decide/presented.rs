//! The token of a request, for explanations.

use super::credential::Credential;
use super::Request;
use crate::n8n::{classify, Location, Surface};
use crate::policy::{Instance, Policy, RestAuth, RuleChoice, WebhookAuth};
use crate::token::CompactToken;

/// The token that a decision about this request reads; `None`: it reads none, or refuses the request
/// before. The log-in of a browser brings its token in another way.
pub fn presented_token(
    policy: &Policy,
    instance: &Instance,
    request: Request<'_>,
) -> Option<CompactToken<'static>> {
    let head = request.head;
    let Ok(Location::Inside(path)) = instance.locate(head.path()) else {
        return None;
    };
    let route = classify(&instance.prefixes, path).ok()?;
    let credential = match route.surface {
        Surface::PublicApi => Credential::of_api_call(policy, &instance.public_api, head),
        Surface::Rest if instance.rest == RestAuth::Bearer => {
            Credential::of_call_with_token(head, None)
        }
        _ => match instance.webhooks.choose(&route, head.query()) {
            RuleChoice::Rule(rule) if matches!(rule.auth, WebhookAuth::Bearer) => {
                Credential::of_call_with_token(head, rule.token_from.as_ref())
            }
            _ => return None,
        },
    };
    match credential {
        Ok(Credential::Bearer(token, _) | Credential::Dpop(token)) => Some(token.into_owned()),
        _ => None,
    }
}
