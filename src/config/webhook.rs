//! How webhooks, forms and MCP triggers are guarded.

use super::condition::condition;
use super::instance::Paths;
use super::known::Known;
use super::place::Place;
use super::provider::refuse;
use super::raw::RawWebhook;
use crate::policy::{Condition, PathPattern, WebhookAuth, WebhookRule, WebhookRules};

/// Turns what was written of the webhooks into rules. Whatever is missing in the result was
/// reported. Without `paths`, which were wrong then, those of the rules are not looked at.
pub(super) fn webhooks(
    raw: Vec<RawWebhook>,
    paths: Option<Paths<'_>>,
    providers: &[Known],
) -> WebhookRules {
    let mut places: Vec<Place> = Vec::new();
    let mut list = Vec::new();
    for raw in raw {
        let place = raw.path.place.clone();
        if let Some(rule) = rule(raw, paths, providers) {
            places.push(place);
            list.push(rule);
        }
    }
    let rules = WebhookRules::new(list);
    report_unreachable(&places, &rules);
    rules
}

fn report_unreachable(places: &[Place], rules: &WebhookRules) {
    for (number, (place, rule)) in places.iter().zip(rules.iter()).enumerate() {
        let first = rules.first_covering(&rule.pattern);
        let Some(earlier) = first.filter(|earlier| *earlier < number) else {
            continue;
        };
        if let Some(earlier) = places.get(earlier) {
            place.error(
                format!("can never be reached: {earlier} matches every path that it matches"),
                "the first match wins: put the narrower one first",
            );
        }
    }
}

/// Whether the rule asks for a token, or might once what is wrong with it is mended.
pub(super) fn may_take_tokens(raw: &RawWebhook) -> bool {
    match &raw.auth.value {
        Some(word) => word.0 == WebhookAuth::Bearer,
        None => raw.auth.given || raw.require.given,
    }
}

fn rule(raw: RawWebhook, paths: Option<Paths<'_>>, providers: &[Known]) -> Option<WebhookRule> {
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
    let auth = match &raw.auth.value {
        Some(word) => word.0,
        None if raw.auth.given => return None,
        None if raw.require.given => WebhookAuth::Bearer,
        None => {
            let hint =
                "write auth: bearer, open or deny, or require: with whom a token must belong to";
            raw.auth
                .place
                .error("is required where there is no require", hint);
            return None;
        }
    };
    if auth != WebhookAuth::Bearer {
        const PROBLEM: &str = "has no use: the rule asks for no token";
        const HINT: &str = "take it out, or write auth: bearer";
        refuse(&raw.require, PROBLEM, HINT);
        refuse(&raw.keep_authorization, PROBLEM, HINT);
        refuse(&raw.cors_preflight, PROBLEM, HINT);
    }
    Some(auth)
}

fn pattern(raw: &RawWebhook, paths: Option<Paths<'_>>) -> Option<PathPattern> {
    let path = &raw.path.value.as_ref()?.text;
    let paths = paths?;
    PathPattern::parse(path, paths.endpoints)
        .map_err(|fault| {
            let hint = paths.hint(path, "/webhook/orders/**");
            raw.path.place.error(fault.to_string(), hint);
        })
        .ok()
}
