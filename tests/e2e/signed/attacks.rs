//! Recorded deliveries that are sent again, changed or not.

use std::collections::BTreeSet;

use super::*;
use crate::support::server::{Reply, Script};

#[test]
fn a_delivery_passes_once_in_all_workers() {
    let gate = gate(|setup| setup.workers(4));
    let port = gate.envoy.port();
    let delivery = github(SECRET, BODY);
    let request = delivery.request();
    let statuses: Vec<_> = thread::scope(|scope| {
        let sent: Vec<_> = (0..16)
            .map(|_| scope.spawn(|| request.send(port).unwrap().refusal()))
            .collect();
        sent.into_iter().map(|sent| sent.join().unwrap()).collect()
    });
    let replayed = (409, json!("delivery_replayed"));
    let passed = statuses.iter().filter(|status| status.0 == 200).count();
    assert_eq!(passed, 1, "{statuses:?}");
    assert!(statuses
        .iter()
        .all(|status| status.0 == 200 || *status == replayed));
    // Under another id, with a header in another case, to another path of the rule, with a query.
    let signature = delivery.headers["x-hub-signature-256"].clone();
    let upper = format!(
        "sha256={}",
        signature.trim_start_matches("sha256=").to_uppercase()
    );
    for again in [
        delivery.clone().with("x-github-delivery", "another"),
        delivery.clone().with("x-hub-signature-256", upper),
        Delivery {
            path: "/webhook/github/other?x=1".to_owned(),
            ..delivery.clone()
        },
        github(NEXT, BODY),
    ] {
        assert_eq!(again.send(&gate).refusal(), replayed);
    }
    assert_eq!(gate.recorder.take().len(), 1);
}

#[test]
fn a_signature_that_is_taken_out_does_not_make_another_delivery() {
    let gate = gate(|setup| setup);
    let time = now();
    assert_eq!(stripe(&[NEXT, SECRET], time, BODY).send(&gate).status, 200);
    for secrets in [&[NEXT][..], &[SECRET], &[SECRET, NEXT]] {
        let refused = stripe(secrets, time, BODY).send(&gate).refusal();
        assert_eq!(refused, (409, json!("delivery_replayed")));
    }
    // The sender signs what it repeats anew.
    assert_eq!(stripe(&[SECRET], time - 1, BODY).send(&gate).status, 200);
}

#[test]
fn a_delivery_that_n8n_could_not_take_may_be_repeated() {
    let gate = gate(|setup| setup);
    let delivery = github(SECRET, BODY);
    let failure = Reply::new(503, "text/plain", "overloaded");
    gate.recorder.script(Script::Reply(failure));
    assert_eq!(delivery.send(&gate).status, 503);
    assert_eq!(delivery.send(&gate).status, 503);
    gate.recorder.script(Script::Reply(Reply::json(&json!({}))));
    assert_eq!(delivery.send(&gate).status, 200);
    assert_eq!(delivery.send(&gate).status, 409);
    assert_eq!(gate.recorder.take().len(), 3);
}

#[test]
fn a_recorded_delivery_is_refused_for_its_age() {
    let gate = gate(|setup| setup);
    for time in [now() - 400, now() + 400] {
        let refused = stripe(&[SECRET], time, BODY).send(&gate).refusal();
        assert_eq!(refused, (403, json!("signature_stale")));
    }
    // With another time it is not what was signed.
    let recorded = stripe(&[SECRET], now() - 400, BODY);
    let (_, signature) = recorded.headers["stripe-signature"]
        .split_once(",v1=")
        .unwrap();
    let value = format!("t={},v1={signature}", now());
    let refused = recorded.clone().with("stripe-signature", value).send(&gate);
    assert_eq!(refused.refusal(), (403, json!("signature_invalid")));
    assert_eq!(gate.recorder.take().len(), 0);
}

#[test]
fn a_changed_delivery_is_refused() {
    let gate = gate(|setup| setup);
    let good = github(SECRET, BODY);
    let signature = good.headers["x-hub-signature-256"].clone();
    let sha1 = hex(&hmac_sha1_compact::HMAC::mac(BODY, SECRET.as_bytes()));
    // What an attacker could write after the body if the code were a hash of secret and body alone.
    let mut padded = BODY.to_vec();
    padded.push(0x80);
    padded.resize(64 - SECRET.len() - 8, 0);
    padded.extend(u64::to_be_bytes(8 * (SECRET.len() + BODY.len()) as u64));
    padded.extend(b",{}");
    let replaced = |body: &[u8]| Delivery {
        body: body.to_vec(),
        ..good.clone()
    };
    let mut downgraded = good.clone().with("x-hub-signature", format!("sha1={sha1}"));
    downgraded.headers.remove("x-hub-signature-256");
    for (delivery, status, reason) in [
        (replaced(b""), 403, "signature_invalid"),
        (replaced(b"{}"), 403, "signature_invalid"),
        (replaced(&padded), 403, "signature_invalid"),
        (downgraded, 403, "signature_missing"),
        (
            good.clone()
                .with("x-hub-signature-256", format!("sha1={sha1}")),
            400,
            "signature_malformed",
        ),
        (
            good.clone()
                .with("x-hub-signature-256", format!("{signature}, {signature}")),
            400,
            "signature_malformed",
        ),
        (
            good.clone().with("x-hub-signature-256", "00".repeat(2500)),
            400,
            "signature_malformed",
        ),
        (
            github("another secret of 16", BODY),
            403,
            "signature_invalid",
        ),
    ] {
        assert_eq!(delivery.send(&gate).refusal(), (status, json!(reason)));
    }
    let twice = good.request().header("X-Hub-Signature-256", &signature);
    let refused = twice.send(gate.envoy.port()).unwrap().refusal();
    assert_eq!(refused, (400, json!("signature_duplicate")));
    for method in ["GET", "PUT", "DELETE", "PATCH"] {
        let request = Request::new(method, &good.path).header("x-hub-signature-256", &signature);
        let response = request.send(gate.envoy.port()).unwrap();
        assert_eq!(
            response.refusal(),
            (405, json!("delivery_method")),
            "{method}"
        );
        assert_eq!(response.header("allow").as_deref(), Some("POST"));
    }
    assert_eq!(gate.recorder.take().len(), 0);
    assert_eq!(connections(&gate), 0);
    let reasons: BTreeSet<_> = gate
        .envoy
        .audit()
        .into_iter()
        .map(|record| record["decision"].clone().to_string())
        .collect();
    assert_eq!(reasons, BTreeSet::from(["\"reject\"".to_owned()]));
}
