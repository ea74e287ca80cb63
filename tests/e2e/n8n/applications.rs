//! Users of n8n with static API keys, as operators make them by hand.

use std::sync::OnceLock;

use crate::support::n8n::Account;
use crate::Stage;

/// Two applications.
pub(crate) struct Applications {
    pub(crate) a: Account,
    pub(crate) b: Account,
}

/// The password of both in n8n.
pub(crate) const PASSWORD: &str = "Aa1-of-the-applications";

/// The scopes of application A's key. It may publish.
const SCOPES_OF_A: [&str; 7] = [
    "workflow:list",
    "workflow:read",
    "workflow:create",
    "workflow:update",
    "workflow:delete",
    "workflow:activate",
    "workflow:deactivate",
];

/// The applications of the one n8n that all tests use.
pub(crate) fn applications(stage: &Stage) -> &'static Applications {
    static MADE: OnceLock<Applications> = OnceLock::new();
    MADE.get_or_init(|| {
        let owner = stage.n8n.session_of_owner().unwrap();
        let member = |name: &str, scopes: &[&str]| {
            let email = format!("{name}@n8n.example.test");
            owner.member(&email, PASSWORD, scopes).unwrap()
        };
        Applications {
            a: member("app-a", &SCOPES_OF_A),
            b: member("app-b", &["workflow:list", "workflow:read"]),
        }
    })
}
