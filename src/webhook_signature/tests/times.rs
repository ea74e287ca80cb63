//! When a delivery was signed.

use super::*;

fn signed_at(time: &str) -> RequestHead {
    let code = sha256(SECRET, &format!("v0:{time}:{}", text(BODY)));
    delivery(&[
        ("x-slack-signature", &format!("v0={code}")),
        ("x-slack-request-timestamp", time),
    ])
}

#[test]
fn a_delivery_is_good_within_the_tolerance_on_both_sides() {
    let verifier = verifier(Sender::Slack, &[SECRET]);
    for (time, expected) in [
        (NOW.0, Ok(1)),
        (NOW.0 - 300, Ok(1)),
        (NOW.0 - 301, Err(SignatureFault::Stale("too_old"))),
        (NOW.0 + 300, Ok(1)),
        (NOW.0 + 301, Err(SignatureFault::Stale("in_the_future"))),
        (0, Err(SignatureFault::Stale("too_old"))),
        (99_999_999_999, Err(SignatureFault::Stale("in_the_future"))),
    ] {
        let request = signed_at(&time.to_string());
        assert_eq!(checked(&verifier, &request, BODY, NOW), expected, "{time}");
    }
}

#[test]
fn the_time_is_looked_at_after_the_signature() {
    let verifier = verifier(Sender::Slack, &[SECRET]);
    let request = signed_at("1000");
    let fault = checked(&verifier, &request, b"other", NOW);
    assert_eq!(fault, Err(SignatureFault::Invalid));
}

#[test]
fn a_time_that_is_not_written_as_the_sender_does_is_refused() {
    let verifier = verifier(Sender::Slack, &[SECRET]);
    for time in [
        "",
        " 1800000000",
        "+1800000000",
        "01800000000",
        "1800000000.0",
        "now",
    ] {
        let request = signed_at(time);
        let fault = verifier.read(&request).err();
        assert_eq!(
            fault,
            Some(SignatureFault::Malformed("timestamp")),
            "{time}"
        );
    }
    let without = delivery(&[("x-slack-signature", &format!("v0={}", "00".repeat(32)))]);
    let fault = verifier.read(&without).err();
    assert_eq!(fault, Some(SignatureFault::Malformed("timestamp")));
}

#[test]
fn a_delivery_is_remembered_for_as_long_as_it_is_good() {
    let until = |verifier: &Verifier, request: &RequestHead| {
        let claimed = verifier.read(request).unwrap();
        let until = claimed.verify(BODY, NOW).unwrap().good_until(NOW);
        until.0
    };
    let slack = verifier(Sender::Slack, &[SECRET]);
    let request = signed_at(&(NOW.0 + 100).to_string());
    assert_eq!(until(&slack, &request), NOW.0 + 400);
    let request = signed_at(&(NOW.0 - 100).to_string());
    assert_eq!(until(&slack, &request), NOW.0 + 200);
    // Without a time it is good for ever.
    let github = verifier(Sender::Github, &[SECRET]);
    let signature = format!("sha256={}", sha256(SECRET, text(BODY)));
    let request = delivery(&[("x-hub-signature-256", &signature)]);
    assert_eq!(until(&github, &request), NOW.0 + 300);
}
