//! The policy that all contestants enforce.

use std::collections::BTreeMap;

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use n8n_idp_gate::config;
use n8n_idp_gate::policy::IdentityHeader;
use serde_json::{json, Value};

use crate::server::{wasm_filter, Chain};
use crate::support::environment::Variables;
use crate::support::{installed, Outcome};

/// The provider of all tokens but those of many providers.
pub(crate) const ISSUER: &str = "https://idp-0.example.test/realms/main";

/// What the tokens are for.
pub(crate) const AUDIENCE: &str = "api://n8n-api";

/// The role that the tokens have.
pub(crate) const READER: &str = "N8N.Workflow.Read";

/// The OAuth client of the tokens: always the last of the principals.
pub(crate) const CLIENT: &str = "application-9";

/// The name of that principal.
pub(crate) const PRINCIPAL: &str = "for-application-9";

/// The path of a webhook that takes the tokens.
pub(crate) const HOOK: &str = "/webhook/hook";

/// The OAuth clients of this number of principals.
pub(crate) fn clients(count: usize) -> Vec<String> {
    (1..count)
        .map(|number| format!("other-{number}"))
        .chain([CLIENT.to_owned()])
        .collect()
}

/// The API key of a principal: ten different ones, for any number of principals.
pub(crate) fn api_key(principal: usize) -> String {
    format!("n8n-key-of-principal-{}", principal % 10)
}

/// The variable of that key.
pub(crate) fn variable(principal: usize) -> String {
    format!("N8N_KEY_{}", principal % 10)
}

/// The API key that requests with a good token must have at the upstream.
pub(crate) fn expected_key() -> String {
    api_key(9)
}

/// The gate's configuration for one provider with these keys.
pub(crate) fn gate(keys: &Value, principals: usize) -> Value {
    policy(&[provider("idp", ISSUER, keys)], principals)
}

/// The gate's configuration for many providers.
pub(crate) fn gate_of_many(sets: &[Value]) -> Value {
    let providers: Vec<Value> = (0..)
        .zip(sets)
        .map(|(number, set)| {
            let issuer = set["issuer"].as_str().unwrap_or_default();
            provider(
                &format!("idp-{number}"),
                issuer,
                &json!({ "keys": set["keys"] }),
            )
        })
        .collect();
    policy(&providers, 10)
}

/// The gate's configuration for this number of providers; that of the tokens is the last one.
pub(crate) fn gate_of_providers(keys: &Value, providers: usize) -> Value {
    let others = (1..providers).map(|number| {
        let issuer = format!("https://other-{number}.example.test/");
        provider(&format!("other-{number}"), &issuer, &unused_keys(number))
    });
    let all: Vec<Value> = others.chain([provider("idp", ISSUER, keys)]).collect();
    policy(&all, 10)
}

/// A key set with one RSA key of 2048 bits that no token is signed with.
fn unused_keys(number: usize) -> Value {
    let mut modulus = [0xa5; 256];
    for (byte, other) in modulus.iter_mut().skip(1).zip(number.to_be_bytes()) {
        *byte = other;
    }
    let modulus = URL_SAFE_NO_PAD.encode(modulus);
    json!({ "keys": [ { "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "unused",
        "n": modulus, "e": "AQAB" } ] })
}

/// The gate's configuration for this number of guarded webhooks; [`HOOK`] is the last one.
pub(crate) fn gate_of_webhooks(keys: &Value, webhooks: usize) -> Value {
    let rule = |path: &str, role: &str| json!({ "path": path, "require": { "roles": role } });
    let others = (1..webhooks).map(|number| {
        rule(
            &format!("/webhook/hook-{number}"),
            &format!("Hook.{number}"),
        )
    });
    let mut gate = gate(keys, 10);
    gate["webhooks"] = others.chain([rule(HOOK, READER)]).collect();
    gate
}

fn provider(name: &str, issuer: &str, keys: &Value) -> Value {
    json!({ "name": name, "issuer": issuer, "audiences": [AUDIENCE], "jwks": keys })
}

fn policy(providers: &[Value], principals: usize) -> Value {
    let principals: Vec<Value> = clients(principals)
        .iter()
        .enumerate()
        .map(|(at, client)| {
            json!({
                "name": format!("for-{client}"),
                "match": { "client": client },
                "api_key": { "env": variable(at) },
            })
        })
        .collect();
    json!({
        "providers": providers,
        "roles": { READER: ["workflow:list", "workflow:read"] },
        "principals": principals,
    })
}

/// The same with the caller in every identity header and in filter state.
pub(crate) fn naming_the_caller(gate: &Value) -> Value {
    let mut gate = gate.clone();
    gate["public_api"]["identity_headers"] = json!(IdentityHeader::ALL.map(IdentityHeader::as_str));
    gate["caller_properties"] = json!(["principal", "client", "subject"]);
    gate
}

/// The gate with this configuration.
pub(crate) fn chain(name: &'static str, configuration: &Value) -> Outcome<Chain> {
    chain_with(name, configuration, keys().collect())
}

/// The API keys of all principals, by their variables.
pub(crate) fn keys() -> impl Iterator<Item = (String, String)> {
    (0..10).map(|at| (variable(at), api_key(at)))
}

/// The gate with this configuration and with API keys for its variables.
pub(crate) fn chain_with(
    name: &'static str,
    configuration: &Value,
    keys: BTreeMap<String, String>,
) -> Outcome<Chain> {
    let variables: Vec<String> = keys.keys().cloned().collect();
    let filter = wasm_filter(&installed::wasm()?, configuration, &variables);
    let mut chain = Chain::new(name, vec![filter]);
    chain.environment = keys.into_iter().collect();
    Ok(chain)
}

/// Whether the filter of this checkout reads the configuration. If it does not have a setting yet,
/// the setting is not measured.
pub(crate) fn is_understood(configuration: &Value) -> bool {
    config::load(configuration.to_string().as_bytes(), &Variables::All).is_ok()
}
