//! Revoked tokens at the surfaces that reach n8n by a user of the gate, and those that their provider is
//! asked about.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may stop where its own numbers are wrong"
)]

use serde_json::Value;

use super::jobs::{n8n, Seeded};
use super::pushed::{access, form, logout, post, set, sign, with, FORM, NOW, SET};
use super::*;

const WEBHOOK: &str = "/webhook/orders";

/// A way to use a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// A call of a webhook with a token that is no JWT: the provider says what it stands for.
    Opaque,
    /// The same with a JWT of a provider that confirms each one, and says whose client has it.
    Confirmed,
    /// A run of a workflow.
    Run,
    /// A call of the internal API.
    Internal,
    /// A log-in of a browser.
    Embed,
}

impl Way {
    /// The name and the issuer of the provider whose tokens go this way.
    fn provider(self) -> (&'static str, &'static str) {
        match self {
            Self::Confirmed => ("sure", "https://sure.example"),
            _ => ("idp", "https://idp.example"),
        }
    }

    /// What comes of a good token.
    fn success(self) -> &'static str {
        match self {
            Self::Run | Self::Embed => "respond",
            _ => "forward",
        }
    }
}

/// One worker.
struct Stage<'m> {
    gate: Gate,
    memory: &'m host::Memory,
    requests: u32,
}

impl<'m> Stage<'m> {
    fn new(memory: &'m host::Memory) -> Self {
        Self::with_revoked(memory, &json!({"sub": "u-0"}))
    }

    /// A worker that has this entry of `revoked` in its configuration.
    fn with_revoked(memory: &'m host::Memory, revoked: &Value) -> Self {
        let keys = json!({"keys": [mint(KeyKind::Ed25519).jwk("one")]});
        let provider = |name: &str, is_asked_always: bool| {
            json!({"name": name, "issuer": format!("https://{name}.example"), "audiences": ["api"],
                "jwks": keys, "token_prefix": name, "logout": {"audience": "gate"},
                "events": {"audience": "https://n8n.example.com/", "path": format!("/in/{name}")},
                "introspection": {"uri": format!("https://{name}.example/introspect"),
                    "client_id": "gate", "client_secret": {"env": "CLIENT"}, "cluster": name,
                    "always": is_asked_always}})
        };
        let configuration = json!({
            "providers": [provider("idp", false), provider("sure", true)],
            "n8n": {"cluster": "n8n", "api_key": {"env": "KEY"}, "seed": {"env": "SEED"}},
            "principals": [{"name": "people", "match": {"any": true}, "user": {"per": "subject"},
                "grant": ["workflow:execute", "rest", "embed"]}],
            "webhooks": [{"path": "/webhook/**", "auth": "bearer"}],
            "rest": "bearer",
            "embed": {"origins": ["https://portal.example"]},
            "sharing_secret": {"env": "SHARING"},
            "revoked": [revoked],
        });
        let loaded = config::load(configuration.to_string().as_bytes(), &Seeded);
        let loaded = loaded.unwrap_or_else(|errors| panic!("{errors}"));
        Self {
            gate: Gate::new(loaded.policy, Box::new(GuestCrypto)),
            memory,
            requests: 0,
        }
    }

    /// What comes of a token with these claims: the reason of a refusal, or what happens else.
    fn uses(&mut self, way: Way, claims: &Value) -> &'static str {
        self.begins(way, claims)
            .unwrap_or_else(|| self.ends(claims))
    }

    /// The same, if the gate needs no response of another server first.
    fn begins(&mut self, way: Way, claims: &Value) -> Option<&'static str> {
        self.requests += 1;
        let request = (head(way, claims), RequestBody::None);
        let id = WaiterId(self.requests);
        match self
            .gate
            .request_from(id, request, &view(self.memory), || None)
        {
            Step::Settled(settled) => Some(outcome(&settled)),
            Step::Waits { .. } => None,
        }
    }

    /// What comes of a request that waits. The provider knows these claims.
    fn ends(&mut self, claims: &Value) -> &'static str {
        for step in 0..100 {
            let now = after(step * 10);
            respond(&mut self.gate, (now, self.memory), |path| match path {
                "/introspect" => status(claims),
                _ => n8n(path),
            });
            let host = HostView {
                now,
                ..view(self.memory)
            };
            if let [(_, settled)] = &self.gate.settle_woken(&host)[..] {
                return outcome(settled);
            }
        }
        panic!("it waits on");
    }

    /// Takes an event of the provider.
    fn is_told(&mut self, (path, media_type, body): (&str, &str, &str)) {
        let answer = post(&mut self.gate, self.memory, (path, media_type, body));
        assert!(answer.reply.status < 300, "{}", answer.audit);
    }
}

