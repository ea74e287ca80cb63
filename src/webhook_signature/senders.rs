//! The senders that the gate knows by name, each as its public documentation has it.

use super::mac::Hash;
use super::scheme::{Encoding, Layout, Methods, Naming, Scheme, Signed};
use super::template::{Part, Template};
use super::time::TimeFormat;

/// A sender that the gate knows by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// GitHub: <https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries>.
    Github,
    /// Stripe: <https://docs.stripe.com/webhooks#verify-manually>.
    Stripe,
    /// Slack: <https://docs.slack.dev/authentication/verifying-requests-from-slack>.
    Slack,
    /// `WorkOS`: <https://workos.com/docs/events/data-syncing/webhooks>.
    Workos,
    /// Svix and the others that follow <https://www.standardwebhooks.com>.
    StandardWebhooks,
    /// Shopify: <https://shopify.dev/docs/apps/build/webhooks/verify-deliveries>.
    Shopify,
    /// GitLab: <https://docs.gitlab.com/user/project/integrations/webhooks>.
    Gitlab,
    /// Twilio: <https://www.twilio.com/docs/usage/webhooks/webhooks-security>.
    Twilio,
    /// Zoom: <https://developers.zoom.us/docs/api/webhooks>.
    Zoom,
    /// Meta: `WhatsApp`, Messenger, Instagram:
    /// <https://developers.facebook.com/docs/graph-api/webhooks/getting-started>.
    Meta,
}

/// The header of GitLab's secret token.
const GITLAB_TOKEN: &str = "x-gitlab-token";

impl Sender {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Github,
        Self::Stripe,
        Self::Slack,
        Self::Workos,
        Self::StandardWebhooks,
        Self::Shopify,
        Self::Gitlab,
        Self::Twilio,
        Self::Zoom,
        Self::Meta,
    ];

    /// The word in the configuration, and what a workflow reads as its caller.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Stripe => "stripe",
            Self::Slack => "slack",
            Self::Workos => "workos",
            Self::StandardWebhooks => "standard_webhooks",
            Self::Shopify => "shopify",
            Self::Gitlab => "gitlab",
            Self::Twilio => "twilio",
            Self::Zoom => "zoom",
            Self::Meta => "meta",
        }
    }

    /// How it signs.
    pub fn scheme(self) -> Scheme {
        match self {
            // `X-Hub-Signature`, with SHA-1, is never read.
            Self::Github => of_body(naming("x-hub-signature-256", &["x-github-delivery"])),
            Self::Meta => of_body(naming("x-hub-signature-256", &[])),
            Self::Shopify => Scheme {
                layout: one(""),
                encoding: Encoding::Base64,
                ..of_body(naming(
                    "x-shopify-hmac-sha256",
                    &["x-shopify-webhook-id", "x-shopify-event-id"],
                ))
            },
            Self::Stripe => in_pairs("stripe-signature", TimeFormat::Seconds),
            Self::Workos => in_pairs("workos-signature", TimeFormat::Milliseconds),
            Self::Slack => {
                of_version_and_time("x-slack-signature", "x-slack-request-timestamp", &[])
            }
            Self::Zoom => of_version_and_time(
                "x-zm-signature",
                "x-zm-request-timestamp",
                &["x-zm-trackingid"],
            ),
            Self::StandardWebhooks => standard_webhooks(&["webhook", "svix"]),
            Self::Gitlab => Scheme {
                layout: Layout::Token,
                secret_headers: &[GITLAB_TOKEN],
                ..of_body(naming(
                    GITLAB_TOKEN,
                    &["idempotency-key", "x-gitlab-event-uuid"],
                ))
            },
            Self::Twilio => Scheme {
                layout: one(""),
                encoding: Encoding::Base64,
                hash: Hash::Sha1,
                signed: Signed::Twilio,
                methods: Methods::GetAndPost,
                ..of_body(naming(
                    "x-twilio-signature",
                    &["i-twilio-idempotency-token"],
                ))
            },
        }
    }

    /// How it signs with this secret. GitLab has two ways: its secret token is sent as it is, and its
    /// signing token, which begins with `whsec_`, signs as Standard Webhooks does.
    pub fn scheme_for(self, secret: &str) -> Scheme {
        if self == Self::Gitlab && super::SignatureKey::is_of_standard_webhooks(secret) {
            // GitLab sends its secret token, too, as long as it has one.
            return Scheme {
                secret_headers: &[GITLAB_TOKEN],
                ..standard_webhooks(&["webhook"])
            };
        }
        self.scheme()
    }

    /// Whether secrets are written as Standard Webhooks has them.
    pub fn decodes_secrets(self, secret: &str) -> bool {
        match self {
            Self::StandardWebhooks => true,
            Self::Gitlab => super::SignatureKey::is_of_standard_webhooks(secret),
            _ => false,
        }
    }
}

fn naming(signature: &'static str, ids: &[&'static str]) -> Naming {
    Naming {
        signature: signature.into(),
        timestamp: None,
        ids: ids.iter().map(|name| (*name).into()).collect(),
    }
}

fn one(prefix: &'static str) -> Layout {
    Layout::One {
        prefix: prefix.into(),
    }
}

fn parts(parts: &[Part]) -> Signed {
    Signed::Parts(Template(parts.to_vec()))
}

fn text(text: &str) -> Part {
    Part::Text(text.to_owned())
}

/// `sha256=` and the HMAC of the body.
fn of_body(naming: Naming) -> Scheme {
    Scheme {
        namings: vec![naming],
        layout: one("sha256="),
        encoding: Encoding::Hex,
        hash: Hash::Sha256,
        signed: parts(&[Part::Body]),
        time_format: None,
        methods: Methods::Post,
        secret_headers: &[],
    }
}

/// `t=…,v1=…`, over the time and the body. Other versions, such as Stripe's `v0` of test events, are
/// not read.
fn in_pairs(header: &'static str, time_format: TimeFormat) -> Scheme {
    Scheme {
        layout: Layout::Pairs {
            signature: "v1".into(),
            timestamp: Some("t".into()),
        },
        signed: parts(&[Part::Timestamp, text("."), Part::Body]),
        time_format: Some(time_format),
        ..of_body(naming(header, &[]))
    }
}

/// `v0=…`, over `v0`, the time and the body.
fn of_version_and_time(
    signature: &'static str,
    timestamp: &'static str,
    ids: &[&'static str],
) -> Scheme {
    Scheme {
        layout: one("v0="),
        signed: parts(&[text("v0:"), Part::Timestamp, text(":"), Part::Body]),
        time_format: Some(TimeFormat::Seconds),
        ..of_body(Naming {
            timestamp: Some(timestamp.into()),
            ..naming(signature, ids)
        })
    }
}

/// Standard Webhooks, whose headers begin with one of these words.
fn standard_webhooks(prefixes: &[&str]) -> Scheme {
    let namings = prefixes.iter().map(|prefix| Naming {
        signature: format!("{prefix}-signature").into(),
        timestamp: Some(format!("{prefix}-timestamp").into()),
        ids: vec![format!("{prefix}-id").into()],
    });
    Scheme {
        namings: namings.collect(),
        layout: Layout::Versioned,
        encoding: Encoding::Base64,
        signed: parts(&[Part::Id, text("."), Part::Timestamp, text("."), Part::Body]),
        time_format: Some(TimeFormat::Seconds),
        ..of_body(naming("", &[]))
    }
}
