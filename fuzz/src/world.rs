//! What the targets share: a provider's keys, a policy, and tokens for it.

use std::sync::OnceLock;

use n8n_idp_gate::config::{self, Environment};
use n8n_idp_gate::policy::Policy;
use n8n_idp_gate::secret::Secret;
use serde_json::{json, Value};

use crate::mint::{mint, KeyKind, Mint};

/// The time at which every target runs, in seconds.
pub(crate) const NOW: u64 = 1_800_000_000;

/// The issuer of the provider.
pub(crate) const ISSUER: &str = "https://idp.example";

/// The audience of the policy.
pub(crate) const AUDIENCE: &str = "api://n8n-api";

/// The value of every variable of the environment. No debug output may show it.
pub(crate) const SECRET: &str = "secret-of-the-environment";

/// The environment of the policy.
pub(crate) struct TheEnvironment;

impl Environment for TheEnvironment {
    fn secret(&self, name: &str) -> Option<Secret> {
        (name != "UNSET").then(|| Secret::new(SECRET.to_owned()))
    }
}

/// The keys of the provider by the algorithm that they sign with; the name is the key id.
pub(crate) const KEYS: [(&str, KeyKind); 4] = [
    ("EdDSA", KeyKind::Ed25519),
    ("ES256", KeyKind::P256),
    ("ES384", KeyKind::P384),
    ("RS256", KeyKind::Rsa2048),
];

/// The provider's key pair for an algorithm.
pub(crate) fn key(algorithm: &str) -> Option<&'static Mint> {
    let mut keys = KEYS.iter();
    keys.find_map(|(name, kind)| (*name == algorithm).then(|| mint(*kind)))
}

/// A key pair that is not the provider's.
pub(crate) fn attacker() -> &'static Mint {
    static KEY: OnceLock<Mint> = OnceLock::new();
    KEY.get_or_init(|| Mint::generate(KeyKind::Ed25519))
}

/// The key set that the provider publishes.
pub(crate) fn key_set() -> &'static Value {
    static SET: OnceLock<Value> = OnceLock::new();
    SET.get_or_init(|| {
        let keys: Vec<_> = KEYS
            .iter()
            .map(|(name, kind)| mint(*kind).jwk(name))
            .collect();
        json!({ "keys": keys })
    })
}

/// Where the provider's keys come from.
pub(crate) enum Keys {
    /// The configuration.
    Inline,
    /// A key set that is fetched.
    Fetched,
    /// The same, after a discovery document.
    Discovered,
}

/// The policy: every kind of webhook rule, a principal for one client, a second provider that is
/// asked about its opaque tokens.
pub(crate) fn policy(keys: &Keys) -> Policy {
    let mut provider = json!({
        "name": "idp", "issuer": ISSUER, "audiences": [AUDIENCE], "cluster": "idp",
        "clients": ["app", "other"],
    });
    match keys {
        Keys::Inline => {
            provider["jwks"] = key_set().clone();
            provider
                .as_object_mut()
                .map(|provider| provider.remove("cluster"));
        }
        Keys::Fetched => provider["jwks_uri"] = json!("https://idp.example/jwks"),
        Keys::Discovered => {}
    }
    let configuration = json!({
        "providers": [provider, {
            "name": "opaque", "issuer": "https://opaque.example", "audiences": [AUDIENCE],
            "cluster": "opaque", "clients": ["app"],
            "jwks": key_set().clone(),
            "introspection": {"uri": "https://opaque.example/introspect", "client_id": "gate",
                "client_secret": {"env": "CLIENT"}},
            "token_prefix": "opq_",
        }],
        "principals": [{"name": "app", "match": {"client": "app"}, "grant": ["*"],
            "api_key": {"env": "KEY"}}],
        "webhooks": [
            {"path": "/webhook/orders/**", "require": {"client": "app"}},
            {"path": "/webhook/kept", "auth": "bearer", "keep_authorization": true},
            {"path": "/webhook/pages/**", "auth": "bearer", "token_from": {"cookie": "token"}},
            {"path": "/webhook/links/**", "auth": "bearer", "token_from": {"query": "token"},
             "cors_preflight": "pass"},
            {"path": "/webhook/closed/**", "auth": "deny"},
            {"path": "/webhook/public/**", "auth": "open"},
        ],
        "metrics": "deny",
    });
    load(&configuration)
}

/// The policy of a configuration that is known to be good.
pub(crate) fn load(configuration: &Value) -> Policy {
    match config::load(configuration.to_string().as_bytes(), &TheEnvironment) {
        Ok(loaded) => loaded.policy,
        Err(errors) => panic!("the configuration of the targets is refused: {errors}"),
    }
}

/// The claims of a good token of a client, which is different for each `id`.
pub(crate) fn claims(client: &str, id: &str) -> Value {
    json!({"iss": ISSUER, "aud": AUDIENCE, "sub": client, "azp": client, "client_id": client,
        "iat": NOW - 60, "exp": NOW + 3600, "jti": id})
}

/// A good token of a client.
pub(crate) fn token(client: &str, id: &str) -> String {
    let header = json!({"alg": "EdDSA", "kid": "EdDSA", "typ": "at+jwt"});
    mint(KeyKind::Ed25519).sign(&header, &claims(client, id))
}
