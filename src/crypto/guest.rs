//! Signatures checked in WebAssembly, with jwt-simple's key types and primitives.

use hmac_sha256::Hash as Sha256;
use hmac_sha512::sha384::Hash as Sha384;
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use superboring::hash::MessageDigest;
use superboring::pkey::{PKey, Public};
use superboring::rsa::Padding;
use superboring::sign::{RsaPssSaltlen, Verifier};

use super::public_key::Material;
use super::{Algorithm, CryptoPath, PublicKey, SignatureVerifier, Verification};

/// Checks signatures without the host's help.
///
/// jwt-simple checks whole tokens only, with claim rules of its own; the rules of this gate are
/// stricter. So its keys are used here with the primitives that it is made of.
#[derive(Clone, Copy, Debug, Default)]
pub struct GuestCrypto;

impl SignatureVerifier for GuestCrypto {
    fn verify(
        &self,
        key: &PublicKey,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Verification {
        Verification {
            // Asked again here, though key choice did: no caller can make one kind of key check
            // another kind's signature.
            valid: key.fits(algorithm) && holds(&key.material, algorithm, message, signature),
            path: CryptoPath::Guest,
        }
    }
}

fn holds(material: &Material, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
    match material {
        // RFC 8017 §8.1.2, §8.2.2: a signature is as long as the modulus.
        Material::Rsa { key, octets } => {
            signature.len() == *octets
                && rsa_holds(key, algorithm, message, signature).unwrap_or(false)
        }
        // RFC 7518 §3.4: R and S of fixed length, and both between 1 and the order of the curve,
        // which stops the signature of zeros (CVE-2022-21449).
        Material::P256(key) => p256::ecdsa::Signature::from_slice(signature)
            .and_then(|signature| key.verify_prehash(&Sha256::hash(message), &signature))
            .is_ok(),
        Material::P384(key) => p384::ecdsa::Signature::from_slice(signature)
            .and_then(|signature| key.verify_prehash(&Sha384::hash(message), &signature))
            .is_ok(),
        Material::Ed25519(key) => ed25519_compact::Signature::from_slice(signature)
            .and_then(|signature| key.verify(message, &signature))
            .is_ok(),
    }
}

/// `None` for algorithms that are not RSA's, and if the primitive fails.
fn rsa_holds(
    key: &PKey<Public>,
    algorithm: Algorithm,
    message: &[u8],
    signature: &[u8],
) -> Option<bool> {
    let (digest, padding) = match algorithm {
        Algorithm::Rs256 => (MessageDigest::sha256(), Padding::PKCS1),
        Algorithm::Rs384 => (MessageDigest::sha384(), Padding::PKCS1),
        Algorithm::Rs512 => (MessageDigest::sha512(), Padding::PKCS1),
        Algorithm::Ps256 => (MessageDigest::sha256(), Padding::PKCS1_PSS),
        Algorithm::Ps384 => (MessageDigest::sha384(), Padding::PKCS1_PSS),
        Algorithm::Ps512 => (MessageDigest::sha512(), Padding::PKCS1_PSS),
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::EdDsa => return None,
    };
    let mut verifier = Verifier::new(digest, key).ok()?;
    verifier.set_rsa_padding(padding).ok()?;
    // RFC 7518 §3.5: the salt is as long as the digest, and the mask's digest is the same.
    verifier
        .set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)
        .ok()?;
    verifier.update(message).ok()?;
    verifier.verify(signature).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::KeySet;
    use crate::mint::{jwk_set, mint, KEY_KINDS};

    #[test]
    fn a_key_checks_signatures_of_its_own_kind_alone() {
        let message = b"message";
        for kind in KEY_KINDS {
            let mint = mint(kind);
            let set = KeySet::parse(&jwk_set(&[mint.jwk("k")])).unwrap();
            let key = &set.keys()[0];
            let own = Algorithm::parse(mint.algorithm()).unwrap();
            let signature = mint.signature(mint.algorithm(), message);
            let good: Vec<_> = Algorithm::ALL
                .into_iter()
                .filter(|algorithm| {
                    let check = GuestCrypto.verify(key, *algorithm, message, &signature);
                    assert_eq!(check.path, CryptoPath::Guest);
                    check.valid
                })
                .collect();
            assert_eq!(good, [own]);
        }
    }

    #[test]
    fn a_key_that_is_published_for_one_algorithm_checks_no_other() {
        let mint = mint(KEY_KINDS[0]);
        let mut jwk = mint.jwk("k");
        jwk["alg"] = "PS256".into();
        let set = KeySet::parse(&jwk_set(&[jwk])).unwrap();
        let valid = |algorithm: Algorithm| {
            let signature = mint.signature(algorithm.as_str(), b"message");
            let check = GuestCrypto.verify(&set.keys()[0], algorithm, b"message", &signature);
            check.valid
        };
        assert!(valid(Algorithm::Ps256));
        assert!(!valid(Algorithm::Ps384));
        assert!(!valid(Algorithm::Rs256));
    }

    #[test]
    fn a_signature_of_another_length_is_not_good() {
        for kind in KEY_KINDS {
            let mint = mint(kind);
            let set = KeySet::parse(&jwk_set(&[mint.jwk("k")])).unwrap();
            let algorithm = Algorithm::parse(mint.algorithm()).unwrap();
            let signature = mint.signature(mint.algorithm(), b"message");
            let shorter = signature.split_last().unwrap().1.to_vec();
            let longer = [signature.as_slice(), &[0]].concat();
            let led = [&[0], signature.as_slice()].concat();
            for other in [vec![], shorter, longer, led] {
                let check = GuestCrypto.verify(&set.keys()[0], algorithm, b"message", &other);
                assert!(!check.valid, "{kind:?}, {} octets", other.len());
            }
        }
    }
}
