//! Reads the text of a bearer token, parses it and verifies it under the provider's keys.
//!
//! The input is the text after `Bearer`; or, so that fuzzing reaches what is behind the signature, the
//! description of a [signed token](crate::signed).

use std::time::Duration;

use n8n_idp_gate::crypto::{Algorithm, GuestCrypto, KeySet};
use n8n_idp_gate::http::RequestHead;
use n8n_idp_gate::time::UnixSeconds;
use n8n_idp_gate::token::{bearer, is_opaque, Bearer, UntrustedToken, VerifiedToken};
use n8n_idp_gate::token::{Issuers, TokenRules, TypRule};
use serde_json::Value;

use crate::mint::base64url;
use crate::signed::{signed, Signed};
use crate::world::{key_set, AUDIENCE, ISSUER, NOW};

const SKEW: u64 = 30;

thread_local! {
    static KEYS: KeySet = KeySet::parse(key_set().to_string().as_bytes()).expect("a key set");
}

/// The target.
pub fn run(input: &[u8]) {
    let signed = signed(input);
    let text = signed
        .as_ref()
        .map_or(input, |signed| signed.text.as_slice());
    let value = [b"Bearer ", text].concat();
    let head = RequestHead::new(vec![("authorization".to_owned(), value)]);
    let Ok(Bearer::Token(token)) = bearer(&head) else {
        return;
    };
    let compact = token.expose();
    assert_eq!(
        compact.as_bytes(),
        text.trim_ascii(),
        "the token is what was sent"
    );
    let _ = is_opaque(compact);
    let Ok(untrusted) = UntrustedToken::parse(compact) else {
        return;
    };
    assert!(
        !format!("{untrusted:?} {token:?}").contains(compact),
        "the debug output shows the token"
    );
    let verify = |now| {
        KEYS.with(|keys| VerifiedToken::verify(&untrusted, &rules(), keys, &GuestCrypto, now))
    };
    let Ok(verified) = verify(UnixSeconds(NOW)) else {
        return;
    };
    let signed = signed.expect("a token that the provider did not sign is verified");
    assert!(
        signed.is_genuine,
        "a token that was not signed so is verified"
    );
    check(&signed, &verified);
    let expires = verified.expires().0;
    assert!(NOW <= expires.saturating_add(SKEW), "it has expired");
    let late = expires.saturating_add(SKEW).saturating_add(1);
    assert!(verify(UnixSeconds(late)).is_err(), "it holds after its end");
    KEYS.with(|keys| {
        assert!(
            !verified.still_holds(Some(keys), UnixSeconds(late)),
            "it is held after its end"
        );
        assert!(
            !verified.still_holds(None, UnixSeconds(NOW)),
            "it is held without keys"
        );
    });
}

/// What must be in every token that is verified, read by another reader.
fn check(signed: &Signed<'_>, verified: &VerifiedToken) {
    let read = |text| serde_json::from_slice::<Value>(text).expect("JSON");
    let (header, claims) = (read(signed.header), read(signed.claims));
    assert_eq!(header["alg"], signed.algorithm, "{header}");
    assert!(header.get("crit").is_none(), "{header}");
    if let Some(key_id) = header.get("kid") {
        assert_eq!(
            key_id, signed.algorithm,
            "the key of another name: {header}"
        );
    }
    let typ = header
        .get("typ")
        .map(|typ| typ.as_str().expect("a text").to_ascii_lowercase());
    assert!(
        typ.as_deref()
            .is_none_or(|typ| typ.ends_with("jwt") && !typ.contains("logout")),
        "{header}"
    );
    let audience = &claims["aud"];
    let in_list = audience
        .as_array()
        .is_some_and(|list| list.iter().any(|one| one == AUDIENCE));
    assert!(
        audience == AUDIENCE || in_list,
        "for another audience: {claims}"
    );
    let expires = claims["exp"].as_f64().expect("a number");
    assert!(
        expires + 30.0 >= 1_800_000_000.0,
        "it has expired: {claims}"
    );
    if let Some(begins) = claims.get("nbf") {
        let begins = begins.as_f64().expect("a number");
        assert!(begins <= 1_800_000_031.0, "not valid yet: {claims}");
    }
    assert_eq!(
        claims.get("cnf").is_some(),
        verified.binding().is_some(),
        "a bound token, or not: {claims}"
    );
    for name in ["nonce", "events"] {
        assert!(
            claims.get(name).is_none(),
            "{name} is not of an access token: {claims}"
        );
    }
    assert_eq!(
        claims["iss"],
        **verified.issuer(),
        "another issuer: {claims}"
    );
    assert!(String::from_utf8_lossy(&signed.text).starts_with(&base64url(signed.header)));
}

fn rules() -> TokenRules {
    let algorithms = ["EdDSA", "ES256", "ES384", "RS256"];
    TokenRules {
        issuers: Issuers {
            discovery: ISSUER.to_owned(),
            others: Vec::new(),
        },
        audience_claim: None,
        audiences: [AUDIENCE.to_owned()].into(),
        algorithms: algorithms
            .into_iter()
            .filter_map(Algorithm::parse)
            .collect(),
        clock_skew: Duration::from_secs(SKEW),
        typ: TypRule::AnyAccessToken,
        client_claims: &[],
    }
}
