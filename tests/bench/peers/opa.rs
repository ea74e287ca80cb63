//! Open Policy Agent, asked over gRPC, with a policy that does the gate's task as far as the benchmark
//! looks at it: `opa.rego`. It caches key set and verified tokens.

use serde_json::{json, Value};

use super::{ext_authz, Peer, Place, Setup, PATIENCE};
use crate::contestants::{chain, Requirement};
use crate::policy::{api_key, clients, expected_key, AUDIENCE, ISSUER, READER};
use crate::server::Chain;
use crate::support::installed;

/// How many verified tokens it caches; the gate caches as many.
const CACHE: u64 = 4096;

pub(super) fn chain(keys: &[Value]) -> Chain {
    let how = json!({ "envoy_grpc": { "cluster_name": "peer" }, "timeout": PATIENCE });
    let mut chain = Chain::new(chain::OPA, vec![ext_authz("grpc_service", &how)]);
    // The gate removes identity headers with underscores; the policy would have to read all headers.
    chain.drops_underscores = true;
    chain.peer = Some(Peer {
        program: "opa-envoy",
        setup,
        is_grpc: true,
        keys: keys.to_vec(),
    });
    chain
}

pub(super) fn good_outcome() -> Requirement {
    Requirement::Identified {
        key: expected_key(),
        roles: READER.to_owned(),
    }
}

fn setup(place: &Place) -> Setup {
    let principals: Value = (0..)
        .zip(clients(10))
        .map(|(at, client)| {
            let principal = json!({ "name": format!("for-{client}"), "key": api_key(at) });
            (client, principal)
        })
        .collect();
    let settings = json!({ "settings": {
        "jwks_uri": place.keys,
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "reader": READER,
        "principals": principals,
    } });
    let configuration = json!({
        "plugins": { "envoy_ext_authz_grpc": {
            "addr": format!("127.0.0.1:{}", place.port),
            "path": "bench/result",
        } },
        "caching": { "inter_query_builtin_value_cache": {
            "named": { "io_jwt": { "max_num_entries": CACHE } },
        } },
    });
    let policy = installed::root().join("tests/bench/peers/opa.rego");
    let [configuration_file, settings_file] =
        ["opa.json", "settings.json"].map(|name| place.folder.join(name).display().to_string());
    Setup {
        files: vec![("opa.json", configuration), ("settings.json", settings)],
        arguments: vec![
            "run".to_owned(),
            "--server".to_owned(),
            // Its own interface, which Envoy does not ask.
            format!("--addr=127.0.0.1:{}", place.other_port),
            "--disable-telemetry".to_owned(),
            "--log-level=error".to_owned(),
            format!("--config-file={configuration_file}"),
            policy.display().to_string(),
            settings_file,
        ],
    }
}
