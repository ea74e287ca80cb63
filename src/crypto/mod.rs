//! Keys and signatures: which JWKs are used, and whether a signature is good under one.

mod algorithm;
mod der;
mod foreign;
mod guest;
mod host;
mod jwk;
mod key_set;
mod public_key;
mod self_test;
mod skip_reason;
mod thumbprint;
mod verifier;

pub use algorithm::Algorithm;
pub use foreign::ForeignFunctions;
pub use guest::GuestCrypto;
pub use host::HostCrypto;
pub use jwk::MAX_KEY_ID_BYTES;
pub use key_set::{
    skipped_in_words, Candidates, KeySet, KeySetFault, SkippedKey, MAX_CANDIDATES, MAX_KEYS,
    MAX_KEY_SET_BYTES,
};
pub use public_key::PublicKey;
pub use self_test::Deviation;
pub use skip_reason::SkipReason;
pub use thumbprint::Thumbprint;
pub use verifier::{CryptoPath, SignatureVerifier, Verification};
