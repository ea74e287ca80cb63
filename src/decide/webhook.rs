//! Calls of webhooks, forms and MCP triggers.

use super::authenticate::authenticate;
use super::edits::without_made_up_identity;
use super::{Credential, Findings, Forward, Grounds, Outcome, Stop};
use crate::http::RequestHead;
use crate::n8n::Route;
use crate::policy::{Access, Instance, RuleChoice, WebhookAuth, WebhookRule};
use crate::reply::Reason;
use crate::token::{bearer, Bearer};

pub(super) fn decide(
    grounds: Grounds<'_>,
    instance: &Instance,
    request: &RequestHead,
    route: &Route,
    findings: &mut Findings,
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
        WebhookAuth::Bearer if rule.cors_preflight == Access::Pass && request.is_preflight() => {
            pass()
        }
        WebhookAuth::Bearer => verified(grounds, instance, request, rule, findings),
    }
}

fn verified(
    grounds: Grounds<'_>,
    instance: &Instance,
    request: &RequestHead,
    rule: &WebhookRule,
    findings: &mut Findings,
) -> Result<Outcome, Stop> {
    let Bearer::Token(token) = bearer(request).map_err(Reason::Bearer)? else {
        return Err(Reason::NoCredential.into());
    };
    findings.credential = Some(Credential::Bearer);
    let caller = authenticate(grounds, instance, &token, findings)?;
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
