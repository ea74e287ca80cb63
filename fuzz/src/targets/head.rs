//! Decides about a request by its head, with every fact at hand.
//!
//! The input is a head: a line `name: value` for each header, pseudo-headers among them. In a value
//! `{app}` stands for a good token of the only principal, `{other}` for one of another client,
//! `{attacker}` for one that another key signed.

use std::sync::OnceLock;

use n8n_idp_gate::crypto::GuestCrypto;
use n8n_idp_gate::decide::{
    decide, Caller, CredentialKind, Decision, DecisionContext, HeaderEdit, Outcome, Request,
    TokenCache, IDENTITY_HEADERS,
};
use n8n_idp_gate::http::RequestHead;
use n8n_idp_gate::n8n::Surface;
use n8n_idp_gate::policy::Policy;
use n8n_idp_gate::time::UnixSeconds;
use serde_json::json;

use crate::at_hand::AtHand;
use crate::world::{attacker, claims, policy, token, Keys, NOW, SECRET};

thread_local! {
    static POLICY: Policy = policy(&Keys::Inline);
}

/// The tokens by the words that stand for them.
fn tokens() -> &'static [(&'static str, String); 3] {
    static TOKENS: OnceLock<[(&str, String); 3]> = OnceLock::new();
    TOKENS.get_or_init(|| {
        let header = json!({"alg": "EdDSA", "kid": "EdDSA"});
        [
            ("{app}", token("app", "1")),
            ("{other}", token("other", "2")),
            ("{attacker}", attacker().sign(&header, &claims("app", "3"))),
        ]
    })
}

/// The target.
pub fn run(input: &[u8]) {
    let request = head(input);
    POLICY.with(|policy| {
        let mut token_cache = TokenCache::default();
        let first = decision(policy, &token_cache, &request);
        check(&request, &first);
        if let Some(remember) = first.remember.clone() {
            token_cache.apply(remember);
        }
        let second = decision(policy, &token_cache, &request);
        check(&request, &second);
        assert_eq!(
            format!("{:?}", first.outcome),
            format!("{:?}", second.outcome),
            "the token cache changes the decision"
        );
    });
}

fn decision(policy: &Policy, token_cache: &TokenCache<Caller>, request: &RequestHead) -> Decision {
    let context = DecisionContext {
        revocations: &n8n_idp_gate::decide::NoRevocations,
        nonces: None,
        is_recorded: true,
        policy,
        facts: &AtHand(policy),
        token_cache,
        crypto: &GuestCrypto,
        now: UnixSeconds(NOW),
    };
    decide(context, Request::of_head(request))
}

/// The pairs of a head, as the client wrote them.
fn head(input: &[u8]) -> RequestHead {
    let mut pairs = Vec::new();
    for line in input.split(|byte| *byte == b'\n').take(64) {
        let colon = line.iter().skip(1).position(|byte| *byte == b':');
        let (name, value) = line.split_at(colon.map_or(line.len(), |colon| colon + 1));
        let name = String::from_utf8_lossy(name).into_owned();
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        pairs.push((name, with_tokens(value)));
    }
    RequestHead::new(pairs)
}

fn with_tokens(value: &[u8]) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(value) else {
        return value.to_vec();
    };
    let all = tokens().iter();
    let text = all.fold(text.to_owned(), |text, (word, token)| {
        text.replace(word, token)
    });
    text.into_bytes()
}

/// The head as n8n gets it.
fn edited(request: &RequestHead, edits: &[HeaderEdit]) -> Vec<(String, Vec<u8>)> {
    let pairs = request.headers();
    let mut pairs: Vec<_> = pairs
        .map(|(name, value)| (name.to_owned(), value.to_vec()))
        .collect();
    for edit in edits {
        let (name, value) = match edit {
            HeaderEdit::Remove(name) => (name.as_str(), None),
            HeaderEdit::Set(name, value) => (*name, Some(value.expose())),
        };
        pairs.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        pairs.extend(value.map(|value| (name.to_owned(), value.as_bytes().to_vec())));
    }
    pairs
}

fn check(request: &RequestHead, decision: &Decision) {
    let shown = format!("{:?}", decision.record);
    for (word, token) in tokens() {
        assert!(!shown.contains(token.as_str()), "the record shows {word}");
    }
    assert!(!shown.contains(SECRET), "the record shows a secret");
    match &decision.outcome {
        Outcome::Forward(forward) => {
            check_forward(request, decision, forward.edits());
        }
        Outcome::Pass(edits) => check_pass(request, decision, edits),
        Outcome::Reject(_) | Outcome::Respond(_) | Outcome::Job(_) | Outcome::UnderWay => {}
        Outcome::Await(fact) => panic!("every fact is at hand: {fact:?}"),
        Outcome::UpstreamResponse => panic!("n8n sent no response"),
    }
}

