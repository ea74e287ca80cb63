//! Signatures checked by the host's own library, which is much faster: BoringSSL in Envoy.
//!
//! Envoy offers it as the foreign function `verify_signature`. No specification says what a host must do
//! under that name, so that it is used only for the algorithms for which it passed the self-test.

use std::cell::Cell;

use super::foreign::{ask, host_form, ForeignFunctions};
use super::self_test::{self, Deviation};
use super::verifier::{CryptoPath, SignatureVerifier, Verification};
use super::{Algorithm, GuestCrypto, PublicKey};

/// Has signatures checked by the host, or by [`GuestCrypto`] for algorithms that the host does not offer
/// (PSS and Ed25519 in Envoy) or that deviated in the self-test.
#[derive(Debug)]
pub struct HostCrypto<F, R> {
    functions: F,
    /// Gets each algorithm for which the host fails after it passed the self-test.
    report: R,
    /// What the host checks. A flag becomes `false` at the first call that fails, and stays so: the
    /// host does not behave as it did in the self-test.
    trusted: Vec<(Algorithm, Cell<bool>)>,
}

impl<F: ForeignFunctions, R: Fn(Algorithm)> HostCrypto<F, R> {
    /// Tests the host for each algorithm. The result has the deviations. `report` gets an algorithm
    /// when the host fails to check one of its signatures later: it is not asked again.
    pub fn tested(functions: F, report: R) -> (Self, Vec<Deviation>) {
        let mut trusted = Vec::new();
        let mut deviations = Vec::new();
        for result in self_test::run(&functions) {
            match result {
                Ok(algorithm) => trusted.push((algorithm, Cell::new(true))),
                Err(deviation) => deviations.push(deviation),
            }
        }
        let crypto = Self {
            functions,
            report,
            trusted,
        };
        (crypto, deviations)
    }

    /// The algorithms that the host checks.
    pub fn algorithms(&self) -> impl Iterator<Item = Algorithm> + '_ {
        let trusted = self.trusted.iter().filter(|(_, trusted)| trusted.get());
        trusted.map(|(algorithm, _)| *algorithm)
    }

    fn distrust(&self, algorithm: Algorithm) {
        for (of, trusted) in &self.trusted {
            if *of == algorithm {
                trusted.set(false);
            }
        }
        (self.report)(algorithm);
    }
}

impl<F: ForeignFunctions, R: Fn(Algorithm)> SignatureVerifier for HostCrypto<F, R> {
    fn verify(
        &self,
        key: &PublicKey,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Verification {
        // The guest refuses at once what does not have the form of a signature.
        if key.fits(algorithm) && self.algorithms().any(|trusted| trusted == algorithm) {
            if let Some(signature) = host_form(&key.material, signature) {
                match ask(&self.functions, algorithm, &key.spki, message, &signature) {
                    Some(valid) => {
                        return Verification {
                            valid,
                            path: CryptoPath::Host,
                        }
                    }
                    None => self.distrust(algorithm),
                }
            }
        }
        GuestCrypto.verify(key, algorithm, message, signature)
    }
}

#[cfg(test)]
mod tests;
