//! One JWK of a provider (RFC 7517 §4), as strict as it must be and as lenient as providers need.

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use serde_json::{Map, Value};
use thiserror::Error;

use super::der::without_leading_zeros;
use super::public_key::{self, Material, PublicKey};
use super::Algorithm;
use crate::json::{self, JsonFault};

/// The longest `kid` that is used. Providers take digests and names of some 50 bytes.
pub const MAX_KEY_ID_BYTES: usize = 1024;

/// The longest number that is read, in letters: RSA with 4096 bits has 683.
const MAX_NUMBER: usize = 4096;

/// How deep one JWK may be nested. Known members are flat.
const MAX_DEPTH: usize = 8;

/// The members that a key consists of here.
const PARTS: [&str; 9] = ["kty", "crv", "kid", "alg", "n", "e", "x", "y", "issuer"];

/// Why a JWK of a set is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Error)]
pub enum SkipReason {
    /// Not an object, or one with two members of one name or too deep.
    #[error("not a JSON object that can be read")]
    NotAnObject,
    /// `kty` is absent or unknown (RFC 7517 §4.1).
    #[error("a key type that cannot check signatures here")]
    KeyType,
    /// A symmetric key: whoever reads it can sign, and it is published.
    #[error("a symmetric key")]
    Symmetric,
    /// It has private members: everybody can sign with it (RFC 7518 §6.2.2, §6.3.2).
    #[error("a private key that was published")]
    PrivateKey,
    /// `use` is not `sig` (RFC 7517 §4.2).
    #[error("not for signatures")]
    Use,
    /// `key_ops` has no `verify` (RFC 7517 §4.3).
    #[error("not for checking signatures")]
    KeyOperations,
    /// `alg` is not one that this gate checks, or not one for keys of this type and curve.
    #[error("for an algorithm that is not supported or does not fit the key")]
    Algorithm,
    /// `kid` is not a string, or too long (RFC 7517 §4.5).
    #[error("a key id that is no string")]
    KeyId,
    /// `issuer` is not a string, or too long.
    #[error("an issuer that is no string")]
    Issuer,
    /// `crv` is absent or not one of P-256, P-384 and Ed25519.
    #[error("an unsupported curve")]
    Curve,
    /// A member that the key consists of is absent, not base64url, or of a wrong length.
    #[error("a malformed number")]
    Number,
    /// RSA of less than 2048 bits (RFC 7518 §3.3).
    #[error("an RSA key of less than 2048 bits")]
    TooWeak,
    /// RSA of more than 4096 bits: each check would cost too much.
    #[error("an RSA key of more than 4096 bits")]
    TooLarge,
    /// RSA with another public exponent than 65537.
    #[error("an unusual RSA exponent")]
    Exponent,
    /// The numbers make no sound key: a point off the curve or of small order, an even modulus.
    #[error("no sound key")]
    Unsound,
}

impl SkipReason {
    /// The stable name used in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotAnObject => "not_an_object",
            Self::KeyType => "key_type",
            Self::Symmetric => "symmetric",
            Self::PrivateKey => "private_key",
            Self::Use => "use",
            Self::KeyOperations => "key_operations",
            Self::Algorithm => "algorithm",
            Self::KeyId => "key_id",
            Self::Issuer => "issuer",
            Self::Curve => "curve",
            Self::Number => "number",
            Self::TooWeak => "too_weak",
            Self::TooLarge => "too_large",
            Self::Exponent => "exponent",
            Self::Unsound => "unsound",
        }
    }
}

impl From<JsonFault> for SkipReason {
    fn from(_: JsonFault) -> Self {
        Self::NotAnObject
    }
}

type Members = Map<String, Value>;

/// Reads the text of one JWK.
pub(super) fn parse(text: &str) -> Result<PublicKey, SkipReason> {
    read(&json::object(text.as_bytes(), MAX_DEPTH)?)
}

/// Reads one JWK. Members that are not known are ignored (RFC 7517 §4).
fn read(jwk: &Members) -> Result<PublicKey, SkipReason> {
    refuse_private(jwk)?;
    check_purpose(jwk)?;
    let (material, spki) = read_material(jwk)?;
    let algorithm = text(jwk, "alg", SkipReason::Algorithm)?
        .map(|name| Algorithm::parse(name).ok_or(SkipReason::Algorithm))
        .transpose()?;
    if algorithm.is_some_and(|algorithm| !material.fits(algorithm)) {
        return Err(SkipReason::Algorithm);
    }
    let key_id = text(jwk, "kid", SkipReason::KeyId)?;
    if key_id.is_some_and(|key_id| key_id.len() > MAX_KEY_ID_BYTES) {
        return Err(SkipReason::KeyId);
    }
    let issuer = text(jwk, "issuer", SkipReason::Issuer)?;
    if issuer.is_some_and(|issuer| issuer.len() > MAX_KEY_ID_BYTES) {
        return Err(SkipReason::Issuer);
    }
    let mut parts = Members::new();
    for name in PARTS {
        if let Some(part) = jwk.get(name) {
            parts.insert(name.to_owned(), part.clone());
        }
    }
    Ok(PublicKey {
        key_id: key_id.map(str::to_owned),
        algorithm,
        issuer: issuer.map(str::to_owned),
        material,
        spki,
        jwk: Value::Object(parts).to_string(),
    })
}

