//! What operations of the public API need of a caller.

use super::*;
use crate::reply::Challenge;

/// What becomes of a call of a reader whose role grants these scopes.
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
    let answer = reason.answer();
    assert_eq!(answer.status, 403);
    assert_eq!(answer.challenge, Challenge::Error("insufficient_scope"));
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
