//! Questions of senders about a URL, which the gate answers.

use super::*;

#[test]
fn meta_and_zoom_are_answered_and_n8n_learns_nothing() {
    let gate = gate(|setup| setup);
    let port = gate.envoy.port();
    let meta = |token: &str| {
        let path = format!(
            "/webhook/meta/in?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={token}"
        );
        Request::get(path).send(port).unwrap()
    };
    let answer = meta(VERIFY_TOKEN);
    assert_eq!((answer.status, answer.text().as_str()), (200, "1158201444"));
    assert_eq!(answer.header("content-type").as_deref(), Some("text/plain"));
    assert_eq!(meta("guess").refusal(), (403, json!("signature_invalid")));

    let zoom = |secret: &str, token: &str| {
        let body = json!({"event": "endpoint.url_validation", "payload": {"plainToken": token}});
        let body = body.to_string().into_bytes();
        let time = now().to_string();
        let code = mac(secret.as_bytes(), &[b"v0:", time.as_bytes(), b":", &body]);
        let headers = [
            ("x-zm-signature", format!("v0={}", hex(&code))),
            ("x-zm-request-timestamp", time),
        ];
        Delivery::new("/webhook/zoom/in", &headers, &body).send(&gate)
    };
    let token = "qgg8vlvZRS6UYooatFL8Aw";
    let answer = zoom(SECRET, token);
    let code = hex(&mac(SECRET.as_bytes(), &[token.as_bytes()]));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(
        answer.json(),
        json!({"plainToken": token, "encryptedToken": code})
    );
    // Zoom asks again every 72 hours, and may ask twice.
    assert_eq!(zoom(SECRET, token).status, 200);
    let refused = zoom("another secret of 16", token).refusal();
    assert_eq!(refused, (403, json!("signature_invalid")));
    let refused = zoom(SECRET, "v0:1800000000:{}").refusal();
    assert_eq!(refused, (400, json!("signature_malformed")));
    assert_eq!(gate.recorder.take().len(), 0);
    assert_eq!(connections(&gate), 0);
}
