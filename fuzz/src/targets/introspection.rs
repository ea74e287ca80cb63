//! Reads the response of a provider that was asked about a token.
//!
//! The first byte chooses how it was asked: `u` for userinfo, `g` for Google's tokeninfo, any other
//! for token introspection (RFC 7662).

use std::time::Duration;

use n8n_idp_gate::facts::{read_token_status, TokenStatus};
use n8n_idp_gate::http::Endpoint;
use n8n_idp_gate::policy::{Introspection, Protocol};
use n8n_idp_gate::time::UnixMillis;
use serde_json::Value;

use crate::world::NOW;

/// The target.
pub fn run(input: &[u8]) {
    let Some((kind, document)) = input.split_first() else {
        return;
    };
    let protocol = match kind {
        b'u' => Protocol::UserInfo,
        b'g' => Protocol::GoogleTokenInfo,
        _ => Protocol::Introspection {
            authorization: None,
            form: None,
            accept_untyped: false,
        },
    };
    let asked = Introspection {
        endpoint: Endpoint {
            cluster: "idp".to_owned(),
            scheme: "https".to_owned(),
            authority: "idp.example".to_owned(),
            path: "/".to_owned(),
        },
        protocol,
        always: false,
        token_prefixes: Vec::new(),
        ttl: Duration::from_secs(60),
        inactive_ttl: Duration::from_secs(60),
        timeout: Duration::from_secs(5),
    };
    let now = UnixMillis(NOW.saturating_mul(1_000));
    let Ok(status) = read_token_status(&asked, document.to_vec(), now) else {
        return;
    };
    let text = document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document);
    let document: Value = serde_json::from_slice(text).expect("JSON");
    assert!(document.is_object(), "{document}");
    let has_subject = document["sub"].as_str().is_some_and(|sub| !sub.is_empty());
    match (&asked.protocol, status) {
        (Protocol::Introspection { .. }, status) => {
            let says = document["active"].as_bool().expect("a boolean");
            assert_eq!(matches!(status, TokenStatus::Active(_)), says, "{document}");
        }
        (Protocol::UserInfo, status) => {
            assert_eq!(
                matches!(status, TokenStatus::Active(_)),
                has_subject,
                "{document}"
            );
        }
        (Protocol::GoogleTokenInfo, status) => {
            let TokenStatus::Active(response) = status else {
                panic!("tokeninfo does not say so: {document}");
            };
            for (name, value) in response.claims().object().members() {
                let own = &document[name];
                assert!(
                    *own == value.to_value() || own.is_string(),
                    "{name} is made up: {document}"
                );
            }
        }
    }
}
