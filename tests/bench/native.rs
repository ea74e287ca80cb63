//! The same task done by Envoy's own filters, as far as they can: `jwt_authn` verifies the token,
//! RBAC checks the role against the operation, and Lua replaces the credential.
//!
//! It does less than the gate, because native filters cannot do more: few operations, no problem
//! document, no audit, no metrics by reason, and the n8n keys are in the configuration.

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use serde_json::{json, Value};

use crate::policy::{api_key, clients, AUDIENCE, ISSUER, READER};
use crate::server::Chain;

/// How many tokens `jwt_authn` may cache; the gate caches as many.
const CACHE: u64 = 4096;

/// The longest token that it caches, in bytes; the gate reads no longer ones.
const LONGEST: u64 = 16_384;

/// Which identity headers the chain sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// The issuer alone, as the gate does by default.
    Issuer,
    /// All of them.
    All,
}

/// The chain; with or without the cache of `jwt_authn`.
pub(crate) fn chain(
    name: &'static str,
    keys: &Value,
    is_cached: bool,
    identity: Identity,
) -> Chain {
    let filters = vec![jwt_authn(keys, is_cached, identity), rbac(), lua(identity)];
    let mut chain = Chain::new(name, filters);
    // The gate removes identity headers with underscores; Lua would have to read all headers.
    chain.drops_underscores = true;
    chain
}

/// `jwt_authn` alone, which refuses forged tokens.
fn jwt_authn(keys: &Value, is_cached: bool, identity: Identity) -> Value {
    let header = |claim: &str, header: &str| json!({ "claim_name": claim, "header_name": header });
    // Lua finds the key by the client.
    let mut headers = vec![
        header("azp", "x-auth-client"),
        header("iss", "x-auth-issuer"),
    ];
    if identity == Identity::All {
        headers.push(header("sub", "x-auth-subject"));
        headers.push(header("roles", "x-auth-roles"));
        headers.push(header("scope", "x-auth-scopes"));
    }
    let mut provider = json!({
        "issuer": ISSUER,
        "audiences": [AUDIENCE],
        "local_jwks": { "inline_string": keys.to_string() },
        "clock_skew_seconds": 30,
        "forward": false,
        "payload_in_metadata": "claims",
        "claim_to_headers": headers,
    });
    if is_cached {
        provider["jwt_cache_config"] =
            json!({ "jwt_cache_size": CACHE, "jwt_max_token_size": LONGEST });
    }
    json!({
        "name": "envoy.filters.http.jwt_authn",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": { "idp": provider },
            "rules": [
                // A request with an API key passes.
                { "match": {
                    "prefix": "/api/v1",
                    "headers": [ { "name": "x-n8n-api-key", "present_match": true } ],
                } },
                { "match": { "prefix": "/api/v1" }, "requires": { "provider_name": "idp" } },
            ],
        },
    })
}

/// How `jwt_authn` writes the roles into a header: a list of JSON in Base64.
pub(crate) fn roles() -> String {
    URL_SAFE_NO_PAD.encode(json!([READER]).to_string())
}

fn rbac() -> Value {
    let get = json!({ "header": { "name": ":method", "string_match": { "exact": "GET" } } });
    let one =
        json!({ "url_path": { "path": { "safe_regex": { "regex": "/api/v1/workflows/[^/]+" } } } });
    let all = json!({ "url_path": { "path": { "exact": "/api/v1/workflows" } } });
    let is_reader = json!({ "metadata": {
        "filter": "envoy.filters.http.jwt_authn",
        "path": [ { "key": "claims" }, { "key": "roles" } ],
        "value": { "list_match": { "one_of": { "string_match": { "exact": READER } } } },
    } });
    json!({
        "name": "envoy.filters.http.rbac",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
            "rules": { "action": "ALLOW", "policies": {
                "readers": {
                    "permissions": [ { "and_rules": { "rules": [get, { "or_rules": { "rules": [all, one] } }] } } ],
                    "principals": [is_reader],
                },
                "static-keys": {
                    "permissions": [ { "header": { "name": "x-n8n-api-key", "present_match": true } } ],
                    "principals": [ { "any": true } ],
                },
            } },
        },
    })
}

fn lua(identity: Identity) -> Value {
    let principals: Vec<String> = (0..)
        .zip(clients(10))
        .map(|(at, client)| {
            let key = api_key(at);
            format!("[\"{client}\"] = {{ name = \"for-{client}\", key = \"{key}\" }}")
        })
        .collect();
    let principals = principals.join(", ");
    let named = match identity {
        Identity::Issuer => ISSUER_ALONE,
        Identity::All => ALL_NAMES,
    };
    let script = SCRIPT.replace("NAMED", named);
    let script = format!("local principals = {{ {principals} }}\n{script}");
    json!({
        "name": "envoy.filters.http.lua",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
            "default_source_code": { "inline_string": script },
        },
    })
}

/// What the client made up of the other headers goes.
const ISSUER_ALONE: &str = r#"
  headers:remove("x-auth-subject")
  headers:remove("x-auth-client")
  headers:remove("x-auth-kind")
  headers:remove("x-auth-email")
  headers:remove("x-auth-roles")
  headers:remove("x-auth-scopes")
  headers:remove("x-auth-principal")
"#;

const ALL_NAMES: &str = r#"
  headers:replace("x-auth-principal", principal.name)
  headers:replace("x-auth-kind", headers:get("x-auth-subject") == client and "app" or "user")
  headers:remove("x-auth-email")
"#;

/// `jwt_authn` has replaced the headers that it makes of claims, and removed `authorization`, unless the
/// client sent an API key. Reading headers is cheaper here than reading the claims.
const SCRIPT: &str = r#"
local function without_session(cookies)
  local kept = {}
  for cookie in cookies:gmatch("[^;%s][^;]*") do
    if cookie:sub(1, 9) ~= "n8n-auth=" then kept[#kept + 1] = cookie end
  end
  return table.concat(kept, "; ")
end

function envoy_on_request(handle)
  local headers = handle:headers()
  if headers:get("x-n8n-api-key") then
    if headers:get("authorization") then
      handle:respond({ [":status"] = "400" }, "two credentials")
      return
    end
    headers:remove("x-auth-subject")
    headers:remove("x-auth-client")
    headers:remove("x-auth-issuer")
    headers:remove("x-auth-kind")
    headers:remove("x-auth-email")
    headers:remove("x-auth-roles")
    headers:remove("x-auth-scopes")
    headers:remove("x-auth-principal")
    return
  end
  local client = headers:get("x-auth-client")
  local principal = principals[client]
  if not principal then
    handle:respond({ [":status"] = "403" }, "no principal")
    return
  end
  headers:add("x-n8n-api-key", principal.key)
  NAMED
  local cookies = headers:get("cookie")
  if cookies and cookies:find("n8n-auth=", 1, true) then
    headers:replace("cookie", without_session(cookies))
  end
end
"#;
