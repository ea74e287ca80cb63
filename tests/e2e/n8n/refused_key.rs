//! The responses for callers after n8n stopped accepting the API key of their principal.

use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::caller::cookie_of_the_owner;
use crate::stage;
use crate::support::envoy::Setup;
use crate::support::http::Request;
use crate::support::provider::{AUDIENCE, READ};

/// Seconds since 1970.
#[allow(
    clippy::disallowed_methods,
    reason = "n8n compares the expiry of its keys with the real clock"
)]
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap().as_secs()
}

#[test]
fn a_key_that_expires_or_is_deleted_gives_502() {
    let stage = stage();
    let cookie = cookie_of_the_owner(&stage);
    let n8n = stage.n8n.port();
    let make = |scopes: &[&str], expiry: Option<u64>| {
        let random = std::fs::read_to_string("/proc/sys/kernel/random/uuid").unwrap();
        let wanted = json!({"label": random.trim(), "scopes": scopes, "expiresAt": expiry});
        let response = Request::post("/rest/api-keys", &wanted)
            .header("Cookie", &cookie)
            .send(n8n)
            .unwrap();
        assert_eq!(response.status, 200, "{}", response.text());
        let made = response.json()["data"].clone();
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        (text("id"), text("rawApiKey"))
    };
    let expiry = now() + 12;
    let (_, expiring) = make(&["workflow:list"], Some(expiry));
    let (deleted_id, deleted) = make(&["workflow:list"], None);
    let (_, narrow) = make(&["tag:list"], None);
    let gate = |key: &str| {
        let policy = json!({
            "providers": [{"name": "demo", "issuer": stage.provider.issuer(),
                "audiences": [AUDIENCE], "cluster": "provider", "roles_from": "both"}],
            "principals": [{"name": "app-a", "match": {"client": "app-a"},
                "grant": ["workflow:list"], "api_key": {"env": "N8N_KEY_APP_A"}}],
        });
        Setup::minimal(policy, n8n)
            .unwrap()
            .cluster("provider", stage.provider.port())
            .secret("N8N_KEY_APP_A", key)
            .start()
            .unwrap()
    };
    let token = stage.provider.token("app-a", READ, AUDIENCE).unwrap();
    let list = Request::get("/api/v1/workflows").bearer(&token);
    let before_expiring = gate(&expiring);
    let before_deleted = gate(&deleted);
    let before_narrow = gate(&narrow);

    let response = list.send(before_expiring.port()).unwrap();
    assert_eq!(response.status, 200, "{}", response.text());
    let left = "n8n_idp_gate_upstream_key_seconds_left";
    assert!(before_expiring.counted(left, "app_a", 0).unwrap() <= 12);
    while now() <= expiry {
        thread::sleep(Duration::from_millis(200));
    }
    let response = list.send(before_expiring.port()).unwrap();
    assert_eq!(response.refusal().0, 502, "{}", response.text());
    assert_eq!(response.json()["reason"], "upstream_key_refused");
    assert_eq!(response.header("www-authenticate"), None);

    assert_eq!(list.send(before_deleted.port()).unwrap().status, 200);
    let gone = Request::new("DELETE", format!("/rest/api-keys/{deleted_id}"))
        .header("Cookie", &cookie)
        .send(n8n)
        .unwrap();
    assert_eq!(gone.status, 200, "{}", gone.text());
    let response = list.send(before_deleted.port()).unwrap();
    assert_eq!(response.json()["reason"], "upstream_key_refused");

    // A 403 of n8n does not name the cause. The caller gets it, and it is reported to the operator.
    let response = list.send(before_narrow.port()).unwrap();
    assert_eq!(
        (response.status, response.text()),
        (403, "{\"message\":\"Forbidden\"}".to_owned())
    );
    let audit = before_narrow.audit();
    let record = audit.last().unwrap();
    assert_eq!(
        (&record["decision"], &record["upstream_status"]),
        (&json!("answered"), &json!(403))
    );

    // n8n alone checks a static API key.
    let keyed = Request::get("/api/v1/workflows").header("X-N8N-API-KEY", &deleted);
    let response = keyed.send(before_deleted.port()).unwrap();
    assert_eq!(response.status, 401);
    let audit = before_deleted.audit();
    let record = audit.last().unwrap();
    assert_eq!(record["decision"], "pass");
    assert!(
        record["api_key"]["sub"].is_string() && record["api_key"]["jti"].is_string(),
        "{record}"
    );

    // n8n accepts the same key in both headers.
    let both = Request::get("/api/v1/workflows")
        .header("X-N8N-API-KEY", &narrow)
        .bearer(&narrow);
    assert_eq!(both.send(n8n).unwrap().status, 403);
    assert_eq!(both.send(before_narrow.port()).unwrap().status, 403);
}
