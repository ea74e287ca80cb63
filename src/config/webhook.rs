//! How webhooks, forms and MCP triggers are guarded.

use super::condition::condition;
use super::endpoints::Paths;
use super::field_path::FieldPath;
use super::provider_summary::ProviderSummary;
use super::raw::RawWebhook;
use crate::policy::{Condition, PathPattern, WebhookAuth, WebhookRule, WebhookRules};

/// The rules for webhooks. What is missing in the result was wrong, and was reported. Without `paths`,
/// which were wrong then, the paths of the rules are not checked.
pub(super) fn webhooks(
    raw: Vec<RawWebhook>,
    paths: Option<Paths<'_>>,
    providers: &[ProviderSummary],
) -> WebhookRules {
    let mut field_paths: Vec<FieldPath> = Vec::new();
    let mut list = Vec::new();
    for raw in raw {
        let field_path = raw.path.path.clone();
        if let Some(rule) = rule(raw, paths, providers) {
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
        Some(word) => word.0 == WebhookAuth::Bearer,
        None => raw.auth.given || raw.require.given,
    }
}

fn rule(
    raw: RawWebhook,
    paths: Option<Paths<'_>>,
    providers: &[ProviderSummary],
) -> Option<WebhookRule> {
    let auth = auth(&raw);
    let pattern = pattern(&raw, paths);
    let require = if raw.require.given {
        condition(raw.require, providers).ok()
    } else {
        Some(Condition::default())
    };
    Some(WebhookRule {
        pattern: pattern?,
        auth: auth?,
        require: require?,
        keep_authorization: raw.keep_authorization.value?,
        cors_preflight: raw.cors_preflight.value?.0,
    })
}

fn auth(raw: &RawWebhook) -> Option<WebhookAuth> {
    match &raw.auth.value {
        Some(word) => Some(word.0),
        None if raw.auth.given => None,
        None if raw.require.given => Some(WebhookAuth::Bearer),
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