fn view(memory: &host::Memory) -> HostView<'_> {
    HostView {
        memory,
        ..host_view(START)
    }
}

fn outcome(settled: &Settled) -> &'static str {
    match &settled.decision.outcome {
        Outcome::Reject(reason) => reason.as_str(),
        other => other.as_str(),
    }
}

/// The claims of a token of the portal, for a log-in or any other use.
fn claims(way: Way) -> Value {
    let (_, issuer) = way.provider();
    access(&json!({"iss": issuer, "iat": NOW - 30, "exp": NOW + 30}))
}

/// The claims of the token of another user, client and session.
fn others(way: Way) -> Value {
    let changes = json!({"sub": "u-18", "azp": "desk", "sid": "s-18", "jti": "t-18"});
    with(claims(way), &changes)
}

/// What the provider says of a token with these claims.
fn status(claims: &Value) -> CallResponse {
    let own = json!({"active": true, "token_type": "Bearer", "client_id": claims["azp"]});
    let media_type = ("content-type".to_owned(), b"application/json".to_vec());
    CallResponse::Response {
        status: 200,
        headers: crate::facts::ResponseHeaders::new(vec![media_type]),
        body: with(claims.clone(), &own).to_string().into_bytes(),
    }
}

fn bearer(way: Way, claims: &Value) -> String {
    match way {
        // It shows its id, as those of some providers do.
        Way::Opaque => format!("idp-{}.secret", claims["jti"].as_str().unwrap()),
        // Its client is known from the provider alone.
        Way::Confirmed => sign("at+jwt", &with(claims.clone(), &json!({"azp": null}))),
        Way::Run | Way::Internal | Way::Embed => sign("at+jwt", claims),
    }
}

fn head(way: Way, claims: &Value) -> RequestHead {
    let token = bearer(way, claims);
    let log_in = format!("/rest/auth/embed?token={token}");
    match way {
        Way::Opaque | Way::Confirmed => request("GET", WEBHOOK, Some(&token)),
        Way::Run => request("POST", "/api/v1/workflows/w/run", Some(&token)),
        Way::Internal => request("GET", "/rest/workflows", Some(&token)),
        Way::Embed => request("GET", &log_in, None),
    }
}

fn request(method: &str, path: &str, token: Option<&str>) -> RequestHead {
    let authorization = token.map(|token| format!("Bearer {token}"));
    let pairs = [(":method", method), (":path", path), (":authority", "n8n")];
    let pairs = pairs.into_iter();
    let pairs = pairs.chain(
        authorization
            .iter()
            .map(|value| ("authorization", value.as_str())),
    );
    RequestHead::new(pairs.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())))
}

/// Everything that a provider can push about the token of [`claims`]: path, media type and body.
fn events(way: Way) -> Vec<(String, &'static str, String)> {
    let (name, issuer) = way.provider();
    let logout = |changes: Value| {
        let changes = with(json!({"iss": issuer}), &changes);
        let path = format!("/n8n-idp-gate/logout/{name}");
        (path, FORM, form(&logout("e-1", &changes)))
    };
    let event = |subject: Value| {
        let body = set("e-1", &subject, &json!({"iss": issuer}));
        (format!("/in/{name}"), SET, body)
    };
    vec![
        logout(json!({"sub": null})),
        logout(json!({"sid": null})),
        event(json!({"format": "opaque", "id": "s-17"})),
        event(json!({"format": "iss_sub", "iss": issuer, "sub": "u-17"})),
        event(json!({"format": "jwt_id", "iss": issuer, "jti": "t-1"})),
    ]
}

