//! Where an n8n serves its surfaces: the `N8N_ENDPOINT_*` variables of its environment.

/// The path prefixes of one n8n, without slashes at either end, in lower case. A prefix may have
/// several segments (`hooks/in`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// `N8N_PUBLIC_API_ENDPOINT`.
    pub api: String,
    /// `N8N_ENDPOINT_REST`.
    pub rest: String,
    /// `N8N_ENDPOINT_WEBHOOK`.
    pub webhook: String,
    /// `N8N_ENDPOINT_WEBHOOK_TEST`.
    pub webhook_test: String,
    /// `N8N_ENDPOINT_WEBHOOK_WAIT`.
    pub webhook_waiting: String,
    /// `N8N_ENDPOINT_FORM`.
    pub form: String,
    /// `N8N_ENDPOINT_FORM_TEST`.
    pub form_test: String,
    /// `N8N_ENDPOINT_FORM_WAIT`.
    pub form_waiting: String,
    /// `N8N_ENDPOINT_MCP`.
    pub mcp: String,
    /// `N8N_ENDPOINT_MCP_TEST`.
    pub mcp_test: String,
}

impl Default for Endpoints {
    fn default() -> Self {
        Self {
            api: "api".to_owned(),
            rest: "rest".to_owned(),
            webhook: "webhook".to_owned(),
            webhook_test: "webhook-test".to_owned(),
            webhook_waiting: "webhook-waiting".to_owned(),
            form: "form".to_owned(),
            form_test: "form-test".to_owned(),
            form_waiting: "form-waiting".to_owned(),
            mcp: "mcp".to_owned(),
            mcp_test: "mcp-test".to_owned(),
        }
    }
}
