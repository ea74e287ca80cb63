//! A gate with the policy of most scenarios, and tokens for it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use n8n_idp_gate::policy::IdentityHeader;
use serde_json::{json, Value};

use crate::mint::{mint, KeyKind, Mint};
use crate::support::envoy::{Envoy, Setup};
use crate::support::recorder::Recorder;
use crate::support::scripted_provider::ScriptedProvider;

pub(crate) const ISSUER: &str = "https://idp.example.test";
pub(crate) const AUDIENCE: &str = "api://n8n-api";
pub(crate) const KEY_A: &str = "n8n-key-of-app-a";
pub(crate) const KEY_PEOPLE: &str = "n8n-key-of-people";

/// The key id of the provider's first key.
pub(crate) const KEY_ID: &str = "first";

/// The roles of the policy.
pub(crate) const READER: &str = "N8N.Workflow.Read";
pub(crate) const ADMIN: &str = "N8N.Admin";
pub(crate) const ORDERS: &str = "N8N.Webhook.Orders";

/// A running gate between its provider and its upstream.
pub(crate) struct Gate {
    pub(crate) provider: ScriptedProvider,
    pub(crate) recorder: Recorder,
    pub(crate) envoy: Envoy,
}

impl Gate {
    /// Starts it with the shared policy.
    pub(crate) fn start() -> Self {
        Self::with(policy(), |setup| setup)
    }

    /// Starts it with another policy or another Envoy.
    pub(crate) fn with(policy: Value, shape: impl FnOnce(Setup) -> Setup) -> Self {
        let provider = provider();
        Self::at(provider, policy, shape)
    }

    /// Starts it with a prepared provider.
    pub(crate) fn at(
        provider: ScriptedProvider,
        policy: Value,
        shape: impl FnOnce(Setup) -> Setup,
    ) -> Self {
        let recorder = Recorder::start().unwrap();
        let setup = Setup::minimal(policy, recorder.port())
            .unwrap()
            .cluster("idp", provider.port())
            .secret("N8N_KEY_A", KEY_A)
            .secret("N8N_KEY_PEOPLE", KEY_PEOPLE);
        Self {
            envoy: shape(setup).start().unwrap(),
            provider,
            recorder,
        }
    }
}

/// The provider, which publishes its first key.
pub(crate) fn provider() -> ScriptedProvider {
    ScriptedProvider::start(ISSUER, &[key().jwk(KEY_ID)]).unwrap()
}

/// The provider's first key.
pub(crate) fn key() -> &'static Mint {
    mint(KeyKind::Rsa2048)
}

/// The shared policy.
pub(crate) fn policy() -> Value {
    json!({
        "providers": [{
            "name": "idp",
            "issuer": ISSUER,
            "audiences": [AUDIENCE],
            "cluster": "idp",
            "keys": { "timeout": "1s", "cooldown": "1s" },
        }],
        "roles": { READER: ["workflow:list", "workflow:read"], ADMIN: ["*"] },
        "principals": [
            { "name": "app-a", "match": { "client": "app-a" }, "api_key": { "env": "N8N_KEY_A" } },
            {
                "name": "people",
                "match": { "email_domain": "example.com" },
                "allow": ["workflow:list"],
                "api_key": { "env": "N8N_KEY_PEOPLE" },
            },
        ],
        "webhooks": [
            { "path": "/webhook/orders/**", "require": { "roles": [ORDERS] } },
            { "path": "/webhook/kept/**", "auth": "bearer", "keep_authorization": true },
            { "path": "/webhook/browser/**", "auth": "bearer", "cors_preflight": "pass" },
            { "path": "/webhook/closed/**", "auth": "deny" },
            { "path": "/webhook/open/**", "auth": "open" },
        ],
        // The upstream shows them.
        "public_api": { "identity_headers": IdentityHeader::ALL.map(IdentityHeader::as_str) },
        "caller_properties": ["principal", "client", "subject"],
    })
}

/// Seconds since 1970.
#[allow(
    clippy::disallowed_methods,
    reason = "the real filter compares tokens with the real clock"
)]
pub(crate) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO)
        .as_secs()
}

/// The claims of a good token of `client`, with `changes` applied; `null` removes a claim.
pub(crate) fn claims(client: &str, roles: &[&str], changes: &Value) -> Value {
    let mut claims = json!({
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": client,
        "client_id": client,
        "azp": client,
        "jti": "token-1",
        "roles": roles,
        "iat": now(),
        "exp": now() + 300,
    });
    merge(&mut claims, changes);
    claims
}

/// A token with these claims, signed with the provider's first key.
pub(crate) fn token_of(claims: &Value) -> String {
    key().sign(
        &json!({"alg": "RS256", "typ": "at+jwt", "kid": KEY_ID}),
        claims,
    )
}

/// A good token of `client` with these roles.
pub(crate) fn token(client: &str, roles: &[&str]) -> String {
    token_of(&claims(client, roles, &json!({})))
}

/// A token of `app-a` with the reader's role and with changed claims.
pub(crate) fn changed(changes: &Value) -> String {
    token_of(&claims("app-a", &[READER], changes))
}

fn merge(claims: &mut Value, changes: &Value) {
    let (Some(claims), Some(changes)) = (claims.as_object_mut(), changes.as_object()) else {
        return;
    };
    for (name, value) in changes {
        if value.is_null() {
            claims.remove(name);
        } else {
            claims.insert(name.clone(), value.clone());
        }
    }
}