fn refuse_private(jwk: &Members) -> Result<(), SkipReason> {
    if jwk.contains_key("k") || jwk.get("kty").is_some_and(|kty| kty == "oct") {
        return Err(SkipReason::Symmetric);
    }
    let private = ["d", "p", "q", "dp", "dq", "qi", "oth"];
    if private.into_iter().any(|name| jwk.contains_key(name)) {
        return Err(SkipReason::PrivateKey);
    }
    Ok(())
}

/// Absent `use` and `key_ops` leave the purpose open (RFC 7517 §4.2, §4.3).
fn check_purpose(jwk: &Members) -> Result<(), SkipReason> {
    if jwk.get("use").is_some_and(|purpose| purpose != "sig") {
        return Err(SkipReason::Use);
    }
    match jwk.get("key_ops") {
        None => Ok(()),
        Some(Value::Array(operations)) if operations.iter().any(|one| one == "verify") => Ok(()),
        Some(_) => Err(SkipReason::KeyOperations),
    }
}

fn read_material(jwk: &Members) -> Result<(Material, Vec<u8>), SkipReason> {
    match text(jwk, "kty", SkipReason::KeyType)? {
        Some("RSA") => read_rsa(jwk),
        Some("EC") => read_ec(jwk),
        Some("OKP") => read_okp(jwk),
        _ => Err(SkipReason::KeyType),
    }
}

/// RFC 7518 §6.3.1.
fn read_rsa(jwk: &Members) -> Result<(Material, Vec<u8>), SkipReason> {
    let modulus = number(jwk, "n")?;
    // Some providers put the zero octet of a signed integer before a number (RFC 7518 §6.3.1.1
    // says not to).
    let modulus = without_leading_zeros(&modulus);
    match bits(modulus) {
        ..2048 => return Err(SkipReason::TooWeak),
        4097.. => return Err(SkipReason::TooLarge),
        _ => {}
    }
    // Small exponents have a history of forged signatures, large ones cost time.
    if without_leading_zeros(&number(jwk, "e")?) != [1, 0, 1] {
        return Err(SkipReason::Exponent);
    }
    public_key::rsa(modulus).ok_or(SkipReason::Unsound)
}

/// RFC 7518 §6.2.1: coordinates have the full length of the curve's field.
fn read_ec(jwk: &Members) -> Result<(Material, Vec<u8>), SkipReason> {
    let point = |octets| {
        let (x, y) = (number(jwk, "x")?, number(jwk, "y")?);
        if x.len() == octets && y.len() == octets {
            Ok([&[4], x.as_slice(), y.as_slice()].concat())
        } else {
            Err(SkipReason::Number)
        }
    };
    match text(jwk, "crv", SkipReason::Curve)? {
        Some("P-256") => public_key::p256(&point(32)?).ok_or(SkipReason::Unsound),
        Some("P-384") => public_key::p384(&point(48)?).ok_or(SkipReason::Unsound),
        _ => Err(SkipReason::Curve),
    }
}

/// RFC 8037 §2.
fn read_okp(jwk: &Members) -> Result<(Material, Vec<u8>), SkipReason> {
    if text(jwk, "crv", SkipReason::Curve)? != Some("Ed25519") {
        return Err(SkipReason::Curve);
    }
    let point = number(jwk, "x")?;
    if point.len() != 32 {
        return Err(SkipReason::Number);
    }
    public_key::ed25519(&point).ok_or(SkipReason::Unsound)
}

fn text<'j>(
    jwk: &'j Members,
    name: &str,
    reason: SkipReason,
) -> Result<Option<&'j str>, SkipReason> {
    match jwk.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(reason),
    }
}

/// Base64url, but as published: some providers write standard base64, some add padding. A public
/// number has no second meaning in another spelling, so nothing is lost by reading it.
fn number(jwk: &Members, name: &str) -> Result<Vec<u8>, SkipReason> {
    let text = text(jwk, name, SkipReason::Number)?
        .filter(|text| text.len() <= MAX_NUMBER)
        .ok_or(SkipReason::Number)?;
    let base64url = text
        .trim_end_matches('=')
        .replace('+', "-")
        .replace('/', "_");
    match URL_SAFE_NO_PAD.decode(base64url) {
        Ok(octets) if !octets.is_empty() => Ok(octets),
        _ => Err(SkipReason::Number),
    }
}

/// The length of a big-endian number without leading zeros.
fn bits(octets: &[u8]) -> usize {
    let unused = octets.first().map_or(0, |octet| octet.leading_zeros());
    octets
        .len()
        .saturating_mul(8)
        .saturating_sub(usize::try_from(unused).unwrap_or(usize::MAX))
}
