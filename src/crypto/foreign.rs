//! The foreign function `verify_signature` of Envoy: its arguments and its result.

use super::public_key::Material;
use super::{der, Algorithm};
use crate::formats::protobuf::{field, put_bytes, Field};

/// The name of the function.
const VERIFY_SIGNATURE: &str = "verify_signature";

/// The functions that a host offers beyond the proxy-wasm specification.
pub trait ForeignFunctions {
    /// Calls the function of this name. `None`: the host has none, or it failed.
    fn call(&self, name: &str, arguments: &[u8]) -> Option<Vec<u8>>;
}

/// The signature of a token in the form that the host needs. `None`: it has a length or numbers that no
/// good one has.
pub(super) fn host_form(material: &Material, signature: &[u8]) -> Option<Vec<u8>> {
    match material {
        // RFC 8017 §8.2.2: a signature is as long as the modulus.
        Material::Rsa { octets, .. } => (signature.len() == *octets).then(|| signature.to_vec()),
        Material::P256(_) => der::ecdsa_signature(signature, 32),
        Material::P384(_) => der::ecdsa_signature(signature, 48),
        Material::Ed25519(_) => None,
    }
}

/// Calls the host. `None`: it cannot check `algorithm`, or did not say whether the signature is good.
pub(super) fn ask(
    functions: &dyn ForeignFunctions,
    algorithm: Algorithm,
    spki: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Option<bool> {
    let hash = match algorithm {
        Algorithm::Rs256 | Algorithm::Es256 => "sha256",
        Algorithm::Rs384 | Algorithm::Es384 => "sha384",
        Algorithm::Rs512 => "sha512",
        Algorithm::Ps256 | Algorithm::Ps384 | Algorithm::Ps512 | Algorithm::EdDsa => return None,
    };
    // `VerifySignatureArguments` of Envoy.
    let mut arguments = Vec::with_capacity(2048);
    put_bytes(&mut arguments, 1, hash.as_bytes());
    put_bytes(&mut arguments, 2, spki);
    put_bytes(&mut arguments, 3, signature);
    put_bytes(&mut arguments, 4, message);
    read_result(&functions.call(VERIFY_SIGNATURE, &arguments)?)
}

/// Reads Envoy's `VerifySignatureResult`: field 1 says whether the signature is good, field 2 why not.
/// `None`: the message contradicts itself, or has a field twice. So no other message means "good" by
/// accident.
pub(super) fn read_result(message: &[u8]) -> Option<bool> {
    let (mut result, mut error) = (None, None);
    let mut rest = message;
    while !rest.is_empty() {
        let (field, tail) = field(rest)?;
        let is_repeated = match field {
            Field::Varint(1, flag @ (0 | 1)) => result.replace(flag == 1).is_some(),
            Field::Bytes(2, text) => error.replace(text).is_some(),
            Field::Varint(1 | 2, _)
            | Field::Double(1 | 2, _)
            | Field::Bytes(1, _)
            | Field::Fixed32(1 | 2) => return None,
            // A later version may have more fields.
            _ => false,
        };
        if is_repeated {
            return None;
        }
        rest = tail;
    }
    // An absent field has its default.
    match (result.unwrap_or(false), error.unwrap_or_default()) {
        (true, [_, ..]) => None,
        (valid, _) => Some(valid),
    }
}
