//! How webhooks, forms and MCP triggers are guarded.

use std::sync::Arc;

use super::certificate_rule::certificate_rule;
use super::choices::AuthWord;
use super::condition::condition;
use super::endpoints::Paths;
use super::environment::Environment;
use super::field::{Field, Reported};
use super::field_path::FieldPath;
use super::provider_summary::ProviderSummary;
use super::raw::{RawTokenFrom, RawWebhook};
use super::signature::signature;
use crate::policy::{Condition, PathPattern, TokenFrom, WebhookAuth, WebhookRule, WebhookRules};

/// The rules for webhooks. What is missing in the result was wrong, and was reported. Without `paths`,
/// which were wrong then, the paths of the rules are not checked.
pub(super) fn webhooks(
    raw: Vec<RawWebhook>,
    paths: Option<Paths<'_>>,
    providers: &[ProviderSummary],
    environment: &dyn Environment,
) -> WebhookRules {
    let mut field_paths: Vec<FieldPath> = Vec::new();
    let mut list = Vec::new();
    for raw in raw {
        let field_path = raw.path.path.clone();
        if let Some(rule) = rule(raw, paths, providers, environment) {
            field_paths.push(field_path);
            list.push(rule);
        }
    }
    let rules = WebhookRules::new(list);
    report_unreachable(&field_paths, &rules);
    rules
}

fn report_unreachable(field_paths: &[FieldPath], rules: &WebhookRules) {
    for (number, (field_path, rule)) in field_paths.iter().zip(rules.iter()).enumerate() {
        let first = rules.first_covering(&rule.pattern);
        let Some(earlier) = first.filter(|earlier| *earlier < number) else {
            continue;
        };
        if let Some(earlier) = field_paths.get(earlier) {
            field_path.error(
                format!("can never be reached: {earlier} matches every path that it matches"),
                "the first match applies: put the narrower one first",
            );
        }
    }
}

/// Whether the rule takes tokens, or may do so after a correction.
pub(super) fn may_take_tokens(raw: &RawWebhook) -> bool {
    match &raw.auth.value {
        Some(word) => word.0 == AuthWord::Bearer,
        None => raw.auth.given || raw.require.given,
    }
}

fn rule(
    raw: RawWebhook,
    paths: Option<Paths<'_>>,
    providers: &[ProviderSummary],
    environment: &dyn Environment,
) -> Option<WebhookRule> {
    let word = auth(&raw);
    let pattern = pattern(&raw, paths);
    let signature = signature(raw.signature, environment);
    let certificate = certificate_rule(raw.certificate);
    let require = if raw.require.given {
        condition(raw.require, providers).ok()
    } else {
        Some(Condition::default())
    };
    Some(WebhookRule {
        pattern: pattern?,
        auth: match word? {
            AuthWord::Open => WebhookAuth::Open,
            AuthWord::Bearer => WebhookAuth::Bearer,
            AuthWord::Certificate => WebhookAuth::Certificate(Arc::new(certificate.ok()??)),
            AuthWord::Signature => WebhookAuth::Signature(Arc::new(signature?)),
            AuthWord::Deny => WebhookAuth::Deny,
        },
        require: require?,
        dpop: raw.dpop.value?.0,
        scopes_supported: (raw.scopes_supported.value_or_error().ok()?.into_iter())
            .flat_map(|scopes| scopes.0)
            .map(|scope| scope.text)
            .collect(),
        token_from: token_from(raw.token_from).ok()?,
        keep_authorization: raw.keep_authorization.value?,
        cors_preflight: raw.cors_preflight.value?.0,
    })
}

fn token_from(field: Field<RawTokenFrom>) -> Result<Option<TokenFrom>, Reported> {
    let Some(raw) = field.value_or_error()? else {
        return Ok(None);
    };
    let cookie = raw.cookie.value_or_error()?;
    let query = raw.query.value_or_error()?;
    let cookie = cookie.map(|name| TokenFrom::Cookie(name.text));
    Ok(cookie.or_else(|| query.map(|name| TokenFrom::Query(name.text))))
}

fn auth(raw: &RawWebhook) -> Option<AuthWord> {
    match &raw.auth.value {
        Some(word) => Some(word.0),
        None if raw.auth.given => None,
        None if raw.require.given => Some(AuthWord::Bearer),
        None => None,
    }
}

fn pattern(raw: &RawWebhook, paths: Option<Paths<'_>>) -> Option<PathPattern> {
    let path = &raw.path.value.as_ref()?.text;
    let paths = paths?;
    PathPattern::parse(path, paths.endpoints)
        .map_err(|fault| {
            let hint = paths.hint(path, "/webhook/orders/**");
            raw.path.error(fault.to_string(), hint);
        })
        .ok()
}
