//! Which rule guards a webhook.

use thiserror::Error;

use super::{Endpoints, Route};
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

/// A path with `*` for one segment and, at its end, `**` for any number of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern {}

/// Why a path pattern is none.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PatternFault {
    /// It does not begin with a slash.
    #[error("a path begins with /")]
    NotAbsolute,
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
    /// Upper and lower case would choose different rules.
    Ambiguous,
}

impl PathPattern {
    /// Reads a pattern.
    pub fn parse(_pattern: &str, _endpoints: &Endpoints) -> Result<Self, PatternFault> {
        Err(PatternFault::NotAbsolute)
    }

    /// Whether every path that `other` matches is matched by this too.
    pub fn covers(&self, _other: &Self) -> bool {
        false
    }
}

impl WebhookRules {
    /// The rule for a route whose surface is a webhook, a form or an MCP trigger.
    pub fn choose(&self, _endpoints: &Endpoints, _route: &Route) -> RuleChoice<'_> {
        RuleChoice::NoRule
    }
}
