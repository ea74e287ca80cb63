//! Which rule guards a webhook.

use std::fmt;
use std::sync::Arc;

use super::below::Below;
use super::index::{Index, Key};
use super::pattern::Comparison;
use super::{CertificateRule, Condition, DpopUse, PathPattern, SignatureRule};
use crate::formats::form;
use crate::n8n::{Line, Prefix, Route, MOST_SEGMENTS};

/// The webhook rules in the order of the configuration. The first match applies. Finding it takes the
/// same time for many rules as for few.
#[derive(Clone, Default)]
pub struct WebhookRules {
    list: Vec<WebhookRule>,
    /// By the literal segments of their patterns. In every comparison, a request that matches has each
    /// of them among its segments.
    index: Index,
    /// The prefixes that rules name.
    prefixes: Vec<Prefix>,
    /// Whether a rule tests claims.
    look_at_claims: bool,
    /// Whether n8n serves a trigger at several prefixes.
    shares_triggers: bool,
}

/// How webhooks under one pattern are guarded.
#[derive(Clone, Debug)]
pub struct WebhookRule {
    /// The paths.
    pub pattern: PathPattern,
    /// What a request needs.
    pub auth: WebhookAuth,
    /// The condition on the caller of a bearer token.
    pub require: Condition,
    /// Whether the token must come with a proof.
    pub dpop: DpopUse,
    /// Whether the workflow gets the token.
    pub keep_authorization: bool,
    /// The OAuth scopes that a client may ask its provider for (RFC 9728 §2).
    pub scopes_supported: Vec<String>,
    /// Where a token may be beside `Authorization`.
    pub token_from: Option<TokenFrom>,
    /// Whether a CORS preflight, which cannot carry a token, passes a `bearer` rule.
    pub cors_preflight: Preflight,
}

/// Where a browser sends a token that it cannot send in `Authorization`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenFrom {
    /// In the cookie of this name.
    Cookie(String),
    /// In the field of this name of the query (RFC 6750 §2.3).
    Query(String),
}

/// What happens to a CORS preflight of a guarded webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preflight {
    /// It passes to n8n.
    Pass,
    /// It needs a token, as every other request.
    Guard,
}

/// What a request to a webhook needs.
#[derive(Clone, Debug)]
pub enum WebhookAuth {
    /// Nothing: n8n's own node decides.
    Open,
    /// A good token.
    Bearer,
    /// A certificate of the client.
    Certificate(Arc<CertificateRule>),
    /// A good signature.
    Signature(Arc<SignatureRule>),
    /// Every request is refused.
    Deny,
}

