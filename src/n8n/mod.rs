//! What this filter knows of n8n: where its surfaces are, and what each call does.

mod endpoints;
mod operations;
mod scope;
mod surface;
mod webhook;

pub use endpoints::Endpoints;
pub use operations::Operation;
pub use scope::{ScopeSet, UnknownScope};
pub use surface::{classify, PathFault, Route, Surface};
pub use webhook::{PathPattern, PatternFault, RuleChoice, WebhookAuth, WebhookRule, WebhookRules};
