//! Signed deliveries, and the same bodies under a rule that checks nothing.
//!
//! Both chains read the whole body: behind the gate is Envoy's own filter that buffers it. So the difference
//! is what the signature costs, and not the body.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use hmac_sha256::HMAC;
use serde_json::{json, Value};

use crate::contestants::{chain, traffic, Contestant, Requirement};
use crate::policy;
use crate::server::Chain;
use crate::settings::folder;
use crate::support::Outcome;
use crate::tokens::Tokens;
use crate::wrk::Credential;

const SECRET: &str = "a-secret-of-the-benchmark";
const VARIABLE: &str = "N8N_WEBHOOK_SECRET";

/// The path of deliveries.
const PATH: &str = "/webhook/signed";

/// The sizes of the bodies, in bytes: less than what Envoy holds of a request.
pub(crate) const SIZES: [(&str, u32); 2] = [(traffic::SMALL, 1_000), (traffic::LARGE, 1_000_000)];

/// A delivery, sent again and again.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    /// The file with its body.
    pub(crate) file: PathBuf,
    /// Its path.
    pub(crate) path: &'static str,
    /// The name of the header with its signature.
    pub(crate) header: &'static str,
    /// The signature.
    pub(crate) signature: String,
}

/// The chain that checks signatures, and the one that checks nothing.
pub(crate) fn chains(tokens: &Tokens) -> Outcome<Vec<Chain>> {
    let signed = json!({ "path": "/webhook/**", "auth": "signature", "signature": {
        "sender": "github", "secrets": [{ "env": VARIABLE }], "replay": "pass" } });
    let open = json!({ "path": "/webhook/**", "auth": "open" });
    let rules = [(chain::SIGNED, signed), (chain::OPEN, open)];
    let chains = rules.into_iter().map(|(name, rule)| {
        let mut gate = policy::gate(&tokens.keys, 10);
        gate["webhooks"] = json!([rule]);
        let keys = policy::keys().chain([(VARIABLE.to_owned(), SECRET.to_owned())]);
        let mut chain = policy::chain_with(name, &gate, keys.collect())?;
        for filter in &mut chain.filters {
            filter["typed_config"]["config"]["allow_on_headers_stop_iteration"] = json!(true);
        }
        chain.filters.push(buffer());
        Ok(chain)
    });
    chains.collect()
}

/// Envoy's filter that holds a body until it is whole.
fn buffer() -> Value {
    json!({ "name": "buffer", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer",
        "max_request_bytes": 1_048_576 } })
}

/// Each body under both rules.
pub(crate) fn contestants() -> Outcome<Vec<Contestant>> {
    let mut all = Vec::new();
    for (traffic, size) in SIZES {
        let body = vec![b'x'; usize::try_from(size)?];
        let file = folder().join(format!("delivery-{size}"));
        fs::create_dir_all(folder())?;
        fs::write(&file, &body)?;
        let code = HMAC::mac(&body, SECRET.as_bytes());
        let code = code.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        let delivery = Delivery {
            file,
            path: PATH,
            header: "X-Hub-Signature-256",
            signature: format!("sha256={code}"),
        };
        for (chain, requirement) in [
            (chain::OPEN, Requirement::Passed),
            (chain::SIGNED, Requirement::Signed),
        ] {
            all.push(Contestant {
                chain,
                traffic,
                credential: Credential::Delivery(delivery.clone()),
                requirement,
            });
        }
    }
    Ok(all)
}
