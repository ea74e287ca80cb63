//! The fixed words of the configuration.

use super::read::Choice;
use super::report::{quoted, Complaint};
use crate::crypto::Algorithm;
use crate::identity::Kind;
use crate::n8n::WebhookAuth;
use crate::policy::{Access, ApiKeys, CryptoMode, Dialect, TypRule};

impl Choice for Dialect {
    fn words() -> Vec<(&'static str, Self)> {
        vec![
            ("oidc", Self::Oidc),
            ("entra", Self::Entra),
            ("keycloak", Self::Keycloak),
        ]
    }

    fn complaint(word: &str) -> Option<Complaint> {
        const PLAIN: [&str; 8] = [
            "okta",
            "auth0",
            "google",
            "ping",
            "authentik",
            "workos",
            "kubernetes",
            "openid",
        ];
        PLAIN.contains(&word).then(|| {
            let hint = "write oidc, which reads plain OpenID tokens, entra or keycloak";
            Complaint::new(format!("there is no type {} yet", quoted(word)), hint)
        })
    }
}

impl Choice for TypRule {
    fn words() -> Vec<(&'static str, Self)> {
        vec![
            ("any_access_token", Self::NotAnotherKind),
            ("at+jwt", Self::AccessToken),
        ]
    }
}

impl Choice for Algorithm {
    fn words() -> Vec<(&'static str, Self)> {
        Self::ALL
            .into_iter()
            .map(|algorithm| (algorithm.as_str(), algorithm))
            .collect()
    }

    fn complaint(word: &str) -> Option<Complaint> {
        let upper = word.to_ascii_uppercase();
        if upper == "NONE" {
            let problem = "none is no signature: anybody could write such a token";
            return Some(Complaint::new(problem, "take it out; RFC 8725 section 3.2"));
        }
        if upper.starts_with("HS") {
            let problem = format!(
                "{} signs with a shared secret: whoever can check a token could forge one",
                quoted(word)
            );
            let hint = "let the provider sign with a key pair, such as RS256 or ES256";
            return Some(Complaint::new(problem, hint));
        }
        (upper == "ED25519").then(|| {
            let problem = format!("{} has another name in JOSE", quoted(word));
            Complaint::new(problem, "write EdDSA; RFC 8037 section 3.1")
        })
    }
}

impl Choice for Kind {
    fn words() -> Vec<(&'static str, Self)> {
        [Self::App, Self::User]
            .into_iter()
            .map(|kind| (kind.as_str(), kind))
            .collect()
    }
}

impl Choice for ApiKeys {
    fn words() -> Vec<(&'static str, Self)> {
        vec![("pass", Self::Pass), ("refuse", Self::Refuse)]
    }
}

impl Choice for Access {
    fn words() -> Vec<(&'static str, Self)> {
        vec![("pass", Self::Pass), ("deny", Self::Deny)]
    }
}

impl Choice for CryptoMode {
    fn words() -> Vec<(&'static str, Self)> {
        vec![("auto", Self::Auto), ("guest", Self::Guest)]
    }
}

impl Choice for WebhookAuth {
    fn words() -> Vec<(&'static str, Self)> {
        vec![
            ("open", Self::Open),
            ("bearer", Self::Bearer),
            ("deny", Self::Deny),
        ]
    }
}

/// What becomes of a CORS preflight: `guard` reads better than "deny" beside a bearer rule.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Preflight(pub(super) Access);

impl Choice for Preflight {
    fn words() -> Vec<(&'static str, Self)> {
        vec![("guard", Self(Access::Deny)), ("pass", Self(Access::Pass))]
    }
}
