//! When a token is valid.

use super::*;

#[test]
fn expiry_is_required_and_counts_with_the_skew() {
    let at = |exp: u64| fault(&json!({}), &json!({ "exp": exp }));
    assert_eq!(at(NOW - SKEW + 1), None);
    assert_eq!(at(NOW - SKEW), Some(TokenFault::Expired));
    assert_eq!(at(0), Some(TokenFault::Expired));
    let expected = Some(TokenFault::ExpiryMissing);
    assert_eq!(fault(&json!({}), &json!({"exp": null})), expected);
}

#[test]
fn a_token_is_refused_before_its_time() {
    let at = |nbf: u64| fault(&json!({}), &json!({ "nbf": nbf }));
    assert_eq!(at(NOW + SKEW), None);
    assert_eq!(at(NOW + SKEW + 1), Some(TokenFault::NotYetValid));
    assert_eq!(fault(&json!({}), &json!({"nbf": null})), None);
}

#[test]
fn a_token_made_in_store_for_later_is_refused() {
    let at = |iat: u64| fault(&json!({}), &json!({ "iat": iat }));
    assert_eq!(at(NOW + SKEW), None);
    assert_eq!(at(NOW + SKEW + 1), Some(TokenFault::IssuedInTheFuture));
    assert_eq!(fault(&json!({}), &json!({"iat": null})), None);
}

#[test]
fn a_token_issued_after_its_expiry_is_refused() {
    let change = json!({"iat": NOW + 10, "exp": NOW + 9});
    assert_eq!(
        fault(&json!({}), &change),
        Some(TokenFault::IssuedAfterExpiry)
    );
}

#[test]
fn times_do_not_wrap_however_large_the_skew() {
    let mut rules = rules(TypRule::AnyAccessToken);
    rules.clock_skew = Duration::MAX;
    let compact =
        mint(KeyKind::P256).sign(&header(), &with(claims(), &json!({"exp": 1, "iat": 1})));
    assert_eq!(verify_under(&rules, &compact).err(), None);
}

#[test]
fn a_number_with_a_fraction_is_a_time() {
    assert_eq!(fault_of_claim("exp", "1800000060.5"), None);
    assert_eq!(fault_of_claim("exp", "1.80000006e9"), None);
}