/// The token is refused by a worker that remembers it and by one that never saw it, after each event and
/// under each entry of the configuration. Another caller's token stays good.
fn is_refused_once_it_is_revoked(way: Way) {
    const REFUSED: Option<&str> = Some("token_revoked");
    let (token, other) = (claims(way), others(way));
    for (path, media_type, body) in events(way) {
        let memory = host::Memory::default();
        let [mut one, mut two] = [(); 2].map(|()| Stage::new(&memory));
        remember(&mut one, way, &token);
        two.is_told((&path, media_type, &body));
        assert_eq!(one.begins(way, &token), REFUSED, "{way:?} {body}");
        assert_eq!(at_first(&mut two, way, &token), REFUSED, "{way:?} {body}");
        assert_eq!(two.uses(way, &other), way.success(), "{way:?} {body}");
    }
    for (field, value) in [
        ("sub", "u-17"),
        ("client", "portal"),
        ("sid", "s-17"),
        ("jti", "t-1"),
    ] {
        let memory = host::Memory::default();
        remember(&mut Stage::new(&memory), way, &token);
        let mut next = Stage::with_revoked(&memory, &json!({(field): value}));
        assert_eq!(at_first(&mut next, way, &token), REFUSED, "{way:?} {field}");
        assert_eq!(next.uses(way, &other), way.success(), "{way:?} {field}");
    }
}

/// What comes of a token that the worker never saw. Nothing but its provider is asked for it.
fn at_first(stage: &mut Stage<'_>, way: Way, token: &Value) -> Option<&'static str> {
    match way {
        Way::Opaque | Way::Confirmed => Some(stage.uses(way, token)),
        Way::Run | Way::Internal | Way::Embed => stage.begins(way, token),
    }
}

fn remember(stage: &mut Stage<'_>, way: Way, token: &Value) {
    // A log-in takes each token once, and remembers none.
    let before = if way == Way::Embed {
        Way::Internal
    } else {
        way
    };
    assert_eq!(stage.uses(before, token), before.success());
    let request = request("GET", WEBHOOK, Some(&bearer(way, token)));
    let Step::Settled(settled) = stage.gate.request(WaiterId(0), request, START) else {
        panic!("{way:?} is not remembered");
    };
    assert!(settled.audit().contains("\"cache\":\"hit\""), "{way:?}");
}

#[test]
fn a_revoked_opaque_token_is_refused() {
    is_refused_once_it_is_revoked(Way::Opaque);
}

#[test]
fn a_revoked_token_is_refused_whose_client_its_provider_names() {
    is_refused_once_it_is_revoked(Way::Confirmed);
}

#[test]
fn a_revoked_token_runs_no_workflow() {
    is_refused_once_it_is_revoked(Way::Run);
}

#[test]
fn a_revoked_token_calls_no_internal_api() {
    is_refused_once_it_is_revoked(Way::Internal);
}

#[test]
fn a_revoked_token_logs_no_browser_in() {
    is_refused_once_it_is_revoked(Way::Embed);
}

/// What a request waits for can take seconds: nothing that was found before counts after it.
#[test]
fn a_token_that_is_revoked_while_its_request_waits_is_refused() {
    for way in [
        Way::Opaque,
        Way::Confirmed,
        Way::Run,
        Way::Internal,
        Way::Embed,
    ] {
        for (path, media_type, body) in events(way) {
            let memory = host::Memory::default();
            let [mut one, mut two] = [(); 2].map(|()| Stage::new(&memory));
            let token = claims(way);
            assert_eq!(one.begins(way, &token), None, "{way:?}");
            two.is_told((&path, media_type, &body));
            assert_eq!(one.ends(&token), "token_revoked", "{way:?} {body}");
        }
    }
}
