use proptest::prelude::any;
use serde_json::{json, Value};

use super::*;
use crate::mint::{base64url, mint, KeyKind};

/// A token with this header and these claims, and some signature.
fn token(header: &str, claims: &str) -> String {
    format!("{}.{}.c2ln", base64url(header), base64url(claims))
}

fn fault_of(compact: &str) -> TokenFault {
    UntrustedToken::parse(compact).expect_err("a fault")
}

fn fault_of_header(header: &str) -> TokenFault {
    fault_of(&token(header, r#"{"iss":"i"}"#))
}

fn fault_of_claims(claims: &str) -> TokenFault {
    fault_of(&token(r#"{"alg":"RS256"}"#, claims))
}

#[test]
fn a_sound_token_tells_what_it_claims() {
    let header = json!({"alg": "ES256", "kid": "k1", "typ": "at+jwt"});
    let compact = mint(KeyKind::P256).sign(&header, &json!({"iss": "https://idp.example"}));
    let token = UntrustedToken::parse(&compact).unwrap();
    assert_eq!(token.claimed_issuer(), "https://idp.example");
    assert_eq!(token.algorithm(), Some(Algorithm::Es256));
    assert_eq!(token.key_id(), Some("k1"));
    assert_eq!(token.typ(), Some("at+jwt"));
    let (input, signature) = compact.rsplit_once('.').unwrap();
    assert_eq!(token.signing_input(), input.as_bytes());
    assert_eq!(base64url(token.signature()), signature);
}

#[test]
fn what_a_token_says_of_itself_is_read_for_an_operator() {
    let said = |claims: Value| {
        let compact = token(r#"{"alg":"RS256","kid":"k1"}"#, &claims.to_string());
        UntrustedToken::parse(&compact).unwrap().claimed()
    };
    assert_eq!(
        said(json!({"iss": "i", "aud": ["a", 7, "b"], "sub": "s", "azp": "c"})),
        UnverifiedClaims {
            issuer: Some("i".to_owned()),
            audience: vec!["a".to_owned(), "b".to_owned()],
            subject: Some("s".to_owned()),
            client: Some("c".to_owned()),
            key_id: Some("k1".to_owned()),
        }
    );
    assert_eq!(said(json!({"iss": "i", "aud": "a"})).audience, ["a"]);
    assert!(said(json!({"iss": "i", "aud": {"a": 1}}))
        .audience
        .is_empty());
    for (claims, client) in [
        (json!({"iss": "i", "azp": "a", "client_id": "b"}), Some("a")),
        (json!({"iss": "i", "azp": 7, "client_id": "b"}), Some("b")),
        (json!({"iss": "i", "cid": "c"}), Some("c")),
        (json!({"iss": "i", "appid": "d"}), Some("d")),
        (json!({"iss": "i", "sub": 7}), None),
    ] {
        assert_eq!(said(claims.clone()).client.as_deref(), client, "{claims}");
    }
}

#[test]
fn key_id_and_typ_may_be_absent() {
    let compact = token(r#"{"alg":"RS256"}"#, r#"{"iss":"i"}"#);
    let token = UntrustedToken::parse(&compact).unwrap();
    assert_eq!((token.key_id(), token.typ()), (None, None));
}

#[test]
fn an_algorithm_that_is_not_known_is_none() {
    for name in [
        "none", "None", "nOnE", "HS256", "rs256", "RS256 ", "", "ES256K",
    ] {
        let header = json!({ "alg": name }).to_string();
        let compact = token(&header, r#"{"iss":"i"}"#);
        let token = UntrustedToken::parse(&compact).unwrap();
        assert_eq!(token.algorithm(), None, "{name}");
    }
}

#[test]
fn a_token_of_16_kib_is_read_and_a_longer_one_is_not() {
    let sound = token(r#"{"alg":"RS256"}"#, r#"{"iss":"i"}"#);
    let (input, _) = sound.rsplit_once('.').unwrap();
    let of_length = |length: usize| format!("{input}.{}", "A".repeat(length - input.len() - 1));
    assert!(UntrustedToken::parse(&of_length(MAX_TOKEN_BYTES)).is_ok());
    assert_eq!(
        fault_of(&of_length(MAX_TOKEN_BYTES + 1)),
        TokenFault::TooLong
    );
}

#[test]
fn what_has_not_three_parts_is_no_jws() {
    let dots = ".".repeat(MAX_TOKEN_BYTES);
    for compact in [
        "",
        "opaque",
        "a.b",
        "..",
        "a.b.",
        ".b.c",
        "a..c",
        "a.b.c.d",
        "a.b.c.d.e.f",
        "...",
        &dots,
    ] {
        assert_eq!(fault_of(compact), TokenFault::NotAJws, "{compact:.20}");
    }
    assert_eq!(fault_of(&".".repeat(50_000)), TokenFault::TooLong);
}

#[test]
fn five_parts_are_an_encrypted_token() {
    for compact in ["a.b.c.d.e", "a..c.d.e", "...."] {
        assert_eq!(fault_of(compact), TokenFault::Encrypted, "{compact}");
    }
    assert_eq!(
        fault_of_header(r#"{"alg":"RS256","enc":"A128GCM"}"#),
        TokenFault::Encrypted
    );
    assert_eq!(
        fault_of_header(r#"{"alg":"RS256","zip":"DEF"}"#),
        TokenFault::Encrypted
    );
}

#[test]
fn base64url_has_one_spelling() {
    let sound = token(r#"{"alg":"RS256"}"#, r#"{"iss":"i"}"#);
    assert!(UntrustedToken::parse(&sound).is_ok());
    assert!(UntrustedToken::parse(&format!("{sound}YQ")).is_ok());
    let other_spellings = [
        format!("{sound}="),
        format!("{sound} "),
        format!(" {sound}"),
        format!("{sound}\n"),
        format!("{sound}A"),
        format!("{sound}+"),
        format!("{sound}/AA"),
        format!("{sound}~AA"),
        format!("{sound}\u{e9}"),
        // Two characters hold 12 bits, of which 8 count: the last four must be zero.
        format!("{sound}YR"),
    ];
    for compact in other_spellings {
        assert_eq!(fault_of(&compact), TokenFault::NotAJws, "{compact}");
    }
}

#[test]
fn a_malformed_header_is_refused() {
    let long = format!(
        r#"{{"alg":"RS256","kid":"{}"}}"#,
        "k".repeat(MAX_KEY_ID_BYTES + 1)
    );
    let deep = format!(
        r#"{{"alg":"RS256","x":{}{}}}"#,
        "[".repeat(16),
        "]".repeat(16)
    );
    for header in [
        "{}",
        "[]",
        "RS256",
        r#"{"alg":null}"#,
        r#"{"alg":["RS256"]}"#,
        r#"{"alg":256}"#,
        r#"{"Alg":"RS256"}"#,
        r#"{"alg":"RS256","alg":"none"}"#,
        r#"{"alg":"RS256","\u0061lg":"none"}"#,
        r#"{"alg":"RS256","kid":1}"#,
        r#"{"alg":"RS256","kid":null}"#,
        r#"{"alg":"RS256","typ":["JWT"]}"#,
        r#"{"alg":"RS256""#,
        r#"{"alg":"RS256"}{}"#,
        &long,
        &deep,
    ] {
        assert_eq!(
            fault_of_header(header),
            TokenFault::HeaderMalformed,
            "{header:.60}"
        );
    }
}

#[test]
fn the_longest_key_id_is_read() {
    let header = json!({"alg": "RS256", "kid": "k".repeat(MAX_KEY_ID_BYTES)}).to_string();
    assert!(UntrustedToken::parse(&token(&header, r#"{"iss":"i"}"#)).is_ok());
}

#[test]
fn every_extension_is_refused() {
    for header in [
        r#"{"alg":"RS256","crit":["bork"],"bork":true}"#,
        r#"{"alg":"RS256","crit":[]}"#,
        r#"{"alg":"RS256","crit":null}"#,
        r#"{"alg":"RS256","crit":["exp"],"exp":1}"#,
        r#"{"alg":"RS256","b64":false,"crit":["b64"]}"#,
        r#"{"alg":"RS256","b64":true}"#,
    ] {
        assert_eq!(
            fault_of_header(header),
            TokenFault::CriticalHeader,
            "{header}"
        );
    }
}

#[test]
fn malformed_claims_are_refused() {
    let deep = format!(r#"{{"iss":"i","x":{}{}}}"#, "[".repeat(16), "]".repeat(16));
    for claims in [
        "[]",
        "null",
        "eyJhbGciOiJub25lIn0.e30.x",
        r#"{"iss":"i","iss":"i"}"#,
        r#"{"iss":"i","x":{"y":1,"y":2}}"#,
        r#"{"iss":"i"},"#,
        &deep,
    ] {
        assert_eq!(
            fault_of_claims(claims),
            TokenFault::ClaimsMalformed,
            "{claims:.60}"
        );
    }
    let not_utf8 = token(r#"{"alg":"RS256"}"#, "x")
        .replace(&base64url("x"), &base64url(b"{\"iss\":\"i\xff\"}"));
    assert_eq!(fault_of(&not_utf8), TokenFault::ClaimsMalformed);
}

#[test]
fn an_issuer_is_one_string() {
    assert_eq!(fault_of_claims("{}"), TokenFault::IssuerMissing);
    for claims in [
        r#"{"iss":null}"#,
        r#"{"iss":["i"]}"#,
        r#"{"iss":1}"#,
        r#"{"iss":{}}"#,
    ] {
        assert_eq!(
            fault_of_claims(claims),
            TokenFault::ClaimOfWrongType("iss"),
            "{claims}"
        );
    }
}

#[test]
fn a_token_is_not_shown() {
    let compact = token(r#"{"alg":"RS256","kid":"secret"}"#, r#"{"iss":"secret"}"#);
    let shown = format!("{:?}", UntrustedToken::parse(&compact).unwrap());
    assert_eq!(shown, "UntrustedToken { algorithm: Some(Rs256), .. }");
}

proptest::proptest! {
    /// A panic would take every request on its worker with it.
    #[test]
    fn whatever_is_sent_is_read_or_refused(
        text in any::<String>(),
        parts in proptest::collection::vec(any::<Vec<u8>>(), 0..6),
    ) {
        let parts: Vec<_> = parts.iter().map(base64url).collect();
        for compact in [text, parts.join(".")] {
            let fault = UntrustedToken::parse(&compact).err();
            proptest::prop_assert!(fault.is_some(), "{:?} is no token", compact);
        }
    }
}
