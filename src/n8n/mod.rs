//! What this filter knows of n8n: where its surfaces are, and what each call does.

mod api_keys;
mod below;
mod endpoints;
mod key;
mod operations;
mod path;
mod path_prefix;
mod pattern;
mod scope;
mod surface;
mod webhook;

pub use api_keys::{ApiKeyRule, ApiKeyRules, ApiKeys};
pub use endpoints::{EndpointConflict, EndpointFault, Endpoints};
pub use key::{ApiKeyForm, KeyClaims};
pub use operations::Operation;
pub use path::PathFault;
pub use path_prefix::{Location, PathPrefix};
pub use pattern::{PathPattern, PatternFault};
pub use scope::{ScopeSet, UnknownScope};
pub use surface::{classify, described, Route, Surface, WELL_KNOWN};
pub use webhook::{RuleChoice, WebhookAuth, WebhookRule, WebhookRules};
