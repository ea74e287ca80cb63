//! Decisions for requests, from their head to the head that n8n would get.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::format_push_string,
    clippy::string_slice,
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop where its own numbers are wrong"
)]

use std::sync::Arc;

use serde_json::{json, Value};

use super::*;
use crate::config;
use crate::crypto::{CryptoPath, GuestCrypto, SignatureVerifier};
use crate::facts::{
    Availability, Fact, Facts, KeyIdDigest, LoginRequest, MintRequest, NewerKeys, Outage,
    TokenStatus,
};
use crate::identity::Identity;
use crate::mint::{mint, KeyKind, Mint};
use crate::policy::{CallerProperties, CallerProperty, IdentityHeader, Policy, ProviderId};
use crate::secret::Secret;
use crate::time::UnixSeconds;
use crate::token::{ActiveResponse, TokenDigest, UnverifiedClaims};

mod api_keys;
mod body;
mod browser_tokens;
mod callers;
mod certificates;
mod certified_webhook;
mod description;
mod edits;
mod embed;
mod grants;
mod groups;
mod hints;
mod instances;
mod internal_api;
mod introspection;
mod kinds;
mod memory;
mod metadata;
mod minted;
mod misplaced;
mod model;
mod one_header;
mod opaque;
mod path_prefix;
mod proofs;
mod properties;
mod provider_keys;
mod public_api;
mod record;
mod responses;
mod revoked;
mod run;
mod scopes;
mod shadow;
mod signed;
mod surfaces;
mod told;
mod unknown_keys;
mod upstream;
mod webhook;

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
const ISSUER: &str = "https://idp.example";
/// An operation of the public API.
const WORKFLOWS: &str = "/api/v1/workflows";
/// Where clients of the provider get tokens.
const TOKEN_ENDPOINT: &str = "https://idp.example/token";
const READER_KEY: &str = "n8n-key-of-the-reader";
const ADMIN_KEY: &str = "n8n-key-of-the-admin";
const PEOPLE_KEY: &str = "n8n-key-of-people";

/// The configuration of these tests: a provider with one key, three principals, a few webhooks.
fn configuration() -> Value {
    json!({
        "providers": [{
            "name": "idp",
            "issuer": ISSUER,
            "audiences": ["api://n8n-api"],
            "clients": ["reader", "admin", "visitor", "portal"],
            "jwks": {"keys": [signer().jwk("one")]},
        }],
        "roles": {
            "Reader": ["workflow:list", "workflow:read"],
            "Admin": ["*"],
            "Runner": ["workflow:execute"],
        },
        "principals": [
            {"name": "reader", "match": {"client": "reader"}, "api_key": {"env": "READER_KEY"}},
            {"name": "admin", "match": {"client": "admin", "kind": "app"},
             "api_key": {"env": "ADMIN_KEY"}},
            {"name": "people", "match": {"email_domain": "example.com"},
             "allow": ["workflow:list"], "api_key": {"env": "PEOPLE_KEY"}},
        ],
        "webhooks": [
            {"path": "/webhook/orders/**", "require": {"roles": ["Orders"]}},
            {"path": "/webhook/browser", "auth": "bearer", "cors_preflight": "pass",
             "keep_authorization": true},
            {"path": "/webhook/closed/**", "auth": "deny"},
            {"path": "/webhook/public/**", "auth": "open"},
        ],
        // n8n shows nothing of a call that tests could look at.
        "public_api": {"identity_headers": IdentityHeader::ALL.map(IdentityHeader::as_str)},
    })
}

struct TestEnvironment;

impl config::Environment for TestEnvironment {
    fn secret(&self, name: &str) -> Option<Secret> {
        let value = match name {
            "READER_KEY" => READER_KEY,
            "ADMIN_KEY" => ADMIN_KEY,
            "PEOPLE_KEY" => PEOPLE_KEY,
            _ => return None,
        };
        Some(Secret::new(value.to_owned()))
    }
}

