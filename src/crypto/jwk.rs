//! One JWK of a provider (RFC 7517 §4), as strict as it must be and as lenient as providers need.

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use serde_json::{Map, Value};

use super::der::without_leading_zeros;
use super::public_key::{self, Material, PublicKey};
use super::{Algorithm, SkipReason, Thumbprint};
use crate::formats::json::Document;

/// The longest `kid` that is used. Providers take digests and names of some 50 bytes.
pub const MAX_KEY_ID_BYTES: usize = 1024;

/// The longest number that is read, in letters: RSA with 4096 bits has 683.
const MAX_NUMBER: usize = 4096;

/// How deep one JWK may be nested. Known members are flat.
const MAX_DEPTH: usize = 8;

/// The members that a key consists of here.
const PARTS: [&str; 9] = ["kty", "crv", "kid", "alg", "n", "e", "x", "y", "issuer"];

type Members = Map<String, Value>;

/// A JWK that is not used.
pub(super) struct Unusable {
    pub(super) reason: SkipReason,
    /// Its `kid`, if it has one.
    pub(super) key_id: Option<String>,
}

impl PublicKey {
    /// Reads one JWK (RFC 7517 §4).
    pub fn from_jwk(text: &str) -> Result<Self, SkipReason> {
        parse(text).map_err(|unusable| unusable.reason)
    }

    /// Reads the JWK that a client shows with a proof of its key, and gives its thumbprint. Nothing is
    /// trusted but what this thumbprint is compared with.
    pub fn of_client(jwk: &Members) -> Result<(Self, Thumbprint), SkipReason> {
        Ok((read(jwk)?, thumbprint(jwk)))
    }
}

/// The thumbprint of a key that was read (RFC 7638 §3): of its required members, in the order of their
/// names.
fn thumbprint(jwk: &Members) -> Thumbprint {
    let required = ["crv", "e", "kty", "n", "x", "y"];
    let is_of = |name: &str| match jwk.get("kty").and_then(Value::as_str) {
        Some("RSA") => matches!(name, "e" | "kty" | "n"),
        Some("OKP") => matches!(name, "crv" | "kty" | "x"),
        _ => matches!(name, "crv" | "kty" | "x" | "y"),
    };
    let mut members = Members::new();
    for name in required.into_iter().filter(|name| is_of(name)) {
        members.extend(jwk.get(name).map(|value| (name.to_owned(), value.clone())));
    }
    Thumbprint::of(Value::Object(members).to_string().as_bytes())
}

/// Reads the text of one JWK. Some serialisers write absent members as `null`.
pub(super) fn parse(text: &str) -> Result<PublicKey, Unusable> {
    let jwk = Document::read(text.as_bytes(), MAX_DEPTH);
    let jwk = jwk.map(|jwk| jwk.object().to_map());
    let mut jwk = jwk.map_err(|fault| Unusable {
        reason: fault.into(),
        key_id: None,
    })?;
    jwk.retain(|_, value| !value.is_null());
    read(&jwk).map_err(|reason| Unusable {
        reason,
        key_id: match jwk.remove("kid") {
            Some(Value::String(key_id)) if key_id.len() <= MAX_KEY_ID_BYTES => Some(key_id),
            _ => None,
        },
    })
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

/// Absent `use` and `key_ops` leave the purpose open (RFC 7517 §4.2, §4.3). So does an empty
/// `key_ops`, which serialisers write for an absent one. Both are read in any case of letters: no
/// other purpose is meant by `SIG`.
fn check_purpose(jwk: &Members) -> Result<(), SkipReason> {
    let is = |value: &Value, word: &str| {
        let text = value.as_str();
        text.is_some_and(|text| text.eq_ignore_ascii_case(word))
    };
    if jwk.get("use").is_some_and(|purpose| !is(purpose, "sig")) {
        return Err(SkipReason::Use);
    }
    match jwk.get("key_ops") {
        None => Ok(()),
        Some(Value::Array(all)) if all.is_empty() || all.iter().any(|one| is(one, "verify")) => {
            Ok(())
        }
        Some(_) => Err(SkipReason::KeyOperations),
    }
}

fn read_material(jwk: &Members) -> Result<(Material, Vec<u8>), SkipReason> {
    let key_type = text(jwk, "kty", SkipReason::KeyType)?;
    let has = |name| jwk.contains_key(name);
    if has("x5c") && !has("n") && !has("x") && matches!(key_type, Some("RSA" | "EC" | "OKP")) {
        return Err(SkipReason::Certificate);
    }
    match key_type {
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

/// RFC 7518 §6.2.1: coordinates have the full length of the curve's field. Some providers leave out
/// leading zero octets, some put one more before them, as for signed integers: the number is the
/// same.
fn read_ec(jwk: &Members) -> Result<(Material, Vec<u8>), SkipReason> {
    let point = |octets: usize| -> Result<Vec<u8>, SkipReason> {
        let mut point = vec![4];
        for name in ["x", "y"] {
            let number = number(jwk, name)?;
            let number = without_leading_zeros(&number);
            let missing = octets.checked_sub(number.len());
            point.extend(vec![0; missing.ok_or(SkipReason::Number)?]);
            point.extend_from_slice(number);
        }
        Ok(point)
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
