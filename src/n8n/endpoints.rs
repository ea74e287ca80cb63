//! Where an n8n serves its surfaces: the `N8N_ENDPOINT_*` variables of its environment.

use thiserror::Error;

use super::prefix::{Prefix, WELL_KNOWN};

/// The path prefixes of one n8n, without slashes at either end, in lower case. A prefix may have
/// several segments (`hooks/in`). [`Endpoints::normalize`] makes one of what an operator writes.
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

/// Why a name cannot be an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EndpointFault {
    /// There is nothing between its slashes.
    #[error("an endpoint has at least one segment")]
    Empty,
    /// A segment is `.` or `..`, or has a character that is read differently by different
    /// servers, or that n8n's router takes for a pattern.
    #[error("{0:?} is not a plain path segment: use letters, digits, '.', '_', '~' and '-'")]
    Segment(String),
}

/// Two endpoints of which n8n would not serve one, or not all of it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{inner} lies within {outer}")]
pub struct EndpointConflict {
    /// The endpoint, such as `webhook_test`, or the path where n8n always serves something.
    pub inner: &'static str,
    /// The endpoint that it is equal to or lies within.
    pub outer: &'static str,
}

impl Endpoints {
    /// Makes the normal form of an endpoint: no slashes at the ends, lower case.
    pub fn normalize(name: &str) -> Result<String, EndpointFault> {
        let name = name.trim_matches('/');
        if name.is_empty() {
            return Err(EndpointFault::Empty);
        }
        let is_plain =
            |character: char| character.is_ascii_alphanumeric() || "._~-".contains(character);
        match name
            .split('/')
            .find(|segment| matches!(*segment, "" | "." | "..") || !segment.chars().all(is_plain))
        {
            Some(segment) => Err(EndpointFault::Segment(segment.to_owned())),
            None => Ok(name.to_ascii_lowercase()),
        }
    }

    /// The pairs of which n8n cannot serve both. A configuration with one is refused, because it is
    /// unknown which of the two n8n serves.
    pub fn conflicts(&self) -> Vec<EndpointConflict> {
        let all = self.prefixes();
        let mut conflicts = Vec::new();
        for (index, (outer, outer_path)) in all.iter().enumerate() {
            for (other_index, (inner, inner_path)) in all.iter().enumerate() {
                let Some(below) = strip_segments(inner_path, outer_path) else {
                    continue;
                };
                // Each equal pair is met twice, the built-in ones lie within one another by
                // n8n's own design, and n8n serves the public API below `v1` alone.
                let is_counted = index == other_index
                    || (below.is_empty() && index > other_index)
                    || (outer.is_fixed() && inner.is_fixed())
                    || *inner == Prefix::Agent
                    || (*outer == Prefix::Api && !below.is_empty() && !is_version(below));
                if !is_counted {
                    conflicts.push(EndpointConflict {
                        inner: inner.name(),
                        outer: outer.name(),
                    });
                }
            }
        }
        conflicts
    }

    /// Every prefix and its path, in which `*` is any segment.
    pub fn prefixes(&self) -> [(Prefix, String); 21] {
        let agents = [&*self.rest, "/projects/*/agents/v2/*/webhooks"].concat();
        let waiting = |end| [&*self.webhook_waiting, end].concat();
        [
            (Prefix::Api, self.api.clone()),
            (Prefix::Rest, self.rest.clone()),
            (Prefix::Webhook, self.webhook.clone()),
            (Prefix::WebhookTest, self.webhook_test.clone()),
            (Prefix::WebhookWaiting, self.webhook_waiting.clone()),
            (Prefix::Form, self.form.clone()),
            (Prefix::FormTest, self.form_test.clone()),
            (Prefix::FormWaiting, self.form_waiting.clone()),
            (Prefix::Mcp, self.mcp.clone()),
            (Prefix::McpTest, self.mcp_test.clone()),
            (Prefix::WaitingSlack, waiting("-slack")),
            (Prefix::WaitingTelegram, waiting("-telegram")),
            (Prefix::Agent, agents),
            (Prefix::Chat, "chat".to_owned()),
            (Prefix::McpServer, "mcp-server".to_owned()),
            (Prefix::McpOauth, "mcp-oauth".to_owned()),
            (Prefix::Oauth, "oauth".to_owned()),
            (
                Prefix::AuthorizationServer,
                ".well-known/oauth-authorization-server".to_owned(),
            ),
            (Prefix::ProtectedResource, WELL_KNOWN.to_owned()),
            (Prefix::Metrics, "metrics".to_owned()),
            (Prefix::Health, "healthz".to_owned()),
        ]
    }
}

