//! Hosts that are faithful, faithless, or become so.

use std::cell::RefCell;

use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use p256::pkcs8::DecodePublicKey as _;
use superboring::hash::MessageDigest;
use superboring::pkey::PKey;
use superboring::rsa::{Padding, Rsa};
use superboring::sign::Verifier;

use super::*;
use crate::crypto::foreign::read_result;
use crate::crypto::KeySet;
use crate::formats::protobuf::{field, Field};
use crate::mint::{jwk_set, mint, KeyKind, KEY_KINDS};

/// `VerifySignatureResult` with `result: true`.
const GOOD: &[u8] = b"\x08\x01";

/// A host whose `verify_signature` returns what a closure makes of its arguments.
struct Host<A> {
    result: A,
    asked: RefCell<Vec<Arguments>>,
}

/// `VerifySignatureArguments`.
#[derive(Clone, Debug, Default, PartialEq)]
struct Arguments {
    hash_function: String,
    public_key: Vec<u8>,
    signature: Vec<u8>,
    text: Vec<u8>,
}

impl<A: Fn(&Arguments) -> Option<&'static [u8]>> Host<A> {
    fn new(result: A) -> Self {
        Self {
            result,
            asked: RefCell::default(),
        }
    }
}

impl<A: Fn(&Arguments) -> Option<&'static [u8]>> ForeignFunctions for &Host<A> {
    fn call(&self, name: &str, mut rest: &[u8]) -> Option<Vec<u8>> {
        assert_eq!(name, "verify_signature");
        let mut arguments = Arguments::default();
        while let Some((read, tail)) = field(rest) {
            match read {
                Field::Bytes(1, hash) => {
                    arguments.hash_function = String::from_utf8(hash.to_vec()).unwrap();
                }
                Field::Bytes(2, key) => arguments.public_key = key.to_vec(),
                Field::Bytes(3, signature) => arguments.signature = signature.to_vec(),
                Field::Bytes(4, text) => arguments.text = text.to_vec(),
                other => panic!("{other:?}"),
            }
            rest = tail;
        }
        assert!(rest.is_empty());
        let result = (self.result)(&arguments).map(<[u8]>::to_vec);
        self.asked.borrow_mut().push(arguments);
        result
    }
}

/// What Envoy returns.
fn faithful(arguments: &Arguments) -> &'static [u8] {
    match is_good(arguments) {
        Some(true) => GOOD,
        _ => b"\x12\x03bad",
    }
}

fn is_good(arguments: &Arguments) -> Option<bool> {
    let Arguments {
        hash_function,
        public_key,
        signature,
        text,
    } = arguments;
    let digest = match hash_function.as_str() {
        "sha256" => hmac_sha256::Hash::hash(text).to_vec(),
        "sha384" => hmac_sha512::sha384::Hash::hash(text).to_vec(),
        "sha512" => hmac_sha512::Hash::hash(text).to_vec(),
        other => panic!("{other}"),
    };
    if let Ok(key) = p256::ecdsa::VerifyingKey::from_public_key_der(public_key) {
        let signature = p256::ecdsa::Signature::from_der(signature).ok()?;
        return Some(key.verify_prehash(&digest, &signature).is_ok());
    }
    if let Ok(key) = p384::ecdsa::VerifyingKey::from_public_key_der(public_key) {
        let signature = p384::ecdsa::Signature::from_der(signature).ok()?;
        return Some(key.verify_prehash(&digest, &signature).is_ok());
    }
    let key = PKey::from_rsa(Rsa::public_key_from_der(public_key).ok()?).ok()?;
    let hash = match digest.len() {
        32 => MessageDigest::sha256(),
        48 => MessageDigest::sha384(),
        _ => MessageDigest::sha512(),
    };
    let mut verifier = Verifier::new(hash, &key).ok()?;
    verifier.set_rsa_padding(Padding::PKCS1).ok()?;
    verifier.update(text).ok()?;
    verifier.verify(signature).ok()
}

fn key(kind: KeyKind) -> PublicKey {
    let set = KeySet::parse(&jwk_set(&[mint(kind).jwk("k")])).unwrap();
    PublicKey::clone(&set.keys()[0])
}

const OF_HOST: [(KeyKind, Algorithm); 5] = [
    (KeyKind::Rsa2048, Algorithm::Rs256),
    (KeyKind::Rsa2048, Algorithm::Rs384),
    (KeyKind::Rsa2048, Algorithm::Rs512),
    (KeyKind::P256, Algorithm::Es256),
    (KeyKind::P384, Algorithm::Es384),
];

#[test]
fn a_faithful_host_checks_all_that_it_can() {
    let host = Host::new(|arguments| Some(faithful(arguments)));
    let (crypto, deviations) = HostCrypto::tested(&host, |_| {});
    assert_eq!(deviations, []);
    assert_eq!(
        crypto.algorithms().collect::<Vec<_>>(),
        OF_HOST.map(|(_, algorithm)| algorithm)
    );
    for (kind, algorithm) in OF_HOST {
        let key = key(kind);
        let mut signature = mint(kind).signature(algorithm.as_str(), b"message");
        let good = crypto.verify(&key, algorithm, b"message", &signature);
        assert_eq!((good.valid, good.path), (true, CryptoPath::Host));
        let asked = host.asked.borrow().last().cloned().unwrap();
        assert_eq!(asked.text, b"message");
        assert_eq!(asked.public_key, key.spki_der());
        signature[40] ^= 1;
        let bad = crypto.verify(&key, algorithm, b"message", &signature);
        assert_eq!((bad.valid, bad.path), (false, CryptoPath::Host));
    }
}

