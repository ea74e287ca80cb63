//! Runs of workflows, from the decision to the local reply.

use std::time::Duration;

use super::minted::{facts_of, per_client};
use super::*;
use crate::decide::{Job, JobEnd, JobResult, Progress};
use crate::facts::{CallRequest, CallResponse, Method, ResponseHeaders};
use crate::time::UnixMillis;

const RUN: &str = "/api/v1/workflows/w7/run";
const START: UnixMillis = UnixMillis(NOW.0 * 1000);

/// A call by a client with the role that may run workflows.
fn run(target: &str) -> RequestHead {
    bearing("POST", target, &claims("reader", &["Runner"]))
}

/// Principals act as a user for each client, and a role may run workflows.
fn facts() -> TestFacts {
    let mut facts = per_client();
    facts.session = Some(Ok(Secret::new("n8n-auth=the-session".to_owned())));
    facts
}

fn decided(facts: &TestFacts, head: &RequestHead, body: &str) -> Decision {
    let token_cache = TokenCache::default();
    let context = context(facts, &token_cache);
    let request = Request {
        body: Some(body.as_bytes()),
        ..Request::of_head(head)
    };
    decide(context, request)
}

fn job(target: &str, body: &str) -> Job {
    let decision = decided(&facts(), &run(target), body);
    match decision.outcome {
        Outcome::Job(job) => job,
        other => panic!("{other:?}"),
    }
}

fn call(progress: Progress) -> CallRequest {
    match progress {
        Progress::Call(call) => call,
        other => panic!("no call: {other:?}"),
    }
}

fn end(progress: Progress) -> JobEnd {
    match progress {
        Progress::Done(end) => end,
        other => panic!("no end: {other:?}"),
    }
}

fn pause(progress: &Progress) -> Duration {
    match progress {
        Progress::Pause(pause) => *pause,
        other => panic!("no pause: {other:?}"),
    }
}

/// The status and the body of the local reply, or the reason of the refusal.
fn result(end: &JobEnd) -> (u16, Value) {
    match &end.result {
        JobResult::Reply(reply) => (reply.status, serde_json::from_str(&reply.body).unwrap()),
        JobResult::Reject(reason) => (reason.status(), json!(reason.as_str())),
        JobResult::Otherwise(why) => panic!("{why}"),
    }
}

fn response(status: u16, body: &Value) -> CallResponse {
    CallResponse::Response {
        status,
        headers: ResponseHeaders::default(),
        body: body.to_string().into_bytes(),
    }
}

fn workflow(types: &[&str]) -> CallResponse {
    let nodes: Vec<_> = types
        .iter()
        .map(|node| json!({"name": node, "type": format!("n8n-nodes-base.{node}")}))
        .collect();
    response(200, &json!({"data": {"id": "w7", "nodes": nodes}}))
}

fn started() -> CallResponse {
    response(200, &json!({"data": {"executionId": "41"}}))
}

fn execution(status: &str) -> CallResponse {
    let data = json!({"resultData": {"lastNodeExecuted": "Out",
        "runData": {"Out": [{"data": {"main": [[{"json": {"b": 2}}]]}}]}}});
    response(
        200,
        &json!({"id": "41", "status": status, "startedAt": "a", "stoppedAt": "b", "data": data}),
    )
}

