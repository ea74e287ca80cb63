//! The log of a real Envoy, replayed by `n8n-idp-gate replay`.

use std::fs;
use std::process::Command;

use serde_json::{json, Value};

use crate::gate::{policy, token, Gate, ISSUER, ORDERS, READER};
use crate::support::http::Request;

/// What a replay of a log says.
pub(crate) fn replay(log: &str, old: (&str, &str), new: &str) -> Value {
    let desk = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(desk.path().join(name), text).unwrap();
    let (extension, old) = old;
    let [old_file, new_file] = ["old", "new"].map(|name| format!("{name}.{extension}"));
    write("envoy.log", log);
    write(&old_file, old);
    write(&new_file, new);
    let output = Command::new(env!("CARGO_BIN_EXE_n8n-idp-gate"))
        .current_dir(desk.path())
        .args(["replay", "envoy.log", "--config", &new_file])
        .args(["--old", &old_file, "--json"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    text.parse().unwrap_or_else(|_| panic!("{output:?}"))
}

/// Sends a request of each kind, and says how many there are.
fn send(gate: &Gate) -> u64 {
    let good = token("app-a", &[READER]);
    let list = Request::get("/api/v1/workflows?limit=1");
    let orders = Request::get("/webhook/orders/a");
    let forged = format!("{}AAAA", good.split_at(good.len() - 4).0);
    let odd = "[a][7][info][wasm] wasm log n8n-idp-gate: {\"decision\":\"pass\",\"v\":1}";
    let requests = [
        list.clone().bearer(&good),
        list.clone().bearer(&good),
        Request::get("/api/v1/workflows/7").bearer(&good),
        Request::post("/api/v1/workflows", &json!({})).bearer(&good),
        list.clone().bearer(&token("app-z", &[READER])),
        list.clone().bearer(&forged),
        list.clone(),
        list.header("X-N8N-API-KEY", "static"),
        orders.clone().bearer(&token("app-z", &[ORDERS])),
        orders.bearer(&good),
        Request::get("/webhook/closed/a"),
        Request::get("/webhook/open/a").header("User-Agent", odd),
        Request::get("/metrics"),
        Request::get("/"),
    ];
    for request in &requests {
        request.send(gate.envoy.port()).unwrap();
    }
    u64::try_from(requests.len()).unwrap()
}

/// A second policy refuses two of the requests, and a third one knows the issuer by another name.
#[test]
fn the_log_of_an_envoy_replays_as_it_was_decided() {
    let gate = Gate::start();
    let sent = send(&gate);
    let log = gate.envoy.log_text();
    let old = policy().to_string();
    let report = |new: &Value| replay(&log, ("json", &old), &new.to_string());
    let same = report(&policy());
    assert_eq!(same["replayed"], sent, "{same}");
    assert_eq!(same["totals"]["same"], sent, "{same}");
    assert_eq!(same["lines_not_read"]["count"], 0, "{same}");

    let mut narrowed = policy();
    narrowed["principals"][0]["allow"] = json!(["workflow:list"]);
    narrowed["metrics"] = json!("deny");
    let narrowed = report(&narrowed);
    assert_eq!(narrowed["totals"]["same"], sent - 2, "{narrowed}");
    assert_eq!(narrowed["totals"]["newly_refused"], 2, "{narrowed}");
    let changes = narrowed["changes"].as_array().unwrap().iter();
    let mut changes: Vec<_> = changes.collect();
    changes.sort_by_key(|change| change["request"].to_string());
    let reasons = changes.iter().map(|change| &change["after"]["reason"]);
    assert_eq!(
        reasons.collect::<Vec<_>>(),
        [&json!("metrics_denied"), &json!("insufficient_scope")]
    );
    let read = changes[1];
    assert_eq!(read["caller"], "app-a (client app-a)");
    assert_eq!(read["request"], "workflow:read");
    let audit = gate.envoy.audit();
    let ids = audit.iter().map(|record| &record["request_id"]);
    assert!(ids.into_iter().any(|id| *id == read["example"]), "{read}");

    let mut other = policy();
    other["providers"][0]["issuer"] = json!(format!("{ISSUER}/new"));
    let other = report(&other);
    let changes = other["changes"].as_array().unwrap().iter();
    let of_issuer = changes.filter(|change| change["after"]["reason"] == "unknown_issuer");
    let counts = of_issuer.map(|change| change["count"].as_u64().unwrap());
    assert_eq!(counts.sum::<u64>(), 8, "{other}");
    assert_eq!(other["totals"]["same"], sent - 8, "{other}");
}
