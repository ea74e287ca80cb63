//! The report as SARIF, which code scanners take.

use serde_json::{json, Value};

use super::{configuration, Desk};

/// OASIS's schema of SARIF 2.1.0, without its descriptions, and with the pattern of languages that its
/// errata have: that of the first edition is no regular expression.
const SCHEMA: &str = include_str!("sarif-2.1.0.schema.json");

fn report(desk: &Desk, arguments: &[&str]) -> Value {
    let arguments: Vec<_> = ["check", "--format", "sarif"]
        .into_iter()
        .chain(arguments.iter().copied())
        .collect();
    let (_, text) = desk.run(&arguments);
    let text = text.split("n8n-idp-gate: ").next().unwrap();
    let report: Value = serde_json::from_str(text).unwrap();
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let schema = jsonschema::draft7::new(&schema).unwrap();
    let faults: Vec<_> = schema
        .iter_errors(&report)
        .map(|fault| fault.to_string())
        .collect();
    assert_eq!(faults, [""; 0], "{report}");
    report
}

#[test]
fn a_report_is_valid_sarif_with_positions_and_rules() {
    let open = json!({"kind": "WasmPlugin", "spec": {
        "failStrategy": "FAIL_OPEN", "pluginConfig": configuration(&json!({})),
    }});
    let desk = Desk::new(&[
        ("gate.yaml", "providers: []\nmetrics: maybe\n"),
        ("a file.json", &open.to_string()),
    ]);
    let whole = report(&desk, &["gate.yaml", "a file.json"]);
    let run = &whole["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 4, "{results:?}");
    let last = &results[2];
    assert_eq!(last["ruleId"], "configuration-error");
    assert_eq!(last["level"], "error");
    let location = &last["locations"][0];
    assert_eq!(
        location["physicalLocation"],
        json!({"artifactLocation": {"uri": "gate.yaml"}, "region": {"startLine": 2, "startColumn": 1}})
    );
    assert_eq!(
        location["logicalLocations"][0]["fullyQualifiedName"],
        "metrics"
    );
    let file = &results[3]["locations"][0]["physicalLocation"]["artifactLocation"];
    assert_eq!(file["uri"], "a%20file.json");
    assert_eq!(run["invocations"][0]["executionSuccessful"], true);
    // What is accepted is suppressed, and a file that could not be read is a failure.
    let accepted = report(&desk, &["--accept-bypasses", "a file.json", "absent"]);
    let run = &accepted["runs"][0];
    assert_eq!(run["results"][0]["level"], "warning");
    assert_eq!(
        run["results"][0]["suppressions"],
        json!([{"kind": "external", "status": "accepted"}])
    );
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
}

/// Each result names a rule of the list.
#[test]
fn a_good_file_has_no_results_and_every_rule_is_described() {
    let desk = Desk::new(&[("gate.yaml", &configuration(&json!({})).to_string())]);
    let whole = report(&desk, &["gate.yaml"]);
    let run = &whole["runs"][0];
    assert_eq!(run["results"], json!([]));
    for rule in run["tool"]["driver"]["rules"].as_array().unwrap() {
        let level = &rule["defaultConfiguration"]["level"];
        assert!(level == "error" || level == "warning", "{rule}");
        assert!(!rule["help"]["text"].as_str().unwrap().is_empty(), "{rule}");
    }
}