/// Facts that are all in the configuration, or for a test to set.
struct TestFacts {
    policy: Policy,
    pending: bool,
    newer_keys: NewerKeys,
    may_have_changed: bool,
    /// The status of every token at each provider.
    statuses: Vec<TestStatus>,
    /// The key that the gate made, or why it has none.
    minted: Option<Result<Secret, &'static str>>,
    /// The session of the caller's user, or why there is none.
    session: Option<Result<Secret, &'static str>>,
    /// The keys that n8n refused.
    refused: Vec<Secret>,
}

/// The status of a token at a provider.
enum TestStatus {
    Active(ActiveResponse),
    Inactive,
    Nameless,
    Unavailable(&'static str),
}

impl Facts for TestFacts {
    fn key_set(&self, provider: ProviderId) -> Availability<&crate::crypto::KeySet> {
        match &self.policy.providers[provider.0].keys {
            _ if self.pending => Availability::Pending,
            crate::policy::KeySource::Inline(keys) => Availability::Known(keys),
            _ => Availability::Unavailable(Outage {
                retry_after: std::time::Duration::from_secs(7),
                fault: Some("not_found"),
            }),
        }
    }

    fn token_endpoint(&self, _: ProviderId) -> Option<&str> {
        Some(TOKEN_ENDPOINT)
    }

    fn may_have_changed(&self, _: ProviderId, _: &dyn Fn() -> KeyIdDigest) -> bool {
        self.may_have_changed
    }

    fn newer_keys(&self, _: ProviderId, _: KeyIdDigest) -> NewerKeys {
        self.newer_keys
    }

    fn token_status_to_decide(
        &self,
        provider: ProviderId,
        _: &TokenDigest,
    ) -> Availability<TokenStatus> {
        match self.statuses.get(provider.0) {
            Some(TestStatus::Active(response)) => {
                Availability::Known(TokenStatus::Active(response.clone()))
            }
            Some(TestStatus::Inactive) => Availability::Known(TokenStatus::Inactive),
            Some(TestStatus::Nameless) => Availability::Known(TokenStatus::Nameless),
            Some(TestStatus::Unavailable(fault)) => Availability::Unavailable(Outage {
                retry_after: std::time::Duration::from_secs(2),
                fault: Some(fault),
            }),
            None => Availability::Pending,
        }
    }

    fn minted_key(&self, _: &MintRequest) -> Availability<&Secret> {
        made(self.minted.as_ref())
    }

    fn session(&self, _: &MintRequest) -> Availability<&Secret> {
        made(self.session.as_ref())
    }

    fn browser_login(&self, _: &LoginRequest) -> Availability<&Secret> {
        made(self.session.as_ref())
    }

    fn is_refused(&self, key: &Secret) -> bool {
        self.refused.contains(key)
    }
}

fn made<'s>(secret: Option<&'s Result<Secret, &'static str>>) -> Availability<&'s Secret> {
    match secret {
        Some(Ok(secret)) => Availability::Known(secret),
        Some(Err(fault)) => Availability::Unavailable(Outage {
            retry_after: std::time::Duration::from_secs(3),
            fault: Some(fault),
        }),
        None => Availability::Pending,
    }
}

fn load(configuration: &Value) -> Policy {
    match config::load(configuration.to_string().as_bytes(), &TestEnvironment) {
        Ok(loaded) => loaded.policy,
        Err(errors) => panic!("{errors}"),
    }
}

fn facts(configuration: &Value) -> TestFacts {
    TestFacts {
        policy: load(configuration),
        pending: false,
        newer_keys: NewerKeys::Unlikely,
        may_have_changed: false,
        statuses: Vec::new(),
        minted: None,
        session: None,
        refused: Vec::new(),
    }
}

fn decide_with(facts: &TestFacts, request: &RequestHead) -> Decision {
    decide_with_cache(facts, &TokenCache::default(), request)
}

/// What a decision is made of, beside the request: these facts, and nothing that was pushed.
fn context<'g>(facts: &'g TestFacts, token_cache: &'g TokenCache<Caller>) -> DecisionContext<'g> {
    DecisionContext {
        revocations: &NoRevocations,
        nonces: None,
        is_recorded: true,
        policy: &facts.policy,
        facts,
        token_cache,
        crypto: &GuestCrypto,
        now: NOW,
    }
}

fn decide_with_cache(
    facts: &TestFacts,
    token_cache: &TokenCache<Caller>,
    request: &RequestHead,
) -> Decision {
    let context = context(facts, token_cache);
    decide(context, Request::of_head(request))
}

/// Decides under [`configuration`].
fn decided(request: &RequestHead) -> Decision {
    decide_with(&facts(&configuration()), request)
}

/// Every property of a caller.
fn each_property() -> CallerProperties {
    CallerProperty::ALL.into_iter().collect()
}

fn signer() -> &'static Mint {
    mint(KeyKind::Ed25519)
}

