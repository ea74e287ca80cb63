//! The audit record: one JSON line a decision.

use serde_json::{Map, Value};

use super::timestamp::rfc3339;
use crate::crypto::CryptoPath;
use crate::decide::{Decision, Outcome, Recollection};
use crate::n8n::Surface;
use crate::request::RequestHead;
use crate::time::UnixMillis;

/// The longest text from outside that is written into one field.
const MAX_TEXT: usize = 512;

/// What was decided about a request, and on what grounds. Never a token, a key or a query string:
/// of the request only method, path and id are written.
pub fn audit_line(decision: &Decision, request: &RequestHead, now: UnixMillis) -> String {
    let findings = &decision.findings;
    let identity = findings.identity.as_deref();
    let mut line = Line(Map::new());
    line.put("time", Some(&rfc3339(now)));
    line.put("decision", Some(decision.outcome.as_str()));
    if let Outcome::Reject(reason) = &decision.outcome {
        line.put("reason", Some(reason.as_str()));
        line.0
            .insert("status".to_owned(), reason.answer().status.into());
        line.put("fault", reason.fault());
        let missing = reason.missing_scopes().join(" ");
        line.put(
            "missing",
            Some(missing.as_str()).filter(|missing| !missing.is_empty()),
        );
    }
    line.put("hint", findings.hint);
    line.put("instance", findings.instance.as_deref());
    line.put("surface", findings.surface.map(Surface::as_str));
    line.put("operation", findings.operation);
    line.put("provider", findings.provider.as_deref());
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
    line.put("principal", findings.principal.as_deref());
    line.put(
        "cache",
        findings.recollection.as_ref().map(Recollection::as_str),
    );
    line.put("crypto", findings.crypto_path.map(CryptoPath::as_str));
    line.put("introspection", findings.introspection);
    if let Some(claimed) = &findings.claimed {
        let mut inner = Line(Map::new());
        inner.put("iss", Some(&claimed.issuer));
        inner.put("aud", Some(&claimed.audience.join(" ")));
        inner.put("sub", claimed.subject.as_deref());
        inner.put("client", claimed.client.as_deref());
        inner.put("kid", claimed.key_id.as_deref());
        line.0.insert("claimed".to_owned(), inner.0.into());
    }
    line.put("method", Some(&String::from_utf8_lossy(request.method())));
    line.put("path", Some(&String::from_utf8_lossy(request.path())));
    let id = request.first("x-request-id").map(String::from_utf8_lossy);
    line.put("request_id", id.as_deref());
    Value::Object(line.0).to_string()
}

struct Line(Map<String, Value>);

impl Line {
    fn put(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            let cut: String = text.chars().take(MAX_TEXT).collect();
            self.0.insert(name.to_owned(), cut.into());
        }
    }
}
