//! Which routes of n8n's internal API are open to callers with a token.
//!
//! n8n made the internal API for its editor: a session may do there what its user may. A caller with a
//! token acts by the session of a user that the gate made. So no route is open that shows, ends or
//! replaces that session, changes the user, or hands out another credential. A route that is not listed
//! is closed, those of later versions of n8n too.

use std::borrow::Cow;

use super::Route;

/// Why a route is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Closed {
    /// It shows, sets, ends or replaces a session. All callers of a user have one session.
    Session,
    /// It changes the user, or other users.
    Account,
    /// It hands out another credential for n8n, which stays good without a token.
    Credential,
    /// It is made for a browser, which gets the session of its user.
    Browser,
    /// It is about the whole instance, or a part of the editor that no client needs.
    Instance,
    /// It is not listed.
    Unlisted,
}

impl Closed {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Session,
        Self::Account,
        Self::Credential,
        Self::Browser,
        Self::Instance,
        Self::Unlisted,
    ];

    /// The code in the audit record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Account => "account",
            Self::Credential => "credential",
            Self::Browser => "browser",
            Self::Instance => "instance",
            Self::Unlisted => "unlisted",
        }
    }

    /// What it means.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Session => {
                "shows, sets, ends or replaces a session; all callers of a user have one"
            }
            Self::Account => "changes the user, or other users",
            Self::Credential => "hands out another credential, which stays good without a token",
            Self::Browser => "is made for a browser, which gets the session of its user",
            Self::Instance => {
                "is about the whole instance, or a part of the editor that no client needs"
            }
            Self::Unlisted => "is not in this table",
        }
    }
}

/// A part of the internal API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InternalRoute {
    /// The first segments below the endpoint; `*` is any segment. All that is below is meant, too.
    pub path: &'static str,
    /// Why it is closed; `None`: it is open.
    pub closed: Option<Closed>,
}

impl InternalRoute {
    /// The table, in which the first match applies.
    pub const fn all() -> &'static [Self] {
        ROUTES
    }

    fn matches(&self, segments: &[Cow<'_, str>]) -> bool {
        let mut rest = segments.iter();
        self.path.split('/').all(|own| {
            // Express compares literals without regard to case.
            rest.next()
                .is_some_and(|segment| own == "*" || segment.eq_ignore_ascii_case(own))
        })
    }
}

/// Why the route of a request is closed to callers with a token; `None`: it is open. `route` is one of the
/// internal API, with its segments.
pub fn closed_to_tokens(route: &Route<'_>) -> Option<Closed> {
    let segments = route.below_prefix();
    let mut all = ROUTES.iter();
    let first = all.find(|row| row.matches(segments));
    first.map_or(Some(Closed::Unlisted), |row| row.closed)
}

const fn open(path: &'static str) -> InternalRoute {
    InternalRoute { path, closed: None }
}

const fn closed(path: &'static str, why: Closed) -> InternalRoute {
    let closed = Some(why);
    InternalRoute { path, closed }
}

