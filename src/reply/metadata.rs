//! The metadata of guarded resources (RFC 9728 §2).

use std::collections::BTreeSet;

use serde_json::{json, Map, Value};

use super::{LocalReply, Proofs, ReplyHeader, Resource};
use crate::crypto::Algorithm;
use crate::policy::{DpopUse, Instance, Policy, TokenFrom, WebhookRule};
use crate::token::TENANT;

/// How a client may send the token. There is no name for a cookie.
const BEARER_METHODS: &str = "bearer_methods_supported";

/// The metadata of the public API, for a client that wants a token.
pub fn api_metadata(policy: &Policy, instance: &Instance, resource: &Resource) -> LocalReply {
    let api = &instance.public_api;
    let mut document = document(policy, api.providers.as_ref(), resource, false);
    let mut put = |name: &str, value: Option<Value>| {
        document.extend(value.map(|value| (name.to_owned(), value)));
    };
    put("scopes_supported", listed(&api.scopes_supported));
    put(
        "resource_name",
        api.resource_name.as_deref().map(Value::from),
    );
    let documentation = api.resource_documentation.as_deref();
    put("resource_documentation", documentation.map(Value::from));
    reply(document)
}

/// The metadata of a webhook, form or MCP trigger. Of its rule, only the providers and what the operator
/// wrote for clients are in it: an unverified client must not learn which callers the rule admits.
pub fn trigger_metadata(policy: &Policy, rule: &WebhookRule, resource: &Resource) -> LocalReply {
    let requires_proof = rule.dpop == DpopUse::Required;
    let providers = rule.require.providers.as_ref();
    let mut document = document(policy, providers, resource, requires_proof);
    if matches!(rule.token_from, Some(TokenFrom::Query(_))) {
        document.insert(BEARER_METHODS.to_owned(), json!(["header", "query"]));
    }
    if let Some(scopes) = listed(&rule.scopes_supported) {
        document.insert("scopes_supported".to_owned(), scopes);
    }
    reply(document)
}

/// The response to a CORS preflight of a metadata document. Scripts of any site may read the
/// documents with headers of their own: MCP clients in browsers send `mcp-protocol-version`. With
/// `*`, browsers send no credentials (Fetch standard, CORS protocol).
pub fn metadata_preflight() -> LocalReply {
    LocalReply {
        status: 204,
        headers: vec![
            any_origin(),
            ("access-control-allow-methods", "GET, HEAD".into()),
            ("access-control-allow-headers", "*".into()),
            ("access-control-max-age", "300".into()),
        ],
        cookies: Vec::new(),
        body: String::new(),
    }
}

fn document(
    policy: &Policy,
    providers: Option<&BTreeSet<String>>,
    resource: &Resource<'_>,
    requires_proof: bool,
) -> Map<String, Value> {
    let mut document = Map::new();
    document.insert("resource".to_owned(), json!(resource.identifier()));
    document.insert(BEARER_METHODS.to_owned(), json!(["header"]));
    if let Some(servers) = listed(&authorization_servers(policy, providers)) {
        document.insert("authorization_servers".to_owned(), servers);
    }
    if resource.proofs != Proofs::NotTaken {
        let mut taken = policy
            .providers
            .iter()
            .filter(|provider| providers.is_none_or(|names| names.contains(&*provider.name)));
        let requires_proof =
            requires_proof || taken.all(|provider| provider.dpop == DpopUse::Required);
        if requires_proof {
            let name = "dpop_bound_access_tokens_required".to_owned();
            document.insert(name, json!(true));
        }
        let name = "dpop_signing_alg_values_supported".to_owned();
        document.insert(name, json!(Algorithm::names()));
    }
    // Only if the operator says so: whether the listener asks for certificates, Envoy alone knows.
    if policy.client_certificates.is_some() {
        let name = "tls_client_certificate_bound_access_tokens".to_owned();
        document.insert(name, json!(true));
    }
    document
}

/// A member with no values is left out (RFC 9728 §3.2).
fn listed(values: &[String]) -> Option<Value> {
    (!values.is_empty()).then(|| json!(values))
}

/// The issuers of these providers, or of all. A template for several tenants is left out: it is no
/// issuer (RFC 8414 §2), and a client could not check the metadata that it found there. Where one
/// tenant is allowed, its issuer stands in place of the template.
fn authorization_servers(policy: &Policy, providers: Option<&BTreeSet<String>>) -> Vec<String> {
    let issuers = policy.issuers.iter().filter_map(|(issuer, id)| {
        let provider = policy.providers.get(id.0)?;
        if providers.is_some_and(|names| !names.contains(&*provider.name)) {
            return None;
        }
        if !issuer.contains(TENANT) {
            return Some(issuer.to_owned());
        }
        let mut tenants = provider.admission.tenants.iter().flatten();
        match (tenants.next(), tenants.next()) {
            (Some(tenant), None) => Some(issuer.replace(TENANT, tenant)),
            _ => None,
        }
    });
    issuers.collect()
}

fn reply(document: Map<String, Value>) -> LocalReply {
    LocalReply {
        status: 200,
        headers: vec![
            ("content-type", "application/json".into()),
            // The document depends on the host and the scheme of the request.
            ("cache-control", "private, max-age=300".into()),
            any_origin(),
        ],
        cookies: Vec::new(),
        body: Value::Object(document).to_string(),
    }
}

/// The documents hold no secrets, and clients in browsers need to read them.
fn any_origin() -> ReplyHeader {
    ("access-control-allow-origin", "*".into())
}
