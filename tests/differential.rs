//! The gate's verdict on tokens against two other libraries': jwt-simple as a whole, and
//! jsonwebtoken.
//!
//! Where the gate accepts, both must accept. Where they accept and the gate refuses, the reasons
//! are those listed, and each listed reason does occur.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test must stop when its own tokens cannot be made or judged"
)]

#[path = "support/mint.rs"]
mod mint;

use std::collections::HashSet;
use std::sync::OnceLock;

use jwt_simple::prelude::{
    Duration, ECDSAP256PublicKeyLike as _, EdDSAPublicKeyLike as _, NoCustomClaims,
    RSAPublicKeyLike as _, UnixTimeStamp, VerificationOptions,
};
use mint::{jwk_set, mint, KeyKind, Mint};
use n8n_idp_gate::crypto::{Algorithm, GuestCrypto, KeySet};
use n8n_idp_gate::time::UnixSeconds;
use n8n_idp_gate::token::{
    Issuers, TokenFault, TokenRules, TypRule, UntrustedToken, VerifiedToken,
};
use proptest::prelude::{any, Strategy};
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::Value;

const ISSUER: &str = "https://idp.example.test";
const AUDIENCE: &str = "api://n8n-api";
const SKEW_SECONDS: u64 = 30;
const ATTEMPTS: usize = 4000;

/// Why the gate refuses what jwt-simple accepts.
const STRICTER_THAN_JWT_SIMPLE: [TokenFault; 9] = [
    // It takes a token without `exp` as one that never ends.
    TokenFault::ExpiryMissing,
    // It takes a number beyond all time as the end of time.
    TokenFault::ClaimOfWrongType("exp"),
    // It takes `null` as absent.
    TokenFault::ClaimOfWrongType("sub"),
    // It ignores an empty `crit`, and `b64`.
    TokenFault::CriticalHeader,
    // It checks with one key, whatever `kid` says.
    TokenFault::UnknownKeyId(None),
    // It does not tell access tokens from others, nor bound tokens from bearer tokens.
    TokenFault::SenderConstrained,
    TokenFault::WrongType("typ"),
    TokenFault::WrongType("nonce"),
    TokenFault::WrongType("events"),
];

/// Why the gate refuses what jsonwebtoken accepts.
const STRICTER_THAN_JSONWEBTOKEN: [TokenFault; 11] = [
    // It takes an array that holds the issuer as the issuer.
    TokenFault::ClaimOfWrongType("iss"),
    // It does not look at these claims.
    TokenFault::ClaimOfWrongType("iat"),
    TokenFault::ClaimOfWrongType("jti"),
    TokenFault::ClaimOfWrongType("sub"),
    TokenFault::IssuedInTheFuture,
    // It ignores an empty `crit`, and `b64`.
    TokenFault::CriticalHeader,
    // It checks with one key, whatever `kid` says.
    TokenFault::UnknownKeyId(None),
    // It does not tell access tokens from others, nor bound tokens from bearer tokens.
    TokenFault::SenderConstrained,
    TokenFault::WrongType("typ"),
    TokenFault::WrongType("nonce"),
    TokenFault::WrongType("events"),
];

#[test]
fn what_the_gate_accepts_others_accept_too() {
    let now = jsonwebtoken::get_current_timestamp();
    let attempts = attempts(now);
    let mut runner = TestRunner::deterministic();
    let mut accepted = 0_usize;
    let mut by_jwt_simple = Vec::new();
    let mut by_jsonwebtoken = Vec::new();
    for _ in 0..ATTEMPTS {
        let attempt = attempts.new_tree(&mut runner).expect("a token").current();
        let compact = attempt.mint();
        let ours = gate(&attempt, &compact, now);
        let jwt_simple = jwt_simple_accepts(&attempt, &compact, now);
        let jsonwebtoken = jsonwebtoken_accepts(&attempt, &compact);
        match ours {
            Ok(()) => {
                accepted += 1;
                assert!(jwt_simple, "jwt-simple refuses {attempt:?}");
                assert!(jsonwebtoken, "jsonwebtoken refuses {attempt:?}");
            }
            Err(fault) => {
                by_jwt_simple.extend(jwt_simple.then_some(fault));
                by_jsonwebtoken.extend(jsonwebtoken.then_some(fault));
            }
        }
    }
    // Were nothing accepted, nothing would be tested.
    assert!(accepted > ATTEMPTS / 50, "only {accepted} were accepted");
    assert_same(&by_jwt_simple, &STRICTER_THAN_JWT_SIMPLE);
    assert_same(&by_jsonwebtoken, &STRICTER_THAN_JSONWEBTOKEN);
}

fn assert_same(seen: &[TokenFault], listed: &[TokenFault]) {
    for fault in seen {
        assert!(listed.contains(fault), "{fault:?} is not listed");
    }
    for fault in listed {
        assert!(
            seen.contains(fault),
            "{fault:?} is listed and does not occur"
        );
    }
}

