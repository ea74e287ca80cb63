//! A key that can check signatures, parsed once.

use std::fmt;

use jwt_simple::algorithms::{RS256PublicKey, RSAPublicKeyLike};
use p256::elliptic_curve::point::AffineCoordinates as _;
use superboring::pkey::{PKey, Public};

use super::{der, Algorithm};

/// One key that can check signatures.
#[derive(Clone)]
pub struct PublicKey {
    pub(super) key_id: Option<String>,
    pub(super) algorithm: Option<Algorithm>,
    pub(super) issuer: Option<String>,
    pub(super) material: Material,
    pub(super) spki: Vec<u8>,
    pub(super) jwk: String,
}

impl PublicKey {
    /// The key as a JWK with only the members that it needs, to share it with other workers: a few
    /// hundred bytes, while published ones may have whole chains of certificates.
    pub fn as_jwk(&self) -> &str {
        &self.jwk
    }

    /// `kid` of the JWK.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// The issuer that this key alone signs for, where the key set says so. Entra's shared key
    /// sets do, with `{tenantid}` for the tenant of the token.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// The key as a DER `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7).
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// Whether the key may check signatures of `algorithm`: its type and curve fit, and the JWK
    /// names no other `alg` (RFC 8725 §3.1: a key is used with one algorithm).
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        self.material.fits(algorithm) && self.algorithm.is_none_or(|only| only == algorithm)
    }
}

/// Keys are equal when they check the same signatures under the same names.
impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        let Self {
            key_id,
            algorithm,
            issuer,
            material: _,
            spki,
            jwk: _,
        } = self;
        *spki == other.spki
            && *key_id == other.key_id
            && *algorithm == other.algorithm
            && *issuer == other.issuer
    }
}

/// Public keys are no secrets, but long.
impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PublicKey")
            .field("key_id", &self.key_id)
            .field("material", &self.material)
            .finish_non_exhaustive()
    }
}

/// A key in the form that its primitive wants, so that no request pays for parsing.
#[derive(Clone)]
pub(super) enum Material {
    /// RSA; `octets` is the length of the modulus, which every signature has.
    Rsa {
        key: Box<PKey<Public>>,
        octets: usize,
    },
    P256(Box<p256::ecdsa::VerifyingKey>),
    P384(Box<p384::ecdsa::VerifyingKey>),
    Ed25519(ed25519_compact::PublicKey),
}

impl Material {
    pub(super) const fn fits(&self, algorithm: Algorithm) -> bool {
        use Algorithm::{EdDsa, Es256, Es384, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
        matches!(
            (self, algorithm),
            (
                Self::Rsa { .. },
                Rs256 | Rs384 | Rs512 | Ps256 | Ps384 | Ps512
            ) | (Self::P256(_), Es256)
                | (Self::P384(_), Es384)
                | (Self::Ed25519(_), EdDsa)
        )
    }
}

impl fmt::Debug for Material {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { octets, .. } => write!(formatter, "RSA, {octets} octets"),
            Self::P256(_) => formatter.write_str("EC P-256"),
            Self::P384(_) => formatter.write_str("EC P-384"),
            Self::Ed25519(_) => formatter.write_str("OKP Ed25519"),
        }
    }
}

/// The public exponent of every key that is used.
const EXPONENT: [u8; 3] = [1, 0, 1];

/// An RSA key of `modulus` (big-endian, no leading zero) with the exponent 65537.
/// jwt-simple enforces 2048 to 4096 bits and an odd modulus.
pub(super) fn rsa(modulus: &[u8]) -> Option<(Material, Vec<u8>)> {
    let key = RS256PublicKey::from_components(modulus, &EXPONENT).ok()?;
    let key = PKey::from_rsa(key.public_key().as_ref().clone()).ok()?;
    let material = Material::Rsa {
        key: Box::new(key),
        octets: modulus.len(),
    };
    let spki = der::spki(&der::RSA, &der::rsa_public_key(modulus, &EXPONENT));
    Some((material, spki))
}

/// A point in the uncompressed form of SEC 1 on P-256; `None` if it is not on the curve
/// (RFC 8725 §3.4).
pub(super) fn p256(point: &[u8]) -> Option<(Material, Vec<u8>)> {
    let (x, y) = coordinates::<32>(point)?;
    let affine = p256::AffinePoint::from_coordinates(&x.into(), &y.into());
    let key = p256::ecdsa::VerifyingKey::from_affine(affine.into_option()?).ok()?;
    Some((Material::P256(Box::new(key)), der::spki(&der::P256, point)))
}

/// A point in the uncompressed form of SEC 1 on P-384; `None` if it is not on the curve
/// (RFC 8725 §3.4).
pub(super) fn p384(point: &[u8]) -> Option<(Material, Vec<u8>)> {
    let (x, y) = coordinates::<48>(point)?;
    let affine = p384::AffinePoint::from_coordinates(&x.into(), &y.into());
    let key = p384::ecdsa::VerifyingKey::from_affine(affine.into_option()?).ok()?;
    Some((Material::P384(Box::new(key)), der::spki(&der::P384, point)))
}

/// Takes an uncompressed point apart. A JWK has no other form, and a reader of compressed ones
/// would bring square roots along.
fn coordinates<const OCTETS: usize>(point: &[u8]) -> Option<([u8; OCTETS], [u8; OCTETS])> {
    let (4, coordinates) = point.split_first()? else {
        return None;
    };
    let (x, y) = coordinates.split_first_chunk()?;
    Some((*x, y.try_into().ok()?))
}

/// An Ed25519 key; `None` if it is no canonical point, or one of small order, under which
/// signatures hold for many messages.
pub(super) fn ed25519(point: &[u8]) -> Option<(Material, Vec<u8>)> {
    let key = ed25519_compact::PublicKey::from_slice(point).ok()?;
    key.validate().ok()?;
    Some((Material::Ed25519(key), der::spki(&der::ED25519, point)))
}
