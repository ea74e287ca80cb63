//! Questions of senders about a URL.

use super::*;

const TOKEN: &str = "verify-token-of-meta-0123";

fn meta() -> Verifier {
    Verifier {
        challenge: Challenge::Meta(SignatureKey::of_text(TOKEN)),
        ..verifier(Sender::Meta, &[SECRET])
    }
}

fn question(method: &str, query: &str) -> Option<Result<String, SignatureFault>> {
    let request = request(method, &format!("/webhook/meta?{query}"), &[]);
    let reply = meta().question(&request)?;
    Some(reply.map(|reply| {
        assert_eq!(reply.content_type, "text/plain");
        reply.body
    }))
}

#[test]
fn meta_gets_its_challenge_back_for_the_token_alone() {
    let good = format!("hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={TOKEN}");
    assert_eq!(question("GET", &good), Some(Ok("1158201444".to_owned())));
    for (query, fault) in [
        (
            "hub.mode=subscribe&hub.challenge=1&hub.verify_token=guess",
            SignatureFault::Invalid,
        ),
        (
            "hub.mode=subscribe&hub.challenge=1&hub.verify_token=",
            SignatureFault::Invalid,
        ),
        (
            &format!("hub.mode=delete&hub.challenge=1&hub.verify_token={TOKEN}"),
            SignatureFault::Malformed("hub.mode"),
        ),
        (
            &format!("hub.challenge=1&hub.verify_token={TOKEN}"),
            SignatureFault::Malformed("hub.mode"),
        ),
        (
            &format!("hub.mode=subscribe&hub.verify_token={TOKEN}"),
            SignatureFault::Malformed("hub.challenge"),
        ),
        // A page with a script in the name of the gate.
        (
            &format!("hub.mode=subscribe&hub.challenge=%3Cscript%3E&hub.verify_token={TOKEN}"),
            SignatureFault::Malformed("hub.challenge"),
        ),
    ] {
        assert_eq!(question("GET", query), Some(Err(fault)), "{query}");
    }
}

#[test]
fn what_is_no_question_is_a_delivery() {
    let good = format!("hub.mode=subscribe&hub.challenge=1&hub.verify_token={TOKEN}");
    assert_eq!(question("POST", &good), None);
    assert_eq!(question("GET", "a=b"), None);
    let without_token = verifier(Sender::Meta, &[SECRET]);
    let get = request("GET", &format!("/webhook/meta?{good}"), &[]);
    assert!(without_token.question(&get).is_none());
    let fault = without_token.read(&get).err();
    assert_eq!(fault, Some(SignatureFault::Method { allowed: "POST" }));
}

fn zoom(body: &str) -> Option<Result<ChallengeReply, SignatureFault>> {
    let verifier = Verifier {
        challenge: Challenge::Zoom,
        ..verifier(Sender::Zoom, &["secret-of-the-other-app", SECRET])
    };
    let time = NOW.0.to_string();
    let code = sha256(SECRET, &format!("v0:{time}:{body}"));
    let request = delivery(&[
        ("x-zm-signature", &format!("v0={code}")),
        ("x-zm-request-timestamp", &time),
    ]);
    let claimed = verifier.read(&request).unwrap();
    let question = claimed.verify(body.as_bytes(), NOW).unwrap().question();
    question
}

#[test]
fn zoom_gets_the_code_of_its_token_under_the_secret_that_it_signed_with() {
    let body = r#"{"payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"},"event_ts":1654503849680,"event":"endpoint.url_validation"}"#;
    let code = sha256(SECRET, "qgg8vlvZRS6UYooatFL8Aw");
    let expected = ChallengeReply {
        content_type: "application/json",
        body: format!(r#"{{"plainToken":"qgg8vlvZRS6UYooatFL8Aw","encryptedToken":"{code}"}}"#),
    };
    assert_eq!(zoom(body), Some(Ok(expected)));
}

#[test]
fn the_gate_signs_no_text_that_could_be_a_delivery() {
    let long = "a".repeat(257);
    for token in ["v0:1800000000:{}", "", "a b", "a\\\"b", &long] {
        let body = format!(
            r#"{{"event":"endpoint.url_validation","payload":{{"plainToken":"{token}"}}}}"#
        );
        let refused = Some(Err(SignatureFault::Malformed("plainToken")));
        assert_eq!(zoom(&body), refused, "{token}");
    }
}

#[test]
fn other_deliveries_of_zoom_are_for_the_workflow() {
    for body in [
        r#"{"event":"meeting.started","payload":{"plainToken":"a"}}"#,
        r#"{"event":"endpoint.url_validation","payload":{}}"#,
        "no json",
        "",
    ] {
        assert_eq!(zoom(body), None, "{body}");
    }
}
