//! What an attacker sends who has seen deliveries.

use super::*;

fn github(secret: &str) -> String {
    format!("sha256={}", sha256(secret, text(BODY)))
}

#[test]
fn any_of_several_secrets_is_enough_and_the_audit_learns_which() {
    let verifier = verifier(Sender::Github, &["new-secret-of-16-", SECRET]);
    for (secret, expected) in [
        ("new-secret-of-16-", Ok(1)),
        (SECRET, Ok(2)),
        ("another-secret-16", Err(SignatureFault::Invalid)),
        ("", Err(SignatureFault::Invalid)),
    ] {
        let signature = github(secret);
        let request = delivery(&[("x-hub-signature-256", &signature)]);
        assert_eq!(
            checked(&verifier, &request, BODY, NOW),
            expected,
            "{secret}"
        );
    }
}

#[test]
fn a_signature_with_a_weaker_hash_is_none() {
    let verifier = verifier(Sender::Github, &[SECRET]);
    let sha1 = mac(Hash::Sha1, SECRET, text(BODY));
    let downgraded = format!("sha1={sha1}");
    let relabelled = format!("sha256={sha1}");
    for (name, value, fault) in [
        (
            "x-hub-signature",
            downgraded.as_str(),
            SignatureFault::Missing,
        ),
        (
            "x-hub-signature-256",
            &downgraded,
            SignatureFault::Malformed("signature"),
        ),
        (
            "x-hub-signature-256",
            &relabelled,
            SignatureFault::Malformed("signature"),
        ),
    ] {
        let request = delivery(&[(name, value)]);
        assert_eq!(
            checked(&verifier, &request, BODY, NOW),
            Err(fault),
            "{name}"
        );
    }
}

#[test]
fn a_malformed_signature_is_refused_before_the_body_is_read() {
    let good = sha256(SECRET, text(BODY));
    let long = format!("sha256={}", "00".repeat(4096));
    let half = format!("sha256={}", &good[..32]);
    let odd = format!("sha256={}", &good[..63]);
    let more = format!("sha256={good}00");
    let blank = format!("sha256= {good}");
    let twice = format!("sha256={good},sha256={good}");
    let case = format!("SHA256={good}");
    for value in [
        "",
        " ",
        "sha256",
        "sha256=",
        "sha256=zz",
        &good,
        &long,
        &half,
        &odd,
        &more,
        &blank,
        &twice,
        &case,
        "sha256=\u{e9}",
    ] {
        let verifier = verifier(Sender::Github, &[SECRET]);
        let request = delivery(&[("x-hub-signature-256", value)]);
        let fault = verifier.read(&request).err();
        assert_eq!(
            fault,
            Some(SignatureFault::Malformed("signature")),
            "{value}"
        );
    }
}

#[test]
fn hexadecimal_digits_of_either_case_are_the_same_delivery() {
    let verifier = verifier(Sender::Github, &[SECRET]);
    let lower = github(SECRET);
    let upper = format!("sha256={}", sha256(SECRET, text(BODY)).to_uppercase());
    let digests = [lower, upper].map(|value| {
        let request = delivery(&[("x-hub-signature-256", &value)]);
        digest(&verifier, &request, BODY)
    });
    assert_eq!(digests[0], digests[1]);
}

#[test]
fn two_headers_of_one_name_are_refused_even_if_both_are_good() {
    let github = github(SECRET);
    let time = NOW.0.to_string();
    let slack = format!(
        "v0={}",
        sha256(SECRET, &format!("v0:{time}:{}", text(BODY)))
    );
    let cases: [(Sender, &[(&str, &str)]); 4] = [
        (
            Sender::Github,
            &[
                ("x-hub-signature-256", &github),
                ("x-hub-signature-256", &github),
            ],
        ),
        (
            Sender::Github,
            &[
                ("x-hub-signature-256", &github),
                ("X-Hub-Signature-256", "sha256="),
            ],
        ),
        (
            Sender::Slack,
            &[
                ("x-slack-signature", &slack),
                ("x-slack-request-timestamp", &time),
                ("x-slack-request-timestamp", &time),
            ],
        ),
        (
            Sender::Gitlab,
            &[("x-gitlab-token", SECRET), ("x-gitlab-token", "guess")],
        ),
    ];
    for (sender, headers) in cases {
        let verifier = verifier(sender, &[SECRET]);
        let request = delivery(headers);
        assert_eq!(
            verifier.read(&request).err(),
            Some(SignatureFault::Duplicate),
            "{}",
            sender.as_str()
        );
    }
}

