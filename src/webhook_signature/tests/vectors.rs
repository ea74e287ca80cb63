//! The examples that senders publish, with their signatures.

use super::*;

const SLACK: &str = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow\
&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner\
&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands\
%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN\
&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";

const WORKOS: &str = r#"{"data":{"id":"directory_user_01FAEAJCR3ZBZ30D8BD1924TVG","state":"active","emails":[{"type":"work","value":"blair@foo-corp.com","primary":true}],"idp_id":"00u1e8mutl6wlH3lL4x7","object":"directory_user","username":"blair@foo-corp.com","last_name":"Lunceford","first_name":"Blair","directory_id":"directory_01F9M7F68PZP8QXP8G7X5QRHS7","raw_attributes":{"name":{"givenName":"Blair","familyName":"Lunceford","middleName":"Elizabeth","honorificPrefix":"Ms."},"title":"Developer Success Engineer","active":true,"emails":[{"type":"work","value":"blair@foo-corp.com","primary":true}],"groups":[],"locale":"en-US","schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"blair@foo-corp.com","addresses":[{"region":"CO","primary":true,"locality":"Steamboat Springs","postalCode":"80487"}],"externalId":"00u1e8mutl6wlH3lL4x7","displayName":"Blair Lunceford","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"2","displayName":"Kathleen Chung"},"division":"Engineering","department":"Customer Success"}}},"event":"dsync.user.created"}"#;

/// The sender, its secret, the headers, the body, and the time of the delivery.
type Example = (
    Sender,
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
    u64,
);

