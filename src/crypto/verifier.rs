//! What checks a signature, and its result.

use super::{Algorithm, PublicKey};

/// Checks signatures. The guest does it in WebAssembly; a host may offer something faster.
pub trait SignatureVerifier {
    /// Whether `signature` (as JWS has it: fixed-length R‖S for ECDSA, RFC 7518 §3.4) over
    /// `message` was made with the private half of `key` under `algorithm`.
    fn verify(
        &self,
        key: &PublicKey,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Verification;
}

/// The outcome of one signature check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verification {
    /// Whether the signature is good.
    pub valid: bool,
    /// What checked it.
    pub path: CryptoPath,
}

/// What checked a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CryptoPath {
    /// This module, in WebAssembly.
    Guest,
    /// The host's own library.
    Host,
}

impl CryptoPath {
    /// The name in audit and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::Host => "host",
        }
    }
}
