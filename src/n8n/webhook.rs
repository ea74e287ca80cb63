//! Which rule guards a webhook.

use std::borrow::Cow;
use std::fmt;

use super::endpoints::Prefix;
use super::pattern::Comparison;
use super::{PathPattern, Route};
use crate::identity::Condition;
use crate::index::{Index, Key};
use crate::policy::Access;

/// The webhook rules in the order of the configuration. The first match wins, and finding it takes
/// as long among many as among few.
#[derive(Clone, Default)]
pub struct WebhookRules {
    list: Vec<WebhookRule>,
    /// By the literal segments of their patterns. However a request is compared with a pattern,
    /// each of them has to be among its segments.
    index: Index,
    /// The prefixes that rules speak of.
    prefixes: Vec<Prefix>,
    /// Whether a rule looks at claims.
    look_at_claims: bool,
}

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
    /// Puts rules in order.
    pub fn new(list: Vec<WebhookRule>) -> Self {
        let mut prefixes = Vec::new();
        for rule in &list {
            if !prefixes.contains(&rule.pattern.prefix()) {
                prefixes.push(rule.pattern.prefix());
            }
        }
        let groups = |rule: &WebhookRule| -> Vec<Vec<Key<'static>>> {
            let literals = rule.pattern.literals();
            literals.map(|literal| vec![key(literal)]).collect()
        };
        let rules: Vec<_> = list.iter().map(groups).collect();
        Self {
            index: Index::new(&rules),
            look_at_claims: list.iter().any(|rule| !rule.require.claims.is_empty()),
            list,
            prefixes,
        }
    }

    /// Whether a rule looks at claims.
    pub const fn look_at_claims(&self) -> bool {
        self.look_at_claims
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &WebhookRule> {
        self.list.iter()
    }

    /// The first rule that matches every path that this pattern matches too; if that is of an
    /// earlier rule, this pattern's can never be reached.
    pub fn first_covering(&self, pattern: &PathPattern) -> Option<usize> {
        let covers = |rule: &WebhookRule| rule.pattern.covers(pattern);
        self.first(pattern.literals(), covers)
    }

    fn first<'s>(
        &self,
        segments: impl Iterator<Item = &'s str>,
        wanted: impl Fn(&WebhookRule) -> bool,
    ) -> Option<usize> {
        self.index.first(segments.map(key), |place| {
            self.list.get(place).is_some_and(&wanted)
        })
    }

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
        let below = route.below_prefix();
        let first = |comparison| {
            self.first(below.iter().map(String::as_str), |rule| {
                rule.pattern.prefix() == prefix && rule.pattern.matches(below, comparison)
            })
        };
        let choice = first(Comparison::Exact);
        if first(Comparison::IgnoringCase) != choice || first(Comparison::IgnoringOrder) != choice {
            return RuleChoice::Ambiguous;
        }
        choice
            .and_then(|place| self.list.get(place))
            .map_or(RuleChoice::NoRule, RuleChoice::Rule)
    }

    /// The prefix whose rules hold below `prefix`; `None`: no rule does.
    fn speaking_of(&self, prefix: Prefix) -> Option<Prefix> {
        let is_named = |prefix: &Prefix| self.prefixes.contains(prefix);
        Some(prefix)
            .filter(is_named)
            .or_else(|| prefix.production().filter(is_named))
    }
}

/// What two segments have in common that are equal without regard to case.
fn key(segment: &str) -> Key<'static> {
    (0, Cow::Owned(segment.to_lowercase()))
}

impl fmt::Debug for WebhookRules {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.list.fmt(formatter)
    }
}

#[cfg(test)]
mod tests;
