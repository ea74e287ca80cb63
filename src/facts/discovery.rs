//! The discovery document of a provider (OpenID Connect Discovery 1.0 §3, RFC 8414 §2).

use serde_json::Value;

use super::FetchFault;
use crate::address::Address;
use crate::json;
use crate::policy::Endpoint;

/// How deep a discovery document may be nested. The standard ones are two levels deep.
const MAX_DEPTH: usize = 16;

/// Reads where a provider's key set is.
///
/// The document's `issuer` must be the one that was configured, code point by code point
/// (RFC 8414 §4): otherwise one tenant's document could bring another tenant's keys. The call for
/// the keys goes to `cluster`, whatever host the document names.
pub(super) fn jwks_endpoint(
    document: &[u8],
    issuer: &str,
    cluster: &str,
) -> Result<Endpoint, FetchFault> {
    let document = json::object(document, MAX_DEPTH).map_err(|_| FetchFault::DocumentMalformed)?;
    let member = |name| {
        document
            .get(name)
            .and_then(Value::as_str)
            .ok_or(FetchFault::DocumentMalformed)
    };
    if member("issuer")? != issuer {
        return Err(FetchFault::IssuerMismatch);
    }
    let keys = Address::parse(member("jwks_uri")?).map_err(|_| FetchFault::JwksUri)?;
    if keys.is_plaintext() && !issuer.starts_with("http://") {
        return Err(FetchFault::JwksUri);
    }
    Ok(keys.endpoint(cluster, ""))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::token::TENANT;

    /// Entra's document for several tenants writes the place for the tenant out.
    #[test]
    fn a_document_of_many_tenants_has_their_issuer_with_a_place_for_the_tenant() {
        let many = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
        let one = "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0";
        let document = json!({
            "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0",
            "jwks_uri": "https://login.microsoftonline.com/organizations/discovery/v2.0/keys",
        });
        let document = document.to_string().into_bytes();
        let keys = jwks_endpoint(&document, &many, "entra").map(|endpoint| endpoint.path);
        assert_eq!(keys, Ok("/organizations/discovery/v2.0/keys".to_owned()));
        let of_one = jwks_endpoint(&document, one, "entra");
        assert_eq!(of_one, Err(FetchFault::IssuerMismatch));
    }
}
