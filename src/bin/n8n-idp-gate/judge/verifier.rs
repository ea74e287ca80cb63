//! What checks signatures in the twin.

use n8n_idp_gate::crypto::{
    Algorithm, CryptoPath, GuestCrypto, PublicKey, SignatureVerifier, Verification,
};

/// The verifier of the filter, but for one token that was made of claims. It exists in the twin alone: no
/// code of the module can accept a token without its signature.
pub(crate) struct Verifier<'u> {
    /// What the signature of that token would be over.
    pub(crate) unverified: Option<&'u [u8]>,
}

impl SignatureVerifier for Verifier<'_> {
    fn verify(
        &self,
        key: &PublicKey,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Verification {
        if self.unverified == Some(message) {
            return Verification {
                valid: true,
                path: CryptoPath::Guest,
            };
        }
        GuestCrypto.verify(key, algorithm, message, signature)
    }
}