/// The tokens where the record says that the token was.
fn shown(request: &RequestHead, kind: Option<CredentialKind>) -> Vec<Vec<u8>> {
    match kind.expect("a forward with a credential") {
        CredentialKind::BearerAsApiKey => {
            let bearers = shown(request, Some(CredentialKind::Bearer));
            assert_eq!(bearers, [[0; 0]; 0], "a forward with two credentials");
            request
                .values("x-n8n-api-key")
                .map(<[u8]>::to_vec)
                .collect()
        }
        kind @ (CredentialKind::BearerInCookie | CredentialKind::BearerInQuery) => {
            in_browser(request, kind)
        }
        _ => {
            let values = request.values("authorization").map(<[u8]>::trim_ascii);
            let is_bearer =
                |value: &&[u8]| value.len() > 7 && value[..7].eq_ignore_ascii_case(b"bearer ");
            let bearers = values.filter(is_bearer);
            bearers.map(|value| value[7..].to_vec()).collect()
        }
    }
}

/// The values of the fields that are called as the token of the rules, in cookies or in the query.
fn in_browser(request: &RequestHead, kind: CredentialKind) -> Vec<Vec<u8>> {
    let fields: Vec<&[u8]> = if kind == CredentialKind::BearerInCookie {
        let cookies = request.values("cookie");
        cookies
            .flat_map(|value| value.split(|byte| *byte == b';'))
            .collect()
    } else {
        request.query().split(|byte| *byte == b'&').collect()
    };
    let named = fields.into_iter().filter_map(|field| {
        let value = field.trim_ascii_start().strip_prefix(b"token=")?;
        (!value.is_empty()).then(|| value.to_vec())
    });
    named.collect()
}

/// A forward rests on exactly one good token, and nothing that the client said of itself goes on.
fn check_forward(request: &RequestHead, decision: &Decision, edits: &[HeaderEdit]) {
    let good = &tokens()[..2];
    let to_api = decision.record.surface == Some(Surface::PublicApi);
    let shown = shown(request, decision.record.credential);
    let [token] = shown.as_slice() else {
        panic!("a forward with {} credentials", shown.len());
    };
    let token = token.trim_ascii();
    let mut shown = good.iter().filter(|(_, good)| good.as_bytes() == token);
    let (sign, _) = shown.next().expect("a forward without a good token");
    assert!(
        !to_api || *sign == "{app}",
        "a forward to the API in no principal's name"
    );
    let head = edited(request, edits);
    let left = RequestHead::new(head.clone());
    if let Some(kind @ (CredentialKind::BearerInCookie | CredentialKind::BearerInQuery)) =
        decision.record.credential
    {
        assert_eq!(in_browser(&left, kind), [[0; 0]; 0], "a token goes on");
    }
    for (name, value) in &head {
        let plain = name.to_ascii_lowercase().replace('_', "-");
        let is_ours = edits.iter().any(|edit| {
            matches!(edit, HeaderEdit::Set(own, set) if own == name
                && set.expose().as_bytes() == value)
        });
        let is_guarded = IDENTITY_HEADERS.contains(&plain.as_str()) || plain == "x-n8n-api-key";
        assert!(
            !is_guarded || is_ours,
            "{name} goes on as the client wrote it"
        );
        assert!(
            !["dpop", "x-forwarded-client-cert"].contains(&plain.as_str()),
            "{name} goes on"
        );
        assert!(
            !is_ours || value.iter().all(|byte| matches!(byte, 0x20..=0x7e)),
            "{name} could end the head"
        );
    }
    let keys = head
        .iter()
        .filter(|(name, _)| name == "x-n8n-api-key")
        .count();
    assert_eq!(
        keys,
        usize::from(to_api),
        "API keys to {:?}",
        decision.record.surface
    );
}

/// What passes has no key of the gate's, no identity, and no token in the place of a key.
fn check_pass(request: &RequestHead, decision: &Decision, edits: &[HeaderEdit]) {
    for edit in edits {
        assert!(
            matches!(edit, HeaderEdit::Remove(_) | HeaderEdit::Set(":path", _)),
            "a pass adds {edit:?}"
        );
    }
    let guarded = [Some(Surface::Metrics)];
    assert!(!guarded.contains(&decision.record.surface), "metrics pass");
    for (name, value) in edited(request, edits) {
        let plain = name.to_ascii_lowercase().replace('_', "-");
        assert!(
            !IDENTITY_HEADERS.contains(&plain.as_str()),
            "{name} goes on"
        );
        let is_token = tokens().iter().any(|(_, token)| token.as_bytes() == value);
        assert!(
            plain != "x-n8n-api-key" || !is_token,
            "a token goes on as a key"
        );
    }
}
