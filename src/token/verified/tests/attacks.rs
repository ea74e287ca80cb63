//! Attacks on verifiers that were found in the wild, each as its finder would send it. What the
//! claims say is true in all of them: only the attack stands between the sender and n8n.

use super::*;

/// A token of the good claims under this header, with these bytes for a signature.
fn with_signature(header: &Value, signature: &[u8]) -> String {
    let (header, claims) = (header.to_string(), claims().to_string());
    let [header, claims, signature] =
        [header.as_bytes(), claims.as_bytes(), signature].map(base64url);
    format!("{header}.{claims}.{signature}")
}

#[test]
fn tokens_that_claim_to_need_no_signature_are_refused() {
    let unsigned = with_signature(&json!({"alg": "none"}), b"");
    assert_eq!(verify(&unsigned).err(), Some(TokenFault::NotAJws));
    for name in ["none", "None", "NONE", "nOnE", "none ", "\u{0}none", ""] {
        let header = json!({"alg": name, "kid": "p256"});
        let named = (name == "none").then_some("none");
        let expected = Some(TokenFault::AlgorithmNotAllowed(named));
        assert_eq!(
            verify(&with_signature(&header, b"x")).err(),
            expected,
            "{name}"
        );
    }
    for signature in [&[0; 64][..], &[0], &[0; 256]] {
        let expected = Some(TokenFault::BadSignature);
        let compact = with_signature(&header(), signature);
        assert_eq!(
            verify(&compact).err(),
            expected,
            "{} zeros",
            signature.len()
        );
    }
}

#[test]
fn an_hmac_keyed_with_a_public_key_is_refused() {
    let jwk = mint(KeyKind::Rsa2048).jwk("rsa");
    let modulus = jwk["n"].as_str().unwrap().to_owned();
    let spki = keys().keys()[0].spki_der().to_vec();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        base64url(&spki)
    );
    let secrets = [
        spki,
        pem.into_bytes(),
        modulus.into_bytes(),
        jwk.to_string().into_bytes(),
        vec![],
    ];
    for secret in secrets {
        let header = json!({"alg": "HS256", "kid": "rsa"});
        let unsigned = with_signature(&header, b"");
        let mac = hmac_sha256::HMAC::mac(unsigned.trim_end_matches('.'), &secret);
        let compact = with_signature(&header, &mac);
        let expected = Some(TokenFault::AlgorithmNotAllowed(Some("HS256")));
        assert_eq!(verify(&compact).err(), expected);
    }
}

#[test]
fn keys_that_a_token_brings_along_are_not_used() {
    let attacker = Mint::generate(KeyKind::P256);
    for (header, expected) in [
        (
            json!({"kid": "mine", "jwk": attacker.jwk("mine")}),
            TokenFault::UnknownKeyId(None),
        ),
        (
            json!({"kid": "p256", "jwk": attacker.jwk("p256")}),
            TokenFault::BadSignature,
        ),
        (
            json!({"jwk": attacker.jwk("p256")}),
            TokenFault::BadSignature,
        ),
        (
            json!({"kid": "p256", "jku": "https://evil.example/jwks"}),
            TokenFault::BadSignature,
        ),
        (
            json!({"kid": "p256", "x5u": "https://evil.example/pem"}),
            TokenFault::BadSignature,
        ),
        (
            json!({"kid": "p256", "x5c": ["MIIB"], "x5t": "AQ"}),
            TokenFault::BadSignature,
        ),
    ] {
        let header = with(header, &json!({"alg": "ES256"}));
        let compact = attacker.sign(&header, &claims());
        assert_eq!(verify(&compact).err(), Some(expected), "{header}");
    }
}

#[test]
fn tokens_that_two_readers_would_read_differently_are_refused() {
    let raw = |header: &str, claims: &str| {
        mint(KeyKind::P256).raw("ES256", header.as_bytes(), claims.as_bytes())
    };
    let (header, claims) = (header().to_string(), claims().to_string());
    let other_audience = claims.replacen('{', r#"{"aud":"other","#, 1);
    let two_algorithms = header.replacen('{', r#"{"alg":"none","#, 1);
    let extension = header.replacen('{', r#"{"crit":["bork"],"bork":1,"#, 1);
    assert_eq!(verify(&raw(&header, &claims)).err(), None);
    for (compact, expected) in [
        (raw(&header, &other_audience), TokenFault::ClaimsMalformed),
        (raw(&two_algorithms, &claims), TokenFault::HeaderMalformed),
        (raw(&extension, &claims), TokenFault::CriticalHeader),
        (
            json!({"payload": claims, "signatures": []}).to_string(),
            TokenFault::NotAJws,
        ),
    ] {
        assert_eq!(verify(&compact).err(), Some(expected), "{compact}");
    }
}

#[test]
fn an_issuer_is_compared_whole_so_that_no_part_of_it_can_match() {
    for issuer in [
        "https://idp.example.test/realms/acm",
        "https://idp.example.test/realms/acme/",
        "https://idp.example.test/realms/acme\u{0}",
        "HTTPS://idp.example.test/realms/acme",
    ] {
        let compact = mint(KeyKind::P256).sign(&header(), &with(claims(), &json!({"iss": issuer})));
        let token = UntrustedToken::parse(&compact).unwrap();
        assert_eq!(token.claimed_issuer(), issuer);
        assert_ne!(token.claimed_issuer(), ISSUER);
    }
}

#[test]
fn ecdsa_signatures_of_another_form_are_not_good() {
    let compact = mint(KeyKind::P256).sign(&header(), &claims());
    let (input, _) = compact.rsplit_once('.').unwrap();
    let signature = mint(KeyKind::P256).signature("ES256", input.as_bytes());
    let der = p256::ecdsa::Signature::from_slice(&signature)
        .unwrap()
        .to_der();
    let longer = [signature.as_slice(), &[0]].concat();
    for other in [der.as_bytes(), &longer, &signature[..63]] {
        let compact = format!("{input}.{}", base64url(other));
        assert_eq!(verify(&compact).err(), Some(TokenFault::BadSignature));
    }
}
