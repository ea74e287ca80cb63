//! A gate that makes users, before a scripted n8n.

use serde_json::{json, Value};

use super::n8n::N8n;
use crate::gate::{policy, provider};
use crate::support::envoy::{Envoy, Setup};
use crate::support::scripted_provider::ScriptedProvider;

pub(crate) const PROVISIONING_KEY: &str = "secret-provisioning-key-of-n8n";
pub(crate) const SEED: &str = "secret-seed-of-the-passwords";

pub(crate) struct Stage {
    pub(crate) n8n: N8n,
    pub(crate) envoy: Envoy,
    _provider: ScriptedProvider,
}

/// Every client has a user of its own.
pub(crate) fn stage(workers: usize, log_level: &'static str) -> Stage {
    changed(workers, log_level, |_| ())
}

/// The same with another policy.
pub(crate) fn changed(
    workers: usize,
    log_level: &'static str,
    change: impl FnOnce(&mut Value),
) -> Stage {
    let provider = provider();
    let n8n = N8n::start(PROVISIONING_KEY);
    let mut policy = policy();
    policy["n8n"] = json!({"cluster": "n8n", "api_key": {"env": "N8N_PROVISIONING_KEY"},
        "seed": {"env": "N8N_SEED"}});
    policy["principals"] = json!([{"name": "apps", "match": {"any": true},
        "user": {"per": "client"}}]);
    change(&mut policy);
    let setup = Setup::minimal(policy, n8n.port()).unwrap();
    let envoy = setup
        .cluster("idp", provider.port())
        .cluster("n8n", n8n.port())
        .secret("N8N_PROVISIONING_KEY", PROVISIONING_KEY)
        .secret("N8N_SEED", SEED)
        .workers(workers)
        .log_level(log_level)
        .start();
    Stage {
        n8n,
        envoy: envoy.unwrap(),
        _provider: provider,
    }
}
