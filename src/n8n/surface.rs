//! The surfaces of n8n.

/// A part of n8n that is guarded in one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Surface {
    /// The public API.
    PublicApi,
    /// Production webhooks.
    Webhook,
    /// Webhooks that a user tests in the editor.
    WebhookTest,
    /// Webhooks that resume a waiting execution.
    WebhookWaiting,
    /// Forms, test and waiting forms.
    Form,
    /// The socket of a workflow's chat.
    Chat,
    /// Webhooks of n8n's agents.
    Agent,
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
    /// The gate's own documents.
    Gate,
    /// Everything else.
    Ui,
    /// Not n8n: outside of `path_prefix`.
    Outside,
}

impl Surface {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::PublicApi,
        Self::Webhook,
        Self::WebhookTest,
        Self::WebhookWaiting,
        Self::Form,
        Self::Chat,
        Self::Agent,
        Self::Mcp,
        Self::Oauth,
        Self::Rest,
        Self::Metrics,
        Self::Health,
        Self::Gate,
        Self::Ui,
        Self::Outside,
    ];

    /// The name in audit and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PublicApi => "public_api",
            Self::Webhook => "webhook",
            Self::WebhookTest => "webhook_test",
            Self::WebhookWaiting => "webhook_waiting",
            Self::Form => "form",
            Self::Chat => "chat",
            Self::Agent => "agent",
            Self::Mcp => "mcp",
            Self::Oauth => "oauth",
            Self::Rest => "rest",
            Self::Metrics => "metrics",
            Self::Health => "health",
            Self::Gate => "gate",
            Self::Ui => "ui",
            Self::Outside => "outside",
        }
    }
}
