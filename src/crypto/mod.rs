//! Keys and signatures: what a JWK is worth, and whether a signature was made by it.

mod algorithm;
mod der;
mod guest;
mod host;
mod jwk;
mod key_set;
mod public_key;
mod self_test;
mod skip_reason;

pub use algorithm::Algorithm;
pub use guest::GuestCrypto;
pub use host::{ForeignFunctions, HostCrypto};
pub use jwk::MAX_KEY_ID_BYTES;
pub use key_set::{
    skipped_in_words, Candidates, KeySet, KeySetFault, SkippedKey, MAX_CANDIDATES, MAX_KEYS,
    MAX_KEY_SET_BYTES,
};
pub use public_key::PublicKey;
pub use self_test::Deviation;
pub use skip_reason::SkipReason;

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
    /// Who did the work.
    pub path: CryptoPath,
}

/// Who did the work of a signature check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CryptoPath {
    /// This module, in WebAssembly.
    Guest,
    /// The host's own library.
    Host,
}

impl CryptoPath {
    /// The word used in audit and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::Host => "host",
        }
    }
}
