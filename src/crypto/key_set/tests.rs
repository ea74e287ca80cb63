//! Key sets as providers publish them, and what must not be taken from one.

mod limits;

use std::collections::BTreeSet;

use proptest::prelude::any;
use proptest::sample::Index;
use serde_json::{json, Value};

use super::*;
use crate::mint::{jwk_set, mint, KeyKind, Mint, KEY_KINDS};

fn rsa() -> Value {
    mint(KeyKind::Rsa2048).jwk("k")
}

fn p256() -> Value {
    mint(KeyKind::P256).jwk("k")
}

fn ed25519() -> Value {
    mint(KeyKind::Ed25519).jwk("k")
}

/// `jwk` with `name` set to `value`; `null` removes it.
fn with(mut jwk: Value, name: &str, value: Value) -> Value {
    let members = jwk.as_object_mut().unwrap();
    members.remove(name);
    if !value.is_null() {
        members.insert(name.to_owned(), value);
    }
    jwk
}

/// `jwk` with these members, which serialisers write for absent ones.
fn with_null(mut jwk: Value, names: &[&str]) -> Value {
    for name in names {
        jwk[*name] = Value::Null;
    }
    jwk
}

fn parse(keys: &[Value]) -> KeySet {
    KeySet::parse(&jwk_set(keys)).unwrap()
}

/// Why the second of three keys is left out; that the others stay is checked on the way.
fn reason(jwk: &str) -> SkipReason {
    let first = mint(KeyKind::P256).jwk("first");
    let last = mint(KeyKind::Rsa2048).jwk("last");
    let document = format!(r#"{{"keys":[{first},{jwk},{last}]}}"#);
    let set = KeySet::parse(document.as_bytes()).unwrap();
    let names: Vec<_> = set.keys().iter().map(|key| key.key_id()).collect();
    assert_eq!(names, [Some("first"), Some("last")], "{jwk}");
    let [SkippedKey {
        index: 1, reason, ..
    }] = set.skipped()
    else {
        panic!("{:?} for {jwk}", set.skipped());
    };
    *reason
}

/// The position in `set` of each candidate; `Err` with the name of the outcome otherwise.
fn candidates(
    set: &KeySet,
    algorithm: Algorithm,
    key_id: Option<&str>,
) -> Result<Vec<usize>, &'static str> {
    let position =
        |key: &Arc<PublicKey>| set.keys().iter().position(|other| Arc::ptr_eq(other, key));
    match set.candidates(algorithm, key_id) {
        Candidates::Keys(keys) => Ok(keys.into_iter().filter_map(position).collect()),
        Candidates::Revoked => Err("revoked"),
        Candidates::UnknownKeyId => Err("unknown"),
        Candidates::NoneFits => Err("none fits"),
    }
}

