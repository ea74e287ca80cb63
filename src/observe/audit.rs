//! The audit record: one JSON line for each decision.

pub(super) mod field;

use self::field::{FieldReference, Presence, Shape};

use crate::crypto::CryptoPath;
use crate::decide::{
    CacheOutcome, Comparison, CredentialKind, Decision, DecisionRecord, DeliveryRecord,
    OtherDecision, Outcome,
};
use crate::formats::members::Members;
use crate::http::RequestHead;
use crate::identity::Identity;
use crate::n8n::Surface;
use crate::policy::AuditRules;
use crate::reply::Reason;
use crate::time::{rfc3339, UnixMillis};
use crate::token::{KeyClaims, UnverifiedClaims};

use Content::{Bytes, Constant, False, List, Number, Object, Str};

/// The version of the schema. It changes when a field goes or means something else; a new field does not
/// change it.
pub(super) const VERSION: u16 = 1;

/// The longest text from outside that is written into one field, in characters.
pub(super) const MAX_TEXT: usize = 512;

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
/// the request it has only host, method, path, id and user agent.
pub fn audit_line(decision: &Decision, request: &RequestHead, now: UnixMillis) -> String {
    let record = &decision.record;
    let reason = match &decision.outcome {
        Outcome::Reject(reason) => Some(reason),
        _ => None,
    };
    let missing = reason.and_then(|reason| joined(reason.missing_scopes()));
    let other = record.shadow.as_ref().and_then(Comparison::difference);
    let other = other.map(|difference| Shadow {
        differs: difference.differs.join(" "),
        missing: joined(&difference.missing),
        difference,
    });
    let known = Known {
        decision,
        record,
        request,
        identity: record.identity.as_deref(),
        reason,
        missing,
        time: rfc3339::write(now),
        api_key: record.api_key.as_ref().map(api_key),
        claimed: record.claimed.as_ref().map(claimed),
        delivery: record.delivery.as_ref().map(delivery),
        shadow: other.as_ref().map(shadow),
    };
    let line = members(&fields(&known)).into_object();
    #[cfg(test)]
    tests::assert_conforms(&line);
    line
}

/// What is written of another policy.
struct Shadow<'r> {
    difference: &'r OtherDecision,
    differs: String,
    missing: Option<String>,
}

