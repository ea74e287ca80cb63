//! The key and the signature of a token.

use std::cell::Cell;

use super::*;

#[test]
fn a_key_id_that_is_not_in_the_set_is_unknown() {
    for key_id in ["new", "P256", "p256 ", "", "../p256", "rsa' OR '1'='1"] {
        let expected = Some(TokenFault::UnknownKeyId(None));
        assert_eq!(
            fault(&json!({ "kid": key_id }), &json!({})),
            expected,
            "{key_id}"
        );
    }
}

#[test]
fn a_key_of_another_type_does_not_fit() {
    for key_id in ["rsa", "p384", "ed25519"] {
        let expected = Some(TokenFault::NoKeyFits);
        assert_eq!(
            fault(&json!({ "kid": key_id }), &json!({})),
            expected,
            "{key_id}"
        );
    }
}

#[test]
fn a_token_without_a_key_id_is_checked_with_the_keys_that_fit() {
    assert_eq!(fault(&json!({"kid": null}), &json!({})), None);
}

#[test]
fn a_signature_by_another_key_is_not_good() {
    let compact = Mint::generate(KeyKind::P256).sign(&header(), &claims());
    assert_eq!(verify(&compact).err(), Some(TokenFault::BadSignature));
}

#[test]
fn a_change_of_any_byte_is_noticed() {
    let kind = mint(KeyKind::Ed25519);
    let header = json!({"alg": "EdDSA", "kid": "ed25519"});
    let good = kind.sign(&header, &claims());
    assert_eq!(verify(&good).err(), None);
    for index in 0..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[index] = if bytes[index] == b'A' { b'Q' } else { b'A' };
        let forged = String::from_utf8(bytes).unwrap();
        assert!(verify(&forged).is_err(), "byte {index}");
    }
    let (_, signature) = good.rsplit_once('.').unwrap();
    let header = base64url(header.to_string());
    let claims = base64url(with(claims(), &json!({"sub": "mallory"})).to_string());
    let forged = format!("{header}.{claims}.{signature}");
    assert_eq!(verify(&forged).err(), Some(TokenFault::BadSignature));
}

/// Counts how often it is asked.
#[derive(Default)]
struct Counting(Cell<u32>);

impl SignatureVerifier for Counting {
    fn verify(&self, _: &PublicKey, _: Algorithm, _: &[u8], _: &[u8]) -> Verification {
        self.0.set(self.0.get().saturating_add(1));
        Verification {
            valid: true,
            path: CryptoPath::Host,
        }
    }
}

#[test]
fn no_signature_is_checked_for_a_token_that_cannot_hold() {
    let counting = Counting::default();
    let asked = |header_change: Value, claims_change: Value| {
        let header = with(header(), &header_change);
        let compact = mint(KeyKind::P256).sign(&header, &with(claims(), &claims_change));
        let token = UntrustedToken::parse(&compact).unwrap();
        let rules = rules(TypRule::AnyAccessToken);
        let _ = VerifiedToken::verify(&token, &rules, &keys(), &counting, UnixSeconds(NOW));
        counting.0.replace(0)
    };
    assert_eq!(asked(json!({}), json!({})), 1);
    assert_eq!(asked(json!({"kid": "new"}), json!({})), 0);
    assert_eq!(asked(json!({"kid": "rsa"}), json!({})), 0);
    assert_eq!(asked(json!({"typ": "logout+jwt"}), json!({})), 0);
    assert_eq!(asked(json!({}), json!({"exp": 1, "iat": 1})), 0);
    assert_eq!(asked(json!({}), json!({"aud": "other"})), 0);
    assert_eq!(asked(json!({}), json!({"cnf": {}})), 0);
}
