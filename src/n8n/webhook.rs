//! Which rule guards a webhook.

use super::endpoints::Prefix;
use super::pattern::Comparison;
use super::{PathPattern, Route};
use crate::identity::Condition;
use crate::policy::Access;

/// The webhook rules in the order of the configuration; the first match wins.
#[derive(Clone, Debug, Default)]
pub struct WebhookRules(pub Vec<WebhookRule>);

/// How webhooks under one pattern are guarded.
#[derive(Clone, Debug)]
pub struct WebhookRule {
    /// The paths.
    pub pattern: PathPattern,
    /// Who may come in.
    pub auth: WebhookAuth,
    /// Whom a bearer token must belong to.
    pub require: Condition,
    /// Hand the token on to the workflow.
    pub keep_authorization: bool,
    /// Whether a CORS preflight, which cannot carry a token, passes a `bearer` rule.
    pub cors_preflight: Access,
}

/// Who may come in to a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookAuth {
    /// Everybody: n8n's own node decides.
    Open,
    /// Callers with a good token.
    Bearer,
    /// Nobody.
    Deny,
}

/// What the rules say of a route.
#[derive(Debug)]
pub enum RuleChoice<'r> {
    /// This rule holds.
    Rule(&'r WebhookRule),
    /// No rule speaks of this kind of path: it passes.
    Unguarded,
    /// Rules speak of this kind of path, but none of this one: it is refused.
    NoRule,
    /// Different ways to look up the path would choose different rules.
    Ambiguous,
}

impl WebhookRules {
    /// The rule for a route whose surface is a webhook, a form or an MCP trigger.
    ///
    /// A rule for `/webhook/x` holds for `/webhook-test/x` too, which is the same workflow while
    /// somebody listens to it in the editor, unless a rule names the test endpoint.
    ///
    /// n8n finds a webhook with parameters in its path (`user/:id/orders`) by the set of its
    /// segments, so that `user/7/orders` and `orders/user/7` run the same workflow. Where that,
    /// or folding case, leads to another rule than the path as it stands, the answer is
    /// [`RuleChoice::Ambiguous`]: otherwise the one spelling would get around the rule for the
    /// other.
    pub fn choose(&self, route: &Route) -> RuleChoice<'_> {
        let Some(prefix) = route.trigger().and_then(|prefix| self.speaking_of(prefix)) else {
            return RuleChoice::Unguarded;
        };
        let first = |comparison| {
            self.0.iter().position(|rule| {
                rule.pattern.prefix() == prefix
                    && rule.pattern.matches(route.below_prefix(), comparison)
            })
        };
        let choice = first(Comparison::Exact);
        if first(Comparison::IgnoringCase) != choice || first(Comparison::IgnoringOrder) != choice {
            return RuleChoice::Ambiguous;
        }
        choice
            .and_then(|place| self.0.get(place))
            .map_or(RuleChoice::NoRule, RuleChoice::Rule)
    }

    /// The prefix whose rules hold below `prefix`; `None`: no rule does.
    fn speaking_of(&self, prefix: Prefix) -> Option<Prefix> {
        let is_named = |prefix: &Prefix| self.0.iter().any(|rule| rule.pattern.prefix() == *prefix);
        Some(prefix)
            .filter(is_named)
            .or_else(|| prefix.production().filter(is_named))
    }
}

#[cfg(test)]
mod tests;
