//! The discovery document of a provider (OpenID Connect Discovery 1.0 §3, RFC 8414 §2).

use super::KeysFault;
use crate::formats::json::{self, Document, Value};
use crate::http::{Address, Endpoint};
use crate::policy::Provider;

/// How deep a discovery document may be nested. The standard ones are two levels deep.
const MAX_DEPTH: usize = 16;

/// The longest address of a token endpoint that is kept, in bytes.
const MAX_TOKEN_ENDPOINT: usize = 512;

/// Reads where a provider's key set is, and where clients get tokens, if the document says so in a way
/// that can be shown to them.
///
/// The document's `issuer` must be the one that was configured, code point by code point
/// (RFC 8414 §4): otherwise one tenant's document could bring another tenant's keys. The call for
/// the keys goes to `cluster`, whatever host the document names.
pub(super) fn endpoints(
    document: &[u8],
    issuer: &str,
    cluster: &str,
) -> Result<(Endpoint, Option<String>), KeysFault> {
    let text = json::without_mark(document);
    let malformed = KeysFault::DocumentMalformed;
    let document = Document::read(text, MAX_DEPTH).map_err(|_| {
        malformed(if json::is_page(text) {
            "it is a page (HTML or XML)"
        } else {
            "it is not a JSON object that can be read"
        })
    })?;
    let member = |name, missing| {
        let text = document.get(name).and_then(Value::as_str);
        text.ok_or(malformed(missing))
    };
    if document.get("keys").is_some() && document.get("issuer").is_none() {
        return Err(malformed(
            "it is a JWK set: its address belongs into `jwks_uri`",
        ));
    }
    let found = member("issuer", "it has no `issuer`")?;
    if found != issuer {
        return Err(KeysFault::IssuerMismatch {
            expected: issuer.to_owned(),
            found: found.to_owned(),
        });
    }
    let found = member("jwks_uri", "it has no `jwks_uri`")?;
    let unusable = |why: String| KeysFault::JwksUri {
        found: found.to_owned(),
        why,
    };
    let keys = Address::parse(found).map_err(|fault| unusable(fault.to_string()))?;
    let may_be_plaintext = issuer.starts_with("http://");
    if keys.is_plaintext() && !may_be_plaintext {
        return Err(unusable("is http, and the issuer is https".to_owned()));
    }
    let token_endpoint = document.get("token_endpoint").and_then(Value::as_str);
    let token_endpoint = token_endpoint.filter(|uri| {
        let is_plain = uri.len() <= MAX_TOKEN_ENDPOINT && uri.bytes().all(|b| b.is_ascii_graphic());
        is_plain && Address::parse(uri).is_ok_and(|uri| may_be_plaintext || !uri.is_plaintext())
    });
    Ok((
        keys.endpoint(cluster, ""),
        token_endpoint.map(str::to_owned),
    ))
}

/// Where a provider's key set is, by a document that was given as its discovery document.
///
/// # Errors
///
/// What would be wrong with the document if it came from the provider.
pub fn read_discovery(provider: &Provider, document: &[u8]) -> Result<String, KeysFault> {
    let issuer = provider.token.issuers.discovery.as_str();
    let (keys, _) = endpoints(document, issuer, "")?;
    Ok(format!("{}://{}{}", keys.scheme, keys.authority, keys.path))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::token::TENANT;

    /// Entra's document for several tenants has a placeholder for the tenant.
    #[test]
    fn a_document_of_many_tenants_names_their_issuer_with_a_placeholder() {
        let many = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
        let one = "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0";
        let document = json!({
            "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0",
            "jwks_uri": "https://login.microsoftonline.com/organizations/discovery/v2.0/keys",
        });
        let document = document.to_string().into_bytes();
        let keys = endpoints(&document, &many, "entra").map(|(keys, _)| keys.path);
        assert_eq!(keys, Ok("/organizations/discovery/v2.0/keys".to_owned()));
        let of_one = endpoints(&document, one, "entra");
        let mismatch = KeysFault::IssuerMismatch {
            expected: one.to_owned(),
            found: "https://login.microsoftonline.com/{tenantid}/v2.0".to_owned(),
        };
        assert_eq!(of_one, Err(mismatch));
    }

    /// It is for clients, and the gate does without one.
    #[test]
    fn a_token_endpoint_that_no_client_should_use_is_not_kept() {
        let kept = |token_endpoint: serde_json::Value| {
            let document = json!({
                "issuer": "https://id.example.com",
                "jwks_uri": "https://id.example.com/keys",
                "token_endpoint": token_endpoint,
            });
            let document = document.to_string().into_bytes();
            let (_, kept) = endpoints(&document, "https://id.example.com", "id").unwrap();
            kept
        };
        let good = "https://id.example.com/token";
        assert_eq!(kept(json!(good)), Some(good.to_owned()));
        for bad in [
            json!("http://id.example.com/token"),
            json!("https://id.example.com/\n"),
            json!("https://id.example.com/é"),
            json!("javascript:alert(1)"),
            json!(format!("{good}/{}", "a".repeat(MAX_TOKEN_ENDPOINT))),
            json!(7),
            json!(null),
        ] {
            assert_eq!(kept(bad.clone()), None, "{bad}");
        }
    }
}