/// The rest of `path`, if it is `prefix` or below it.
fn strip_segments<'p>(path: &'p str, prefix: &str) -> Option<&'p str> {
    let below = path.strip_prefix(prefix)?;
    if below.is_empty() {
        Some(below)
    } else {
        below.strip_prefix('/')
    }
}

fn is_version(below: &str) -> bool {
    below.starts_with('v')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_in_normal_form_and_without_conflict() {
        let endpoints = Endpoints::default();
        for (_, path) in endpoints.prefixes() {
            let path = path.replace('*', "x");
            assert_eq!(Endpoints::normalize(&path).as_deref(), Ok(&*path));
        }
        assert_eq!(endpoints.conflicts(), []);
    }

    #[test]
    fn an_endpoint_is_lower_cased_and_loses_its_outer_slashes() {
        assert_eq!(
            Endpoints::normalize("/Hooks/In/").as_deref(),
            Ok("hooks/in")
        );
    }

    #[test]
    fn what_is_not_plain_is_no_endpoint() {
        assert_eq!(Endpoints::normalize(""), Err(EndpointFault::Empty));
        assert_eq!(Endpoints::normalize("//"), Err(EndpointFault::Empty));
        for (name, segment) in [
            ("a//b", ""),
            ("a/./b", "."),
            ("../a", ".."),
            ("a%2fb", "a%2fb"),
            ("a;b", "a;b"),
            (":id", ":id"),
            ("*", "*"),
            ("a b", "a b"),
            ("caf\u{e9}", "caf\u{e9}"),
        ] {
            assert_eq!(
                Endpoints::normalize(name),
                Err(EndpointFault::Segment(segment.to_owned())),
                "{name}"
            );
        }
    }

    #[test]
    fn endpoints_within_one_another_are_in_conflict() {
        let conflict = |inner, outer| vec![EndpointConflict { inner, outer }];
        let with = |change: fn(&mut Endpoints)| {
            let mut endpoints = Endpoints::default();
            change(&mut endpoints);
            endpoints.conflicts()
        };
        assert_eq!(
            with(|endpoints| endpoints.form = "webhook".to_owned()),
            conflict("form", "webhook")
        );
        assert_eq!(
            with(|endpoints| endpoints.webhook_test = "webhook/test".to_owned()),
            conflict("webhook_test", "webhook")
        );
        assert_eq!(
            with(|endpoints| endpoints.mcp = "mcp-server/http".to_owned()),
            conflict("mcp", "/mcp-server")
        );
        assert_eq!(
            with(|endpoints| endpoints.rest = "api/v1/internal".to_owned()),
            conflict("rest", "api")
        );
        assert_eq!(with(|endpoints| endpoints.rest = "api/rest".to_owned()), []);
        assert_eq!(
            with(|endpoints| endpoints.rest = "api".to_owned()),
            conflict("rest", "api")
        );
        let within = with(|endpoints| endpoints.rest = ".well-known".to_owned());
        assert!(!within.is_empty(), "n8n's own paths would lie within it");
        assert!(within.iter().all(|one| one.outer == "rest"), "{within:?}");
    }

    #[test]
    fn an_endpoint_may_have_every_character_that_needs_no_encoding() {
        let found = Endpoints::normalize("/Hooks.v1_a~b-c/In/");
        assert_eq!(found.as_deref(), Ok("hooks.v1_a~b-c/in"));
    }
}
