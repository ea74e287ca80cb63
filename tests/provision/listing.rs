//! `list`: which keys there are, and who uses them.

use std::fs;

use serde_json::json;

use crate::desk::{good, key_of_reports, listed, raw_key, Desk, EMAIL};

#[test]
fn keys_are_listed_with_their_use() {
    let keys = [
        key_of_reports(),
        listed("k2", "n8n-idp-gate:sold#2", "bbbb", &[], false),
        listed("k3", "n8n-idp-gate 1-00000001", "cccc", &[], false),
        listed("k4", "nightly \u{1b}[2J", "dddd", &[], true),
        listed("k5", "n8n-idp-gate:orders", "eeee", &[], true),
    ];
    let text = format!("N8N_KEY_REPORTS={}\n", raw_key("u-1", "aaaa"));
    let desk = Desk::new(good(&keys, &[])).with_file(&text);
    let record = |sub: &str, jti: &str| {
        let key = json!({"sub": sub, "jti": jti, "verified": false});
        json!({"credential": "api_key", "api_key": key, "time": "2026-11-01T00:00:00Z"}).to_string()
    };
    let log = [
        record("u-1", "dddd"),
        record("u-1", "dddd"),
        record("u-1", "aaaa"),
        record("u-9", "x"),
    ];
    fs::write(desk.folder.path().join("audit.log"), log.join("\n")).unwrap();
    let list = [
        "list",
        "gate.json",
        "--env-file",
        "keys.env",
        "--audit",
        "audit.log",
    ];
    let out = desk.succeeds(&list, &[]);
    for expected in [
        format!("n8n-idp-gate:reports, of {EMAIL}, made "),
        " days ago: reports, in N8N_KEY_REPORTS\n".to_owned(),
        "never used: made for something that this configuration does not have\n".to_owned(),
        "never used: minted by the gate\n".to_owned(),
        " days ago: a static key that is not the gate's\n".to_owned(),
        " days ago: made for orders; N8N_KEY_ORDERS does not have it here\n".to_owned(),
        format!("  {EMAIL}, key dddd: 2 requests, the last at 2026-11-01T00:00:00Z\n"),
        format!("  {EMAIL}, key aaaa: 1 request, the last at 2026-11-01T00:00:00Z: the key in N8N_KEY_REPORTS"),
        "  user u-9, key x: 1 request".to_owned(),
    ] {
        assert!(out.contains(&expected), "{expected}\n{out}");
    }
    desk.changed_nothing();
}
