//! How the gate itself calls n8n, and API keys that an operator made.

use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use serde_json::{json, Value};

use super::{checked, configuration, envoy, Desk};

fn principal(fields: &Value) -> Value {
    let mut principal = json!({"name": "app", "match": {"client": "app"}, "grant": "*"});
    let fields = fields.as_object().unwrap().clone();
    principal.as_object_mut().unwrap().extend(fields);
    principal
}

/// What `check` says of an Envoy file with this n8n, principal and clusters.
fn check_clusters(uri: &str, clusters: Value) -> (Option<i32>, String) {
    let gate = configuration(&json!({
        "n8n": {"cluster": "n8n-itself", "uri": uri, "api_key": {"env": "N8N_KEY"},
            "seed": {"env": "N8N_SEED"}},
        "principals": [principal(&json!({"user": {"per": "client"}}))],
    }));
    let plain = json!([{"match": {"prefix": "/"}, "route": {"cluster": "n8n"}}]);
    let mut file = envoy(&gate, &plain);
    file["static_resources"]["clusters"] = clusters;
    checked(&file.to_string())
}

#[test]
fn the_cluster_of_n8n_must_be_in_the_file_and_have_tls_for_an_https_address() {
    let idp = json!({"name": "idp", "transport_socket": {}});
    let own = json!({"name": "n8n-itself"});
    let plain = "http://n8n:5678";
    let (code, text) = check_clusters(plain, json!([{"name": "n8n"}, idp, own]));
    assert_eq!((code, text.as_str()), (Some(0), "gate.yaml: good\n"));
    let (code, text) = check_clusters(plain, json!([{"name": "n8n"}, idp]));
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.contains(": n8n.cluster: the file has no cluster of this name"),
        "{text}"
    );
    let (code, text) = check_clusters("https://n8n:5678", json!([{"name": "n8n"}, idp, own]));
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains(
            ": n8n.cluster: an https URL is called through a cluster without transport_socket"
        ),
        "{text}"
    );
}

/// Where configurations are checked, the secrets are not.
#[test]
fn secrets_that_are_not_set_here_are_no_errors() {
    let instance = |name: &str| {
        let variable = |of: &str| json!({"env": format!("N8N_{of}_OF_{}", name.to_uppercase())});
        json!({
            "name": name, "hosts": format!("{name}.example.com"),
            "n8n": {"cluster": name, "api_key": variable("KEY"), "seed": variable("SEED")},
            "principals": [principal(&json!({"user": {"per": "client"}}))],
        })
    };
    let mut gate = configuration(&json!({"instances": [instance("prod"), instance("test")]}));
    gate.as_object_mut().unwrap().remove("webhooks");
    let (code, text) = checked(&gate.to_string());
    assert_eq!((code, text.as_str()), (Some(0), "gate.yaml: good\n"));
}

/// A key that n8n made, which ends in so many seconds, or ended.
#[allow(
    clippy::disallowed_methods,
    reason = "the program compares keys with the real clock"
)]
pub(super) fn key(seconds: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = i64::try_from(now.unwrap_or(Duration::ZERO).as_secs()).unwrap();
    let claims =
        json!({"iss": "n8n", "aud": "public-api", "sub": "u", "exp": now.saturating_add(seconds)});
    let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({"alg": "HS256", "typ": "JWT"});
    format!("{}.{}.c2lnbmF0dXJl", encoded(&header), encoded(&claims))
}

/// What `check` says of a principal with these keys, if the environment holds them.
fn check_keys(keys: &[i64]) -> (Option<i32>, String) {
    let names = ["N8N_KEY_FIRST", "N8N_KEY_SECOND"];
    let names: Vec<_> = names.into_iter().take(keys.len()).collect();
    let list: Vec<_> = names.iter().map(|name| json!({"env": name})).collect();
    let gate = configuration(&json!({"principals": [principal(&json!({"api_keys": list}))]}));
    let desk = Desk::new(&[("gate.yaml", &gate.to_string())]);
    let mut check = Command::new(env!("CARGO_BIN_EXE_n8n-idp-gate"));
    check
        .current_dir(desk.0.path())
        .args(["check", "gate.yaml"])
        .envs(names.into_iter().zip(keys.iter().map(|end| key(*end))));
    let output = check.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[test]
fn a_key_that_has_expired_fails_the_check_and_one_that_soon_will_is_warned_of() {
    const DAY: i64 = 24 * 3600;
    let (code, text) = check_keys(&[20 * DAY]);
    assert_eq!(code, Some(0), "{text}");
    assert!(!text.contains("expire"), "{text}");
    let (code, text) = check_keys(&[3 * DAY - 60, 20 * DAY]);
    assert_eq!(code, Some(0), "{text}");
    let expected =
        ": principals[0].api_keys[0]: the n8n API key of principal app expires in 3 days at most";
    assert!(text.contains(expected), "{text}");
    let (code, text) = check_keys(&[20 * DAY, -60]);
    assert_eq!(code, Some(1), "{text}");
    let expected = ": principals[0].api_keys[1]: the n8n API key 2 of principal app has expired";
    assert!(text.contains(expected), "{text}");
    assert!(text.contains("n8n-idp-gate: 1 error\n"), "{text}");
}