#[test]
fn the_self_test_asks_six_questions_an_algorithm() {
    let host = Host::new(|arguments| Some(faithful(arguments)));
    let _ = HostCrypto::tested(&host, |_| {});
    let asked = host.asked.borrow();
    let hashes: Vec<_> = asked
        .iter()
        .map(|call| call.hash_function.as_str())
        .collect();
    let expected = ["sha256", "sha384", "sha512", "sha256", "sha384"].map(|hash| [hash; 6]);
    assert_eq!(hashes, expected.concat());
    for questions in asked.chunks(6) {
        let [good, text, changed, key, truncated, empty] = questions else {
            panic!("{questions:?}");
        };
        let with = |change: fn(&mut Arguments, &Arguments), of: &Arguments| {
            let mut arguments = good.clone();
            change(&mut arguments, of);
            arguments == *of && arguments != *good
        };
        assert!(with(|mine, of| mine.text.clone_from(&of.text), text));
        assert!(with(
            |mine, of| mine.signature.clone_from(&of.signature),
            changed
        ));
        assert!(with(
            |mine, of| mine.public_key.clone_from(&of.public_key),
            key
        ));
        assert!(with(
            |mine, _| {
                mine.signature.pop();
            },
            truncated
        ));
        assert!(with(|mine, _| mine.signature.clear(), empty));
    }
}

/// The questions, in their order.
const CASES: [&str; 6] = [
    "a good signature",
    "a signature of another text",
    "a changed signature",
    "a signature of another key",
    "a truncated signature",
    "an empty signature",
];

#[test]
fn one_wrong_result_or_none_is_enough_not_to_be_asked_again() {
    for number in 0..30 {
        let algorithm = OF_HOST[number / 6].1;
        let case = CASES[number % 6];
        let is_good = number % 6 == 0;
        let wrong = if is_good { b"".as_slice() } else { GOOD };
        for (result, understood) in [
            (Some(wrong), Some(!is_good)),
            (Some(b"\x08".as_slice()), None),
            (None, None),
        ] {
            let questions = Cell::new(0);
            let host = Host::new(|arguments| {
                let question = questions.replace(questions.get() + 1);
                if question == number {
                    result
                } else {
                    Some(faithful(arguments))
                }
            });
            let (crypto, deviations) = HostCrypto::tested(&host, |_| {});
            let expected = Deviation {
                algorithm,
                case,
                result: understood,
            };
            assert_eq!(deviations, [expected]);
            for (kind, checked) in OF_HOST {
                let key = key(kind);
                let mut signature = mint(kind).signature(checked.as_str(), b"message");
                let good = crypto.verify(&key, checked, b"message", &signature);
                let path = if checked == algorithm {
                    CryptoPath::Guest
                } else {
                    CryptoPath::Host
                };
                assert_eq!((good.valid, good.path), (true, path));
                signature[40] ^= 1;
                let bad = crypto.verify(&key, checked, b"message", &signature);
                assert_eq!((bad.valid, bad.path), (false, path));
            }
        }
    }
}

#[test]
fn hosts_that_know_no_such_function_or_say_always_the_same_check_nothing() {
    for (result, case, understood) in [
        (None, CASES[0], None),
        (Some(b"".as_slice()), CASES[0], Some(false)),
        (Some(GOOD), CASES[1], Some(true)),
    ] {
        let host = Host::new(|_| result);
        let (crypto, deviations) = HostCrypto::tested(&host, |_| {});
        assert_eq!(crypto.algorithms().count(), 0);
        let expected = OF_HOST.map(|(_, algorithm)| Deviation {
            algorithm,
            case,
            result: understood,
        });
        assert_eq!(deviations, expected);
    }
}

#[test]
fn a_host_that_fails_later_is_not_asked_again_for_that_algorithm() {
    for failure in [None, Some(b"\x08\x02".as_slice())] {
        let fails = Cell::new(false);
        let host = Host::new(|arguments| {
            if fails.get() {
                return failure;
            }
            Some(faithful(arguments))
        });
        let reported: RefCell<Vec<Algorithm>> = RefCell::default();
        let report = |algorithm| reported.borrow_mut().push(algorithm);
        let (crypto, _) = HostCrypto::tested(&host, report);
        let (key, mint) = (key(KeyKind::Rsa2048), mint(KeyKind::Rsa2048));
        let signature = mint.signature("RS256", b"message");
        let path = |message: &[u8]| {
            let check = crypto.verify(&key, Algorithm::Rs256, message, &signature);
            assert_eq!(check.valid, message == b"message");
            check.path
        };
        assert_eq!(path(b"message"), CryptoPath::Host);
        fails.set(true);
        assert_eq!(path(b"message"), CryptoPath::Guest);
        fails.set(false);
        let asked = host.asked.borrow().len();
        assert_eq!(path(b"message"), CryptoPath::Guest);
        assert_eq!(path(b"another"), CryptoPath::Guest);
        assert_eq!(host.asked.borrow().len(), asked);
        assert_eq!(*reported.borrow(), [Algorithm::Rs256], "reported once");
        let left = crypto.algorithms().map(Algorithm::as_str);
        assert_eq!(
            left.collect::<Vec<_>>(),
            ["RS384", "RS512", "ES256", "ES384"]
        );
    }
}

