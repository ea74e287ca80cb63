//! The paths of the programs that `make` installs below `.local`, and of the modules that it
//! builds.

use std::env;
use std::path::{Path, PathBuf};

use super::Outcome;

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The filter; `GATE_WASM` names another one.
pub(crate) fn wasm() -> Outcome<PathBuf> {
    found("GATE_WASM", "target/n8n-idp-gate.wasm", "make wasm")
}

/// The module of the conformance test; `HOST_CRYPTO_WASM` names another one.
pub(crate) fn host_crypto() -> Outcome<PathBuf> {
    found(
        "HOST_CRYPTO_WASM",
        "target/host-crypto.wasm",
        "scripts/build-wasm.sh host-crypto",
    )
}

/// The module that plays another plugin; `NEIGHBOUR_WASM` names another one.
pub(crate) fn neighbour() -> Outcome<PathBuf> {
    found(
        "NEIGHBOUR_WASM",
        "target/neighbour.wasm",
        "scripts/build-wasm.sh neighbour",
    )
}

/// The directory of rsyslog and Prometheus; `OBSERVERS_DIR` names another one.
pub(crate) fn observers() -> Outcome<PathBuf> {
    found(
        "OBSERVERS_DIR",
        ".local/observers",
        "scripts/install-observers.sh",
    )
}

/// Envoy; `ENVOY_BIN` names another one.
pub(crate) fn envoy() -> Outcome<PathBuf> {
    found("ENVOY_BIN", ".local/bin/envoy", "scripts/install-envoy.sh")
}

/// Node.js 24; `NODE24_BIN` names another one.
pub(crate) fn node() -> Outcome<PathBuf> {
    found("NODE24_BIN", ".local/bin/node24", "scripts/install-node.sh")
}

/// The directory whose `node_modules` holds `oidc-provider`.
pub(crate) fn provider() -> Outcome<PathBuf> {
    found(
        "PROVIDER_DIR",
        ".local/provider",
        "scripts/install-provider.sh",
    )
}

/// The directory of the clients of n8n and of MCP.
pub(crate) fn clients() -> Outcome<PathBuf> {
    found(
        "CLIENTS_DIR",
        ".local/clients",
        "scripts/install-clients.sh",
    )
}

/// The directory of the libraries of the examples for callers.
pub(crate) fn callers() -> Outcome<PathBuf> {
    found(
        "CALLERS_DIR",
        ".local/callers",
        "scripts/install-callers.sh",
    )
}

/// The directory of Keycloak.
pub(crate) fn keycloak() -> Outcome<PathBuf> {
    found(
        "KEYCLOAK_DIR",
        ".local/keycloak",
        "scripts/install-keycloak.sh",
    )
}

/// The directory into which `LemonLDAP::NG` was unpacked.
pub(crate) fn lemonldap() -> Outcome<PathBuf> {
    found(
        "LEMONLDAP_DIR",
        ".local/lemonldap",
        "scripts/install-lemonldap.sh",
    )
}

/// The registry client of Istio and Envoy Gateway, which is a registry too.
pub(crate) fn crane() -> Outcome<PathBuf> {
    found(
        "CRANE_BIN",
        ".local/crane/crane",
        "scripts/install-crane.sh",
    )
}

/// The directory of Ory Hydra.
pub(crate) fn hydra() -> Outcome<PathBuf> {
    found("HYDRA_DIR", ".local/hydra", "scripts/install-hydra.sh")
}

/// The directory of Spring Authorization Server.
pub(crate) fn spring() -> Outcome<PathBuf> {
    found("SPRING_DIR", ".local/spring", "scripts/install-spring.sh")
}

/// Chromium; `CHROMIUM_BIN` names another one.
pub(crate) fn chromium() -> Outcome<PathBuf> {
    found(
        "CHROMIUM_BIN",
        ".local/chromium/chromium",
        "scripts/install-chromium.sh",
    )
}

/// The directory whose `node_modules` holds n8n.
pub(crate) fn n8n() -> Outcome<PathBuf> {
    found("N8N_DIR", ".local/n8n", "scripts/install-n8n.sh")
}

fn found(variable: &str, usual: &str, remedy: &str) -> Outcome<PathBuf> {
    let path = env::var_os(variable).map_or_else(|| root().join(usual), PathBuf::from);
    if path.exists() {
        Ok(path)
    } else {
        Err(format!(
            "{} does not exist; `{remedy}` makes it, or {variable} names another path",
            path.display()
        )
        .into())
    }
}
