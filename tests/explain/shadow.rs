//! The decision of a shadow beside the one in force.

use serde_json::{json, Value};

use crate::desk::{Desk, CONFIGURATION, NOW};

/// A configuration whose shadow differs for the public API, for one webhook that needs the body and for one that needs the
/// status of a token.
const WITH_SHADOW: &str = "\
shadow:
  principals:
    - { name: reports, match: { client: reports, tenant: acme }, grant: [workflow:list], api_key: { env: A } }
  webhooks:
    - path: /webhook/signed
      auth: signature
      signature: { sender: github, name: github, secrets: [{ env: B }] }
    - { path: /webhook/tokens, auth: bearer }
    - { path: /webhook/**, auth: open }
";

#[test]
fn the_decision_of_a_shadow_is_explained_beside_the_one_in_force() {
    let desk = Desk::new();
    let keys = "--key-set=idp=jwks.json";
    let before = desk.json("jwt", &[keys]);
    assert_eq!(before["shadow"], Value::Null);
    desk.put("gate.yaml", &format!("{CONFIGURATION}{WITH_SHADOW}"));
    let both = desk.json("jwt", &[keys]);
    let shadow = &both["shadow"];
    assert_eq!(both["decision"], "forward");
    assert_eq!(both["steps"], before["steps"]);
    assert_eq!(
        (&shadow["comparison"], &shadow["differs"]),
        (
            &json!("different"),
            &json!(["decision", "reason", "principal"])
        )
    );
    assert_eq!(
        (&shadow["decision"], &shadow["reason"], &shadow["status"]),
        (&json!("reject"), &json!("no_principal"), &json!(403))
    );
    // As the filter would log it.
    assert_eq!(both["record"]["shadow"]["reason"], "no_principal");
    let steps = shadow["steps"].as_array().unwrap();
    let of_principals = |step: &&Value| step["section"] == "principals";
    let own: Vec<_> = steps.iter().filter(of_principals).collect();
    assert!(
        own[0]["text"].as_str().unwrap().contains("tenant"),
        "{own:?}"
    );
    // The text has the steps that both take once.
    let (_, text) = desk.explain("jwt", &[keys, "--exit-code"]);
    let (first, second) = text.split_once("\nshadow: differs from").unwrap();
    assert!(
        first.contains("audience:") && !second.contains("audience:"),
        "{text}"
    );
    assert!(second.contains("  decision: reject\n"), "{second}");
    let (status, _) = desk.command(&[
        "--token-file",
        "jwt",
        keys,
        "--at",
        &NOW.to_string(),
        "--exit-code",
    ]);
    assert_eq!(status, Some(0));
}

#[test]
fn a_shadow_is_compared_with_what_the_filter_has_for_it() {
    let desk = Desk::new();
    desk.put("gate.yaml", &format!("{CONFIGURATION}{WITH_SHADOW}"));
    desk.put("body", "{}");
    let active = json!({
        "active": true, "token_type": "Bearer", "aud": "api://n8n", "client_id": "reports",
    });
    desk.put("active.json", &active.to_string());
    let signature = format!("x-hub-signature-256: sha256={}", "0".repeat(64));
    let compared = |path: &str, rest: &[&str]| {
        let json = desk.json(
            "opaque",
            &[&["--path", path, "--method", "POST"], rest].concat(),
        );
        let shadow = &json["shadow"];
        assert_eq!(json["record"]["shadow"]["decision"], Value::Null);
        let text = |name: &str| shadow[name].as_str().unwrap().to_owned();
        [text("comparison"), text("decision"), text("compared")]
    };
    for (path, rest, comparison, decision, sentence) in [
        ("/webhook/other", &[][..], "same", "pass", "agrees"),
        // It is explained with what was given, but the filter would not have it.
        (
            "/webhook/signed",
            &["--body", "body", "--header", &signature],
            "unknown",
            "reject",
            "holds no body",
        ),
        (
            "/webhook/tokens",
            &["--response", "idp=active.json"],
            "unknown",
            "forward",
            "asks no provider",
        ),
        (
            "/webhook/tokens",
            &[],
            "unknown",
            "await",
            "asks no provider",
        ),
        (
            "/api/v1/workflows",
            &[],
            "unknown",
            "await",
            "the decision in force waits",
        ),
    ] {
        let said = compared(path, rest);
        assert_eq!((&*said[0], &*said[1]), (comparison, decision), "{path}");
        assert!(said[2].contains(sentence), "{path}: {said:?}");
    }
    let (_, text) = desk.explain("opaque", &["--path", "/webhook/other"]);
    let (_, shadow) = text
        .split_once("\nshadow: agrees with the decision in force\n")
        .unwrap();
    assert!(!shadow.contains("decision:"), "{shadow}");
}

/// Each n8n has a shadow of its own, or none.
#[test]
fn an_instance_without_a_shadow_has_one_decision() {
    let desk = Desk::new();
    let (providers, _) = CONFIGURATION.split_once("principals:").unwrap();
    let principal = |grant: &str| {
        format!("principals: [{{ name: reports, match: {{ client: reports }}, grant: [{grant}], api_key: {{ env: A }} }}]")
    };
    let (now, next) = (principal("workflow:list"), principal("tag:list"));
    desk.put(
        "gate.yaml",
        &format!(
            "{providers}instances:\n  - name: a\n    hosts: [a.example]\n    {now}\n    shadow: {{ {next} }}\n  - name: \
             b\n    hosts: [b.example]\n    {now}\n"
        ),
    );
    let keys = "--key-set=idp=jwks.json";
    let shadow = |host: &str| desk.json("jwt", &[keys, "--host", host])["shadow"].clone();
    assert_eq!(shadow("a.example")["reason"], "insufficient_scope");
    assert_eq!(shadow("a.example")["missing"], json!(["workflow:list"]));
    assert_eq!(shadow("b.example"), Value::Null);
    assert_eq!(shadow("c.example"), Value::Null);
}
