//! A token that is made of claims alone: no provider signed it.

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use n8n_idp_gate::crypto::{Algorithm, KeySet};
use n8n_idp_gate::policy::{Policy, Provider, ProviderId};
use n8n_idp_gate::time::UnixSeconds;
use n8n_idp_gate::token::{TypRule, UntrustedToken};
use serde_json::{json, Map, Value};

/// How long such a token is good if its claims do not say so, in seconds.
const LIFETIME: u64 = 300;

/// Keys whose private halves do not exist any more.
const KEYS: &str = include_str!("stand_in_keys.json");

/// A token that is made of claims alone.
pub(crate) struct UnverifiedToken {
    compact: String,
    /// The provider whose issuer it names, if there is one.
    provider: Option<ProviderId>,
    /// The claims and members of the header that were filled in.
    pub(crate) filled: Vec<String>,
}

impl UnverifiedToken {
    /// Makes a token of these claims and, if it is given, this header. What each token must have is filled
    /// in where it is absent: the times, and with a named provider its issuer and audience.
    pub(crate) fn of(
        policy: &Policy,
        (mut claims, mut header): (Map<String, Value>, Map<String, Value>),
        named: Option<&Provider>,
        now: UnixSeconds,
    ) -> Self {
        let mut filled = Vec::new();
        let mut fill = |members: &mut Map<String, Value>, name: &str, value: Value| {
            if !members.contains_key(name) {
                filled.push(name.to_owned());
                members.insert(name.to_owned(), value);
            }
        };
        if let Some(provider) = named {
            fill(&mut claims, "iss", json!(provider.token.issuers.discovery));
            let audience = provider.token.audiences.first();
            fill(&mut claims, "aud", json!(audience));
        }
        let issued = claims.get("iat").and_then(Value::as_u64);
        let expires = issued.unwrap_or(now.0).max(now.0).saturating_add(LIFETIME);
        fill(&mut claims, "iat", json!(now.0));
        fill(&mut claims, "exp", json!(expires));
        let draft = compact(&json!({ "alg": "RS256" }), &claims);
        let issuers = &policy.issuers;
        let untrusted = UntrustedToken::parse(&draft).ok();
        let provider = untrusted.and_then(|token| issuers.provider_of(&token));
        let of = provider.and_then(|id| policy.providers.get(id.0));
        let algorithms = of.map(|provider| &*provider.token.algorithms);
        let algorithm = algorithms.and_then(<[Algorithm]>::first);
        let algorithm = algorithm.map_or("RS256", |algorithm| algorithm.as_str());
        fill(&mut header, "alg", json!(algorithm));
        if of.is_some_and(|provider| provider.token.typ == TypRule::AccessToken) {
            fill(&mut header, "typ", json!("at+jwt"));
        }
        let algorithm = header.get("alg").and_then(Value::as_str);
        let algorithm = algorithm.unwrap_or_default().to_owned();
        header
            .entry("kid")
            .or_insert_with(|| json!(key_for(&algorithm)));
        Self {
            compact: compact(&Value::Object(header), &claims),
            provider,
            filled,
        }
    }

    /// The token, for a request.
    pub(crate) fn compact(&self) -> &str {
        &self.compact
    }

    /// What its signature would be over.
    pub(crate) fn signing_input(&self) -> &[u8] {
        let input = self.compact.rsplit_once('.');
        input.map_or(b"", |(input, _)| input.as_bytes())
    }

    /// The provider whose issuer it names, and a key set with a key that the token names.
    pub(crate) fn keys(&self) -> Option<(ProviderId, KeySet)> {
        Some((self.provider?, stand_in_keys()?))
    }
}

/// The keys that such tokens name.
pub(crate) fn stand_in_keys() -> Option<KeySet> {
    KeySet::parse(KEYS.as_bytes()).ok()
}

fn key_for(algorithm: &str) -> &'static str {
    match algorithm {
        "ES256" => "stand-in-P-256",
        "ES384" => "stand-in-P-384",
        "EdDSA" | "Ed25519" => "stand-in-Ed25519",
        _ => "stand-in-RSA",
    }
}

fn compact(header: &Value, claims: &Map<String, Value>) -> String {
    let claims = Value::Object(claims.clone()).to_string();
    let parts = [
        header.to_string(),
        claims,
        "there is no signature".to_owned(),
    ];
    parts.map(|part| URL_SAFE_NO_PAD.encode(part)).join(".")
}
