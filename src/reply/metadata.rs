//! The metadata of the guarded resource (RFC 9728 §2).

use serde_json::json;

use super::{LocalReply, Resource};
use crate::policy::Policy;
use crate::token::TENANT;

/// The document that tells a client which authorization servers the public API trusts.
pub fn metadata(policy: &Policy, resource: &Resource) -> LocalReply {
    // Clients of any tenant begin where Entra has them begin.
    let server = |issuer: &String| issuer.replace(TENANT, "organizations");
    let servers: Vec<_> = policy.issuers.keys().map(server).collect();
    let document = json!({
        "resource": resource.identifier,
        "authorization_servers": servers,
        "bearer_methods_supported": ["header"],
    });
    LocalReply {
        status: 200,
        headers: vec![
            ("content-type", "application/json".to_owned()),
            ("cache-control", "private, max-age=300".to_owned()),
            // A document without secrets that browser clients must be able to read.
            ("access-control-allow-origin", "*".to_owned()),
        ],
        body: document.to_string(),
    }
}
