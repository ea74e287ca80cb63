//! What the command reads: configurations, keys, tokens and documents of providers.

use std::fs;

use serde_json::json;

use crate::desk::{Desk, FORWARDED};
use crate::mint::{mint, KeyKind};

#[test]
fn a_jwt_is_judged_with_the_keys_that_are_given() {
    let desk = Desk::new();
    let keys = ["--key-set", "idp=jwks.json"];
    let (record, line) = desk.said("jwt", &keys);
    assert_eq!(record["principal"], "reports");
    assert_eq!(line, FORWARDED);
    let (record, _) = desk.said("jwt", &[&keys[..], &["--method", "POST"]].concat());
    assert_eq!(record["reason"], "insufficient_scope");
    let (_, line) = desk.said("jwt", &[]);
    assert_eq!(
        line,
        "waits for the keys of idp: give them with --key-set idp=FILE"
    );
}

#[test]
fn an_opaque_token_is_decided_by_the_response_that_is_given() {
    let desk = Desk::new();
    let active = json!({
        "active": true, "token_type": "Bearer", "aud": "api://n8n", "client_id": "reports",
    });
    desk.put("active.json", &active.to_string());
    desk.put("inactive.json", "{\"active\": false}");
    let (record, line) = desk.said("opaque", &["--response", "idp=active.json"]);
    assert_eq!(record["introspection"], "active");
    assert_eq!(line, FORWARDED);
    // The former name of the option.
    let (record, _) = desk.said("opaque", &["--answer", "idp=inactive.json"]);
    assert_eq!(record["reason"], "inactive");
    let (_, line) = desk.said("opaque", &[]);
    assert_eq!(
        line,
        "waits for the response of idp about the token: give it with --response idp=FILE"
    );
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    let desk = Desk::new();
    desk.put("not.json", "<html>");
    for (rest, said) in [
        (
            ["--response", "idp=not.json"],
            "not.json: the response is malformed",
        ),
        (
            ["--response", "idp=absent.json"],
            "absent.json: No such file",
        ),
        (["--response", "idp"], "is not of the form PROVIDER=FILE"),
        (
            ["--key-set", "other=jwks.json"],
            "there is no provider \"other\"",
        ),
    ] {
        let (done, text) = desk.explain("opaque", &rest);
        assert!(!done && text.contains(said), "{rest:?}: {text}");
    }
}

#[test]
fn no_token_and_no_key_is_shown() {
    let desk = Desk::new();
    let token = fs::read_to_string(desk.path("jwt")).unwrap();
    let (_, text) = desk.explain("jwt", &["--key-set", "idp=jwks.json"]);
    assert!(!text.contains(&token), "{text}");
    let (_, text) = desk.explain("opaque", &[]);
    assert!(!text.contains("an-opaque-token"), "{text}");
}

#[test]
fn one_of_several_configurations_is_chosen_by_name_or_number() {
    let desk = Desk::new();
    let policy = fs::read_to_string(desk.path("gate.yaml")).unwrap();
    let plugin = |name: &str, policy: &str| {
        let lines = policy.lines();
        let inner: String = lines.flat_map(|line| ["    ", line, "\n"]).collect();
        format!(
            "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\n\
             metadata: {{ name: {name} }}\nspec:\n  pluginConfig:\n{inner}"
        )
    };
    let other = policy.replace("workflow:list", "tag:list");
    let file = [plugin("one", &policy), plugin("two", &other)].join("---\n");
    desk.put("gate.yaml", &file);
    let keys = "--key-set=idp=jwks.json";
    let (done, text) = desk.explain("jwt", &[keys]);
    assert_eq!(
        (done, text.as_str()),
        (
            false,
            "n8n-idp-gate: gate.yaml: 2 configurations; choose one with --name, by its name or \
             number:\n  1: one\n  2: two\n"
        )
    );
    for (choice, is_forwarded) in [("one", true), ("1", true), ("two", false), ("2", false)] {
        let (record, _) = desk.said("jwt", &[keys, "--name", choice]);
        assert_eq!(record["decision"] == "forward", is_forwarded, "{choice}");
    }
    let (done, text) = desk.explain("jwt", &[keys, "--name", "three"]);
    assert!(
        !done && text.contains("no configuration of that name or number:\n  1: one\n  2: two"),
        "{text}"
    );
}

/// What is read differently on the way to the filter is no ground to explain a decision on.
#[test]
fn a_configuration_that_readers_disagree_on_is_not_explained() {
    let desk = Desk::new();
    let policy = fs::read_to_string(desk.path("gate.yaml")).unwrap();
    let matched = "match: { client: reports, claims: [{ claim: num, equals: 2147483648 }] }";
    desk.put(
        "gate.yaml",
        &policy.replace("match: { client: reports }", matched),
    );
    let (done, text) = desk.explain("jwt", &["--key-set", "idp=jwks.json"]);
    assert!(
        !done
            && text.contains("\n  gate.yaml:12:")
            && text.contains(".equals: a whole number beyond 32 bits without quotes"),
        "{text}"
    );
}

/// The same faults as the filter's, with the words of its log.
#[test]
fn faults_of_keys_and_documents_are_reported_as_by_the_filter() {
    let desk = Desk::new();
    let mut skipped = mint(KeyKind::Ed25519).jwk("one");
    skipped["use"] = json!("enc");
    let other = mint(KeyKind::P256).jwk("two");
    desk.put(
        "skipped.json",
        &json!({ "keys": [skipped, other] }).to_string(),
    );
    desk.put("none.json", &json!({ "keys": [skipped] }).to_string());
    desk.put("empty.json", "\u{feff}{}");
    desk.put("page.json", "<html>");
    let wrong = json!({ "issuer": "http://idp:8080", "jwks_uri": "http://idp:8080/jwks" });
    desk.put("wrong.json", &wrong.to_string());
    let right = json!({
        "issuer": "https://idp.example.com", "jwks_uri": "https://idp.example.com/jwks",
    });
    desk.put("right.json", &right.to_string());
    for (option, reason, fault, words) in [
        (
            ["--key-set", "idp=skipped.json"],
            "unknown_key_id",
            "skipped: use",
            "keys of the key set are skipped: keys[0] (kid \"one\"): not for signatures",
        ),
        (
            ["--key-set", "idp=none.json"],
            "keys_unavailable",
            "no_usable_key",
            "keys of the key set are skipped: keys[0] (kid \"one\"): not for signatures",
        ),
        (
            ["--key-set", "idp=empty.json"],
            "keys_unavailable",
            "keys_missing",
            "the document is a JSON object without `keys`",
        ),
        (
            ["--key-set", "idp=page.json"],
            "keys_unavailable",
            "page",
            "log-in page",
        ),
        (
            ["--discovery", "idp=wrong.json"],
            "keys_unavailable",
            "issuer_mismatch",
            "expected \"https://idp.example.com\", found \"http://idp:8080\"",
        ),
    ] {
        let (done, text) = desk.explain("jwt", &option);
        assert!(done && text.contains(words), "{option:?}: {text}");
        let (record, _) = desk.said("jwt", &option);
        assert_eq!(
            (&record["reason"], &record["fault"]),
            (&json!(reason), &json!(fault))
        );
    }
    let both = [
        "--discovery",
        "idp=right.json",
        "--key-set",
        "idp=jwks.json",
    ];
    let (done, text) = desk.explain("jwt", &both);
    assert!(done, "{text}");
    assert!(text.contains("its keys would be fetched from https://idp.example.com/jwks"));
    assert!(text.contains("decision: forward"));
}
