//! A configuration, from its text to what a worker needs of it.

use std::sync::Arc;

use log::Level;

use super::host::{now, Host};
use crate::config;
use crate::crypto::{Algorithm, GuestCrypto, HostCrypto, SignatureVerifier};
use crate::policy::{CryptoMode, Policy};

/// Reads a configuration, and logs what is wrong with it. `None`: nothing may pass. Workers on several
/// threads may share the policy, which never changes.
pub fn load<H: Host>(host: &H, text: &[u8]) -> Option<Arc<Policy>> {
    let loaded = match config::load(text, host) {
        Ok(loaded) => loaded,
        Err(errors) => {
            for line in errors.to_string().lines() {
                host.log(Level::Error, &format!("configuration: {line}"));
            }
            return None;
        }
    };
    for warning in &loaded.warnings {
        host.log(Level::Warn, &format!("configuration: {warning}"));
    }
    let policy = loaded.policy;
    let now = now(host).to_seconds();
    for warning in policy.expired_keys(now).chain(policy.expiring_keys(now)) {
        host.log(Level::Warn, &format!("configuration: {warning}"));
    }
    host.log(
        Level::Info,
        &format!(
            "n8n-idp-gate {}: {} providers, {} principals",
            env!("CARGO_PKG_VERSION"),
            policy.providers.len(),
            policy.instances.principals()
        ),
    );
    Some(Arc::new(policy))
}

/// Checks signatures with the host if it can be relied upon, else with the module's own code.
pub(super) fn signature_verifier<H: Host>(
    host: &H,
    mode: CryptoMode,
) -> Box<dyn SignatureVerifier> {
    if mode == CryptoMode::Guest {
        return Box::new(GuestCrypto);
    }
    let log = host.clone();
    let report = move |algorithm: Algorithm| {
        let algorithm = algorithm.as_str();
        log.log(
            Level::Warn,
            &format!(
                "the host failed to check a signature; the module checks {algorithm} from now on"
            ),
        );
    };
    let (crypto, deviations) = HostCrypto::tested(host.clone(), report);
    for deviation in deviations {
        host.log(
            Level::Warn,
            &format!("the host is not asked to check signatures of {deviation}"),
        );
    }
    let algorithms: Vec<_> = crypto.algorithms().map(Algorithm::as_str).collect();
    host.log(
        Level::Info,
        &format!("signatures checked by the host: {}", algorithms.join(" ")),
    );
    Box::new(crypto)
}
