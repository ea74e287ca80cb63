//! A mint for test tokens: keys of every kind that the gate supports, and signatures with them.
//!
//! It uses no code of the gate, so that both cannot have the same error.

#![allow(dead_code, reason = "each test uses only a part of it")]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test must fail if its own tokens cannot be made"
)]

use std::sync::OnceLock;

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use jwt_simple::algorithms::{
    ECDSAP256KeyPairLike as _, ECDSAP256PublicKeyLike as _, ECDSAP384KeyPairLike as _,
    ECDSAP384PublicKeyLike as _, ES256KeyPair, ES384KeyPair, Ed25519KeyPair, EdDSAKeyPairLike as _,
    EdDSAPublicKeyLike as _, RS256KeyPair, RSAKeyPairLike as _, RSAPublicKeyLike as _,
};
use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use serde_json::{json, Value};
use superboring::hash::MessageDigest;
use superboring::pkey::PKey;
use superboring::rsa::Padding;
use superboring::sign::Signer;

/// Kinds of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    Rsa2048,
    P256,
    P384,
    Ed25519,
}

/// Every kind.
pub(crate) const KEY_KINDS: [KeyKind; 4] = [
    KeyKind::Rsa2048,
    KeyKind::P256,
    KeyKind::P384,
    KeyKind::Ed25519,
];

/// A key pair of a provider.
pub(crate) enum Mint {
    Rsa(RS256KeyPair),
    P256(ES256KeyPair),
    P384(ES384KeyPair),
    Ed25519(Ed25519KeyPair),
}

/// The key pair of this process for `kind`, made at the first call.
pub(crate) fn mint(kind: KeyKind) -> &'static Mint {
    static MINTS: [OnceLock<Mint>; 4] = [const { OnceLock::new() }; 4];
    let [rsa, p256, p384, ed25519] = &MINTS;
    let slot = match kind {
        KeyKind::Rsa2048 => rsa,
        KeyKind::P256 => p256,
        KeyKind::P384 => p384,
        KeyKind::Ed25519 => ed25519,
    };
    slot.get_or_init(|| Mint::generate(kind))
}

impl Mint {
    /// A new key pair: for rotation, or for an attacker.
    pub(crate) fn generate(kind: KeyKind) -> Self {
        match kind {
            KeyKind::Rsa2048 => Self::Rsa(RS256KeyPair::generate(2048).expect("an RSA key")),
            KeyKind::P256 => Self::P256(ES256KeyPair::generate()),
            KeyKind::P384 => Self::P384(ES384KeyPair::generate()),
            KeyKind::Ed25519 => Self::Ed25519(Ed25519KeyPair::generate()),
        }
    }

    /// The default algorithm of this key.
    pub(crate) const fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RS256",
            Self::P256(_) => "ES256",
            Self::P384(_) => "ES384",
            Self::Ed25519(_) => "EdDSA",
        }
    }

    /// The public key as a JWK without `alg`.
    pub(crate) fn jwk(&self, key_id: &str) -> Value {
        match self {
            Self::Rsa(pair) => {
                let parts = pair.public_key().public_key().to_components();
                json!({"kty": "RSA", "use": "sig", "kid": key_id,
                    "n": base64url(parts.n), "e": base64url(parts.e)})
            }
            Self::P256(pair) => {
                let point = pair.public_key().public_key().to_bytes_uncompressed();
                ec_jwk("P-256", &point, key_id)
            }
            Self::P384(pair) => {
                let point = pair.public_key().public_key().to_bytes_uncompressed();
                ec_jwk("P-384", &point, key_id)
            }
            Self::Ed25519(pair) => {
                let x = base64url(pair.public_key().public_key().to_bytes());
                json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": key_id, "x": x})
            }
        }
    }

    /// A token in compact serialisation, signed as `alg` of the header says.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let algorithm = header["alg"].as_str().unwrap_or(self.algorithm());
        self.raw(
            algorithm,
            header.to_string().as_bytes(),
            claims.to_string().as_bytes(),
        )
    }

    /// A token with any bytes as header and claims. Its signature is good for those bytes.
    pub(crate) fn raw(&self, algorithm: &str, header: &[u8], claims: &[u8]) -> String {
        let input = format!("{}.{}", base64url(header), base64url(claims));
        let signature = self.signature(algorithm, input.as_bytes());
        format!("{input}.{}", base64url(signature))
    }

    /// A signature in the form of JWS.
    pub(crate) fn signature(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        match (self, algorithm) {
            (Self::Rsa(pair), _) => rsa_signature(pair, algorithm, message),
            (Self::P256(pair), "ES256") => {
                let digest = hmac_sha256::Hash::hash(message);
                let signature: p256::ecdsa::Signature = pair
                    .key_pair()
                    .as_ref()
                    .sign_prehash(&digest)
                    .expect("an ES256 signature");
                signature.to_bytes().to_vec()
            }
            (Self::P384(pair), "ES384") => {
                let digest = hmac_sha512::sha384::Hash::hash(message);
                let signature: p384::ecdsa::Signature = pair
                    .key_pair()
                    .as_ref()
                    .sign_prehash(&digest)
                    .expect("an ES384 signature");
                signature.to_bytes().to_vec()
            }
            (Self::Ed25519(pair), "EdDSA" | "Ed25519") => {
                pair.key_pair().as_ref().sk.sign(message, None).to_vec()
            }
            _ => panic!("a key of {} cannot sign {algorithm}", self.algorithm()),
        }
    }
}

/// Unpadded base64url.
pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A JWK set of these keys.
pub(crate) fn jwk_set(keys: &[Value]) -> Vec<u8> {
    json!({ "keys": keys }).to_string().into_bytes()
}

fn rsa_signature(pair: &RS256KeyPair, algorithm: &str, message: &[u8]) -> Vec<u8> {
    let (padding, digest) = algorithm.split_at(2);
    let padding = match padding {
        "RS" => Padding::PKCS1,
        "PS" => Padding::PKCS1_PSS,
        _ => panic!("an RSA key cannot sign {algorithm}"),
    };
    let digest = match digest {
        "256" => MessageDigest::sha256(),
        "384" => MessageDigest::sha384(),
        "512" => MessageDigest::sha512(),
        _ => panic!("an RSA key cannot sign {algorithm}"),
    };
    let key = PKey::from_rsa(pair.key_pair().as_ref().clone()).expect("an RSA key");
    let mut signer = Signer::new(digest, &key).expect("an RSA signer");
    signer.set_rsa_padding(padding).expect("a known padding");
    signer.update(message).expect("a message");
    signer.sign_to_vec().expect("an RSA signature")
}

/// The JWK of an uncompressed point.
fn ec_jwk(curve: &str, point: &[u8], key_id: &str) -> Value {
    let (x, y) = point.split_at(1).1.split_at(point.len() / 2);
    json!({"kty": "EC", "crv": curve, "use": "sig", "kid": key_id,
        "x": base64url(x), "y": base64url(y)})
}
