//! The audit record: one JSON line a decision.

use serde_json::{Map, Value};

use super::timestamp::rfc3339;
use crate::crypto::CryptoPath;
use crate::decide::{CacheOutcome, Credential, Decision, Outcome};
use crate::formats::printable::{printable, printable_bytes};
use crate::http::RequestHead;
use crate::n8n::Surface;
use crate::policy::AuditRules;
use crate::time::UnixMillis;

/// The longest text from outside that is written into one field, in characters.
const MAX_TEXT: usize = 512;

impl AuditRules {
    /// Whether a decision leaves a record. Whatever was done in the name of a caller or refused does.
    pub fn record(&self, decision: &Decision) -> bool {
        match (&decision.outcome, &self.surfaces, decision.record.surface) {
            (Outcome::Pass(_), Some(recorded), Some(surface)) => recorded.contains(&surface),
            _ => true,
        }
    }
}

/// What was decided about a request, and on what context. Never a token, a key or a query string:
/// of the request only host, method, path and id are written.
pub fn audit_line(decision: &Decision, request: &RequestHead, now: UnixMillis) -> String {
    let record = &decision.record;
    let identity = record.identity.as_deref();
    let mut line = Line(Map::new());
    line.put("time", Some(&rfc3339(now)));
    line.put("decision", Some(decision.outcome.as_str()));
    if let Outcome::Reject(reason) = &decision.outcome {
        line.put("reason", Some(reason.as_str()));
        line.0.insert("status".to_owned(), reason.status().into());
        line.put("fault", reason.fault());
        let missing = reason.missing_scopes().join(" ");
        line.put(
            "missing",
            Some(missing.as_str()).filter(|missing| !missing.is_empty()),
        );
    }
    if let Some(status) = record.upstream_status {
        line.0.insert("upstream_status".to_owned(), status.into());
    }
    line.put("hint", record.hint);
    line.put("instance", record.instance.as_deref());
    line.put("surface", record.surface.map(Surface::as_str));
    line.put("operation", record.operation);
    line.put("credential", record.credential.map(Credential::as_str));
    line.put("provider", record.provider.as_deref());
    line.put("iss", identity.map(|identity| &*identity.issuer));
    line.put(
        "sub",
        identity.and_then(|identity| identity.subject.as_deref()),
    );
    line.put(
        "client",
        identity.and_then(|identity| identity.client.as_deref()),
    );
    line.put("kind", identity.map(|identity| identity.kind.as_str()));
    line.put(
        "jti",
        identity.and_then(|identity| identity.token_id.as_deref()),
    );
    line.put("principal", record.principal.as_deref());
    line.put("cache", record.cache.as_ref().map(CacheOutcome::as_str));
    line.put("crypto", record.crypto_path.map(CryptoPath::as_str));
    line.put("introspection", record.introspection);
    if let Some(claimed) = &record.claimed {
        let mut inner = Line(Map::new());
        inner.put("iss", claimed.issuer.as_deref());
        inner.put("aud", Some(&claimed.audience.join(" ")));
        inner.put("sub", claimed.subject.as_deref());
        inner.put("client", claimed.client.as_deref());
        inner.put("kid", claimed.key_id.as_deref());
        line.0.insert("claimed".to_owned(), inner.0.into());
    }
    if let Some(key) = &record.api_key {
        let mut inner = Line(Map::new());
        inner.put("sub", key.subject.as_deref());
        inner.put("jti", key.id.as_deref());
        // Only n8n can tell whether this is a key of its making.
        inner.0.insert("verified".to_owned(), false.into());
        line.0.insert("api_key".to_owned(), inner.0.into());
    }
    line.put("address", record.address.as_deref());
    if let Some(host) = request.authority() {
        line.put_bytes("host", host);
    }
    line.put_bytes("method", request.method());
    line.put_bytes("path", request.path());
    if let Some(id) = request.first("x-request-id") {
        line.put_bytes("request_id", id);
    }
    Value::Object(line.0).to_string()
}

struct Line(Map<String, Value>);

impl Line {
    fn put(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            let shown = printable(text, MAX_TEXT);
            self.0.insert(name.to_owned(), shown.into());
        }
    }

    fn put_bytes(&mut self, name: &str, bytes: &[u8]) {
        let shown = printable_bytes(bytes, MAX_TEXT);
        self.0.insert(name.to_owned(), shown.into());
    }
}

#[cfg(test)]
mod tests;