const EXAMPLES: [Example; 5] = [
    // GitHub Docs, "Validating webhook deliveries", "Testing the webhook payload validation".
    (
        Sender::Github,
        concat!("It's a Secret to Every", "body"),
        &[(
            "X-Hub-Signature-256",
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
        )],
        "Hello, World!",
        NOW.0,
    ),
    // Slack, "Verifying requests from Slack".
    (
        Sender::Slack,
        "8f742231b10e8888abcd99yyyzzz85a5",
        &[
            (
                "X-Slack-Signature",
                "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
            ),
            ("X-Slack-Request-Timestamp", "1531420618"),
        ],
        SLACK,
        1_531_420_618,
    ),
    // The library of WorkOS for Ruby, in its tests.
    (
        Sender::Workos,
        "FrQWzvMo0eqse22Ceyia2uuww",
        &[(
            "WorkOS-Signature",
            "t=1626125972272, v1=80f7ab7efadc306eb5797c588cee9410da9be4416782b497bf1e1bf4175fb928",
        )],
        WORKOS,
        1_626_125_972,
    ),
    // Svix, "How to verify webhooks".
    (
        Sender::StandardWebhooks,
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        &[
            ("svix-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
            ("svix-timestamp", "1614265330"),
            (
                "svix-signature",
                "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            ),
        ],
        r#"{"test": 2432232314}"#,
        1_614_265_330,
    ),
    // The same with the names of Standard Webhooks, and with another version beside it.
    (
        Sender::StandardWebhooks,
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        &[
            ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
            ("webhook-timestamp", "1614265330"),
            (
                "webhook-signature",
                "v2,abc v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            ),
        ],
        r#"{"test": 2432232314}"#,
        1_614_265_330,
    ),
];

#[test]
fn the_example_of_a_sender_is_good() {
    for (sender, secret, headers, body, time) in EXAMPLES {
        let verifier = verifier(sender, &[secret]);
        let now = UnixSeconds(time);
        let checked = checked(&verifier, &delivery(headers), body.as_bytes(), now);
        assert_eq!(checked, Ok(1), "{}", sender.as_str());
    }
}

#[test]
fn with_one_other_byte_it_is_not() {
    for (sender, secret, headers, body, time) in EXAMPLES {
        let verifier = verifier(sender, &[secret]);
        let now = UnixSeconds(time);
        let request = delivery(headers);
        for position in 0..body.len() {
            let mut body = body.as_bytes().to_vec();
            body[position] ^= 1;
            let checked = checked(&verifier, &request, &body, now);
            assert_eq!(checked, Err(SignatureFault::Invalid), "{}", sender.as_str());
        }
        for other in [
            &body.as_bytes()[1..],
            b"",
            &[body.as_bytes(), b"\0"].concat(),
        ] {
            let checked = checked(&verifier, &request, other, now);
            assert_eq!(checked, Err(SignatureFault::Invalid), "{}", sender.as_str());
        }
    }
}

#[test]
fn senders_without_an_example_sign_as_they_describe_it() {
    let time = NOW.0.to_string();
    let body = text(BODY);
    let of_body = sha256(SECRET, body);
    let of_time = sha256(SECRET, &format!("{time}.{body}"));
    let of_version = sha256(SECRET, &format!("v0:{time}:{body}"));
    let base64 = STANDARD.encode(hex::decoded(&of_body).unwrap());
    let stripe = format!("t={time},v1={of_time},v0={}", "00".repeat(32));
    let github = format!("sha256={of_body}");
    let zoom = format!("v0={of_version}");
    let cases: [(Sender, &[(&str, &str)]); 5] = [
        (Sender::Stripe, &[("Stripe-Signature", &stripe)]),
        (Sender::Meta, &[("X-Hub-Signature-256", &github)]),
        (Sender::Shopify, &[("X-Shopify-Hmac-SHA256", &base64)]),
        (
            Sender::Zoom,
            &[("x-zm-signature", &zoom), ("x-zm-request-timestamp", &time)],
        ),
        (Sender::Gitlab, &[("X-Gitlab-Token", SECRET)]),
    ];
    for (sender, headers) in cases {
        let verifier = verifier(sender, &[SECRET]);
        let checked = checked(&verifier, &delivery(headers), BODY, NOW);
        assert_eq!(checked, Ok(1), "{}", sender.as_str());
    }
}

#[test]
fn the_asymmetric_form_of_standard_webhooks_is_checked_with_a_public_key() {
    // The key pair of RFC 8032 §7.1 test 2.
    let seed = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
    let seed = hex::decoded(seed).unwrap();
    let pair =
        ed25519_compact::KeyPair::from_seed(ed25519_compact::Seed::from_slice(&seed).unwrap());
    let public = "whpk_PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=";
    assert_eq!(STANDARD.encode(*pair.pk), public["whpk_".len()..]);
    let time = NOW.0.to_string();
    let signature = |body: &str| {
        let signature = pair.sk.sign(format!("msg_1.{time}.{body}"), None);
        format!("v1a,{}", STANDARD.encode(*signature))
    };
    let request = |signature: &str| {
        delivery(&[
            ("webhook-id", "msg_1"),
            ("webhook-timestamp", &time),
            ("webhook-signature", signature),
        ])
    };
    let good = signature(text(BODY));
    let both = verifier(
        Sender::StandardWebhooks,
        &["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", public],
    );
    assert_eq!(checked(&both, &request(&good), BODY, NOW), Ok(2));
    let alone = verifier(Sender::StandardWebhooks, &[public]);
    assert_eq!(checked(&alone, &request(&good), BODY, NOW), Ok(1));
    let other = signature("{}");
    for (signature, fault) in [
        (other.as_str(), SignatureFault::Invalid),
        // Without the key of an HMAC, a public key is never taken for one.
        (
            &format!("v1,{}", STANDARD.encode([0; 32])),
            SignatureFault::Invalid,
        ),
        (
            &format!("v1a,{}", STANDARD.encode([0; 64])),
            SignatureFault::Invalid,
        ),
        (
            &format!("v1a,{}", STANDARD.encode([0; 63])),
            SignatureFault::Malformed("signature"),
        ),
    ] {
        assert_eq!(
            checked(&alone, &request(signature), BODY, NOW),
            Err(fault),
            "{signature}"
        );
    }
}

#[test]
fn gitlab_signs_with_a_signing_token_as_standard_webhooks_has_it() {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let verifier = verifier(Sender::Gitlab, &[secret]);
    let signed = delivery(&[
        ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        ("webhook-timestamp", "1614265330"),
        (
            "webhook-signature",
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
    ]);
    let now = UnixSeconds(1_614_265_330);
    let body = br#"{"test": 2432232314}"#;
    assert_eq!(checked(&verifier, &signed, body, now), Ok(1));
    // The token, which proves less, is not taken in place of a signature.
    let token = delivery(&[("x-gitlab-token", secret)]);
    assert_eq!(
        checked(&verifier, &token, body, now),
        Err(SignatureFault::Missing)
    );
}