#[test]
fn keys_of_every_kind_are_read() {
    let keys: Vec<_> = KEY_KINDS.iter().map(|kind| mint(*kind).jwk("k")).collect();
    let set = parse(&keys);
    let shown: Vec<_> = set.keys().iter().map(|key| format!("{key:?}")).collect();
    let expected = ["RSA, 256 octets", "EC P-256", "EC P-384", "OKP Ed25519"]
        .map(|material| format!(r#"PublicKey {{ key_id: Some("k"), material: {material}, .. }}"#));
    assert_eq!(shown, expected);
    assert_eq!(set.skipped(), []);
}

#[test]
fn a_key_is_told_as_subject_public_key_info() {
    let set = parse(&[rsa(), p256(), ed25519()]);
    let [rsa_key, p256_key, ed25519_key] = set.keys() else {
        panic!("three keys");
    };
    let again = jwt_simple::algorithms::RS256PublicKey::from_der(rsa_key.spki_der()).unwrap();
    assert_eq!(again.to_der().unwrap(), rsa_key.spki_der());
    let again = jwt_simple::algorithms::ES256PublicKey::from_der(p256_key.spki_der()).unwrap();
    assert_eq!(again.to_der().unwrap(), p256_key.spki_der());
    let again = ed25519_compact::PublicKey::from_der(ed25519_key.spki_der()).unwrap();
    assert_eq!(Value::from(crate::mint::base64url(*again)), ed25519()["x"]);
}

#[test]
fn odd_but_honest_spellings_are_read_as_the_same_key() {
    let plain = rsa();
    let modulus = plain["n"].as_str().unwrap();
    let standard = modulus.replace('-', "+").replace('_', "/");
    let octets = |text: &str| {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD
            .decode(text)
            .unwrap()
    };
    let signed = [&[0][..], &octets(modulus)].concat();
    for odd in [
        with(plain.clone(), "n", json!(format!("{standard}=="))),
        with(plain.clone(), "n", json!(crate::mint::base64url(signed))),
        with(plain.clone(), "e", json!("AAEAAQ")),
        with(plain.clone(), "use", Value::Null),
        with(plain.clone(), "use", json!("SIG")),
        with(plain.clone(), "key_ops", json!(["verify"])),
        with(plain.clone(), "key_ops", json!(["Verify", "sign", 7])),
        with(plain.clone(), "key_ops", json!([])),
        with_null(plain.clone(), &["use", "key_ops", "issuer", "x5c"]),
        with_null(
            plain.clone(),
            &["d", "p", "q", "dp", "dq", "qi", "oth", "k"],
        ),
        with(plain.clone(), "x5c", json!(["not looked at"])),
        with(plain.clone(), "unknown", json!({"a": [1, {"b": null}]})),
    ] {
        let [odd, plain] = [[odd], [plain.clone()]];
        let (odd_set, plain_set) = (parse(&odd), parse(&plain));
        assert_eq!(odd_set, plain_set, "{odd:?}");
        assert_eq!(format!("{odd_set:?}"), format!("{plain_set:?}"), "{odd:?}");
    }
}

fn without_zeros(number: &[u8]) -> Vec<u8> {
    let digits = number.iter().skip_while(|octet| **octet == 0);
    digits.copied().collect()
}

/// One coordinate in 256 begins with a zero octet, and some providers leave it out.
#[test]
fn coordinates_are_numbers_however_many_zeros_are_written_before_them() {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use base64::Engine as _;
    let octets = |jwk: &Value| {
        let x = URL_SAFE_NO_PAD.decode(jwk["x"].as_str().unwrap());
        x.unwrap()
    };
    let mut keys = std::iter::repeat_with(|| Mint::generate(KeyKind::P256).jwk("k"));
    let full = keys.find(|jwk| octets(jwk)[0] == 0).unwrap();
    let x = without_zeros(&octets(&full));
    let short = with(full.clone(), "x", json!(crate::mint::base64url(&x)));
    let set = |jwk: &Value| parse(std::slice::from_ref(jwk));
    assert_eq!(set(&short), set(&full));
    let signed = [&[0, 0][..], &x].concat();
    let signed = with(short.clone(), "x", json!(crate::mint::base64url(signed)));
    assert_eq!(set(&short), set(&signed));
    let short_key = set(&short).keys()[0].clone();
    let again = jwt_simple::algorithms::ES256PublicKey::from_der(short_key.spki_der()).unwrap();
    assert_eq!(again.to_der().unwrap(), short_key.spki_der());
    // Nothing but zeros may be too many, and another number is another point.
    // The whole coordinate is made longer: one in 256 of these has a second zero.
    let longer = crate::mint::base64url([&[1][..], &octets(&full)].concat());
    let refused = reason(&with(short.clone(), "x", json!(longer)).to_string());
    assert_eq!(refused, SkipReason::Number);
    let behind = crate::mint::base64url([&x[..], &[0]].concat());
    let refused = reason(&with(short, "x", json!(behind)).to_string());
    assert_eq!(refused, SkipReason::Unsound);
    // Ed25519 has octet strings, no numbers (RFC 8032 §5.1.2).
    let x = ed25519()["x"].as_str().unwrap().to_owned();
    let mut octets = URL_SAFE_NO_PAD.decode(x).unwrap();
    octets.insert(0, 0);
    let longer = with(ed25519(), "x", json!(crate::mint::base64url(octets)));
    assert_eq!(reason(&longer.to_string()), SkipReason::Number);
}

/// RFC 9864 §2.2: `Ed25519` replaces `EdDSA`.
#[test]
fn a_key_for_ed25519_may_name_its_algorithm_in_either_way() {
    let [old, new] = ["EdDSA", "Ed25519"].map(|name| with(ed25519(), "alg", json!(name)));
    let (old, new) = (parse(&[old]), parse(&[new]));
    assert_eq!(old, new);
    let again = PublicKey::from_jwk(new.keys()[0].as_jwk()).unwrap();
    assert_eq!(again, *new.keys()[0]);
    assert_eq!(candidates(&new, Algorithm::EdDsa, Some("k")), Ok(vec![0]));
    assert_eq!(Algorithm::parse("Ed25519"), Some(Algorithm::EdDsa));
    for other in ["ed25519", "ED25519", "Ed448", "ESP256", "ESP384", "EDDSA"] {
        assert_eq!(Algorithm::parse(other), None, "{other}");
    }
}

#[test]
fn a_key_that_is_left_out_is_told_by_its_key_id_and_reason() {
    let odd = "k\u{202e}\n\"";
    let set = parse(&[
        rsa(),
        with(with(p256(), "kid", json!("enc")), "use", json!("enc")),
        with(rsa(), "kid", json!(7)),
        with(with(ed25519(), "kid", json!(odd)), "x", json!("AQ")),
    ]);
    assert_eq!(set.skip_reason("enc"), Some(SkipReason::Use));
    assert_eq!(set.skip_reason("k"), None);
    assert_eq!(set.skip_reason("7"), None);
    assert_eq!(
        skipped_in_words(set.skipped()),
        "keys[1] (kid \"enc\"): not for signatures; keys[2]: a key id that is no string; \
         keys[3] (kid \"k\\u{202e}\\n\\\"\"): a malformed number"
    );
    let many = vec![json!({"kty": "oct", "kid": "x".repeat(1024)}); MAX_KEYS];
    let Err(KeySetFault::NoUsableKey(skipped)) = KeySet::parse(&jwk_set(&many)) else {
        panic!("keys");
    };
    let words = skipped_in_words(&skipped);
    assert!(
        words.ends_with("; and 90 more") && words.len() < 1500,
        "{words}"
    );
}

#[test]
fn a_set_contains_its_keys_and_those_that_are_equal() {
    let set = parse(&[rsa(), with(rsa(), "kid", json!("other")), p256()]);
    let again = parse(&[rsa(), with(rsa(), "alg", json!("RS512")), ed25519()]);
    let [first, second, third] = again.keys() else {
        panic!("three keys");
    };
    assert!(set.keys().iter().all(|key| set.contains(key)));
    assert!(set.contains(first), "read again, and the same");
    assert!(!set.contains(second), "for another algorithm");
    assert!(!set.contains(third));
}

#[test]
fn a_revoked_key_id_is_no_key_at_all() {
    let nameless = with(p256(), "kid", Value::Null);
    let published = parse(&[rsa(), with(p256(), "kid", json!("good")), nameless]);
    let revoked = ["k".to_owned()];
    let set = KeySet::of(published.keys().to_vec(), &revoked);
    assert_eq!(set.keys(), published.keys().get(1..).unwrap());
    assert_eq!(
        candidates(&set, Algorithm::Rs256, Some("k")),
        Err("revoked")
    );
    // Nor does a key without a name stand in for it.
    assert_eq!(
        candidates(&set, Algorithm::Es256, Some("k")),
        Err("revoked")
    );
    assert_eq!(
        candidates(&set, Algorithm::Es256, Some("other")),
        Ok(vec![1])
    );
    assert_eq!(candidates(&set, Algorithm::Rs256, None), Err("none fits"));
}

#[test]
fn a_key_is_handed_on_with_nothing_but_its_parts() {
    let template = "https://login.microsoftonline.com/{tenantid}/v2.0";
    for jwk in KEY_KINDS.map(|kind| mint(kind).jwk("k")) {
        let jwk = with(with(jwk, "issuer", json!(template)), "x5c", json!(["MIID"]));
        let set = parse(&[jwk]);
        let key = set.keys().first().unwrap();
        let again = PublicKey::from_jwk(key.as_jwk()).unwrap();
        assert_eq!(again, **key);
        assert_eq!(again.as_jwk(), key.as_jwk());
        assert!(!key.as_jwk().contains("x5c"));
    }
}

#[test]
fn members_that_fill_the_memory_make_no_key() {
    let long = "A".repeat(5000);
    assert_eq!(
        reason(&with(rsa(), "n", json!(long)).to_string()),
        SkipReason::Number
    );
    assert_eq!(
        reason(&with(rsa(), "issuer", json!(long)).to_string()),
        SkipReason::Issuer
    );
}

#[test]
fn the_issuer_of_one_key_is_kept() {
    let template = "https://login.microsoftonline.com/{tenantid}/v2.0";
    let set = parse(&[with(rsa(), "issuer", json!(template)), p256()]);
    let issuers: Vec<_> = set.keys().iter().map(|key| key.issuer()).collect();
    assert_eq!(issuers, [Some(template), None]);
}

#[test]
fn a_broken_key_is_skipped_and_never_breaks_the_others() {
    use SkipReason as Reason;
    let weak = crate::mint::base64url([0xff; 255]);
    let large = crate::mint::base64url([0xff; 513]);
    let even = crate::mint::base64url([0xfe; 256]);
    let off_curve = crate::mint::base64url([1; 32]);
    // The neutral element, of order one.
    let small_order = crate::mint::base64url([&[1][..], &[0; 31]].concat());
    // One as well, but written as one more than the field's prime.
    let not_canonical = crate::mint::base64url([&[0xee][..], &[0xff; 30], &[0x7f]].concat());
    let cases = [
        (json!(null), Reason::NotAnObject),
        (json!([]), Reason::NotAnObject),
        (json!("key"), Reason::NotAnObject),
        (json!({}), Reason::KeyType),
        (json!({"kty": "rsa"}), Reason::KeyType),
        (json!({"kty": "AKP"}), Reason::KeyType),
        (json!({"kty": 1}), Reason::KeyType),
        (json!({"kty": "oct", "k": "c2VjcmV0"}), Reason::Symmetric),
        (json!({"kty": "oct"}), Reason::Symmetric),
        (with(rsa(), "k", json!("c2VjcmV0")), Reason::Symmetric),
        (with(rsa(), "d", json!("AQ")), Reason::PrivateKey),
        (with(p256(), "d", json!("AQ")), Reason::PrivateKey),
        (with(rsa(), "p", json!("AQ")), Reason::PrivateKey),
        (with(rsa(), "use", json!("enc")), Reason::Use),
        (with(rsa(), "use", json!(["sig"])), Reason::Use),
        (
            with(rsa(), "key_ops", json!(["sign"])),
            Reason::KeyOperations,
        ),
        (with(rsa(), "use", json!("")), Reason::Use),
        (with(rsa(), "alg", json!("rs256")), Reason::Algorithm),
        (with(rsa(), "alg", json!("")), Reason::Algorithm),
        (with(rsa(), "alg", json!("Ed25519")), Reason::Algorithm),
        (with(p256(), "alg", json!("ESP256")), Reason::Algorithm),
        (with(p256(), "crv", json!("p-256")), Reason::Curve),
        (
            json!({"kty": "RSA", "kid": "c", "x5c": ["MIID"], "x5t": "AA"}),
            Reason::Certificate,
        ),
        (
            json!({"kty": "EC", "crv": "P-256", "x5c": ["MIID"]}),
            Reason::Certificate,
        ),
        (
            with(rsa(), "key_ops", json!("verify")),
            Reason::KeyOperations,
        ),
        (with(rsa(), "alg", json!("RSA-OAEP")), Reason::Algorithm),
        (with(rsa(), "alg", json!("HS256")), Reason::Algorithm),
        (with(rsa(), "alg", json!("none")), Reason::Algorithm),
        (with(rsa(), "alg", json!("ES256")), Reason::Algorithm),
        (with(p256(), "alg", json!("ES384")), Reason::Algorithm),
        (with(rsa(), "alg", json!(1)), Reason::Algorithm),
        (with(rsa(), "kid", json!(1)), Reason::KeyId),
        (
            with(
                rsa(),
                "kid",
                json!("k".repeat(super::super::MAX_KEY_ID_BYTES + 1)),
            ),
            Reason::KeyId,
        ),
        (with(rsa(), "issuer", json!(1)), Reason::Issuer),
        (with(p256(), "crv", json!("P-521")), Reason::Curve),
        (with(p256(), "crv", json!("secp256k1")), Reason::Curve),
        (with(p256(), "crv", Value::Null), Reason::Curve),
        (with(ed25519(), "crv", json!("X25519")), Reason::Curve),
        (with(ed25519(), "crv", json!("Ed448")), Reason::Curve),
        (with(rsa(), "n", Value::Null), Reason::Number),
        (with(rsa(), "n", json!("")), Reason::Number),
        (with(rsa(), "n", json!("a b")), Reason::Number),
        (with(rsa(), "e", json!(65537)), Reason::Number),
        (with(p256(), "y", Value::Null), Reason::Number),
        (with(p256(), "x", json!("AQ")), Reason::Unsound),
        (with(ed25519(), "x", json!("AQ")), Reason::Number),
        (with(rsa(), "n", json!(weak)), Reason::TooWeak),
        (with(rsa(), "n", json!("AA")), Reason::TooWeak),
        (with(rsa(), "n", json!(large)), Reason::TooLarge),
        (with(rsa(), "e", json!("Aw")), Reason::Exponent),
        (with(rsa(), "e", json!("AA")), Reason::Exponent),
        (with(rsa(), "n", json!(even)), Reason::Unsound),
        (with(p256(), "x", json!(off_curve)), Reason::Unsound),
        (with(ed25519(), "x", json!(small_order)), Reason::Unsound),
        (with(ed25519(), "x", json!(not_canonical)), Reason::Unsound),
    ];
    let mut seen = BTreeSet::new();
    for (jwk, expected) in &cases {
        assert_eq!(reason(&jwk.to_string()), *expected, "{jwk}");
        seen.insert(expected.as_str());
    }
    assert_eq!(
        seen.len(),
        SkipReason::ALL.len(),
        "every reason has a case: {seen:?}"
    );
}

#[test]
fn a_key_with_any_private_member_is_skipped() {
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth"] {
        let jwk = with(rsa(), name, json!("AQ")).to_string();
        assert_eq!(reason(&jwk), SkipReason::PrivateKey, "{name}");
    }
}

#[test]
fn a_key_whose_json_is_ambiguous_is_skipped() {
    let twice = r#"{"kty":"RSA","kty":"EC"}"#;
    let deep = format!(r#"{{"kty":{}{}}}"#, "[".repeat(20_000), "]".repeat(20_000));
    for jwk in [twice, &deep] {
        assert_eq!(reason(jwk), SkipReason::NotAnObject);
    }
}

#[test]
fn what_is_no_key_set_is_told() {
    let too_long = format!("{}{}", r#"{"keys":[]}"#, " ".repeat(MAX_KEY_SET_BYTES));
    let too_many = jwk_set(&vec![json!({}); MAX_KEYS + 1]);
    let cases: [(&[u8], KeySetFault); 29] = [
        (b"", KeySetFault::NotJson),
        (b"<html>", KeySetFault::Page),
        (b" \r\n<?xml version=\"1.0\"?>", KeySetFault::Page),
        (b"\xef\xbb\xbf<!DOCTYPE html>", KeySetFault::Page),
        (b"{\"keys\":[]", KeySetFault::NotJson),
        (b"{\"keys\":[]} x", KeySetFault::NotJson),
        (b"{\"keys\":[\"\xff\"]}", KeySetFault::NotJson),
        (b"\xff\xfe{\0}\0", KeySetFault::NotJson),
        (b"[]", KeySetFault::List),
        (b"[[]]", KeySetFault::List),
        (b" [{\"kty\":\"RSA\"}]", KeySetFault::List),
        (b"7", KeySetFault::NotAKeySet),
        (b"{}", KeySetFault::KeysMissing),
        (b"\xef\xbb\xbf{}", KeySetFault::KeysMissing),
        (b"{\"error\":\"x\"}", KeySetFault::KeysMissing),
        (b"{\"keys\":{}}", KeySetFault::NotAKeySet),
        (b"{\"keys\":null}", KeySetFault::NotAKeySet),
        (
            b"{\"a\":\"-----BEGIN CERTIFICATE-----\"}",
            KeySetFault::Certificates,
        ),
        (b"-----BEGIN PUBLIC KEY-----", KeySetFault::Certificates),
        (b"{\"kty\":\"RSA\",\"n\":\"AQ\"}", KeySetFault::SingleKey),
        (
            b"{\"issuer\":\"x\",\"jwks_uri\":\"y\"}",
            KeySetFault::DiscoveryDocument,
        ),
        (b"{\"keys\":[],\"keys\":[]}", KeySetFault::DuplicateMember),
        (
            b"{\"keys\":[],\"k\\u0065ys\":[]}",
            KeySetFault::DuplicateMember,
        ),
        (
            b"{\"x\":{\"a\":1,\"a\":1},\"keys\":[]}",
            KeySetFault::DuplicateMember,
        ),
        (b"{\"Keys\":[]}", KeySetFault::KeysMissing),
        (b"{\"keys\":[]}", KeySetFault::Empty),
        (b"\xef\xbb\xbf{\"keys\":[]}", KeySetFault::Empty),
        (too_long.as_bytes(), KeySetFault::TooLarge),
        (&too_many, KeySetFault::TooLarge),
    ];
    for (document, expected) in cases {
        let shown = document.escape_ascii().to_string();
        assert_eq!(KeySet::parse(document), Err(expected), "{shown:.60}");
    }
}

#[test]
fn a_set_without_a_usable_key_is_no_key_set() {
    let document = jwk_set(&[json!({"kty": "oct", "kid": "one"}), json!({})]);
    let skipped = vec![
        SkippedKey {
            index: 0,
            key_id: Some("one".to_owned()),
            reason: SkipReason::Symmetric,
        },
        SkippedKey {
            index: 1,
            key_id: None,
            reason: SkipReason::KeyType,
        },
    ];
    let expected = Err(KeySetFault::NoUsableKey(skipped));
    assert_eq!(KeySet::parse(&document), expected);
}

#[test]
fn a_hundred_keys_are_read() {
    assert_eq!(parse(&vec![p256(); MAX_KEYS]).keys().len(), MAX_KEYS);
}

#[test]
fn a_key_is_chosen_by_key_id_and_algorithm() {
    let set = parse(&[
        mint(KeyKind::Rsa2048).jwk("a"),
        mint(KeyKind::P256).jwk("a"),
        mint(KeyKind::P256).jwk("b"),
        with(mint(KeyKind::Rsa2048).jwk("c"), "alg", json!("RS256")),
    ]);
    assert_eq!(candidates(&set, Algorithm::Rs256, Some("a")), Ok(vec![0]));
    assert_eq!(candidates(&set, Algorithm::Ps512, Some("a")), Ok(vec![0]));
    assert_eq!(candidates(&set, Algorithm::Es256, Some("a")), Ok(vec![1]));
    assert_eq!(candidates(&set, Algorithm::Es256, Some("b")), Ok(vec![2]));
    assert_eq!(candidates(&set, Algorithm::Rs256, Some("c")), Ok(vec![3]));
    let none_fits = Err("none fits");
    assert_eq!(candidates(&set, Algorithm::Ps256, Some("c")), none_fits);
    assert_eq!(candidates(&set, Algorithm::Es384, Some("a")), none_fits);
    assert_eq!(candidates(&set, Algorithm::EdDsa, Some("b")), none_fits);
    assert_eq!(
        candidates(&set, Algorithm::Rs256, Some("d")),
        Err("unknown")
    );
    assert_eq!(
        candidates(&set, Algorithm::Rs256, Some("A")),
        Err("unknown")
    );
    assert_eq!(
        candidates(&set, Algorithm::EdDsa, Some("d")),
        Err("unknown")
    );
}

#[test]
fn two_keys_of_one_key_id_are_both_tried() {
    let set = parse(&[p256(), mint(KeyKind::Rsa2048).jwk("k"), p256()]);
    assert_eq!(
        candidates(&set, Algorithm::Es256, Some("k")),
        Ok(vec![0, 2])
    );
}

#[test]
fn a_key_without_key_id_stands_in_only_where_no_key_has_that_key_id() {
    let nameless = with(p256(), "kid", Value::Null);
    let set = parse(&[nameless, mint(KeyKind::P256).jwk("a"), rsa()]);
    assert_eq!(candidates(&set, Algorithm::Es256, Some("a")), Ok(vec![1]));
    assert_eq!(candidates(&set, Algorithm::Es256, Some("z")), Ok(vec![0]));
    assert_eq!(
        candidates(&set, Algorithm::Rs256, Some("z")),
        Err("unknown")
    );
    assert_eq!(
        candidates(&set, Algorithm::Es256, Some("k")),
        Err("none fits")
    );
}

#[test]
fn a_token_without_key_id_is_tried_with_four_keys_at_most() {
    let mut keys = vec![p256(); MAX_CANDIDATES];
    keys.push(rsa());
    let set = parse(&keys);
    assert_eq!(
        candidates(&set, Algorithm::Es256, None),
        Ok(vec![0, 1, 2, 3])
    );
    assert_eq!(candidates(&set, Algorithm::Rs256, None), Ok(vec![4]));
    assert_eq!(candidates(&set, Algorithm::EdDsa, None), Err("none fits"));
    keys.push(p256());
    let set = parse(&keys);
    assert_eq!(candidates(&set, Algorithm::Es256, None), Err("none fits"));
    assert_eq!(
        candidates(&set, Algorithm::Es256, Some("k")),
        Err("none fits")
    );
}

proptest::proptest! {
    /// A panic would take every request on its worker with it.
    #[test]
    fn a_damaged_key_set_is_read_or_refused(
        damage in proptest::collection::vec((any::<Index>(), any::<u8>()), 1..8),
        end in any::<Index>(),
    ) {
        let keys: Vec<_> = KEY_KINDS.iter().map(|kind| mint(*kind).jwk("k")).collect();
        let mut document = jwk_set(&keys);
        for (index, byte) in damage {
            let index = index.index(document.len());
            document[index] = byte;
        }
        for document in [&document[..end.index(document.len())], &document] {
            let keys = KeySet::parse(document).map(|set| set.keys().len());
            proptest::prop_assert_ne!(keys, Ok(0));
        }
    }
}
