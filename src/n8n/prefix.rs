//! The path prefixes below which n8n serves its surfaces.

use super::Surface;

/// Where metadata of protected resources is, before the path of the resource (RFC 9728 §3.1).
pub const WELL_KNOWN: &str = ".well-known/oauth-protected-resource";

/// A prefix below which n8n serves one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefix {
    /// The public API.
    Api,
    /// The internal API of the user interface.
    Rest,
    /// Production webhooks.
    Webhook,
    /// Webhooks that the editor listens to.
    WebhookTest,
    /// Webhooks that resume an execution.
    WebhookWaiting,
    /// Production forms.
    Form,
    /// Forms that the editor listens to.
    FormTest,
    /// Forms that resume an execution.
    FormWaiting,
    /// MCP triggers.
    Mcp,
    /// MCP triggers that the editor listens to.
    McpTest,
    /// Buttons in Slack that resume an execution, which the body names.
    WaitingSlack,
    /// Buttons in Telegram that do.
    WaitingTelegram,
    /// Calls of chat platforms to n8n's agents. They need no session.
    Agent,
    /// The socket of a workflow's chat. It needs no session.
    Chat,
    /// The MCP server of the instance.
    McpServer,
    /// OAuth of the MCP server.
    McpOauth,
    /// The endpoints of n8n's own authorization server.
    Oauth,
    /// The metadata of n8n's own authorization server (RFC 8414).
    AuthorizationServer,
    /// The metadata of protected resources (RFC 9728).
    ProtectedResource,
    /// Prometheus metrics.
    Metrics,
    /// Health checks.
    Health,
}

impl Prefix {
    /// The part of n8n that is served below it.
    pub(super) const fn surface(self) -> Surface {
        match self {
            Self::Api => Surface::PublicApi,
            Self::Rest => Surface::Rest,
            Self::Webhook => Surface::Webhook,
            Self::WebhookTest => Surface::WebhookTest,
            Self::WebhookWaiting | Self::WaitingSlack | Self::WaitingTelegram => {
                Surface::WebhookWaiting
            }
            Self::Agent => Surface::Agent,
            Self::Chat => Surface::Chat,
            Self::Form | Self::FormTest | Self::FormWaiting => Surface::Form,
            Self::Mcp | Self::McpTest | Self::McpServer => Surface::Mcp,
            Self::McpOauth | Self::Oauth | Self::AuthorizationServer | Self::ProtectedResource => {
                Surface::Oauth
            }
            Self::Metrics => Surface::Metrics,
            Self::Health => Surface::Health,
        }
    }

    /// Whether the gate guards what is below it, so that a path which some program could read as one
    /// below it must have no other reading.
    pub(super) const fn is_guarded(self) -> bool {
        matches!(self, Self::Api | Self::Metrics) || self.is_trigger()
    }

    /// Whether webhook rules apply below it.
    pub const fn is_trigger(self) -> bool {
        matches!(
            self,
            Self::Webhook
                | Self::WebhookTest
                | Self::WebhookWaiting
                | Self::Form
                | Self::FormTest
                | Self::FormWaiting
                | Self::Mcp
                | Self::McpTest
                | Self::WaitingSlack
                | Self::WaitingTelegram
                | Self::Agent
                | Self::Chat
        )
    }

    /// Whether listeners of the editor are served below it.
    pub const fn is_test(self) -> bool {
        matches!(self, Self::WebhookTest | Self::FormTest | Self::McpTest)
    }

    /// Whether the first segment below it is the number of a waiting execution.
    pub const fn is_waiting(self) -> bool {
        matches!(self, Self::WebhookWaiting | Self::FormWaiting)
    }

    /// The other prefix of the same workflows: its rules apply below this one, unless a rule names this
    /// one.
    pub const fn counterpart(self) -> Option<Self> {
        match self {
            Self::WebhookTest => Some(Self::Webhook),
            Self::FormTest => Some(Self::Form),
            Self::McpTest => Some(Self::Mcp),
            Self::WaitingSlack | Self::WaitingTelegram => Some(Self::WebhookWaiting),
            _ => None,
        }
    }

    /// The prefixes at which n8n 1 serves the same triggers, this one among them: it looks one up by the path
    /// below, whatever kind it is.
    pub const fn shared_in_n8n_1(self) -> &'static [Self] {
        match self {
            Self::Webhook | Self::Form | Self::Mcp => &[Self::Webhook, Self::Form, Self::Mcp],
            Self::WebhookTest | Self::FormTest | Self::McpTest => {
                &[Self::WebhookTest, Self::FormTest, Self::McpTest]
            }
            _ => &[],
        }
    }

    /// How many of its own last segments are in the patterns of rules, as if they were below it.
    pub const fn spoken_of(self) -> usize {
        match self {
            Self::Agent => 6,
            _ => 0,
        }
    }

    pub(super) const fn is_fixed(self) -> bool {
        !matches!(self, Self::Api | Self::Rest) && !self.is_trigger()
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Rest => "rest",
            Self::Webhook => "webhook",
            Self::WebhookTest => "webhook_test",
            Self::WebhookWaiting => "webhook_waiting",
            Self::Form => "form",
            Self::FormTest => "form_test",
            Self::FormWaiting => "form_waiting",
            Self::Mcp => "mcp",
            Self::McpTest => "mcp_test",
            Self::WaitingSlack => "webhook_waiting with -slack",
            Self::WaitingTelegram => "webhook_waiting with -telegram",
            Self::Agent => "the webhooks of agents below rest",
            Self::Chat => "/chat",
            Self::McpServer => "/mcp-server",
            Self::McpOauth => "/mcp-oauth",
            Self::Oauth => "/oauth",
            Self::AuthorizationServer => "/.well-known/oauth-authorization-server",
            Self::ProtectedResource => "/.well-known/oauth-protected-resource",
            Self::Metrics => "/metrics",
            Self::Health => "/healthz",
        }
    }
}