const NO_TIME: Duration = Duration::ZERO;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_run_reads_the_workflow_and_starts_its_trigger_with_the_input() {
    let mut job = job(RUN, r#"{"a":1}"#);
    let read = call(job.next(START, NO_TIME));
    assert_eq!(read.method, Method::Get);
    assert_eq!(read.endpoint.path, "/rest/workflows/w7");
    assert_eq!(read.endpoint.cluster, "n8n");
    let cookie = |call: &CallRequest| call.header("cookie").unwrap().expose().to_owned();
    assert_eq!(cookie(&read), "n8n-auth=the-session");
    let start = workflow(&["manualTrigger", "executeWorkflowTrigger"]);
    let start = call(job.read(start, START, NO_TIME));
    assert_eq!(start.method, Method::Post);
    assert_eq!(start.endpoint.path, "/rest/workflows/w7/run");
    assert_eq!(cookie(&start), "n8n-auth=the-session");
    let body = start.body.unwrap();
    let body: Value = serde_json::from_str(body.content().expose()).unwrap();
    let trigger = &body["triggerToStartFrom"];
    assert_eq!(trigger["name"], "executeWorkflowTrigger");
    assert_eq!(
        trigger["data"]["data"]["main"],
        json!([[{"json": {"a": 1}}]])
    );
    let end = end(job.read(started(), START, NO_TIME));
    assert_eq!(result(&end), (202, json!({"executionId": "41"})));
    assert_eq!(job.execution(), Some("41"));
    let JobResult::Reply(reply) = end.result else {
        panic!("no reply");
    };
    let location = ("location", "/api/v1/executions/41".into());
    assert!(reply.headers.contains(&location), "{reply:?}");
    assert!(reply
        .headers
        .iter()
        .all(|(name, _)| *name != "x-n8n-idp-gate-input"));
}

/// n8n ignores it, and the caller must be told.
#[test]
fn input_that_the_trigger_does_not_take_is_told() {
    let reply = |body: &str| {
        let mut job = job(RUN, body);
        job.next(START, NO_TIME);
        job.read(workflow(&["scheduleTrigger"]), START, NO_TIME);
        match end(job.read(started(), START, NO_TIME)).result {
            JobResult::Reply(reply) => reply.headers,
            other => panic!("{other:?}"),
        }
    };
    let ignored = ("x-n8n-idp-gate-input", "ignored".into());
    assert!(reply(r#"{"a":1}"#).contains(&ignored));
    assert!(!reply("").contains(&ignored));
}

#[test]
fn a_caller_that_waits_gets_the_result_if_it_comes_in_time() {
    let target = format!("{RUN}?wait=30s");
    let mut job = job(&target, "");
    job.next(START, NO_TIME);
    job.read(workflow(&["webhook"]), START, NO_TIME);
    let first = pause(&job.read(started(), START, NO_TIME));
    assert!(!first.is_zero());
    let look = call(job.next(START, seconds(1)));
    assert_eq!(look.endpoint.path, "/api/v1/executions/41");
    let second = pause(&job.read(execution("running"), START, seconds(1)));
    assert_eq!(second, first);
    call(job.next(START, seconds(2)));
    let third = pause(&job.read(execution("waiting"), START, seconds(2)));
    assert!(third > second, "it looks ever less often");
    call(job.next(START, seconds(3)));
    let whole = call(job.read(execution("success"), START, seconds(3)));
    assert_eq!(
        whole.endpoint.path,
        "/api/v1/executions/41?includeData=true"
    );
    let end = end(job.read(execution("success"), START, seconds(3)));
    assert_eq!(
        result(&end),
        (
            200,
            json!({"executionId": "41", "status": "success", "startedAt": "a",
            "stoppedAt": "b", "lastNode": "Out", "output": [{"b": 2}]})
        )
    );
}

#[test]
fn a_caller_waits_no_longer_than_it_said_and_then_has_the_id() {
    let target = format!("{RUN}?wait=3");
    let waiting = || {
        let mut job = job(&target, "");
        job.next(START, NO_TIME);
        job.read(workflow(&["webhook"]), START, NO_TIME);
        job.read(started(), START, NO_TIME);
        job
    };
    let id = (202, json!({"executionId": "41"}));
    assert_eq!(result(&end(waiting().next(START, seconds(3)))), id);
    let mut job = waiting();
    job.next(START, seconds(2));
    let late = job.read(execution("running"), START, seconds(3));
    assert_eq!(result(&end(late)), id);
    let left = pause(&{
        let mut job = waiting();
        job.next(START, Duration::from_millis(2950));
        job.read(execution("running"), START, Duration::from_millis(2950))
    });
    assert_eq!(left, Duration::from_millis(50));
}

/// The run has begun: the caller must not repeat it for a fault of the look.
#[test]
fn nothing_after_the_start_is_a_refusal() {
    let target = format!("{RUN}?wait=30s");
    for fault in [
        CallResponse::NoResponse,
        CallResponse::NotDispatched,
        response(401, &json!({})),
        response(404, &json!({})),
        response(500, &json!({})),
        response(200, &json!("something else")),
    ] {
        let mut job = job(&target, "");
        job.next(START, NO_TIME);
        job.read(workflow(&["webhook"]), START, NO_TIME);
        job.read(started(), START, NO_TIME);
        job.next(START, seconds(1));
        pause(&job.read(fault.clone(), START, seconds(1)));
        call(job.next(START, seconds(2)));
        call(job.read(execution("success"), START, seconds(2)));
        let end = end(job.read(fault, START, seconds(2)));
        assert_eq!(result(&end), (202, json!({"executionId": "41"})));
    }
}

#[test]
fn each_fault_before_the_start_has_its_reason() {
    let cases = [
        (response(401, &json!({})), 502, "upstream_session_refused"),
        (response(403, &json!({})), 403, "workflow_not_accessible"),
        (response(404, &json!({})), 404, "workflow_not_found"),
        (response(400, &json!({})), 409, "workflow_not_runnable"),
        (response(500, &json!({})), 502, "run_failed"),
        (response(200, &json!({})), 502, "run_failed"),
        (CallResponse::NoResponse, 502, "run_failed"),
        (CallResponse::NotDispatched, 502, "run_failed"),
    ];
    for (fault, status, reason) in cases {
        let expected = (status, json!(reason));
        let mut at_first = job(RUN, "");
        at_first.next(START, NO_TIME);
        let ended = end(at_first.read(fault.clone(), START, NO_TIME));
        assert_eq!(result(&ended), expected);
        assert_eq!(
            ended.is_session_refused,
            reason == "upstream_session_refused"
        );
        let mut at_start = job(RUN, "");
        at_start.next(START, NO_TIME);
        at_start.read(workflow(&["webhook"]), START, NO_TIME);
        let ended = end(at_start.read(fault, START, NO_TIME));
        assert_eq!(result(&ended), expected);
        assert_eq!(at_start.execution(), None);
    }
}

#[test]
fn a_workflow_without_such_a_trigger_is_not_run_and_its_triggers_are_named() {
    let refused = |target: &str| {
        let mut job = job(target, "");
        job.next(START, NO_TIME);
        let triggers = workflow(&["gmailTrigger", "httpRequest"]);
        match job.read(triggers, START, NO_TIME) {
            Progress::Done(end) => match end.result {
                JobResult::Reject(reason) => {
                    let refusal = crate::reply::problem(
                        &reason,
                        None,
                        &RequestHead::default(),
                        crate::reply::Told::default(),
                    );
                    Ok((refusal.status, refusal.body))
                }
                other => panic!("{other:?}"),
            },
            Progress::Call(call) => Err(call.endpoint.path),
            Progress::Pause(_) => panic!("a pause"),
        }
    };
    let (status, body) = refused(RUN).unwrap();
    assert_eq!(status, 409);
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["triggers"], json!(["gmailTrigger"]));
    assert!(refused(&format!("{RUN}?trigger=httpRequest")).is_ok());
    let named = refused(&format!("{RUN}?trigger=gmailTrigger"));
    assert_eq!(named.unwrap_err(), "/rest/workflows/w7/run");
}

#[test]
fn only_a_caller_that_is_granted_it_runs_a_workflow() {
    let reader = bearing("POST", RUN, &claims("reader", &["Reader"]));
    assert_eq!(
        reason(&decided(&facts(), &reader, "")),
        "insufficient_scope"
    );
    let mut facts = facts();
    let request = request("POST", RUN, &[("x-n8n-api-key", "a-key")]);
    assert!(matches!(
        decided(&facts, &request, "").outcome,
        Outcome::Pass(_)
    ));
    let anonymous = super::request("POST", RUN, &[]);
    assert_eq!(reason(&decided(&facts, &anonymous, "")), "no_credential");
    facts.session = Some(Err("other_password"));
    let refused = decided(&facts, &run(RUN), "");
    assert_eq!(reason(&refused), "upstream_session_unavailable");
    assert_eq!(refused.record.operation, Some("workflow:execute"));
}

#[test]
fn a_principal_with_a_static_key_runs_none() {
    let facts = facts_of(&json!({"api_key": {"env": "FIRST"}, "grant": ["*"]}));
    assert_eq!(reason(&decided(&facts, &run(RUN), "")), "run_needs_user");
}

/// The body is held in memory, so it comes last.
#[test]
fn the_session_is_awaited_before_the_body() {
    let mut facts = facts();
    let session = facts.session.take();
    let decision = decide_with(&facts, &run(RUN));
    assert!(
        matches!(
            decision.outcome,
            Outcome::Await(Need::Fact(Fact::Session(_)))
        ),
        "{decision:?}"
    );
    facts.session = session;
    let decision = decide_with(&facts, &run(RUN));
    assert!(
        matches!(
            decision.outcome,
            Outcome::Await(Need::Body {
                max_bytes: 1_048_576
            })
        ),
        "{decision:?}"
    );
}

#[test]
fn a_malformed_input_or_wait_is_refused_before_n8n_is_called() {
    let refused = |target: &str, body: &str| reason(&decided(&facts(), &run(target), body));
    for body in ["[1]", "text", "1"] {
        assert_eq!(refused(RUN, body), "input_malformed", "{body}");
    }
    for wait in [
        "",
        "-1",
        "1m",
        "s",
        "1.5",
        "+1",
        "121",
        "99999999999999999999",
    ] {
        let target = format!("{RUN}?wait={wait}");
        assert_eq!(refused(&target, ""), "wait_malformed", "{wait}");
    }
    for wait in ["0", "0s", "120s", "007"] {
        job(&format!("{RUN}?wait={wait}"), "");
    }
}

/// No id leads the gate's own call to another path.
#[test]
fn the_id_of_a_workflow_stays_one_segment() {
    let mut job = job("/api/v1/workflows/a%20b/run", "");
    let read = call(job.next(START, NO_TIME));
    assert_eq!(read.endpoint.path, "/rest/workflows/a%20b");
    let two = decided(&facts(), &run("/api/v1/workflows/a%2Fb/run"), "");
    assert_eq!(reason(&two), "ambiguous_path");
}
