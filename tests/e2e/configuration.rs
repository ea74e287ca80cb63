//! With a wrong configuration Envoy does not start, and its log has the reason.

use serde_json::{json, Value};

use crate::gate::policy;
use crate::support::envoy::Setup;

fn log_of(plugin: Value) -> String {
    // Envoy ends before it serves, so no upstream is needed.
    Setup::minimal(plugin, 9)
        .unwrap()
        .cluster("idp", 9)
        .secret("N8N_KEY_A", "n8n-key-of-app-a")
        .secret("N8N_KEY_PEOPLE", "n8n-key-of-people")
        .start_is_refused()
        .unwrap()
}

#[test]
fn every_error_is_named_with_its_field_path() {
    let mut wrong = policy();
    wrong["providers"][0]["audiences"] = json!([]);
    wrong["providers"][0]["algorithms"] = json!(["none"]);
    wrong["principals"][0]["api_key"] = json!({"env": "N8N_KEY_THAT_IS_NOT_SET"});
    wrong["webhook"] = json!([]);
    let log = log_of(wrong);
    for path in [
        "providers[0].audiences",
        "providers[0].algorithms",
        "principals[0].api_key",
        "webhook",
    ] {
        assert!(log.contains(path), "{path} is not in:\n{log}");
    }
}

#[test]
fn a_key_that_is_written_in_plain_text_is_refused_and_not_repeated() {
    let mut wrong = policy();
    wrong["principals"][0]["api_key"] = json!("n8n_api_plaintext");
    let log = log_of(wrong);
    assert!(log.contains("principals[0].api_key"), "{log}");
    assert!(!log.contains("n8n_api_plaintext"), "{log}");
}

#[test]
fn an_empty_configuration_is_refused() {
    assert!(log_of(json!({})).contains("providers"));
}
