//! The last of what is read, and the first of what is not.

use super::*;
use crate::crypto::MAX_KEY_ID_BYTES;
use crate::mint::base64url;

/// Why this key is left out; `None`: it is read.
fn fault(jwk: &Value) -> Option<SkipReason> {
    PublicKey::from_jwk(&jwk.to_string()).err()
}

#[test]
fn names_of_1024_bytes_are_read_and_longer_ones_are_not() {
    for (name, refused) in [("kid", SkipReason::KeyId), ("issuer", SkipReason::Issuer)] {
        let of_length = |length| with(ed25519(), name, json!("k".repeat(length)));
        assert_eq!(fault(&of_length(MAX_KEY_ID_BYTES)), None, "{name}");
        let longer = of_length(MAX_KEY_ID_BYTES + 1);
        assert_eq!(fault(&longer), Some(refused), "{name}");
    }
}

#[test]
fn rsa_is_measured_in_bits_and_not_in_octets() {
    let with_modulus = |first: u8, octets: usize| {
        let mut modulus = vec![0xff; octets];
        modulus[0] = first;
        fault(&with(rsa(), "n", json!(base64url(modulus))))
    };
    for (first, octets, expected) in [
        (0x80, 256, None),
        (0x7f, 256, Some(SkipReason::TooWeak)),
        (0x01, 256, Some(SkipReason::TooWeak)),
        (0xff, 255, Some(SkipReason::TooWeak)),
        // The zero of a signed integer is no octet of the number.
        (0x00, 257, None),
        (0x00, 256, Some(SkipReason::TooWeak)),
        (0xff, 512, None),
        (0x01, 513, Some(SkipReason::TooLarge)),
    ] {
        assert_eq!(with_modulus(first, octets), expected, "{first} {octets}");
    }
}

#[test]
fn a_number_of_4096_letters_is_read_and_a_longer_one_is_not() {
    let with_letters = |letters: usize| fault(&with(rsa(), "n", json!("_".repeat(letters))));
    assert_eq!(with_letters(4096), Some(SkipReason::TooLarge), "it is read");
    assert_eq!(with_letters(4098), Some(SkipReason::Number));
}

#[test]
fn both_coordinates_of_a_point_fit_the_length_of_their_curve() {
    let good = p256();
    for name in ["x", "y"] {
        for (octets, refused) in [
            (0, SkipReason::Number),
            // A shorter number is another point, and that is not on the curve.
            (31, SkipReason::Unsound),
            (33, SkipReason::Number),
            (48, SkipReason::Number),
        ] {
            let other = with(good.clone(), name, json!(base64url(vec![7; octets])));
            assert_eq!(fault(&other), Some(refused), "{name} {octets}");
        }
    }
}

#[test]
fn a_document_of_256_kib_is_read_and_a_longer_one_is_not() {
    let document = String::from_utf8(jwk_set(&[ed25519()])).unwrap();
    let of_length = |length: usize| {
        let padding = " ".repeat(length - document.len());
        KeySet::parse(format!("{document}{padding}").as_bytes())
    };
    assert!(of_length(MAX_KEY_SET_BYTES).is_ok());
    let longer = of_length(MAX_KEY_SET_BYTES + 1);
    assert_eq!(longer.err(), Some(KeySetFault::TooLarge));
}

/// What a key vouched for counts no longer where its key set binds it to another issuer.
#[test]
fn keys_that_differ_in_anything_but_their_spelling_are_not_equal() {
    let jwk = with(p256(), "issuer", json!("https://a.example"));
    let set = parse(std::slice::from_ref(&jwk));
    let contains = |other: &Value| set.contains(&parse(std::slice::from_ref(other)).keys()[0]);
    assert!(contains(&jwk));
    assert!(contains(&with(jwk.clone(), "x5t", json!("AQ"))));
    let another = Mint::generate(KeyKind::P256).jwk("k");
    for other in [
        with(jwk.clone(), "issuer", json!("https://b.example")),
        with(jwk.clone(), "issuer", Value::Null),
        with(jwk.clone(), "kid", json!("other")),
        with(jwk.clone(), "kid", Value::Null),
        with(jwk.clone(), "alg", json!("ES256")),
        with(another, "issuer", json!("https://a.example")),
    ] {
        assert!(!contains(&other), "{other}");
    }
}
