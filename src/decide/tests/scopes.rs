//! What operations of the public API need of a caller.

use super::*;
use crate::reply::{Challenge, Told};

/// The decision for a request of a reader whose role grants these scopes.
fn decided_with(granted: &[&str], method: &str, path: &str) -> Outcome {
    let mut configuration = configuration();
    configuration["roles"]["Granted"] = json!(granted);
    let request = bearing(method, path, &claims("reader", &["Granted"]));
    decide_with(&facts(&configuration), &request).outcome
}

fn missing(outcome: &Outcome) -> &[&'static str] {
    let Outcome::Reject(reason @ Reason::InsufficientScope { .. }) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(reason.status(), 403);
    let expected = Challenge::Error("insufficient_scope");
    assert_eq!(reason.challenge(), expected);
    reason.missing_scopes()
}

const WORKFLOW: &str = "/api/v1/workflows/7";

#[test]
fn a_caller_who_may_not_publish_cannot_save_a_workflow_that_may_be_active() {
    // n8n takes the words `true` and `false` alone, and publishes without them; but with
    // `publishIfActive=false`, too, new settings take effect in production at once.
    for query in [
        "",
        "?",
        "?publishIfActive=true",
        "?publishIfActive=false",
        "?publishIfActive=false&publishIfActive=true",
        "?publishIfActive=true&publishIfActive=false",
        "?publishIfActive[]=false",
        "?publishIfActive=FALSE",
        "?publishIfActive=0",
        "?publishIfActive=%66alse",
        "?publish%49fActive=false",
        "?PUBLISHIFACTIVE=false",
        "?x=1;publishIfActive=false",
        "?publishIfActive=false#",
    ] {
        let path = format!("{WORKFLOW}{query}");
        let outcome = decided_with(&["workflow:read", "workflow:update"], "PUT", &path);
        assert_eq!(missing(&outcome), ["workflow:activate"], "{query}");
        let outcome = decided_with(&["workflow:activate"], "PUT", &path);
        assert_eq!(missing(&outcome), ["workflow:update"], "{query}");
        let outcome = decided_with(&["workflow:update", "workflow:activate"], "PUT", &path);
        assert!(matches!(outcome, Outcome::Forward(_)), "{query}");
    }
}

#[test]
fn an_import_needs_the_scope_of_everything_that_a_package_can_change() {
    let outcome = decided_with(
        &["workflow:*", "folder:*", "project:*"],
        "POST",
        "/api/v1/n8n-packages/import",
    );
    assert_eq!(
        missing(&outcome),
        [
            "workflowTags:update",
            "credential:create",
            "dataTable:create",
            "tag:create",
            "tag:update",
            "variable:create",
            "variable:update",
        ]
    );
}

#[test]
fn the_scopes_of_a_key_are_told_to_callers_who_may_do_everything() {
    for method in ["GET", "HEAD"] {
        for path in [
            "/api/v1/discover",
            "/API/v1/Discover/",
            "/api/v1/discover?resource=tag",
        ] {
            let outcome = decided_with(&["workflow:*", "tag:*"], method, path);
            assert_eq!(missing(&outcome), ["*"], "{method} {path}");
            let outcome = decided_with(&["*"], method, path);
            assert!(matches!(outcome, Outcome::Forward(_)), "{method} {path}");
        }
    }
}

#[test]
fn what_needs_no_scope_needs_a_grant_all_the_same() {
    let schema = "/api/v1/credentials/schema/slackApi";
    for path in [schema, "/api/v1/discover", "/api/v1/workflows"] {
        for method in ["GET", "HEAD"] {
            for roles in [&[][..], &["Unknown"][..]] {
                let request = bearing(method, path, &claims("reader", roles));
                assert_eq!(reason(&decided(&request)), "insufficient_scope", "{path}");
            }
            // Here `allow` takes away all that the role grants.
            let narrowed = person("ann@example.com", true, &["Narrow"]);
            let mut configuration = configuration();
            configuration["roles"]["Narrow"] = json!(["workflow:read"]);
            let request = bearing(method, path, &narrowed);
            let decision = decide_with(&facts(&configuration), &request);
            assert_eq!(reason(&decision), "insufficient_scope", "{path}");
        }
    }
    let outcome = decided_with(&["tag:list"], "GET", schema);
    assert!(matches!(outcome, Outcome::Forward(_)));
}

