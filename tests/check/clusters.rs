//! Clusters that the filter calls.

use serde_json::{json, Value};

use super::{checked, configuration, envoy};

#[test]
fn a_cluster_that_the_file_does_not_have_fails_the_check() {
    let plain = json!([{"match": {"prefix": "/"}, "route": {"cluster": "n8n"}}]);
    let file = |cluster: &str, clusters: Value| {
        let mut gate = configuration(&json!({}));
        gate["providers"][0]["cluster"] = json!(cluster);
        let mut file = envoy(&gate, &plain);
        file["static_resources"]["clusters"] = clusters;
        file
    };
    let tls = json!([{"name": "n8n"}, {"name": "idp", "transport_socket": {}}]);
    assert_eq!(
        checked(&file("idp", tls.clone()).to_string()),
        (Some(0), "gate.yaml: good\n".to_owned())
    );
    let (code, text) = checked(&file("idpp", tls.clone()).to_string());
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.starts_with("gate.yaml: would not work\n  error: gate.yaml:1:"),
        "{text}"
    );
    assert!(
        text.ends_with(
            ": providers[0].cluster: the file has no cluster of this name, so that every call fails. \
             Hint: did you mean \"idp\"? [unknown-cluster]\nn8n-idp-gate: 1 error\n"
        ),
        "{text}"
    );
    let (code, text) = checked(&file("idp", json!([{"name": "idp"}])).to_string());
    assert!(
        code == Some(0) && text.contains(": providers[0].cluster: an https URL is called through a cluster without transport_socket"),
        "{text}"
    );
    // Clusters that come from elsewhere are not known.
    let mut elsewhere = file("idpp", tls);
    elsewhere["dynamic_resources"] = json!({"cds_config": {"ads": {}}});
    assert_eq!(checked(&elsewhere.to_string()).0, Some(0));
}