/// The rule for a route.
#[derive(Debug)]
pub enum RuleChoice<'r> {
    /// This rule applies.
    Rule(&'r WebhookRule),
    /// No rule is about this kind of path: it passes.
    Unguarded,
    /// Rules are about this kind of path, but none about this path: it is refused.
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
            let literals = rule.pattern.folded_literals();
            literals
                .map(|literal| vec![(0, literal.to_owned().into())])
                .collect()
        };
        let rules: Vec<_> = list.iter().map(groups).collect();
        Self {
            index: Index::new(&rules),
            look_at_claims: list.iter().any(|rule| !rule.require.claims.is_empty()),
            list,
            prefixes,
            shares_triggers: false,
        }
    }

    /// The same rules for a line of n8n.
    #[must_use]
    pub fn in_line(self, line: Line) -> Self {
        Self {
            shares_triggers: line.shares_triggers(),
            ..self
        }
    }

    /// Whether a rule tests claims.
    pub const fn look_at_claims(&self) -> bool {
        self.look_at_claims
    }

    /// Has the callers of decisions keep their claims, also if no rule tests one.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn keep_claims(&mut self) {
        self.look_at_claims = true;
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &WebhookRule> {
        self.list.iter()
    }

    /// The first rule that matches every path that this pattern matches too; if that is of an
    /// earlier rule, this pattern's can never be reached.
    pub fn first_covering(&self, pattern: &PathPattern) -> Option<usize> {
        let covers = |rule: &WebhookRule| rule.pattern.covers(pattern);
        self.first(pattern.folded_literals(), covers)
    }

    fn first<'s>(
        &self,
        folded: impl Iterator<Item = &'s str>,
        wanted: impl Fn(&WebhookRule) -> bool,
    ) -> Option<usize> {
        let keys = folded.map(|segment| (0, segment.into()));
        self.index.first(keys, |position| {
            self.list.get(position).is_some_and(&wanted)
        })
    }

    /// The rule for a route. `query` is that of the request, without its question mark.
    ///
    /// A rule for `/webhook/x` applies to `/webhook-test/x` too, which is the same workflow while a user
    /// tests it in the editor, unless a rule names the test endpoint.
    ///
    /// n8n looks up some triggers in several ways, so that one workflow has several addresses.
    /// If another way leads to another rule than the path as it is, the result is
    /// [`RuleChoice::Ambiguous`]: otherwise one address would avoid the rule for the other.
    ///
    /// - A webhook with parameters in its path (`user/:id/orders`) is found by the set of its
    ///   segments: `user/7/orders` and `orders/user/7` run the same workflow.
    /// - A test listener is found with a second segment that begins with the first one, and that
    ///   does not count ([`Below::repeats_first`]).
    /// - A waiting execution is resumed at the path that follows its token in the query
    ///   ([`resumed_at`]).
    /// - By the template itself (`user/:id/orders`), and by the key of a test listener: no route
    ///   has such segments ([`classify`](super::classify)).
    ///
    /// No other way leads to another workflow. The key of n8n's cache begins with the method and ends with
    /// the path, and no method that it serves is the beginning of another. Segments are decoded
    /// once and compared byte by byte, in no normal form of Unicode. Each endpoint runs nodes of
    /// its own kind alone: a form's path below `/webhook` is not found. A method in a header or in
    /// the query does not count.
    ///
    /// n8n 1 runs nodes of every kind at each endpoint: `/form/x` and `/mcp/x` start the workflow of
    /// `/webhook/x`. A request there needs what the rules for all of these ask for.
    pub fn choose(&self, route: &Route<'_>, query: &[u8]) -> RuleChoice<'_> {
        let Some(own) = route.trigger() else {
            return RuleChoice::Unguarded;
        };
        let choice = self.choose_at(own, route, query);
        if !self.shares_triggers {
            return choice;
        }
        let others = own.shared_in_n8n_1().iter();
        let others = others.filter(|other| **other != own);
        others.fold(choice, |choice, other| {
            choice.and(self.choose_at(*other, route, query))
        })
    }

    /// The rule for what is below the prefix of a route, at one of the prefixes where it is served.
    fn choose_at(&self, own: Prefix, route: &Route<'_>, query: &[u8]) -> RuleChoice<'_> {
        let Some(prefix) = self.with_rules_for(own) else {
            return RuleChoice::Unguarded;
        };
        let segments = || route.below_prefix().iter().map(AsRef::<str>::as_ref);
        let below = Below::new(segments());
        let first = |below: &Below<'_>, comparison| {
            self.first(below.folded().iter().map(AsRef::as_ref), |rule| {
                rule.pattern.prefix() == prefix && rule.pattern.matches(below, comparison)
            })
        };
        let choice = first(&below, Comparison::Exact);
        let differs = |below: &Below<'_>, comparison| first(below, comparison) != choice;
        // A rule that matches in another case matches in another order, too.
        let is_ambiguous = differs(&below, Comparison::IgnoringOrder)
            || (own.is_test()
                && below.repeats_first()
                && differs(&below, Comparison::RepeatedFirst))
            || resumed_at(own, &below, query).is_some_and(|suffix| {
                let below = Below::new(segments().chain(suffix.split('/').take(MOST_SEGMENTS)));
                below.segments().len() > MOST_SEGMENTS
                    || differs(&below, Comparison::Exact)
                    || differs(&below, Comparison::IgnoringCase)
            });
        if is_ambiguous {
            return RuleChoice::Ambiguous;
        }
        choice
            .and_then(|position| self.list.get(position))
            .map_or(RuleChoice::NoRule, RuleChoice::Rule)
    }

    /// The prefix whose rules apply below `prefix`; `None`: no rule does.
    fn with_rules_for(&self, prefix: Prefix) -> Option<Prefix> {
        let is_named = |prefix: &Prefix| self.prefixes.contains(prefix);
        Some(prefix)
            .filter(is_named)
            .or_else(|| prefix.counterpart().filter(is_named))
    }
}

impl RuleChoice<'_> {
    /// What lets a request through that both let through.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Ambiguous, _) | (_, Self::Ambiguous) => Self::Ambiguous,
            (Self::NoRule, _) | (_, Self::NoRule) => Self::NoRule,
            (Self::Unguarded, other) => other,
            (own, Self::Unguarded) => own,
            (Self::Rule(one), Self::Rule(other)) => match (&one.auth, &other.auth) {
                (_, WebhookAuth::Open) => Self::Rule(one),
                (WebhookAuth::Open, _) => Self::Rule(other),
                _ if one.asks_for_the_same(other) => Self::Rule(one),
                _ => Self::Ambiguous,
            },
        }
    }
}

impl WebhookRule {
    /// Whether a request that one of them lets through is let through by the other in the same form.
    fn asks_for_the_same(&self, other: &Self) -> bool {
        match (&self.auth, &other.auth) {
            (WebhookAuth::Deny, WebhookAuth::Deny) => true,
            (WebhookAuth::Bearer, WebhookAuth::Bearer) => {
                self.require == other.require
                    && self.dpop == other.dpop
                    && self.keep_authorization == other.keep_authorization
                    && self.token_from == other.token_from
                    && self.cors_preflight == other.cors_preflight
            }
            _ => false,
        }
    }
}

/// The path within a waiting execution that n8n takes from the query if the path has none: the part
/// after the first slash of the token, because workflows write a path at the end of the address that
/// n8n gave them.
fn resumed_at(prefix: Prefix, below: &Below<'_>, query: &[u8]) -> Option<String> {
    if !prefix.is_waiting() || below.segments().len() != 1 {
        return None;
    }
    let token = form::value(query, "signature")?;
    let (_, suffix) = token.split_once('/')?;
    (!suffix.is_empty()).then(|| suffix.to_owned())
}

impl fmt::Debug for WebhookRules {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.list.fmt(formatter)
    }
}

#[cfg(test)]
mod tests;