/// The claims of a good token of `client`.
fn claims(client: &str, roles: &[&str]) -> Value {
    json!({
        "iss": ISSUER, "aud": "api://n8n-api", "sub": client, "azp": client, "jti": "t-1",
        "iat": NOW.0, "exp": NOW.0 + 300, "roles": roles,
    })
}

/// A person with a token of the OAuth client `portal`.
fn person(email: &str, verified: bool, roles: &[&str]) -> Value {
    let mut claims = claims("portal", roles);
    claims["sub"] = json!("u-17");
    claims["sid"] = json!("s-17");
    claims["email"] = json!(email);
    claims["email_verified"] = json!(verified);
    claims
}

fn sign(claims: &Value) -> String {
    signer().sign(&json!({"alg": "EdDSA", "kid": "one"}), claims)
}

/// A request with these headers beside the pseudo-headers.
fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> RequestHead {
    let pseudo = [
        (":method", method),
        (":path", path),
        (":authority", "n8n.example.com"),
        (":scheme", "https"),
    ];
    let pairs = pseudo.iter().chain(headers);
    RequestHead::new(pairs.map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())))
}

/// A request with a bearer token of these claims.
fn bearing(method: &str, path: &str, claims: &Value) -> RequestHead {
    let authorization = format!("Bearer {}", sign(claims));
    request(method, path, &[("authorization", &authorization)])
}

/// The reason of a refusal; panics if the decision is another.
fn reason(decision: &Decision) -> &'static str {
    match &decision.outcome {
        Outcome::Reject(reason) => reason.as_str(),
        other => panic!("not refused: {other:?}"),
    }
}

/// The reason of a refusal, or what happens else.
fn result(decision: &Decision) -> &'static str {
    match &decision.outcome {
        Outcome::Reject(reason) => reason.as_str(),
        other => other.as_str(),
    }
}

/// The head that n8n gets, as a host makes it of the edits.
fn upstream(request: &RequestHead, decision: &Decision) -> Vec<(String, String)> {
    let edits = match &decision.outcome {
        Outcome::Forward(forward) => forward.edits(),
        Outcome::Pass(edits) => edits,
        other => panic!("does not go on: {other:?}"),
    };
    let mut head: Vec<(String, String)> = request
        .headers()
        .map(|(name, value)| (name.to_owned(), String::from_utf8_lossy(value).into_owned()))
        .collect();
    for edit in edits {
        match edit {
            HeaderEdit::Remove(name) => head.retain(|(other, _)| other != name),
            HeaderEdit::Set(name, value) => {
                head.retain(|(other, _)| other != name);
                head.push(((*name).to_owned(), value.expose().to_owned()));
            }
        }
    }
    head.retain(|(name, _)| !name.starts_with(':'));
    head
}

fn value<'h>(head: &'h [(String, String)], name: &str) -> Option<&'h str> {
    head.iter()
        .find(|(other, _)| other == name)
        .map(|(_, value)| value.as_str())
}
