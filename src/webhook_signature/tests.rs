//! Deliveries of senders, and attacks on them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "a test may stop where its own numbers are wrong"
)]

use std::borrow::Cow;
use std::time::Duration;

use base64::engine::general_purpose::STANDARD;
use base64::Engine as _;

use super::*;
use crate::formats::hex;
use crate::http::RequestHead;
use crate::time::UnixSeconds;

mod attacks;
mod challenges;
mod times;
mod twilio;
mod vectors;

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
const FIVE_MINUTES: Duration = Duration::from_secs(300);
const BODY: &[u8] = br#"{"event":"order.paid"}"#;
const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// What checks the deliveries of `sender`, which signs with any of these secrets.
fn verifier(sender: Sender, secrets: &[&str]) -> Verifier {
    let key = |secret: &&str| {
        if sender.decodes_secrets(secret) {
            SignatureKey::of_standard_webhooks(secret).unwrap()
        } else {
            SignatureKey::of_text(secret)
        }
    };
    Verifier {
        scheme: sender.scheme_for(secrets[0]),
        keys: secrets.iter().map(key).collect(),
        tolerance: FIVE_MINUTES,
        origin: "https://mycompany.com".to_owned(),
        challenge: Challenge::None,
    }
}

fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> RequestHead {
    let pseudo = [(":method", method), (":path", path)];
    let pairs = pseudo.iter().chain(headers);
    let pairs = pairs.map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
    RequestHead::new(pairs)
}

fn delivery(headers: &[(&str, &str)]) -> RequestHead {
    request("POST", "/webhook/a", headers)
}

/// The number of the secret, or the fault.
fn checked(
    verifier: &Verifier,
    request: &RequestHead,
    body: &[u8],
    now: UnixSeconds,
) -> Result<usize, SignatureFault> {
    let claimed = verifier.read(request)?;
    let proof = claimed.verify(body, now)?;
    Ok(proof.secret_number())
}

fn digest(verifier: &Verifier, request: &RequestHead, body: &[u8]) -> DeliveryDigest {
    let claimed = verifier.read(request).unwrap();
    let digest = claimed.verify(body, NOW).unwrap().digest();
    digest
}

fn mac(hash: Hash, secret: &str, message: &str) -> String {
    let code = hash.mac(secret.as_bytes(), &[Cow::from(message.as_bytes())]);
    hex::encoded(&code)
}

/// An HMAC as most senders make it.
fn sha256(secret: &str, message: &str) -> String {
    mac(Hash::Sha256, secret, message)
}

fn text(body: &[u8]) -> &str {
    std::str::from_utf8(body).unwrap()
}
