//! Keys that are bound to an issuer.

use serde_json::{json, Value};

use super::samples::{compact, v1, v2, A, B, NOW};
use super::*;
use crate::crypto::{CryptoPath, GuestCrypto, KeySet};
use crate::mint::{jwk_set, mint, KeyKind};
use crate::time::UnixSeconds;
use crate::token::{is_guid, Issuers, TokenFault, TypRule, VerifiedToken};

/// The verdict on a good token of `issuer`, when its key is bound to `bound`.
fn verdict(
    issuer: &str,
    tenant: &Value,
    bound: Option<&str>,
    discovery_issuer: &str,
) -> Result<CryptoPath, TokenFault> {
    let signer = mint(KeyKind::Ed25519);
    let mut jwk = signer.jwk("k");
    if let Some(bound) = bound {
        jwk["issuer"] = json!(bound);
    }
    let keys = KeySet::parse(&jwk_set(&[jwk])).unwrap();
    let rules = TokenRules {
        issuers: Issuers::one(discovery_issuer),
        audience_claim: None,
        audiences: ["n8n".to_owned()].into(),
        algorithms: crate::crypto::Algorithm::ALL.into(),
        clock_skew: std::time::Duration::ZERO,
        typ: TypRule::AnyAccessToken,
        client_claims: &[],
    };
    let compact = compact(issuer, tenant);
    let token = UntrustedToken::parse(&compact)?;
    VerifiedToken::verify(&token, &rules, &keys, &GuestCrypto, UnixSeconds(NOW))
        .map(|token| token.crypto_path().unwrap())
}

#[test]
fn a_key_signs_for_the_issuer_that_it_is_bound_to() {
    let good = Ok(CryptoPath::Guest);
    let (a, b) = (json!(A), json!(B));
    let idp = "https://idp.example";
    assert_eq!(verdict(&v2(A), &a, None, &v2(TENANT)), good);
    assert_eq!(verdict(&v2(A), &a, Some(&v2(A)), &v2(TENANT)), good);
    assert_eq!(verdict(&v2(A), &a, Some(&v2(TENANT)), &v2(TENANT)), good);
    assert_eq!(verdict(&v2(B), &b, Some(&v2(TENANT)), &v2(TENANT)), good);
    assert_eq!(verdict(idp, &Value::Null, Some(idp), idp), good);
    // Though its provider's keys were found under another issuer, or no tenant is in it.
    assert_eq!(verdict(&v1(A), &a, Some(&v1(A)), &v2(A)), good);
    assert_eq!(verdict(&v1(A), &a, Some(&v1(TENANT)), &v2(A)), good);
    assert_eq!(verdict(idp, &a, Some(idp), &v2(A)), good);
}

#[test]
fn a_key_of_one_tenant_does_not_sign_for_another() {
    let refused = Err(TokenFault::KeyOfAnotherIssuer);
    let a = json!(A);
    for (issuer, tenant, bound, discovery) in [
        (v2(A), &a, v2(B), v2(TENANT)),
        (v1(A), &a, v2(B), v2(TENANT)),
        // The provider's own list of issuers does not join two tenants.
        (v2(A), &a, v2(B), v2(B)),
        (v2(A), &a, v1(TENANT), v2(TENANT)),
        // Without a tenant in the token, a key for any tenant signs for none.
        (v2(A), &Value::Null, v2(TENANT), v2(TENANT)),
        (v2(A), &json!("x"), v2(TENANT), v2(TENANT)),
        // A tenant that the token claims and its issuer does not.
        (v2(A), &json!(B), v2(TENANT), v2(TENANT)),
        (v1(A), &json!(B), v2(TENANT), v2(TENANT)),
        (v2(A), &a, format!("{}/", v2(A)), v2(TENANT)),
        (v2(A), &a, String::new(), v2(TENANT)),
    ] {
        let found = verdict(&issuer, tenant, Some(&bound), &discovery);
        assert_eq!(found, refused, "{issuer} {tenant} {bound} {discovery}");
    }
}

#[test]
fn a_key_of_entra_signs_tokens_of_both_versions_of_its_tenant() {
    let a = json!(A);
    for bound in [v2(A), v2(TENANT)] {
        for discovery in [v2(A), v2(TENANT)] {
            let found = verdict(&v1(A), &a, Some(&bound), &discovery);
            assert_eq!(found, Ok(CryptoPath::Guest), "{bound} {discovery}");
        }
    }
    // A key of an issuer that was never asked for keys does not.
    let other = format!("https://login.elsewhere.example/{A}/v2.0");
    assert_eq!(
        verdict(&v1(A), &a, Some(&other), &v2(A)),
        Err(TokenFault::KeyOfAnotherIssuer)
    );
}

#[test]
fn a_guid_has_one_spelling() {
    assert!(is_guid(A));
    for text in [
        "",
        "72f988bf86f141af91ab2d7cd011db47",
        "{72f988bf-86f1-41af-91ab-2d7cd011db47}",
        "72F988BF-86F1-41AF-91AB-2D7CD011DB47",
        "72f988bf-86f1-41af-91ab-2d7cd011db4g",
        "72f988bf-86f1-41af-91ab-2d7cd011db4",
        "72f988bf-86f1-41af-91ab-2d7cd011db477",
        "72f988bf/86f1-41af-91ab-2d7cd011db47",
        "72f988bf-86f1/41af-91ab-2d7cd011db47",
        "72f988bf-86f1-41af/91ab-2d7cd011db47",
        "72f988bf-86f1-41af-91ab/2d7cd011db47",
        "72f988bf086f1-41af-91ab-2d7cd011db47",
        "72f988b--86f1-41af-91ab-2d7cd011db47",
    ] {
        assert!(!is_guid(text), "{text}");
    }
}
