//! The audit record: one JSON line for each decision.

use serde::{Serialize, Serializer};

use super::timestamp::rfc3339;
use crate::crypto::CryptoPath;
use crate::decide::{CacheOutcome, CredentialKind, Decision, Outcome};
use crate::formats::printable::{printable, printable_bytes};
use crate::http::RequestHead;
use crate::n8n::Surface;
use crate::policy::AuditRules;
use crate::reply::Reason;
use crate::time::UnixMillis;
use crate::token::{KeyClaims, UnverifiedClaims};

use Text::{Bytes, List, Str};

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
    let time = rfc3339(now);
    let line = AuditRecord {
        address: record.address.as_deref().map(Str),
        api_key: record.api_key.as_ref().map(ApiKey::of),
        cache: record.cache.map(CacheOutcome::as_str).map(Str),
        claimed: record.claimed.as_ref().map(Claimed::of),
        client: identity.and_then(|identity| text(identity.client.as_ref())),
        credential: record.credential.map(CredentialKind::as_str).map(Str),
        crypto: record.crypto_path.map(CryptoPath::as_str).map(Str),
        decision: Str(decision.outcome.as_str()),
        fault: reason.and_then(|reason| reason.fault()).map(Str),
        hint: record.hint.map(Str),
        host: request.authority().map(Bytes),
        instance: record.instance.as_deref().map(Str),
        introspection: record.introspection.map(Str),
        iss: identity.map(|identity| Str(&identity.issuer)),
        jti: identity.and_then(|identity| text(identity.token_id.as_ref())),
        kind: identity.map(|identity| Str(identity.kind.as_str())),
        method: Bytes(request.method()),
        missing: missing
            .as_deref()
            .filter(|missing| !missing.is_empty())
            .map(Str),
        operation: record.operation.map(Str),
        path: Bytes(request.path()),
        principal: record.principal.as_deref().map(Str),
        provider: record.provider.as_deref().map(Str),
        reason: reason.map(|reason| Str(reason.as_str())),
        request_id: request.first("x-request-id").map(Bytes),
        status: reason.map(Reason::status),
        sub: identity.and_then(|identity| text(identity.subject.as_ref())),
        surface: record.surface.map(Surface::as_str).map(Str),
        time: Str(&time),
        upstream_status: record.upstream_status,
    };
    serde_json::to_string(&line).unwrap_or_default()
}

/// A line. Its fields are in the order of the alphabet.
#[derive(Serialize)]
struct AuditRecord<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<Text<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<ApiKey<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache: Option<Text<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claimed: Option<Claimed<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<Text<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential: Option<Text<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    crypto: Option<Text<'r>>,
    decision: Text<'r>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<Text<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<Text<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<Text<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<Text<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    introspection: Option<Text<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<Text<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<Text<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<Text<'r>>,
    method: Text<'r>,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<Text<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<Text<'r>>,
    path: Text<'r>,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<Text<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<Text<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Text<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<Text<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<Text<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    surface: Option<Text<'r>>,
    time: Text<'r>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream_status: Option<u16>,
}

/// The claims of a token that was read and not accepted.
#[derive(Serialize)]
struct Claimed<'r> {
    aud: Text<'r>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<Text<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<Text<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<Text<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<Text<'r>>,
}

impl<'r> Claimed<'r> {
    fn of(claimed: &'r UnverifiedClaims) -> Self {
        Self {
            aud: List(&claimed.audience),
            client: text(claimed.client.as_ref()),
            iss: text(claimed.issuer.as_ref()),
            kid: text(claimed.key_id.as_ref()),
            sub: text(claimed.subject.as_ref()),
        }
    }
}

/// The claims of an n8n API key.
#[derive(Serialize)]
struct ApiKey<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<Text<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<Text<'r>>,
    /// Always `false`: only n8n can verify its API keys.
    verified: bool,
}

impl<'r> ApiKey<'r> {
    fn of(key: &'r KeyClaims) -> Self {
        Self {
            jti: text(key.id.as_ref()),
            sub: text(key.subject.as_ref()),
            verified: false,
        }
    }
}

/// A text, written so that it is printable, and cut. One type for all fields keeps the module small.
enum Text<'r> {
    Str(&'r str),
    Bytes(&'r [u8]),
    /// Texts with a space between them.
    List(&'r [String]),
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Str(text) => serializer.serialize_str(&printable(text, MAX_TEXT)),
            Self::Bytes(bytes) => serializer.serialize_str(&printable_bytes(bytes, MAX_TEXT)),
            Self::List(texts) => serializer.serialize_str(&printable(&texts.join(" "), MAX_TEXT)),
        }
    }
}

fn text(text: Option<&String>) -> Option<Text<'_>> {
    text.map(|text| Str(text))
}

#[cfg(test)]
mod tests;
