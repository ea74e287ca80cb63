//! Calls of webhooks, forms and MCP triggers.

use super::authenticate::authenticate;
use super::credential::Credential;
use super::draft::{Draft, Stop};
use super::edits::{without_browser_token, without_made_up_identity};
use super::possession::{Scheme, Sender};
use super::{
    certified_webhook, cross_site, signed_webhook, CredentialKind, DecisionContext, Forward,
    Outcome, Request,
};
use crate::n8n::Route;
use crate::policy::{DpopUse, Instance, Preflight, RuleChoice, WebhookAuth, WebhookRule};
use crate::reply::Reason;

pub(super) fn decide(
    context: DecisionContext<'_>,
    instance: &Instance,
    whole: Request<'_>,
    route: &Route<'_>,
    draft: &mut Draft,
) -> Result<Outcome, Stop> {
    let request = whole.head;
    let pass = || Ok(Outcome::Pass(without_made_up_identity(request)));
    let rule = match instance.webhooks.choose(route, request.query()) {
        RuleChoice::Rule(rule) => rule,
        RuleChoice::Unguarded => return pass(),
        RuleChoice::NoRule => return Err(Reason::WebhookNoRule.into()),
        RuleChoice::Ambiguous => return Err(Reason::WebhookCase.into()),
    };
    match &rule.auth {
        WebhookAuth::Open => pass(),
        WebhookAuth::Certificate(rule) => certified_webhook::decide(context, whole, rule, draft),
        WebhookAuth::Signature(signature) => {
            let rule = (&rule.pattern, &**signature);
            signed_webhook::decide(context, instance, whole, rule, draft)
        }
        WebhookAuth::Deny => Err(Reason::WebhookDenied.into()),
        WebhookAuth::Bearer if rule.cors_preflight == Preflight::Pass && request.is_preflight() => {
            match &rule.token_from {
                None => pass(),
                // A preflight has the query of the request that follows.
                Some(from) => Ok(Outcome::Pass(without_browser_token(request, from))),
            }
        }
        WebhookAuth::Bearer => verified(context, instance, whole, rule, draft),
    }
}

fn verified(
    context: DecisionContext<'_>,
    instance: &Instance,
    whole: Request<'_>,
    rule: &WebhookRule,
    draft: &mut Draft,
) -> Result<Outcome, Stop> {
    let request = whole.head;
    draft.record.requires_proof = rule.dpop == DpopUse::Required;
    let credential = Credential::of_call_with_token(request, rule.token_from.as_ref())?;
    draft.record.credential = credential.kind();
    let (scheme, token) = match credential {
        Credential::Bearer(_, CredentialKind::BearerInCookie)
            if !cross_site::may_use_cookies(request) =>
        {
            return Err(Reason::CrossSite.into());
        }
        Credential::Bearer(token, _) => (Scheme::Bearer, token),
        Credential::Dpop(token) => (Scheme::Dpop, token),
        Credential::ApiKey(_) | Credential::None => return Err(Reason::NoCredential.into()),
    };
    let sender = Sender {
        request: whole,
        scheme,
        token: &token,
        dpop: rule.dpop,
    };
    let evidence = authenticate(context, instance, &sender, draft)?;
    let identity = &evidence.caller().identity;
    if !rule.require.holds(identity) {
        let reason = if rule.require.misses_groups(identity) {
            Reason::GroupsLeftOut
        } else {
            Reason::WebhookRequirement
        };
        return Err(reason.into());
    }
    Ok(Outcome::Forward(Forward::to_webhook(
        request,
        &evidence,
        rule.keep_authorization,
        rule.token_from.as_ref(),
    )))
}
