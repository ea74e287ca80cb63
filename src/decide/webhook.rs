//! Calls of webhooks, forms and MCP triggers.

use super::authenticate::authenticate;
use super::edits::without_made_up_identity;
use super::{Credential, DecisionContext, DecisionRecord, Forward, Outcome, Stop};
use crate::http::RequestHead;
use crate::n8n::Route;
use crate::policy::{Instance, Preflight, RuleChoice, WebhookAuth, WebhookRule};
use crate::reply::Reason;
use crate::token::{bearer, Bearer};

pub(super) fn decide(
    context: DecisionContext<'_>,
    instance: &Instance,
    request: &RequestHead,
    route: &Route,
    record: &mut DecisionRecord,
) -> Result<Outcome, Stop> {
    let pass = || Ok(Outcome::Pass(without_made_up_identity(request)));
    let rule = match instance.webhooks.choose(route, request.query()) {
        RuleChoice::Rule(rule) => rule,
        RuleChoice::Unguarded => return pass(),
        RuleChoice::NoRule => return Err(Reason::WebhookNoRule.into()),
        RuleChoice::Ambiguous => return Err(Reason::WebhookCase.into()),
    };
    match rule.auth {
        WebhookAuth::Open => pass(),
        WebhookAuth::Deny => Err(Reason::WebhookDenied.into()),
        WebhookAuth::Bearer if rule.cors_preflight == Preflight::Pass && request.is_preflight() => {
            pass()
        }
        WebhookAuth::Bearer => verified(context, instance, request, rule, record),
    }
}

fn verified(
    context: DecisionContext<'_>,
    instance: &Instance,
    request: &RequestHead,
    rule: &WebhookRule,
    record: &mut DecisionRecord,
) -> Result<Outcome, Stop> {
    let Bearer::Token(token) = bearer(request).map_err(Reason::Bearer)? else {
        return Err(Reason::NoCredential.into());
    };
    record.credential = Some(Credential::Bearer);
    let caller = authenticate(context, instance, &token, record)?;
    if !rule.require.holds(&caller.identity) {
        let reason = if rule.require.misses_groups(&caller.identity) {
            Reason::GroupsLeftOut
        } else {
            Reason::WebhookRequirement
        };
        return Err(reason.into());
    }
    Ok(Outcome::Forward(Forward::to_webhook(
        request,
        &caller,
        rule.keep_authorization,
    )))
}