/// The `scope` of the challenge to a reader that wants to make a workflow.
fn scope_of_challenge(change: impl FnOnce(&mut Value)) -> Option<String> {
    let mut configuration = configuration();
    configuration["roles"] = json!({
        "Reader": ["workflow:list"],
        "Flows.Write": ["workflow:create"],
        "Flows.Owner": ["workflow:*"],
        "Admin": "*",
    });
    change(&mut configuration);
    let request = bearing("POST", "/api/v1/workflows", &claims("reader", &["Reader"]));
    let outcome = decide_with(&facts(&configuration), &request).outcome;
    assert_eq!(missing(&outcome), ["workflow:create"]);
    let Outcome::Reject(reason) = outcome else {
        panic!("{outcome:?}");
    };
    let reply = crate::reply::problem(&reason, None, &request, Told::default());
    let mut headers = reply.headers.iter();
    let challenge = headers.find(|(name, _)| *name == "www-authenticate");
    let (_, rest) = challenge.unwrap().1.split_once(", scope=\"")?;
    Some(rest.split_once('"').unwrap().0.to_owned())
}

/// RFC 6750 §3: a client hands it to its provider, which knows no scope of n8n.
#[test]
fn a_challenge_names_what_the_client_can_ask_its_provider_for() {
    assert_eq!(scope_of_challenge(|_| {}), None);
    for (supported, expected) in [
        (json!(["Reader"]), None),
        (
            json!(["openid", "Admin", "Flows.Owner", "Flows.Write"]),
            Some("Flows.Write"),
        ),
        (json!(["Admin", "Flows.Owner"]), Some("Flows.Owner")),
        (json!(["Admin"]), Some("Admin")),
        (
            json!(["api://n8n/Flows.Write"]),
            Some("api://n8n/Flows.Write"),
        ),
        (json!(["api://n8n/.default"]), None),
        (json!(["workflow:create"]), None),
    ] {
        let found = scope_of_challenge(|configuration| {
            configuration["public_api"] = json!({"scopes_supported": supported.clone()});
        });
        assert_eq!(found.as_deref(), expected, "{supported}");
    }
}

#[test]
fn a_challenge_names_no_scope_that_would_not_help() {
    let supported = json!({"scopes_supported": ["Flows.Write"]});
    let found = scope_of_challenge(|configuration| {
        configuration["public_api"] = supported.clone();
        configuration["providers"][0]["roles_from"] = json!("roles");
    });
    assert_eq!(found, None);
    let found = scope_of_challenge(|configuration| {
        configuration["public_api"] = supported;
        let principals = configuration["principals"].as_array_mut().unwrap();
        for principal in principals {
            principal["allow"] = json!(["workflow:list"]);
            principal.as_object_mut().unwrap().remove("grant");
        }
    });
    assert_eq!(found, None);
}

#[test]
fn what_is_missing_twice_over_takes_two_scopes_or_one_that_grants_both() {
    for (supported, expected) in [
        (json!(["A", "B"]), "B A"),
        (json!(["A", "B", "Both"]), "B A"),
        (json!(["A", "Both"]), "Both"),
        (json!(["Both"]), "Both"),
        (json!(["A"]), ""),
    ] {
        let mut configuration = configuration();
        configuration["roles"] = json!({"Granted": ["workflow:read"], "A": "workflow:activate",
            "B": "workflow:update", "Both": ["workflow:update", "workflow:activate"]});
        configuration["public_api"] = json!({"scopes_supported": supported.clone()});
        let request = bearing("PUT", WORKFLOW, &claims("reader", &["Granted"]));
        let outcome = decide_with(&facts(&configuration), &request).outcome;
        let Outcome::Reject(reason) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(
            reason.scopes_to_ask_for().join(" "),
            expected,
            "{supported}"
        );
    }
}
