//! One good delivery of each sender, and the same with another body.

use super::*;

/// Good deliveries, with the caller's name at the workflow.
fn good() -> Vec<(&'static str, Delivery)> {
    let time = now().to_string();
    let shopify = STANDARD.encode(mac(SECRET.as_bytes(), &[BODY]));
    let zoom = mac(SECRET.as_bytes(), &[b"v0:", time.as_bytes(), b":", BODY]);
    let millis = format!("{time}123");
    let workos = mac(SECRET.as_bytes(), &[millis.as_bytes(), b".", BODY]);
    let form = b"To=%2B18005551212&CallSid=CA1&From=%2B14158675309";
    let target = "/webhook/twilio/sms?foo=1";
    let twilio = hmac_sha1_compact::HMAC::mac(
        &[
            b"https://n8n.example.test".as_slice(),
            target.as_bytes(),
            b"CallSidCA1From+14158675309To+18005551212",
        ]
        .concat(),
        SECRET.as_bytes(),
    );
    let other_time = "2026-11-29T14:30:00Z";
    let other_time = rfc3339_now().unwrap_or_else(|| other_time.to_owned());
    let other = hmac_sha512::HMAC::mac(
        [
            format!("POST./webhook/other/in?a=b.{other_time}.").as_bytes(),
            BODY,
        ]
        .concat(),
        SECRET.as_bytes(),
    );
    vec![
        ("github", github(SECRET, BODY)),
        ("github", github(NEXT, b"of the second secret")),
        ("stripe", stripe(&[NEXT, SECRET], now(), BODY)),
        ("slack", slack(SECRET, BODY)),
        (
            "workos",
            Delivery::new(
                "/webhook/workos/in",
                &[(
                    "workos-signature",
                    format!("t={millis}, v1={}", hex(&workos)),
                )],
                BODY,
            ),
        ),
        (
            "standard_webhooks",
            standard("/webhook/standard/a", "svix", BODY),
        ),
        (
            "standard_webhooks",
            standard("/webhook/standard/b", "webhook", b"{}"),
        ),
        (
            "shopify",
            Delivery::new(
                "/webhook/shopify/orders",
                &[("x-shopify-hmac-sha256", shopify)],
                BODY,
            ),
        ),
        (
            "gitlab",
            Delivery::new(
                "/webhook/gitlab/push",
                &[("x-gitlab-token", SECRET.to_owned())],
                BODY,
            ),
        ),
        (
            "gitlab",
            standard("/webhook/gitlab-signed/push", "webhook", BODY),
        ),
        (
            "twilio",
            Delivery::new(
                target,
                &[("x-twilio-signature", STANDARD.encode(twilio))],
                form,
            ),
        ),
        (
            "zoom",
            Delivery::new(
                "/webhook/zoom/in",
                &[
                    ("x-zm-signature", format!("v0={}", hex(&zoom))),
                    ("x-zm-request-timestamp", time),
                ],
                BODY,
            ),
        ),
        ("meta", github_to("/webhook/meta/in", SECRET, BODY)),
        (
            "billing",
            Delivery::new(
                "/webhook/other/in?a=b",
                &[("x-signature", hex(&other)), ("x-time", other_time)],
                BODY,
            ),
        ),
    ]
}

/// The time as a sender writes it; `None`: the clock is before 1970.
fn rfc3339_now() -> Option<String> {
    let seconds = i64::try_from(now()).ok()?;
    let days = seconds / 86_400;
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    // Days to a date, as Howard Hinnant describes it.
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Some(format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
    ))
}

#[test]
fn n8n_gets_good_deliveries_and_not_even_a_connection_for_others() {
    let gate = gate(|setup| setup);
    let good = good();
    for (sender, delivery) in &good {
        // GitLab's token proves that the sender is GitLab, whatever the body is.
        let is_token = delivery.headers.contains_key("x-gitlab-token");
        let mut other = delivery.clone();
        if is_token {
            other = other.with("x-gitlab-token", NEXT.to_uppercase());
        } else {
            *other.body.last_mut().unwrap() ^= 1;
        }
        let refused = other.send(&gate).refusal();
        assert_eq!(refused, (403, json!("signature_invalid")), "{sender}");
        let mut unsigned = delivery.clone();
        unsigned.headers.clear();
        let refused = unsigned.send(&gate).refusal();
        assert_eq!(refused, (403, json!("signature_missing")), "{sender}");
    }
    assert_eq!(gate.recorder.take().len(), 0);
    assert_eq!(connections(&gate), 0);
    for (sender, delivery) in good {
        let request = delivery
            .request()
            .header("Authorization", "Bearer of-the-client")
            .header("X-N8N-API-KEY", "of-the-client")
            .header("X-Auth-Principal", "root")
            .header("X-Auth-Subject", "root");
        // GitLab sends its secret token beside a signature, as long as it has both.
        let request = if delivery.path.contains("gitlab-signed") {
            request.header("X-Gitlab-Token", SECRET)
        } else {
            request
        };
        let response = request.send(gate.envoy.port()).unwrap();
        assert_eq!(response.status, 200, "{sender}: {}", response.text());
        let recorded = gate.recorder.take();
        let [recorded] = recorded.as_slice() else {
            panic!("{sender}: {recorded:?}");
        };
        assert_eq!(recorded.body, delivery.body, "{sender}");
        assert_eq!(recorded.values("x-auth-kind"), ["webhook"]);
        assert_eq!(recorded.values("x-auth-principal"), [sender]);
        for gone in [
            "authorization",
            "x-n8n-api-key",
            "x-auth-subject",
            "x-gitlab-token",
        ] {
            assert_eq!(recorded.values(gone), [""; 0], "{sender}: {gone}");
        }
        for (name, value) in &delivery.headers {
            if *name != "x-gitlab-token" {
                assert_eq!(recorded.values(name), [value.as_str()], "{sender}");
            }
        }
    }
}

#[test]
fn the_audit_says_which_secret_and_never_shows_one() {
    let gate = gate(|setup| setup);
    for (secret, body) in [(SECRET, &b"1"[..]), (NEXT, b"2")] {
        assert_eq!(github(secret, body).send(&gate).status, 200);
    }
    let token = Delivery::new(
        "/webhook/gitlab/push",
        &[("x-gitlab-token", SECRET.to_owned())],
        BODY,
    );
    assert_eq!(token.send(&gate).status, 200);
    assert_eq!(github("another secret of 16", BODY).send(&gate).status, 403);
    let audit = gate.envoy.audit();
    let deliveries: Vec<_> = audit
        .iter()
        .map(|record| record["delivery"].clone())
        .collect();
    let id = "72d3162e-cc78-11e3-81ab-4c9367dc0958";
    assert_eq!(
        deliveries,
        [
            json!({"sender": "github", "id": id, "secret": 1}),
            json!({"sender": "github", "id": id, "secret": 2}),
            json!({"sender": "gitlab", "secret": 1}),
            json!({"sender": "github", "id": id}),
        ]
    );
    let log = gate.envoy.log_text();
    for secret in [SECRET, NEXT, STANDARD_SECRET, VERIFY_TOKEN] {
        assert!(!log.contains(secret), "{secret}");
    }
}