#[test]
fn headers_of_two_namings_are_refused() {
    let verifier = verifier(
        Sender::StandardWebhooks,
        &["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    );
    let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    let request = delivery(&[
        ("svix-id", "msg_1"),
        ("svix-timestamp", "1614265330"),
        ("svix-signature", signature),
        ("webhook-signature", signature),
    ]);
    let fault = verifier.read(&request).err();
    assert_eq!(fault, Some(SignatureFault::Duplicate));
    // The id of one naming does not complete the other.
    let mixed = delivery(&[
        ("svix-id", "msg_1"),
        ("svix-timestamp", "1614265330"),
        ("webhook-signature", signature),
    ]);
    let fault = verifier.read(&mixed).err();
    assert_eq!(fault, Some(SignatureFault::Malformed("timestamp")));
}

#[test]
fn an_id_that_could_be_read_in_two_ways_is_refused() {
    let verifier = verifier(
        Sender::StandardWebhooks,
        &["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    );
    let long = "x".repeat(257);
    for id in ["msg.1", "", " ", "a b", &long, "\u{e9}"] {
        let request = delivery(&[
            ("webhook-id", id),
            ("webhook-timestamp", "1614265330"),
            (
                "webhook-signature",
                "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            ),
        ]);
        let fault = verifier.read(&request).err();
        assert_eq!(fault, Some(SignatureFault::Malformed("id")), "{id}");
    }
}

#[test]
fn only_so_many_signatures_are_compared() {
    let time = NOW.0.to_string();
    let good = sha256(SECRET, &format!("{time}.{}", text(BODY)));
    let stripe = |others: usize| {
        let others = format!(",v1={}", "00".repeat(32)).repeat(others);
        format!("t={time}{others},v1={good}")
    };
    let verifier = verifier(Sender::Stripe, &[SECRET]);
    for (others, expected) in [
        (0, Ok(1)),
        (15, Ok(1)),
        (16, Err(SignatureFault::Malformed("signature"))),
        (100, Err(SignatureFault::Malformed("signature"))),
    ] {
        let value = stripe(others);
        let request = delivery(&[("stripe-signature", &value)]);
        assert_eq!(
            checked(&verifier, &request, BODY, NOW),
            expected,
            "{others}"
        );
    }
}

#[test]
fn other_versions_of_a_signature_prove_nothing() {
    let time = NOW.0.to_string();
    let good = sha256(SECRET, &format!("{time}.{}", text(BODY)));
    let verifier = verifier(Sender::Stripe, &[SECRET]);
    for value in [
        format!("t={time},v0={good}"),
        format!("t={time}"),
        format!("t={time},v1"),
        format!("t={time},v1="),
        format!("t={time},v1={good},"),
        format!("v1={good},t={time},v1=0"),
        good.clone(),
    ] {
        let request = delivery(&[("stripe-signature", &value)]);
        let fault = verifier.read(&request).err();
        assert_eq!(
            fault,
            Some(SignatureFault::Malformed("signature")),
            "{value}"
        );
    }
    let no_time = format!("v1={good}");
    let request = delivery(&[("stripe-signature", &no_time)]);
    let fault = verifier.read(&request).err();
    assert_eq!(fault, Some(SignatureFault::Malformed("timestamp")));
    let two_times = format!("t={time},t=1,v1={good}");
    let request = delivery(&[("stripe-signature", &two_times)]);
    let fault = verifier.read(&request).err();
    assert_eq!(fault, Some(SignatureFault::Duplicate));
}

#[test]
fn a_method_that_the_sender_does_not_use_is_refused() {
    let signature = github(SECRET);
    let verifier = verifier(Sender::Github, &[SECRET]);
    for method in ["GET", "PUT", "DELETE", "OPTIONS", "HEAD", "post", ""] {
        let request = request(method, "/webhook/a", &[("x-hub-signature-256", &signature)]);
        let fault = verifier.read(&request).err();
        assert_eq!(
            fault,
            Some(SignatureFault::Method { allowed: "POST" }),
            "{method}"
        );
    }
}

#[test]
fn a_delivery_is_the_same_under_another_id_that_is_not_signed() {
    let verifier = verifier(Sender::Github, &[SECRET]);
    let signature = github(SECRET);
    let digests = ["one", "two"].map(|id| {
        let request = delivery(&[
            ("x-hub-signature-256", &signature),
            ("x-github-delivery", id),
        ]);
        digest(&verifier, &request, BODY)
    });
    assert_eq!(digests[0], digests[1]);
}

#[test]
fn a_delivery_is_the_same_with_either_of_two_signatures() {
    let time = NOW.0.to_string();
    let message = format!("{time}.{}", text(BODY));
    let secrets = [SECRET, "fedcba9876543210fedcba9876543210"];
    let [one, two] = secrets.map(|secret| sha256(secret, &message));
    let verifier = verifier(Sender::Stripe, &secrets);
    let values = [
        format!("t={time},v1={one},v1={two}"),
        format!("t={time},v1={two}"),
        format!("v1={one},t={time}"),
    ];
    let digests = values.map(|value| {
        let request = delivery(&[("stripe-signature", &value)]);
        digest(&verifier, &request, BODY)
    });
    assert_eq!(digests[0], digests[1]);
    assert_eq!(digests[0], digests[2]);
}

#[test]
fn a_delivery_that_is_signed_anew_is_another() {
    let verifier = verifier(Sender::Stripe, &[SECRET]);
    let digests = [NOW.0, NOW.0 - 5].map(|time| {
        let code = sha256(SECRET, &format!("{time}.{}", text(BODY)));
        let value = format!("t={time},v1={code}");
        let request = delivery(&[("stripe-signature", &value)]);
        digest(&verifier, &request, BODY)
    });
    assert_ne!(digests[0], digests[1]);
}

#[test]
fn nothing_that_is_shown_has_a_secret() {
    let verifier = verifier(Sender::Gitlab, &[SECRET]);
    let request = delivery(&[("x-gitlab-token", SECRET)]);
    let claimed = verifier.read(&request).unwrap();
    let proof = claimed.verify(BODY, NOW).unwrap();
    let shown = format!("{verifier:?} {claimed:?} {proof:?} {:?}", proof.digest());
    assert!(!shown.contains(SECRET), "{shown}");
    assert!(!shown.contains("order"), "{shown}");
}

#[test]
fn the_header_with_the_secret_itself_is_named() {
    let names = |sender: Sender, secret: &str| sender.scheme_for(secret).secret_headers();
    // GitLab sends it beside a signature, too.
    for secret in [SECRET, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
        assert_eq!(names(Sender::Gitlab, secret), ["x-gitlab-token"]);
    }
    for sender in Sender::ALL {
        if sender != Sender::Gitlab {
            assert_eq!(names(sender, SECRET), [""; 0]);
        }
    }
}
