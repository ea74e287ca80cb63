//! The request of a record, with a credential that stands for its own.

use n8n_idp_gate::decide::Decision;
use n8n_idp_gate::http::RequestHead;
use n8n_idp_gate::policy::Policy;
use n8n_idp_gate::time::UnixMillis;
use serde_json::Map;

use super::record::Record;
use super::sent::{Quality, Sent};
use crate::judge::claims::UnverifiedToken;
use crate::judge::known::Known;
use crate::judge::Case;

/// Decides about the request with this credential.
pub(super) fn decide(
    policy: &Policy,
    known: &Known,
    record: &Record,
    sent: &Sent,
    is_preflight: bool,
    now: UnixMillis,
) -> Decision {
    let token = match sent {
        Sent::Token(_, claims, _) => {
            let claims = (claims.clone(), Map::new());
            Some(UnverifiedToken::of(policy, claims, None, now.to_seconds()))
        }
        Sent::Nothing | Sent::ApiKey | Sent::Garbage(_) => None,
    };
    let header = match (sent, &token) {
        (Sent::Token(header, ..), Some(token)) => Some(format!("{header}{}", token.compact())),
        (Sent::Garbage(header), _) => Some(format!("{header}no-token")),
        _ => None,
    };
    let header = match (sent, header) {
        (Sent::ApiKey, _) => Some(("x-n8n-api-key", "an-api-key-of-n8n".to_owned())),
        (_, Some(header)) if header.contains(' ') => Some(("authorization", header)),
        (_, Some(header)) => Some(("x-n8n-api-key", header)),
        (_, None) => None,
    };
    let is_good = sent
        .quality()
        .is_some_and(|quality| quality != Quality::Forged);
    let case = Case {
        policy,
        head: &head(record, header.as_ref(), is_preflight),
        // The body of a run is empty, or not: the policy does not say which.
        body: record.path.ends_with("/run").then_some(b"".as_slice()),
        now,
        known,
        unverified: token.as_ref().filter(|_| is_good),
    };
    case.decide()
}

/// The head of the request, with a credential.
pub(super) fn head(
    record: &Record,
    credential: Option<&(&str, String)>,
    is_preflight: bool,
) -> RequestHead {
    let mut pairs = vec![(":method", &*record.method), (":path", &*record.path)];
    pairs.extend(record.host.as_deref().map(|host| (":authority", host)));
    if is_preflight {
        pairs.push(("origin", "https://origin.invalid"));
        pairs.push(("access-control-request-method", "POST"));
    }
    pairs.extend(credential.map(|(name, value)| (*name, &**value)));
    let pairs = pairs.into_iter();
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
    RequestHead::new(pairs)
}