/// A token to be judged: how it is minted, and what is then done to it.
#[derive(Clone, Debug)]
struct Attempt {
    kind: KeyKind,
    header: String,
    claims: String,
    surgery: Surgery,
}

/// What is done to the text of a signed token.
#[derive(Clone, Debug)]
enum Surgery {
    None,
    Replace(usize, char),
    Remove(usize),
    Insert(usize, char),
    Truncate(usize),
    SignedByAnother,
}

/// Tokens that are good but for some changes: every member takes its good value most of the time.
fn attempts(now: u64) -> impl Strategy<Value = Attempt> {
    let kinds = select(vec![
        KeyKind::P256,
        KeyKind::P256,
        KeyKind::Ed25519,
        KeyKind::Rsa2048,
    ]);
    let header = (
        member(
            "alg",
            "@",
            &[
                r#""none""#,
                r#""HS256""#,
                r#""RS256""#,
                r#""es256""#,
                "null",
                "1",
            ],
        ),
        member("kid", r#""k""#, &["", r#""other""#, "1"]),
        member(
            "typ",
            r#""JWT""#,
            &["", r#""at+jwt""#, r#""logout+jwt""#, r#""JOSE""#, "1"],
        ),
        member("crit", "", &["[]", r#"["x"],"x":1"#, "null"]),
        member("b64", "", &["true", "false"]),
        member("jku", "", &[r#""https://evil.example/jwks""#]),
        member("alg", "", &["@"]),
    )
        .prop_map(|(a, b, c, d, e, f, g)| object(&[a, b, c, d, e, f, g]));
    let later = (now + 300).to_string();
    let earlier = (now - 300).to_string();
    let dates = |good: &str| {
        let mut values = vec!["", "null", r#""9999999999""#, "[]", "-1", "1e300", "0"];
        values.extend([later.as_str(), earlier.as_str()]);
        let fraction = format!("{good}.5");
        values.push(&fraction);
        (
            good.to_owned(),
            values.into_iter().map(str::to_owned).collect::<Vec<_>>(),
        )
    };
    let date = |name: &'static str, good: &str| {
        let (good, others) = dates(good);
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        member(name, &good, &others)
    };
    let claims = (
        member(
            "iss",
            &format!("{ISSUER:?}"),
            &[
                "",
                r#""https://idp.example""#,
                r#"["https://idp.example.test"]"#,
            ],
        ),
        member(
            "aud",
            &format!("{AUDIENCE:?}"),
            &[
                "",
                r#""other""#,
                r#"["other","api://n8n-api"]"#,
                "[]",
                "1",
                r#"["api://n8n-api",1]"#,
            ],
        ),
        date("exp", &later),
        date("nbf", &earlier),
        date("iat", &earlier),
        member("sub", r#""alice""#, &["", "1", "null"]),
        member("jti", r#""1""#, &["", "1"]),
        member("nonce", "", &[r#""n""#]),
        member("cnf", "", &[r#"{"jkt":"x"}"#]),
        member("events", "", &["{}"]),
        member("typ", "", &[r#""Bearer""#, r#""ID""#]),
        member("aud", "", &[&format!("{AUDIENCE:?}")]),
    )
        .prop_map(|(a, b, c, d, e, f, g, h, i, j, k, l)| {
            object(&[a, b, c, d, e, f, g, h, i, j, k, l])
        });
    (kinds, header, claims, surgeries()).prop_map(|(kind, header, claims, surgery)| Attempt {
        kind,
        header: header.replace('@', &format!("{:?}", mint(kind).algorithm())),
        claims,
        surgery,
    })
}

/// A member of an object as JSON text: the good value mostly. An empty value leaves it out.
fn member(name: &'static str, good: &str, others: &[&str]) -> impl Strategy<Value = String> {
    let mut values = vec![good.to_owned(); others.len() * 12];
    values.extend(others.iter().map(|other| (*other).to_owned()));
    select(values).prop_map(move |value| match value.as_str() {
        "" => String::new(),
        value => format!("{name:?}:{value}"),
    })
}

fn object(members: &[String]) -> String {
    let members: Vec<_> = members
        .iter()
        .filter(|member| !member.is_empty())
        .cloned()
        .collect();
    format!("{{{}}}", members.join(","))
}

fn surgeries() -> impl Strategy<Value = Surgery> {
    let characters = select("Aaz09-_.=+/ \u{e9}".chars().collect::<Vec<_>>());
    (0..24_u8, any::<usize>(), characters).prop_map(|(kind, place, character)| match kind {
        0 => Surgery::Replace(place, character),
        1 => Surgery::Remove(place),
        2 => Surgery::Insert(place, character),
        3 => Surgery::Truncate(place),
        4 => Surgery::SignedByAnother,
        _ => Surgery::None,
    })
}

impl Attempt {
    fn mint(&self) -> String {
        let mint = match self.surgery {
            Surgery::SignedByAnother => other_signer(self.kind),
            _ => mint(self.kind),
        };
        let compact = mint.raw(
            mint.algorithm(),
            self.header.as_bytes(),
            self.claims.as_bytes(),
        );
        let mut characters: Vec<char> = compact.chars().collect();
        let length = characters.len();
        match self.surgery {
            Surgery::None | Surgery::SignedByAnother => {}
            Surgery::Replace(place, character) => characters[place % length] = character,
            Surgery::Remove(place) => drop(characters.remove(place % length)),
            Surgery::Insert(place, character) => characters.insert(place % length, character),
            Surgery::Truncate(place) => characters.truncate(place % length),
        }
        characters.into_iter().collect()
    }
}

/// A key pair of the kind that is not the provider's. Made once: RSA keys take long.
fn other_signer(kind: KeyKind) -> &'static Mint {
    static OTHER_SIGNERS: [OnceLock<Mint>; 3] = [const { OnceLock::new() }; 3];
    let [rsa, p256, ed25519] = &OTHER_SIGNERS;
    let slot = match kind {
        KeyKind::Rsa2048 => rsa,
        KeyKind::P256 => p256,
        KeyKind::Ed25519 => ed25519,
        KeyKind::P384 => unreachable!("not among the attempts"),
    };
    slot.get_or_init(|| Mint::generate(kind))
}

fn gate(attempt: &Attempt, compact: &str, now: u64) -> Result<(), TokenFault> {
    let mint = mint(attempt.kind);
    let rules = TokenRules {
        issuers: Issuers {
            discovery: ISSUER.to_owned(),
            others: Vec::new(),
        },
        audience_claim: None,
        audiences: [AUDIENCE.to_owned()].into(),
        algorithms: Algorithm::parse(mint.algorithm()).into_iter().collect(),
        clock_skew: std::time::Duration::from_secs(SKEW_SECONDS),
        typ: TypRule::AnyAccessToken,
        client_claims: &[],
    };
    let keys = KeySet::parse(&jwk_set(&[mint.jwk("k")])).expect("a key set");
    let token = UntrustedToken::parse(compact)?;
    VerifiedToken::verify(&token, &rules, &keys, &GuestCrypto, UnixSeconds(now))?;
    // Choosing the provider by its issuer is the caller's part.
    match token.claimed_issuer() {
        ISSUER => Ok(()),
        _ => Err(TokenFault::IssuerMissing),
    }
}

fn jwt_simple_accepts(attempt: &Attempt, compact: &str, now: u64) -> bool {
    let options = Some(VerificationOptions {
        allowed_issuers: Some(HashSet::from([ISSUER.to_owned()])),
        allowed_audiences: Some(HashSet::from([AUDIENCE.to_owned()])),
        time_tolerance: Some(Duration::from_secs(SKEW_SECONDS)),
        artificial_time: Some(UnixTimeStamp::from_secs(now)),
        ..VerificationOptions::default()
    });
    match mint(attempt.kind) {
        Mint::Rsa(pair) => pair
            .public_key()
            .verify_token::<NoCustomClaims>(compact, options)
            .is_ok(),
        Mint::P256(pair) => pair
            .public_key()
            .verify_token::<NoCustomClaims>(compact, options)
            .is_ok(),
        Mint::Ed25519(pair) => pair
            .public_key()
            .verify_token::<NoCustomClaims>(compact, options)
            .is_ok(),
        Mint::P384(_) => unreachable!("not among the attempts"),
    }
}

fn jsonwebtoken_accepts(attempt: &Attempt, compact: &str) -> bool {
    use jsonwebtoken::{Algorithm, DecodingKey, Validation};
    let jwk = mint(attempt.kind).jwk("k");
    let text = |name: &str| jwk[name].as_str().unwrap_or_default();
    let (algorithm, key) = match attempt.kind {
        KeyKind::Rsa2048 => (
            Algorithm::RS256,
            DecodingKey::from_rsa_components(text("n"), text("e")),
        ),
        KeyKind::P256 => (
            Algorithm::ES256,
            DecodingKey::from_ec_components(text("x"), text("y")),
        ),
        KeyKind::Ed25519 => (Algorithm::EdDSA, DecodingKey::from_ed_components(text("x"))),
        KeyKind::P384 => unreachable!("not among the attempts"),
    };
    let mut validation = Validation::new(algorithm);
    validation.leeway = SKEW_SECONDS;
    validation.validate_nbf = true;
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[ISSUER]);
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    jsonwebtoken::decode::<Value>(compact, &key.expect("a key"), &validation).is_ok()
}
