//! Which part of n8n a path belongs to.

use thiserror::Error;

use super::Endpoints;

/// A part of n8n that is guarded in one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Surface {
    /// The public API.
    PublicApi,
    /// Production webhooks.
    Webhook,
    /// Webhooks that somebody listens to in the editor.
    WebhookTest,
    /// Resumed executions.
    WebhookWaiting,
    /// Forms, test and waiting forms.
    Form,
    /// MCP triggers, and the MCP server of the instance.
    Mcp,
    /// n8n's own authorization server and its well-known documents.
    Oauth,
    /// The internal API of the user interface.
    Rest,
    /// Prometheus metrics.
    Metrics,
    /// Health checks.
    Health,
    /// This filter's own documents.
    Gate,
    /// Everything else.
    Ui,
}

impl Surface {
    /// The word used in audit and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PublicApi => "public_api",
            Self::Webhook => "webhook",
            Self::WebhookTest => "webhook_test",
            Self::WebhookWaiting => "webhook_waiting",
            Self::Form => "form",
            Self::Mcp => "mcp",
            Self::Oauth => "oauth",
            Self::Rest => "rest",
            Self::Metrics => "metrics",
            Self::Health => "health",
            Self::Gate => "gate",
            Self::Ui => "ui",
        }
    }
}

/// A path that has one reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The surface.
    pub surface: Surface,
    /// The whole path in segments, percent-decoded, without empty ones at the end.
    pub segments: Vec<String>,
}

/// Why a path has no single reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PathFault {
    /// Somewhere between the client and n8n it could be read as another path.
    #[error("the path can be read in more than one way")]
    Ambiguous,
}

/// Says where n8n would route `path` (raw, without the query).
pub fn classify(_endpoints: &Endpoints, _path: &[u8]) -> Result<Route, PathFault> {
    Err(PathFault::Ambiguous)
}
