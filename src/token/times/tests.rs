//! The moments at which a token begins and ceases to hold, to the second.

use serde_json::{json, Value};

use super::*;
use crate::formats::json::Document;

const NOW: u64 = 1_800_000_000;
const SKEW: Duration = Duration::from_secs(30);

/// What is wrong with a token of these claims `at` seconds after [`NOW`], if anything.
fn fault(document: &Value, skew: Duration, at: i64) -> Option<TokenFault> {
    let times = Times::read(Document::from(document).object()).expect("times");
    times.check(skew, moment(at)).err()
}

fn moment(at: i64) -> UnixSeconds {
    UnixSeconds(NOW.saturating_add_signed(at))
}

#[test]
fn a_token_holds_until_the_second_before_its_expiry_and_the_skew() {
    let token = json!({"exp": NOW});
    for (skew, last) in [(Duration::ZERO, -1), (SKEW, 29)] {
        assert_eq!(fault(&token, skew, last), None);
        assert_eq!(fault(&token, skew, last + 1), Some(TokenFault::Expired));
    }
}

#[test]
fn a_token_holds_from_its_first_second_less_the_skew() {
    for (name, expected) in [
        ("nbf", TokenFault::NotYetValid),
        ("iat", TokenFault::IssuedInTheFuture),
    ] {
        let mut token = json!({"exp": NOW + 600});
        token[name] = json!(NOW);
        for (skew, first) in [(Duration::ZERO, 0), (SKEW, -30)] {
            assert_eq!(fault(&token, skew, first), None, "{name}");
            assert_eq!(fault(&token, skew, first - 1), Some(expected), "{name}");
        }
    }
}

#[test]
fn a_token_may_be_issued_up_to_the_second_of_its_expiry() {
    let at_its_expiry = json!({"iat": NOW, "exp": NOW});
    assert_eq!(fault(&at_its_expiry, SKEW, 0), None);
    let after_it = json!({"iat": NOW + 1, "exp": NOW});
    let expected = Some(TokenFault::IssuedAfterExpiry);
    assert_eq!(fault(&after_it, SKEW, 0), expected);
}

/// What is wrong with an response that is believed until [`NOW`], `at` seconds after that.
fn fault_of_response(document: &Value, skew: Duration, at: i64) -> Option<TokenFault> {
    let times =
        Times::of_response(Document::from(document).object(), UnixSeconds(NOW)).expect("times");
    times.check(skew, moment(at)).err()
}

/// Milliseconds are cut off from the time until when an response is believed: in that very second it
/// still is.
#[test]
fn an_response_without_an_expiry_holds_through_the_second_until_when_it_is_believed() {
    for response in [json!({}), json!({"iat": NOW - 60})] {
        assert_eq!(fault_of_response(&response, Duration::ZERO, 0), None);
        let expected = Some(TokenFault::Expired);
        assert_eq!(fault_of_response(&response, Duration::ZERO, 1), expected);
    }
}

#[test]
fn the_clock_of_a_provider_that_names_no_expiry_may_be_ahead_by_the_skew() {
    for (ahead, expected) in [(30, None), (31, Some(TokenFault::IssuedInTheFuture))] {
        let response = json!({"iat": NOW + ahead});
        assert_eq!(fault_of_response(&response, SKEW, 0), expected, "{ahead}");
    }
}

#[test]
fn an_response_with_an_expiry_is_judged_by_that() {
    let response = json!({"exp": NOW + 60, "iat": NOW - 60});
    assert_eq!(fault_of_response(&response, Duration::ZERO, 59), None);
    let expected = Some(TokenFault::Expired);
    assert_eq!(fault_of_response(&response, Duration::ZERO, 60), expected);
    let never = json!({"exp": NOW - 1, "iat": NOW});
    let expected = Some(TokenFault::IssuedAfterExpiry);
    assert_eq!(fault_of_response(&never, SKEW, 0), expected);
    let later = json!({"nbf": NOW + 1});
    let expected = Some(TokenFault::NotYetValid);
    assert_eq!(fault_of_response(&later, Duration::ZERO, 0), expected);
    for name in ["exp", "nbf", "iat"] {
        let mut odd = json!({});
        odd[name] = json!("1800000000");
        let fault = Times::of_response(Document::from(&odd).object(), UnixSeconds(NOW)).err();
        assert_eq!(fault, Some(TokenFault::ClaimOfWrongType(name)));
    }
}
