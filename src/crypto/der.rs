//! The few structures of ASN.1 DER (X.690) that keys and signatures are exchanged in.

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;

/// The `AlgorithmIdentifier` of a public key.
pub(super) struct KeyType(&'static [u8]);

/// RFC 3279 §2.3.1: rsaEncryption with NULL.
pub(super) const RSA: KeyType =
    KeyType(b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\0");

/// RFC 5480 §2.1.1: id-ecPublicKey with secp256r1.
pub(super) const P256: KeyType = KeyType(
    b"\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07",
);

/// RFC 5480 §2.1.1: id-ecPublicKey with secp384r1.
pub(super) const P384: KeyType =
    KeyType(b"\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\0\x22");

/// RFC 8410 §3: id-Ed25519.
pub(super) const ED25519: KeyType = KeyType(b"\x30\x05\x06\x03\x2b\x65\x70");

/// A `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7).
pub(super) fn spki(key_type: &KeyType, key: &[u8]) -> Vec<u8> {
    // A bit string says first how many bits of its last octet do not count.
    value(SEQUENCE, &[key_type.0, &value(BIT_STRING, &[&[0], key])])
}

/// An `RSAPublicKey` (RFC 8017 §A.1.1).
pub(super) fn rsa_public_key(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    value(SEQUENCE, &[&unsigned(modulus), &unsigned(exponent)])
}

/// An `Ecdsa-Sig-Value` (RFC 3279 §2.2.3) made of what JWS has in its place: R and S, big-endian
/// and `octets` long (RFC 7518 §3.4).
///
/// `None`: the length is another, or one of the two is zero (CVE-2022-21449).
pub(super) fn ecdsa_signature(jws: &[u8], octets: usize) -> Option<Vec<u8>> {
    let (r, s) = jws.split_at_checked(octets)?;
    let is_zero = |number: &[u8]| number.iter().all(|octet| *octet == 0);
    if s.len() != octets || is_zero(r) || is_zero(s) {
        return None;
    }
    Some(value(SEQUENCE, &[&unsigned(r), &unsigned(s)]))
}

/// An `INTEGER` in its one form: no needless zeros before it, and one where the first bit, which
/// is the sign, would be set.
fn unsigned(number: &[u8]) -> Vec<u8> {
    let number = without_leading_zeros(number);
    match number.first() {
        Some(..0x80) => value(INTEGER, &[number]),
        _ => value(INTEGER, &[&[0], number]),
    }
}

fn value(tag: u8, contents: &[&[u8]]) -> Vec<u8> {
    let length: usize = contents.iter().map(|part| part.len()).sum();
    let mut der = vec![tag];
    if let Ok(short @ ..0x80) = u8::try_from(length) {
        der.push(short);
    } else {
        let length = length.to_be_bytes();
        let octets = without_leading_zeros(&length);
        der.push(0x80 | u8::try_from(octets.len()).unwrap_or(0));
        der.extend_from_slice(octets);
    }
    for part in contents {
        der.extend_from_slice(part);
    }
    der
}

/// A big-endian number in as few octets as it needs.
pub(super) fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|octet| **octet == 0).count();
    number.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use jwt_simple::algorithms::{RS256KeyPair, RSAPublicKeyLike as _};
    use p256::pkcs8::EncodePublicKey as _;

    use super::*;

    /// 32 octets that end in these.
    fn number(tail: &[u8]) -> Vec<u8> {
        [&[0; 32][tail.len()..], tail].concat()
    }

    #[test]
    fn numbers_of_a_signature_take_their_one_form() {
        for (r, form) in [
            (number(&[1]), &[2, 1, 1][..]),
            (number(&[0x7f]), &[2, 1, 0x7f]),
            (number(&[0x80]), &[2, 2, 0, 0x80]),
            (number(&[0xff, 0]), &[2, 3, 0, 0xff, 0]),
            (number(&[0x7f, 0xff]), &[2, 2, 0x7f, 0xff]),
        ] {
            let jws = [r, number(&[1])].concat();
            let length = u8::try_from(form.len() + 3).unwrap();
            let expected = [&[0x30, length], form, &[2, 1, 1]].concat();
            assert_eq!(ecdsa_signature(&jws, 32), Some(expected));
        }
        let largest = ecdsa_signature(&[0xff; 64], 32).unwrap();
        assert_eq!(largest[..5], [0x30, 70, 2, 33, 0]);
        assert_eq!(largest.len(), 72);
        let largest = ecdsa_signature(&[0xff; 96], 48).unwrap();
        assert_eq!(largest[..5], [0x30, 102, 2, 49, 0]);
    }

    #[test]
    fn signatures_of_zeros_and_of_other_lengths_have_no_form() {
        let one = number(&[1]);
        for jws in [
            vec![],
            vec![0; 64],
            [number(&[]), one.clone()].concat(),
            [one.clone(), number(&[])].concat(),
            vec![1; 63],
            vec![1; 65],
            vec![1; 32],
            vec![1; 96],
        ] {
            assert_eq!(ecdsa_signature(&jws, 32), None, "{jws:?}");
        }
    }

    #[test]
    fn numbers_come_out_as_other_libraries_write_them() {
        let mut seed = 1_u8;
        for _ in 0..500 {
            let jws: Vec<u8> = (0..64)
                .map(|index| {
                    seed = seed.wrapping_mul(181).wrapping_add(97);
                    // Zeros at the beginning, of every number.
                    if index % 32 < seed % 3 {
                        0
                    } else {
                        seed
                    }
                })
                .collect();
            let theirs = p256::ecdsa::Signature::from_slice(&jws).unwrap().to_der();
            assert_eq!(ecdsa_signature(&jws, 32).unwrap(), theirs.as_bytes());
        }
    }

    #[test]
    fn keys_come_out_as_other_libraries_write_them() {
        for bits in [2048, 3072] {
            let key = RS256KeyPair::generate(bits).unwrap().public_key();
            let parts = key.public_key().to_components();
            assert_eq!(
                spki(&RSA, &rsa_public_key(&parts.n, &parts.e)),
                key.to_der().unwrap()
            );
        }
        let key = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
        let point = key.verifying_key().to_sec1_point(false);
        let theirs = p256::PublicKey::from(key.verifying_key()).to_public_key_der();
        assert_eq!(spki(&P256, point.as_bytes()), theirs.unwrap().as_bytes());
        let key = p384::ecdsa::SigningKey::from_slice(&[7; 48]).unwrap();
        let point = key.verifying_key().to_sec1_point(false);
        let theirs = p384::PublicKey::from(key.verifying_key()).to_public_key_der();
        assert_eq!(spki(&P384, point.as_bytes()), theirs.unwrap().as_bytes());
    }
}
