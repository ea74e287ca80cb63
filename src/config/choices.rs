//! The fields whose value is one of a few words.

use super::read::Choice;
use super::report::Message;
use crate::crypto::Algorithm;
use crate::http::FORWARDED_CERTIFICATE;
use crate::identity::{Dialect, Kind};
use crate::n8n::Surface;
use crate::policy::{
    Access, ApiKeys, AuditTo, CallerProperty, CryptoMode, DpopUse, IdentityHeader, Preflight,
    Replay, RestAuth, RolesFrom,
};
use crate::token::TypRule;
use crate::webhook_signature::{Encoding, Hash, Sender, TimeFormat};

impl Choice for Dialect {
    fn all() -> Vec<(&'static str, Self)> {
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
    fn all() -> Vec<(&'static str, Self)> {
        vec![
            ("any_access_token", Self::AnyAccessToken),
            ("at+jwt", Self::AccessToken),
            ("id_token", Self::IdToken),
        ]
    }
}

/// A claim that can replace `aud`: none that people can write themselves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct AudienceClaim(pub(super) &'static str);

impl Choice for AudienceClaim {
    fn all() -> Vec<(&'static str, Self)> {
        ["client_id", "azp", "cid", "appid", "iss"]
            .map(|name| (name, Self(name)))
            .to_vec()
    }
}

impl Choice for Algorithm {
    fn all() -> Vec<(&'static str, Self)> {
        Self::ALL
            .into_iter()
            .map(|algorithm| (algorithm.as_str(), algorithm))
            .chain([(Self::ED25519, Self::EdDsa)])
            .collect()
    }

    fn message(word: &str) -> Option<Message> {
        let upper = word.to_ascii_uppercase();
        if upper == "NONE" {
            let problem = "none is no signature: any client could write such a token";
            return Some(Message::new(problem, "remove it; RFC 8725 section 3.2"));
        }
        if upper.starts_with("HS") {
            let problem =
                "signs with a shared secret: any program that can check a token could forge one";
            let hint = "let the provider sign with a key pair, such as RS256 or ES256";
            return Some(Message::new(problem, hint));
        }
        upper.starts_with("ESP").then(|| {
            Message::new(
                "is the name of an algorithm of COSE, not of JOSE",
                "write ES256 or ES384; RFC 9864 section 2.1",
            )
        })
    }
}

impl Choice for Kind {
    fn all() -> Vec<(&'static str, Self)> {
        [Self::App, Self::User]
            .into_iter()
            .map(|kind| (kind.as_str(), kind))
            .collect()
    }
}

/// The surfaces on which requests can pass. On the gate's own, none does.
impl Choice for Surface {
    fn all() -> Vec<(&'static str, Self)> {
        Self::ALL
            .into_iter()
            .filter(|surface| *surface != Self::Gate)
            .map(|surface| (surface.as_str(), surface))
            .collect()
    }
}

/// What there is a user of n8n for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PerWord {
    /// Each OAuth client.
    Client,
    /// Each subject.
    Subject,
    /// Each group that `match` lists.
    Group,
    /// Each tenant.
    Tenant,
}

impl Choice for PerWord {
    fn all() -> Vec<(&'static str, Self)> {
        vec![
            ("client", Self::Client),
            ("subject", Self::Subject),
            ("group", Self::Group),
            ("tenant", Self::Tenant),
        ]
    }
}

impl Choice for RolesFrom {
    fn all() -> Vec<(&'static str, Self)> {
        vec![
            ("roles", Self::Roles),
            ("scopes", Self::Scopes),
            ("both", Self::Both),
        ]
    }
}

impl Choice for ApiKeys {
    fn all() -> Vec<(&'static str, Self)> {
        vec![("pass", Self::Pass), ("refuse", Self::Refuse)]
    }
}

impl Choice for Access {
    fn all() -> Vec<(&'static str, Self)> {
        vec![("pass", Self::Pass), ("deny", Self::Deny)]
    }
}

impl Choice for RestAuth {
    fn all() -> Vec<(&'static str, Self)> {
        vec![("pass", Self::Pass), ("bearer", Self::Bearer)]
    }
}

impl Choice for AuditTo {
    fn all() -> Vec<(&'static str, Self)> {
        vec![
            ("log", Self::Log),
            ("access_log", Self::AccessLog),
            ("both", Self::Both),
        ]
    }
}