/// Every controller of n8n 2.41.1. Narrower rows come first.
const ROUTES: &[InternalRoute] = &[
    closed("login", Closed::Session),
    closed("logout", Closed::Session),
    closed("auth", Closed::Session),
    closed("sso", Closed::Session),
    closed("me", Closed::Account),
    closed("mfa", Closed::Account),
    closed("users", Closed::Account),
    closed("invitations", Closed::Account),
    closed("owner", Closed::Account),
    closed("user-settings", Closed::Account),
    closed("change-password", Closed::Account),
    closed("forgot-password", Closed::Account),
    closed("resolve-password-token", Closed::Account),
    closed("resolve-signup-token", Closed::Account),
    closed("change-email", Closed::Account),
    closed("confirm-email-change", Closed::Account),
    closed("resolve-change-email-token", Closed::Account),
    closed("ldap", Closed::Account),
    closed("api-keys", Closed::Credential),
    closed("mcp", Closed::Credential),
    closed("consent", Closed::Credential),
    closed("instance-ai", Closed::Credential),
    closed("projects/*/agents", Closed::Credential),
    closed("agents", Closed::Credential),
    closed("credential-resolvers", Closed::Credential),
    closed("push", Closed::Browser),
    closed("oauth1-credential", Closed::Browser),
    closed("oauth2-credential", Closed::Browser),
    closed("credentials/*/authorize", Closed::Browser),
    closed("credentials/*/revoke", Closed::Browser),
    closed("quick-connect", Closed::Browser),
    closed("chat", Closed::Browser),
    closed("ai", Closed::Instance),
    closed("ai-preferences", Closed::Instance),
    closed("breaking-changes", Closed::Instance),
    closed("community-packages", Closed::Instance),
    closed("cta", Closed::Instance),
    closed("debug", Closed::Instance),
    closed("dev", Closed::Instance),
    closed("e2e", Closed::Instance),
    closed("encryption", Closed::Instance),
    closed("eventbus", Closed::Instance),
    closed("events", Closed::Instance),
    closed("external-secrets", Closed::Instance),
    closed("instance-registry", Closed::Instance),
    closed("instance-reporting", Closed::Instance),
    closed("instance-version-history", Closed::Instance),
    closed("license", Closed::Instance),
    closed("mcp-registry", Closed::Instance),
    closed("node-type-policies", Closed::Instance),
    closed("orchestration", Closed::Instance),
    closed("otel", Closed::Instance),
    closed("ph", Closed::Instance),
    closed("promotions", Closed::Instance),
    closed("role-mapping-rule", Closed::Instance),
    closed("secret-providers", Closed::Instance),
    closed("settings/security", Closed::Instance),
    closed("source-control", Closed::Instance),
    closed("telemetry", Closed::Instance),
    closed(".well-known", Closed::Instance),
    open("active-workflows"),
    open("annotation-tags"),
    open("binary-data"),
    open("community-node-types"),
    open("credential-translation"),
    open("credentials"),
    open("data-tables"),
    open("data-tables-global"),
    open("dynamic-node-parameters"),
    open("executions"),
    open("favorites"),
    open("insights"),
    open("module-settings"),
    open("node-translation-headers"),
    open("node-types"),
    open("options"),
    open("projects"),
    open("roles"),
    open("settings"),
    open("tags"),
    open("test-webhook"),
    open("third-party-licenses"),
    open("variables"),
    open("webhooks"),
    open("workflow-dependencies"),
    open("workflow-history"),
    open("workflow-review-requests"),
    open("workflow-stats"),
    open("workflows"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::n8n::{classify_for_token, Prefixes};

    fn verdict(path: &str) -> Option<Closed> {
        let route = classify_for_token(&Prefixes::default(), path.as_bytes()).unwrap();
        closed_to_tokens(&route)
    }

    #[test]
    fn workflows_and_what_belongs_to_them_are_open() {
        for path in [
            "/rest/workflows",
            "/rest/workflows/",
            "/REST/Workflows/x/run",
            "/rest/executions/7",
            "/rest/credentials/x",
            "/rest/projects/x/folders",
            "/rest/projects/x",
            "/rest/settings",
            "/rest/data-tables/uploads",
        ] {
            assert_eq!(verdict(path), None, "{path}");
        }
    }

    #[test]
    fn what_would_let_a_caller_keep_or_change_the_session_or_the_user_is_closed() {
        for (path, why) in [
            ("/rest/login", Closed::Session),
            ("/rest/LOGIN/", Closed::Session),
            ("/rest/logout", Closed::Session),
            ("/rest/auth/embed", Closed::Session),
            ("/rest/auth/oauth/token", Closed::Session),
            ("/rest/sso/saml/acs", Closed::Session),
            ("/rest/me", Closed::Account),
            ("/rest/Me/password", Closed::Account),
            ("/rest/me/settings", Closed::Account),
            ("/rest/mfa/enable", Closed::Account),
            ("/rest/users/x/password-reset-link", Closed::Account),
            ("/rest/users/x/invite-link", Closed::Account),
            ("/rest/invitations", Closed::Account),
            ("/rest/invitations/accept", Closed::Account),
            ("/rest/change-password", Closed::Account),
            ("/rest/forgot-password", Closed::Account),
            ("/rest/change-email", Closed::Account),
            ("/rest/owner/setup", Closed::Account),
            ("/rest/api-keys", Closed::Credential),
            ("/rest/api-keys/x/rotate", Closed::Credential),
            ("/rest/mcp/api-key/rotate", Closed::Credential),
            ("/rest/consent/approve", Closed::Credential),
            ("/rest/instance-ai/gateway/create-link", Closed::Credential),
            ("/rest/projects/x/agents/v2", Closed::Credential),
            ("/rest/push", Closed::Browser),
            ("/rest/oauth2-credential/auth", Closed::Browser),
            ("/rest/credentials/x/authorize", Closed::Browser),
            ("/rest/settings/security", Closed::Instance),
        ] {
            assert_eq!(verdict(path), Some(why), "{path}");
        }
    }

    #[test]
    fn what_is_not_listed_is_closed() {
        for path in [
            "/rest",
            "/rest/",
            "/rest/workflowsx",
            "/rest/new-in-n8n-3",
            "/rest/*",
        ] {
            assert_eq!(verdict(path), Some(Closed::Unlisted), "{path}");
        }
    }

    #[test]
    fn no_row_is_hidden_by_an_earlier_one() {
        let covers = |one: &InternalRoute, other: &InternalRoute| {
            let segments: Vec<_> = other.path.split('/').map(Cow::Borrowed).collect();
            one.matches(&segments)
        };
        for (index, row) in ROUTES.iter().enumerate() {
            let hidden = ROUTES[..index].iter().find(|before| covers(before, row));
            assert_eq!(hidden, None, "{row:?}");
        }
    }
}
