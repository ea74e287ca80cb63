//! Questions by which a sender checks that a URL belongs to the operator. The gate answers them: it has
//! the secret that the answer needs, and no workflow gets it.

use serde_json::Value;

use super::fault::SignatureFault;
use super::key::SignatureKey;
use super::mac::Hash;
use crate::formats::{form, hex};
use crate::http::RequestHead;

/// The longest text that an answer repeats, in bytes.
const MAX_REPEATED: usize = 256;

/// The longest body that is looked at for a question, in bytes.
const MAX_QUESTION: usize = 4096;

/// The questions of a sender.
#[derive(Clone, Debug)]
pub enum Challenge {
    /// There are none, or the workflow answers them.
    None,
    /// Zoom: which HMAC a text has.
    Zoom,
    /// Meta: whether the URL knows this token.
    Meta(SignatureKey),
}

/// What the gate answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChallengeReply {
    /// The media type.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

impl Challenge {
    /// Meta's question, which is no delivery, and has no signature.
    pub(super) fn of_head(
        &self,
        request: &RequestHead,
    ) -> Option<Result<ChallengeReply, SignatureFault>> {
        let Self::Meta(token) = self else { return None };
        if request.method() != b"GET" {
            return None;
        }
        let value = |name| form::value(request.query(), name);
        let sent = value("hub.verify_token")?;
        if value("hub.mode").as_deref() != Some("subscribe") {
            return Some(Err(SignatureFault::Malformed("hub.mode")));
        }
        if !token.is(sent.as_bytes()) {
            return Some(Err(SignatureFault::Invalid));
        }
        let challenge = value("hub.challenge").filter(|text| is_plain(text));
        Some(
            challenge.map_or(Err(SignatureFault::Malformed("hub.challenge")), |body| {
                Ok(ChallengeReply {
                    content_type: "text/plain",
                    body,
                })
            }),
        )
    }

    /// Zoom's question, in a delivery that was signed with this key.
    pub(super) fn of_body(
        &self,
        body: &[u8],
        key: &SignatureKey,
    ) -> Option<Result<ChallengeReply, SignatureFault>> {
        let (Self::Zoom, SignatureKey::Shared(secret)) = (self, key) else {
            return None;
        };
        if body.len() > MAX_QUESTION {
            return None;
        }
        let question: Value = serde_json::from_slice(body).ok()?;
        if question.get("event")? != "endpoint.url_validation" {
            return None;
        }
        let token = question.pointer("/payload/plainToken")?.as_str()?;
        // A text such as `v0:1609459200:{}` would make the gate sign a delivery.
        if !is_plain(token) {
            return Some(Err(SignatureFault::Malformed("plainToken")));
        }
        let code = Hash::Sha256.mac(secret, &[token.as_bytes().into()]);
        let code = hex::encoded(&code);
        Some(Ok(ChallengeReply {
            content_type: "application/json",
            body: format!("{{\"plainToken\":\"{token}\",\"encryptedToken\":\"{code}\"}}"),
        }))
    }
}

/// Whether a text can be repeated: letters and digits, so that no answer is a page with a script.
fn is_plain(text: &str) -> bool {
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !text.is_empty() && text.len() <= MAX_REPEATED && text.bytes().all(is_known)
}
