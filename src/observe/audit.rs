//! The audit record: one JSON line for each decision.

use serde::{Serialize, Serializer};

use super::timestamp::rfc3339;
use crate::crypto::CryptoPath;
use crate::decide::{CacheOutcome, CredentialKind, Decision, DeliveryRecord, Outcome};
use crate::formats::printable::{printable, printable_bytes};
use crate::http::RequestHead;
use crate::identity::Identity;
use crate::n8n::Surface;
use crate::policy::AuditRules;
use crate::reply::Reason;
use crate::time::UnixMillis;
use crate::token::{KeyClaims, UnverifiedClaims};

use Content::{Bytes, False, List, Number, Object, Str};

/// The longest text from outside that is written into one field, in characters.
const MAX_TEXT: usize = 512;

impl AuditRules {
    /// Whether a decision leaves a record. Each forward and each refusal does.
    pub fn record(&self, decision: &Decision) -> bool {
        match (&decision.outcome, &self.surfaces, decision.record.surface) {
            (Outcome::Pass(_), Some(recorded), Some(surface)) => recorded.contains(&surface),
            _ => true,
        }
    }
}

/// The decision for a request, and its reasons. A line has no token, no key and no query string: of
/// the request it has only host, method, path and id.
pub fn audit_line(decision: &Decision, request: &RequestHead, now: UnixMillis) -> String {
    let record = &decision.record;
    let identity = record.identity.as_deref();
    let reason = match &decision.outcome {
        Outcome::Reject(reason) => Some(reason),
        _ => None,
    };
    let missing = reason.map(|reason| reason.missing_scopes().join(" "));
    let missing = missing.as_deref().filter(|missing| !missing.is_empty());
    let time = rfc3339(now);
    let caller = |part: fn(&Identity) -> Option<&String>| text(identity.and_then(part));
    let credential = record.credential.map(CredentialKind::as_str);
    let crypto = record.crypto_path.map(CryptoPath::as_str);
    let api_key = record.api_key.as_ref().map(api_key);
    let claimed = record.claimed.as_ref().map(claimed);
    let delivery = record.delivery.as_ref().map(delivery);
    // In the order of the alphabet.
    let fields = [
        ("address", record.address.as_deref().map(Str)),
        ("api_key", api_key.as_ref().map(|fields| Object(fields))),
        ("cache", record.cache.map(CacheOutcome::as_str).map(Str)),
        ("claimed", claimed.as_ref().map(|fields| Object(fields))),
        ("client", caller(|of| of.client.as_ref())),
        ("credential", credential.map(Str)),
        ("crypto", crypto.map(Str)),
        ("decision", Some(Str(decision.outcome.as_str()))),
        ("delivery", delivery.as_ref().map(|fields| Object(fields))),
        ("execution", record.execution.as_deref().map(Str)),
        ("fault", reason.and_then(Reason::fault).map(Str)),
        ("hint", record.hint.map(Str)),
        ("host", request.authority().map(Bytes)),
        ("instance", record.instance.as_deref().map(Str)),
        ("introspection", record.introspection.map(Str)),
        ("iss", identity.map(|of| Str(&of.issuer))),
        ("jti", caller(|of| of.token_id.as_ref())),
        ("kind", identity.map(|of| Str(of.kind.as_str()))),
        ("method", Some(Bytes(request.method()))),
        ("missing", missing.map(Str)),
        ("operation", record.operation.map(Str)),
        ("path", Some(Bytes(request.path()))),
        ("principal", record.principal.as_deref().map(Str)),
        ("provider", record.provider.as_deref().map(Str)),
        ("reason", reason.map(|reason| Str(reason.as_str()))),
        ("request_id", request.first("x-request-id").map(Bytes)),
        ("status", reason.map(Reason::status).map(Number)),
        ("sub", caller(|of| of.subject.as_ref())),
        ("surface", record.surface.map(Surface::as_str).map(Str)),
        ("time", Some(Str(&time))),
        ("upstream_status", record.upstream_status.map(Number)),
    ];
    serde_json::to_string(&Object(&fields)).unwrap_or_default()
}

/// The claims of a token that was read and not accepted.
fn claimed(claimed: &UnverifiedClaims) -> [Field<'_>; 5] {
    [
        ("aud", Some(List(&claimed.audience))),
        ("client", text(claimed.client.as_ref())),
        ("iss", text(claimed.issuer.as_ref())),
        ("kid", text(claimed.key_id.as_ref())),
        ("sub", text(claimed.subject.as_ref())),
    ]
}

/// A signed delivery.
fn delivery(delivery: &DeliveryRecord) -> [Field<'_>; 3] {
    [
        ("id", text(delivery.id.as_ref())),
        ("secret", delivery.secret.map(Number)),
        ("sender", Some(Str(delivery.sender))),
    ]
}

/// The claims of an n8n API key.
fn api_key(key: &KeyClaims) -> [Field<'_>; 3] {
    [
        ("jti", text(key.id.as_ref())),
        ("sub", text(key.subject.as_ref())),
        // Only n8n can verify its API keys.
        ("verified", Some(False)),
    ]
}

/// A name and its value. Without a value it is left out.
type Field<'r> = (&'static str, Option<Content<'r>>);

/// The value of a field. One type for all fields keeps the module small.
#[derive(Clone, Copy)]
enum Content<'r> {
    Str(&'r str),
    Bytes(&'r [u8]),
    /// Texts with a space between them.
    List(&'r [String]),
    Number(u16),
    False,
    Object(&'r [Field<'r>]),
}

/// Texts are written so that they are printable, and cut.
impl Serialize for Content<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Str(text) => serializer.serialize_str(&printable(text, MAX_TEXT)),
            Bytes(bytes) => serializer.serialize_str(&printable_bytes(bytes, MAX_TEXT)),
            List(texts) => serializer.serialize_str(&printable(&texts.join(" "), MAX_TEXT)),
            Number(number) => serializer.serialize_u16(number),
            False => serializer.serialize_bool(false),
            Object(fields) => {
                let present = fields.iter();
                let present = present.filter_map(|(name, value)| Some((*name, (*value)?)));
                serializer.collect_map(present)
            }
        }
    }
}

fn text(text: Option<&String>) -> Option<Content<'_>> {
    text.map(|text| Str(text))
}

#[cfg(test)]
mod tests;
