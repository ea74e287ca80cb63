//! oauth2-proxy, asked over HTTP. It verifies the token and asks for one role, whatever the operation is.
//! It maps no caller to a key: behind it, Envoy sets one key for all.

use serde_json::{json, Value};

use super::{ext_authz, Peer, Place, Setup, PATIENCE};
use crate::contestants::{chain, Requirement};
use crate::policy::{AUDIENCE, ISSUER, READER};
use crate::server::Chain;

const KEY: &str = "the-key-for-all";

pub(super) fn chain(keys: &[Value]) -> Chain {
    let ask = ext_authz(
        "http_service",
        &json!({
            "server_uri": { "uri": "http://127.0.0.1", "cluster": "peer", "timeout": PATIENCE },
            "authorization_response": {
                "allowed_upstream_headers": { "patterns": [ { "exact": "x-auth-request-user" } ] },
            },
        }),
    );
    let swap = json!({
        "name": "envoy.filters.http.header_mutation",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
            "mutations": { "request_mutations": [
                { "remove": "authorization" },
                { "append": {
                    "header": { "key": "x-n8n-api-key", "value": KEY },
                    "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
                } },
            ] },
        },
    });
    let mut chain = Chain::new(chain::OAUTH2_PROXY, vec![ask, swap]);
    chain.peer = Some(Peer {
        program: "oauth2-proxy",
        setup,
        is_grpc: false,
        keys: keys.to_vec(),
    });
    chain
}

pub(super) fn good_outcome() -> Requirement {
    Requirement::Swapped(KEY.to_owned())
}

/// Its logs are off, as the gate's are.
fn setup(place: &Place) -> Setup {
    let no_page = "http://127.0.0.1/";
    let with_values = [
        ("http-address", format!("127.0.0.1:{}", place.port)),
        ("provider", "oidc".to_owned()),
        ("oidc-issuer-url", ISSUER.to_owned()),
        ("oidc-jwks-url", place.keys.clone()),
        ("login-url", no_page.to_owned()),
        ("redeem-url", no_page.to_owned()),
        ("client-id", AUDIENCE.to_owned()),
        ("client-secret", "none".to_owned()),
        (
            "cookie-secret",
            "0123456789abcdef0123456789abcdef".to_owned(),
        ),
        ("email-domain", "*".to_owned()),
        ("oidc-email-claim", "sub".to_owned()),
        ("oidc-groups-claim", "roles".to_owned()),
        ("allowed-group", READER.to_owned()),
        ("api-route", "^/".to_owned()),
        ("upstream", "static://200".to_owned()),
        ("trusted-proxy-ip", "127.0.0.1".to_owned()),
    ];
    let switches = [
        "skip-oidc-discovery",
        "skip-claims-from-profile-url",
        "skip-jwt-bearer-tokens",
        "reverse-proxy",
        "set-xauthrequest",
        "request-logging=false",
        "auth-logging=false",
        "standard-logging=false",
    ];
    let switches = switches.map(|name| format!("--{name}"));
    let arguments = with_values.map(|(name, value)| format!("--{name}={value}"));
    Setup {
        files: Vec::new(),
        arguments: arguments.into_iter().chain(switches).collect(),
    }
}