impl Choice for CallerProperty {
    fn all() -> Vec<(&'static str, Self)> {
        let all = Self::ALL.into_iter();
        all.map(|property| (property.as_str(), property)).collect()
    }
}

impl Choice for IdentityHeader {
    fn all() -> Vec<(&'static str, Self)> {
        let all = Self::ALL.into_iter();
        all.map(|header| (header.as_str(), header)).collect()
    }
}

impl Choice for CryptoMode {
    fn all() -> Vec<(&'static str, Self)> {
        vec![("auto", Self::Auto), ("guest", Self::Guest)]
    }
}

/// What a request to a webhook needs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum AuthWord {
    /// Nothing.
    Open,
    /// A good token.
    Bearer,
    /// A certificate of the client.
    Certificate,
    /// A good signature.
    Signature,
    /// Every request is refused.
    Deny,
}

impl Choice for AuthWord {
    fn all() -> Vec<(&'static str, Self)> {
        vec![
            ("open", Self::Open),
            ("bearer", Self::Bearer),
            ("signature", Self::Signature),
            ("certificate", Self::Certificate),
            ("deny", Self::Deny),
        ]
    }
}

impl Choice for Preflight {
    fn all() -> Vec<(&'static str, Self)> {
        vec![("guard", Self::Guard), ("pass", Self::Pass)]
    }
}

impl Choice for DpopUse {
    fn all() -> Vec<(&'static str, Self)> {
        vec![("accepted", Self::Accepted), ("required", Self::Required)]
    }
}

/// Where the certificates of clients are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum CertificatesFrom {
    /// In the TLS connection to Envoy.
    Connection,
    /// In a header of a proxy that ends TLS.
    Header,
}

impl Choice for CertificatesFrom {
    fn all() -> Vec<(&'static str, Self)> {
        vec![
            ("connection", Self::Connection),
            (FORWARDED_CERTIFICATE, Self::Header),
        ]
    }
}

/// A sender of signed deliveries.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SenderWord {
    /// One that the gate knows.
    Named(Sender),
    /// One that the configuration describes.
    Hmac,
}

impl SenderWord {
    /// The word.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Named(sender) => sender.as_str(),
            Self::Hmac => "hmac",
        }
    }

    /// Whether the secret is written as Standard Webhooks has it.
    pub(super) fn decodes(self, secret: &str) -> bool {
        match self {
            Self::Named(sender) => sender.decodes_secrets(secret),
            Self::Hmac => false,
        }
    }
}

impl Choice for SenderWord {
    fn all() -> Vec<(&'static str, Self)> {
        let named = Sender::ALL.into_iter().map(Self::Named);
        named
            .chain([Self::Hmac])
            .map(|sender| (sender.as_str(), sender))
            .collect()
    }
}

impl Choice for Replay {
    fn all() -> Vec<(&'static str, Self)> {
        vec![("refuse", Self::Refuse), ("pass", Self::Pass)]
    }
}

impl Choice for Encoding {
    fn all() -> Vec<(&'static str, Self)> {
        vec![("hex", Self::Hex), ("base64", Self::Base64)]
    }
}

impl Choice for Hash {
    fn all() -> Vec<(&'static str, Self)> {
        vec![
            ("sha1", Self::Sha1),
            ("sha256", Self::Sha256),
            ("sha512", Self::Sha512),
        ]
    }
}

impl Choice for TimeFormat {
    fn all() -> Vec<(&'static str, Self)> {
        vec![
            ("seconds", Self::Seconds),
            ("milliseconds", Self::Milliseconds),
            ("rfc3339", Self::Rfc3339),
        ]
    }
}

/// How the secrets of a sender are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SecretEncoding {
    /// The text is the secret.
    Text,
    /// The text is the secret in base64.
    Base64,
}

impl Choice for SecretEncoding {
    fn all() -> Vec<(&'static str, Self)> {
        vec![("text", Self::Text), ("base64", Self::Base64)]
    }
}

/// How the gate authenticates when it asks about tokens (RFC 6749 §2.3.1).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ClientAuth {
    /// In the `Authorization` header.
    Basic,
    /// In the form.
    Post,
}

impl Choice for ClientAuth {
    fn all() -> Vec<(&'static str, Self)> {
        vec![
            ("client_secret_basic", Self::Basic),
            ("client_secret_post", Self::Post),
        ]
    }
}