#[test]
fn what_is_no_signature_of_the_key_does_not_reach_the_host() {
    let host = Host::new(|arguments| Some(faithful(arguments)));
    let (crypto, _) = HostCrypto::tested(&host, |_| {});
    let asked = host.asked.borrow().len();
    for kind in KEY_KINDS {
        let key = key(kind);
        let algorithm = Algorithm::parse(mint(kind).algorithm()).unwrap();
        let signature = mint(kind).signature(algorithm.as_str(), b"message");
        let zeros = vec![0; signature.len()];
        let half = signature.len() / 2;
        let without_r = [&zeros[..half], &signature[half..]].concat();
        let without_s = [&signature[..half], &zeros[half..]].concat();
        let longer = [signature.as_slice(), &[0]].concat();
        let led = [&[0], signature.as_slice()].concat();
        let shorter = signature[1..].to_vec();
        let mut bad = vec![vec![], shorter, longer, led];
        if matches!(kind, KeyKind::P256 | KeyKind::P384) {
            bad.extend([zeros, without_r, without_s]);
        }
        for signature in bad {
            let check = crypto.verify(&key, algorithm, b"message", &signature);
            assert!(!check.valid, "{kind:?} {signature:?}");
        }
        // Algorithms of other keys, and those that no host offers.
        for other in Algorithm::ALL {
            if !key.fits(other) || !crypto.algorithms().any(|hosted| hosted == other) {
                let check = crypto.verify(&key, other, b"message", &signature);
                assert_eq!(check.path, CryptoPath::Guest);
                assert_eq!(check.valid, other == algorithm, "{kind:?} {other:?}");
            }
        }
    }
    assert_eq!(host.asked.borrow().len(), asked);
}

#[test]
fn pss_stays_here_though_its_keys_are_those_of_rsa() {
    let host = Host::new(|arguments| Some(faithful(arguments)));
    let (crypto, _) = HostCrypto::tested(&host, |_| {});
    let key = key(KeyKind::Rsa2048);
    for algorithm in [Algorithm::Ps256, Algorithm::Ps384, Algorithm::Ps512] {
        let signature = mint(KeyKind::Rsa2048).signature(algorithm.as_str(), b"message");
        let check = crypto.verify(&key, algorithm, b"message", &signature);
        assert_eq!((check.valid, check.path), (true, CryptoPath::Guest));
    }
}

#[test]
fn a_result_is_good_when_it_says_so_once_and_nothing_else() {
    for (message, expected) in [
        (b"".as_slice(), Some(false)),
        (b"\x08\0", Some(false)),
        (b"\x08\x01", Some(true)),
        (b"\x12\x03bad", Some(false)),
        (b"\x08\0\x12\x03bad", Some(false)),
        (b"\x12\0\x08\x01", Some(true)),
        // Fields of a later version.
        (b"\x18\x07\x08\x01\x22\x01a", Some(true)),
        (b"\x2d\0\0\0\0\x21\0\0\0\0\0\0\0\0", Some(false)),
        // Good for a reason that says why not.
        (b"\x08\x01\x12\x03bad", None),
        // Said twice.
        (b"\x08\x01\x08\x01", None),
        (b"\x08\0\x08\x01", None),
        (b"\x08\x01\x08\0", None),
        (b"\x12\0\x12\0", None),
        // Neither yes nor no.
        (b"\x08\x02", None),
        (b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", None),
        // Of other types.
        (b"\x0a\x01\x01", None),
        (b"\x0d\x01\0\0\0", None),
        (b"\x09\x01\0\0\0\0\0\0\0", None),
        (b"\x10\x01", None),
        // Cut off, followed by more, or no message.
        (b"\x08", None),
        (b"\x08\x01\x12", None),
        (b"\x08\x01\x12\x01", None),
        (b"\x08\x01\0", None),
        (b"\x0b\x0c\x08\x01", None),
        (b"true", None),
        (b"\x01", None),
    ] {
        assert_eq!(read_result(message), expected, "{message:?}");
    }
}

#[test]
fn a_deviation_names_the_case_and_the_result() {
    let said = |result| {
        let deviation = Deviation {
            algorithm: Algorithm::Es256,
            case: CASES[3],
            result,
        };
        deviation.to_string()
    };
    let start = "ES256: a signature of another key";
    assert_eq!(said(Some(true)), format!("{start} was called good"));
    assert_eq!(said(Some(false)), format!("{start} was called bad"));
    assert_eq!(said(None), format!("{start} got no result"));
}