/// What a line is made of.
struct Known<'r> {
    decision: &'r Decision,
    record: &'r DecisionRecord,
    request: &'r RequestHead,
    identity: Option<&'r Identity>,
    reason: Option<&'r Reason>,
    missing: Option<String>,
    time: String,
    api_key: Option<[Field<'r>; 3]>,
    claimed: Option<[Field<'r>; 5]>,
    delivery: Option<[Field<'r>; 3]>,
    shadow: Option<[Field<'r>; 5]>,
}

impl Known<'_> {
    fn caller(&self, part: fn(&Identity) -> Option<&String>) -> Option<Content<'_>> {
        text(self.identity.and_then(part))
    }
}

/// Declares the fields of an object in the order of the alphabet, each with what the reference and the
/// schema say about it, and with where its value comes from.
macro_rules! object {
    ($(#[$doc:meta])* fn $fields:ident($of:ident: $type:ty), $reference:ident {
        $($name:literal: $shape:expr, $presence:ident, $meaning:literal => $value:expr;)+
    }) => {
        $(#[$doc])*
        #[allow(clippy::elidable_lifetime_names, reason = "one of the types has it too")]
        fn $fields<'r>($of: &'r $type) -> [Field<'r>; [$($name),+].len()] {
            [$(($name, $value)),+]
        }

        $(#[$doc])*
        pub(super) const $reference: &[FieldReference] = &[$(FieldReference {
            name: $name,
            shape: $shape,
            presence: Presence::$presence,
            meaning: $meaning,
        }),+];
    };
}

object! {
    /// The fields of a record.
    fn fields(of: Known<'r>), RECORD {
        "address": Shape::Text, Known, "the client's address, as Envoy determined it" => of.record.address.as_deref().map(Str);
        "api_key": Shape::Object(API_KEY), Known, "claims of the n8n API key that the client sent. Only n8n can verify them" => of.api_key.as_ref().map(|fields| Object(fields));
        "cache": Shape::Words(&["hit", "miss"]), Known, "`hit`: this worker verified the same token before" => of.record.cache.map(CacheOutcome::as_str).map(Constant);
        "claimed": Shape::Object(CLAIMED), Known, "what a refused token says about itself. **Nothing here is verified**" => of.claimed.as_ref().map(|fields| Object(fields));
        "client": Shape::Text, Verified, "the OAuth client" => of.caller(|of| of.client.as_ref());
        "credential": Shape::Words(&["api_key", "bearer", "bearer_as_api_key", "bearer_in_cookie", "bearer_in_query", "certificate", "dpop", "signature"]), Known, "the kind of credential that was read" => of.record.credential.map(CredentialKind::as_str).map(Constant);
        "crypto": Shape::Words(&["guest", "host"]), Known, "what checked the signature: the module itself, or Envoy's library" => of.record.crypto_path.map(CryptoPath::as_str).map(Constant);
        "decision": Shape::Words(&["abandoned", "answered", "forward", "pass", "reject", "respond"]), Always, "`forward`: for a verified caller. `pass`: it went on as it came. `reject`. `respond`: the gate sent a document of its own. `abandoned`: the client left while its request waited. `answered`: a second record, about n8n's response" => Some(Constant(of.decision.outcome.as_str()));
        "delivery": Shape::Object(DELIVERY), Known, "a signed delivery" => of.delivery.as_ref().map(|fields| Object(fields));
        "execution": Shape::Text, Known, "n8n's execution that the gate started" => of.record.execution.as_deref().map(Str);
        "fault": Shape::Text, Known, "what exactly led to `reason`. Never sent to the client" => of.reason.and_then(Reason::fault).map(Str);
        "hint": Shape::Text, Known, "a usual cause of the refusal. Never sent to the client" => of.record.hint.map(Str);
        "host": Shape::Text, Known, "the host of the request, with its port. The client writes it" => of.request.authority().map(Bytes);
        "instance": Shape::Text, Known, "the instance of n8n, if there are several" => of.record.instance.as_deref().map(Str);
        "introspection": Shape::Words(&["active", "inactive"]), Known, "the token status, if the gate asked the provider" => of.record.introspection.map(Constant);
        "iss": Shape::Text, Verified, "the issuer" => of.identity.map(|of| Str(&of.issuer));
        "jti": Shape::Text, Verified, "the id of the token" => of.caller(|of| of.token_id.as_ref());
        "kind": Shape::Words(&["app", "unknown", "user"]), Verified, "the kind of caller" => of.identity.map(|of| Constant(of.kind.as_str()));
        "method": Shape::Text, Always, "the request method" => Some(Bytes(of.request.method()));
        "missing": Shape::Text, Known, "the scopes that the caller lacks, with spaces between them" => of.missing.as_deref().map(Str);
        "operation": Shape::Text, Known, "the [operation](operations.md) of n8n's public API" => of.record.operation.map(Constant);
        "path": Shape::Text, Always, "the path, without the query" => Some(Bytes(of.request.path()));
        "principal": Shape::Text, Known, "the principal whose rule matched the verified caller or the signed delivery" => of.record.principal.as_deref().map(Str);
        "provider": Shape::Text, Known, "the provider whose keys and rules were applied, also to a token that was then refused" => of.record.provider.as_deref().map(Str);
        "reason": Shape::Reason, Refused, "the [reason](reasons.md)" => of.reason.map(|reason| Constant(reason.as_str()));
        "request_id": Shape::Text, Known, "`x-request-id`, which Envoy makes" => of.request.first("x-request-id").map(Bytes);
        "shadow": Shape::Object(SHADOW), Known, "what the policy in `shadow` would decide, where that is something else" => of.shadow.as_ref().map(|fields| Object(fields));
        "status": Shape::Status, Refused, "the status of the local reply" => of.reason.map(Reason::status).map(Number);
        "sub": Shape::Text, Verified, "the subject" => of.caller(|of| of.subject.as_ref());
        "surface": Shape::Surface, Known, "the part of n8n" => of.record.surface.map(Surface::as_str).map(Constant);
        "time": Shape::Time, Always, "when it was decided: RFC 3339, in UTC, with milliseconds" => Some(Str(&of.time));
        "upstream_status": Shape::Status, Known, "the status of n8n's response, in a second record" => of.record.upstream_status.map(Number);
        "user_agent": Shape::Text, Known, "`User-Agent`. **Any client can write anything here**; the gate decides nothing by it" => of.request.first("user-agent").map(Bytes);
        "v": Shape::Version, Always, "the version of this schema" => Some(Number(VERSION));
    }
}

object! {
    /// The claims of a token that was read and not accepted.
    fn claimed(claimed: UnverifiedClaims), CLAIMED {
        "aud": Shape::Text, Always, "`aud`, with spaces between several" => Some(List(&claimed.audience));
        "client": Shape::Text, Known, "the OAuth client" => text(claimed.client.as_ref());
        "iss": Shape::Text, Known, "`iss`" => text(claimed.issuer.as_ref());
        "kid": Shape::Text, Known, "`kid` of its header" => text(claimed.key_id.as_ref());
        "sub": Shape::Text, Known, "`sub`" => text(claimed.subject.as_ref());
    }
}

object! {
    /// A signed delivery.
    fn delivery(delivery: DeliveryRecord), DELIVERY {
        "id": Shape::Text, Known, "the id that came with it. With some senders it is not signed" => text(delivery.id.as_ref());
        "secret": Shape::Position, Known, "the number of the secret that it is signed with, from 1. Absent: its signature is not good, or was not checked" => delivery.secret.map(Number);
        "sender": Shape::Text, Always, "the sender, as the rule has it" => Some(Str(delivery.sender));
    }
}

object! {
    /// What another policy would decide.
    fn shadow(of: Shadow<'r>), SHADOW {
        "decision": Shape::Words(&["forward", "pass", "reject", "respond"]), Always, "its `decision`" => Some(Constant(of.difference.decision));
        "differs": Shape::Text, Always, "what differs, with spaces between: `decision`, `reason`, `principal`, `missing`, or `credential`, the API key or user of n8n as which the caller acts" => Some(Str(&of.differs));
        "missing": Shape::Text, Known, "its `missing`" => of.missing.as_deref().map(Str);
        "principal": Shape::Text, Known, "its `principal`" => of.difference.principal.as_deref().map(Str);
        "reason": Shape::Reason, Known, "its `reason`" => of.difference.reason.map(Constant);
    }
}

object! {
    /// The claims of an n8n API key.
    fn api_key(key: KeyClaims), API_KEY {
        "jti": Shape::Text, Known, "the id of the API key" => text(key.id.as_ref());
        "sub": Shape::Text, Known, "the id of its n8n user" => text(key.subject.as_ref());
        "verified": Shape::False, Always, "`false`: only n8n can verify its API keys" => Some(False);
    }
}

/// A name and its value. Without a value it is left out.
type Field<'r> = (&'static str, Option<Content<'r>>);

/// The value of a field. One type for all fields keeps the module small.
#[derive(Clone, Copy)]
enum Content<'r> {
    /// A text of the gate's own in which nothing needs an escape.
    Constant(&'static str),
    Str(&'r str),
    Bytes(&'r [u8]),
    /// Texts with a space between them.
    List(&'r [String]),
    Number(u16),
    False,
    Object(&'r [Field<'r>]),
}

/// Writes the fields that have a value. Texts from outside are written so that they are printable, and cut.
fn members(fields: &[Field<'_>]) -> Members {
    let mut members = Members::new();
    for &(name, content) in fields {
        match content {
            None => {}
            Some(Constant(text)) => members.plain(name, text),
            Some(Str(text)) => members.printable(name, text, MAX_TEXT),
            Some(Bytes(bytes)) => members.printable_bytes(name, bytes, MAX_TEXT),
            Some(List(texts)) => members.printable(name, &texts.join(" "), MAX_TEXT),
            Some(Number(number)) => members.any(name, &number),
            Some(False) => members.any(name, &false),
            Some(Object(fields)) => members.object(name, self::members(fields)),
        }
    }
    members
}

/// Words with spaces between them; `None`: there are none.
fn joined(words: &[&str]) -> Option<String> {
    (!words.is_empty()).then(|| words.join(" "))
}

fn text(text: Option<&String>) -> Option<Content<'_>> {
    text.map(|text| Str(text))
}

#[cfg(test)]
mod tests;
