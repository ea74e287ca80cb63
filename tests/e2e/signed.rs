//! Deliveries that senders sign: n8n gets nothing before the signature over the whole body is good.

mod attacks;
mod bodies;
mod questions;
mod senders;

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use base64::engine::general_purpose::STANDARD;
use base64::Engine as _;
use serde_json::{json, Value};

use crate::gate::{now, policy, Gate};
use crate::support::crowd::Parts;
use crate::support::envoy::Setup;
use crate::support::http::{Request, Response};

const SECRET: &str = "the secret of the webhook";
const NEXT: &str = "the next secret of the webhook";
/// As Standard Webhooks writes it.
const STANDARD_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const VERIFY_TOKEN: &str = "verify-token-of-meta";
const BODY: &[u8] = br#"{"event":"order.paid","id":17}"#;

/// The largest body of the rule for `/webhook/small/**`.
const SMALL: usize = 65_536;

/// A gate with a rule for each sender. Envoy hands it bodies.
fn gate(shape: impl FnOnce(Setup) -> Setup) -> Gate {
    without_bodies(|setup| shape(setup.holding_heads_alone()))
}

/// The same, if Envoy does not hand over bodies.
fn without_bodies(shape: impl FnOnce(Setup) -> Setup) -> Gate {
    let mut policy = policy();
    policy["webhooks"] = rules();
    Gate::with(policy, |setup| {
        shape(
            setup
                .secret("SIGNING_SECRET", SECRET)
                .secret("SIGNING_SECRET_NEXT", NEXT)
                .secret("STANDARD_SECRET", STANDARD_SECRET)
                .secret("VERIFY_TOKEN", VERIFY_TOKEN),
        )
    })
}

fn rules() -> Value {
    let secrets = json!([{"env": "SIGNING_SECRET"}, {"env": "SIGNING_SECRET_NEXT"}]);
    let rule = |name: &str, more: Value| {
        let mut signature = json!({"secrets": secrets});
        let members = signature.as_object_mut().unwrap();
        members.extend(more.as_object().unwrap().clone());
        json!({"path": format!("/webhook/{name}/**"), "auth": "signature", "signature": signature})
    };
    let standard = json!([{"env": "STANDARD_SECRET"}]);
    json!([
        rule("github", json!({"sender": "github"})),
        rule("stripe", json!({"sender": "stripe"})),
        rule("slack", json!({"sender": "slack"})),
        rule("workos", json!({"sender": "workos"})),
        rule("standard", json!({"sender": "standard_webhooks", "secrets": standard})),
        rule("shopify", json!({"sender": "shopify"})),
        rule("gitlab", json!({"sender": "gitlab"})),
        rule("gitlab-signed", json!({"sender": "gitlab", "secrets": standard})),
        rule("twilio", json!({"sender": "twilio", "public_url": "https://n8n.example.test"})),
        rule("zoom", json!({"sender": "zoom"})),
        rule("meta", json!({"sender": "meta", "verify_token": {"env": "VERIFY_TOKEN"}})),
        rule("other", json!({"sender": "hmac", "name": "billing", "header": "x-signature",
            "hash": "sha512", "timestamp_header": "x-time", "timestamp_format": "rfc3339",
            "signed": "{method}.{path}.{timestamp}.{body}"})),
        rule("small", json!({"sender": "github", "max_body": "64KiB", "name": "small"})),
        {"path": "/webhook/**", "auth": "deny"},
    ])
}

/// A delivery as its sender sends it.
#[derive(Clone)]
struct Delivery {
    path: String,
    headers: BTreeMap<&'static str, String>,
    body: Vec<u8>,
}

impl Delivery {
    fn new(path: &str, headers: &[(&'static str, String)], body: &[u8]) -> Self {
        Self {
            path: path.to_owned(),
            headers: headers.iter().cloned().collect(),
            body: body.to_vec(),
        }
    }

    /// With `Content-Length`.
    fn request(&self) -> Request {
        let request = Request::new("POST", &self.path);
        let request = self.headers.iter().fold(request, |request, (name, value)| {
            request.header(name, value)
        });
        let content_type = if self.path.contains("/twilio/") {
            "application/x-www-form-urlencoded"
        } else {
            "application/json"
        };
        request.body(content_type, self.body.clone())
    }

    fn send(&self, gate: &Gate) -> Response {
        self.request().send(gate.envoy.port()).unwrap()
    }

    /// In chunks or frames of this size.
    fn parts(&self, size: usize) -> Parts {
        let parts = Parts::new("POST", &self.path);
        let parts = self
            .headers
            .iter()
            .fold(parts, |parts, (name, value)| parts.header(name, value));
        parts.body(&self.body.chunks(size).collect::<Vec<_>>())
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.insert(name, value.into());
        self
    }
}

fn mac(secret: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    hmac_sha256::HMAC::mac(parts.concat(), secret).to_vec()
}

fn hex(bytes: &[u8]) -> String {
    n8n_idp_gate::formats::hex::encoded(bytes)
}

fn github(secret: &str, body: &[u8]) -> Delivery {
    github_to("/webhook/github/push", secret, body)
}

fn github_to(path: &str, secret: &str, body: &[u8]) -> Delivery {
    let signature = format!("sha256={}", hex(&mac(secret.as_bytes(), &[body])));
    Delivery::new(
        path,
        &[
            ("x-hub-signature-256", signature),
            (
                "x-github-delivery",
                "72d3162e-cc78-11e3-81ab-4c9367dc0958".to_owned(),
            ),
        ],
        body,
    )
}

fn slack(secret: &str, body: &[u8]) -> Delivery {
    let time = now().to_string();
    let code = mac(secret.as_bytes(), &[b"v0:", time.as_bytes(), b":", body]);
    Delivery::new(
        "/webhook/slack/events",
        &[
            ("x-slack-signature", format!("v0={}", hex(&code))),
            ("x-slack-request-timestamp", time),
        ],
        body,
    )
}

fn stripe(secrets: &[&str], time: u64, body: &[u8]) -> Delivery {
    let signatures = secrets.iter().map(|secret| {
        let time = time.to_string();
        let code = mac(secret.as_bytes(), &[time.as_bytes(), b".", body]);
        format!(",v1={}", hex(&code))
    });
    let signatures: String = signatures.collect();
    Delivery::new(
        "/webhook/stripe/in",
        &[("stripe-signature", format!("t={time}{signatures}"))],
        body,
    )
}

fn standard(path: &str, prefix: &str, body: &[u8]) -> Delivery {
    let names: [&'static str; 3] = match prefix {
        "svix" => ["svix-id", "svix-timestamp", "svix-signature"],
        _ => ["webhook-id", "webhook-timestamp", "webhook-signature"],
    };
    let (id, time) = ("msg_2KWPBgLlAfxdpx2AI54pPJ85f4W", now().to_string());
    let secret = STANDARD
        .decode(STANDARD_SECRET.trim_start_matches("whsec_"))
        .unwrap();
    let code = mac(&secret, &[id.as_bytes(), b".", time.as_bytes(), b".", body]);
    let signature = format!("v1,{}", STANDARD.encode(code));
    let headers = [
        (names[0], id.to_owned()),
        (names[1], time),
        (names[2], signature),
    ];
    Delivery::new(path, &headers, body)
}

/// Envoy's connections to the upstream since it started. Workers report them a few times a second.
fn connections(gate: &Gate) -> u64 {
    thread::sleep(Duration::from_secs(1));
    let name = "envoy_cluster_upstream_cx_total";
    gate.envoy.counted(name, "=\"upstream\"", 0).unwrap()
}
