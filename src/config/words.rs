//! The fixed words of the configuration.

use super::read::Choice;
use super::report::Complaint;
use crate::crypto::Algorithm;
use crate::identity::{Dialect, Kind};
use crate::policy::{Access, ApiKeys, CryptoMode, Preflight, RolesFrom, WebhookAuth};
use crate::token::TypRule;

impl Choice for Dialect {
    fn words() -> Vec<(&'static str, Self)> {
        vec![
            ("oidc", Self::Oidc),
            ("entra", Self::Entra),
            ("okta", Self::Okta),
            ("auth0", Self::Auth0),
            ("keycloak", Self::Keycloak),
            ("google", Self::Google),
            ("ping", Self::Ping),
            ("authentik", Self::Authentik),
            ("workos", Self::Workos),
            ("kubernetes", Self::Kubernetes),
            ("github_actions", Self::GithubActions),
        ]
    }
}

impl Choice for TypRule {
    fn words() -> Vec<(&'static str, Self)> {
        vec![
            ("any_access_token", Self::AnyAccessToken),
            ("at+jwt", Self::AccessToken),
            ("id_token", Self::IdToken),
        ]
    }
}

/// A claim that can stand for `aud`: none that a person could write for himself.
#[derive(Clone, Copy)]
pub(super) struct AudienceClaim(pub(super) &'static str);

impl Choice for AudienceClaim {
    fn words() -> Vec<(&'static str, Self)> {
        ["client_id", "azp", "cid", "appid", "iss"]
            .map(|name| (name, Self(name)))
            .to_vec()
    }
}

impl Choice for Algorithm {
    fn words() -> Vec<(&'static str, Self)> {
        Self::ALL
            .into_iter()
            .map(|algorithm| (algorithm.as_str(), algorithm))
            .chain([(Self::ED25519, Self::EdDsa)])
            .collect()
    }

    fn complaint(word: &str) -> Option<Complaint> {
        let upper = word.to_ascii_uppercase();
        if upper == "NONE" {
            let problem = "none is no signature: anybody could write such a token";
            return Some(Complaint::new(problem, "take it out; RFC 8725 section 3.2"));
        }
        if upper.starts_with("HS") {
            let problem = "signs with a shared secret: whoever can check a token could forge one";
            let hint = "let the provider sign with a key pair, such as RS256 or ES256";
            return Some(Complaint::new(problem, hint));
        }
        upper.starts_with("ESP").then(|| {
            Complaint::new(
                "is a name of COSE",
                "write ES256 or ES384; RFC 9864 section 2.1",
            )
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

impl Choice for RolesFrom {
    fn words() -> Vec<(&'static str, Self)> {
        vec![
            ("roles", Self::Roles),
            ("scopes", Self::Scopes),
            ("both", Self::Both),
        ]
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

impl Choice for Preflight {
    fn words() -> Vec<(&'static str, Self)> {
        vec![("guard", Self::Guard), ("pass", Self::Pass)]
    }
}

/// How the gate proves who it is when it asks about tokens (RFC 6749 §2.3.1).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ClientAuth {
    /// In the `Authorization` header.
    Basic,
    /// In the form.
    Post,
}

impl Choice for ClientAuth {
    fn words() -> Vec<(&'static str, Self)> {
        vec![
            ("client_secret_basic", Self::Basic),
            ("client_secret_post", Self::Post),
        ]
    }
}
