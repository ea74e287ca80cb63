//! Requests for n8n's own description of its public API, in which bearer tokens are shown.

use super::*;
use crate::decide::JobResult;
use crate::facts::{CallResponse, ResponseHeaders};
use crate::n8n::description::MAX_DESCRIPTION;
use crate::time::UnixMillis;

const DOCUMENT: &str = include_str!("../../../tests/support/description.yml");

fn showing(token_endpoints: bool) -> Value {
    let mut configuration = configuration();
    configuration["public_api"] = json!({
        "public_description": true,
        "bearer_in_description": {"cluster": "n8n", "uri": "http://n8n:5678",
            "token_endpoints": token_endpoints},
    });
    configuration
}

fn job(configuration: &Value, head: &RequestHead) -> (Job, Option<Box<Outcome>>) {
    let decision = decide_with(&facts(configuration), head);
    match decision.outcome {
        Outcome::Job(job) => (job, decision.otherwise),
        other => panic!("no job: {other:?}"),
    }
}

fn end(mut job: Job, response: CallResponse) -> JobResult {
    match job.read(response, UnixMillis(0), std::time::Duration::ZERO) {
        Progress::Done(end) => end.result,
        other => panic!("it goes on: {other:?}"),
    }
}

fn response(status: u16, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> CallResponse {
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
    CallResponse::Response {
        status,
        headers: ResponseHeaders::new(headers.collect()),
        body: body.into(),
    }
}

#[test]
fn the_gate_reads_it_from_n8n_without_any_credential() {
    for (target, path) in [
        ("/api/v1/openapi.yml", "/api/v1/openapi.yml"),
        ("/API/v1/OpenApi.yml?a=b", "/api/v1/openapi.yml"),
        (
            "/api/v1/docs/swagger-ui-init.js",
            "/api/v1/docs/swagger-ui-init.js",
        ),
    ] {
        let token = format!("Bearer {}", sign(&claims("reader", &["Reader"])));
        let headers = [
            ("authorization", &*token),
            ("if-none-match", "*"),
            ("range", "bytes=0-1"),
        ];
        for (method, headers) in [("GET", &headers[..]), ("HEAD", &[])] {
            let (mut job, otherwise) = job(&showing(true), &request(method, target, headers));
            assert!(
                matches!(otherwise.as_deref(), Some(Outcome::Pass(_))),
                "{target}"
            );
            let Progress::Call(call) = job.next(UnixMillis(0), std::time::Duration::ZERO) else {
                panic!("no call");
            };
            assert_eq!(call.endpoint.path, path);
            assert_eq!(
                (&*call.endpoint.cluster, &*call.endpoint.authority),
                ("n8n", "n8n:5678")
            );
            assert!(call.headers.is_empty() && call.body.is_none(), "{call:?}");
            assert_eq!(call.most, MAX_DESCRIPTION);
        }
    }
}

#[test]
fn nothing_else_is_done_by_the_gate() {
    let facts = facts(&showing(true));
    for (method, path) in [
        ("GET", "/api/v1/docs/"),
        ("GET", "/api/v1/docs/swagger-ui.css"),
        ("GET", "/api/v1/docs/x/swagger-ui-init.js"),
        ("POST", "/api/v1/openapi.yml"),
        ("GET", "/api/v1/workflows"),
    ] {
        let decision = decide_with(&facts, &request(method, path, &[]));
        assert!(
            !matches!(decision.outcome, Outcome::Job(_)),
            "{method} {path}"
        );
    }
    let get = request("GET", "/api/v1/openapi.yml", &[]);
    // Without the section it is n8n's own.
    let mut own = configuration();
    own["public_api"]["public_description"] = json!(true);
    let decision = decide_with(&super::facts(&own), &get);
    assert!(matches!(decision.outcome, Outcome::Pass(_)));
}

/// What is refused without the section is refused with it.
#[test]
fn a_request_that_may_not_see_it_is_refused() {
    let mut guarded = showing(true);
    guarded["public_api"]["public_description"] = json!(false);
    let target = "/api/v1/openapi.yml";
    let get = request("GET", target, &[]);
    assert_eq!(
        reason(&decide_with(&facts(&guarded), &get)),
        "no_credential"
    );
    let bearer = |client, role| format!("Bearer {}", sign(&claims(client, &[role])));
    let with = |token: &str| request("GET", target, &[("authorization", token)]);
    let reader = decide_with(&facts(&guarded), &with(&bearer("reader", "Reader")));
    assert_eq!(reason(&reader), "unknown_operation");
    let (_, otherwise) = job(&guarded, &with(&bearer("admin", "Admin")));
    assert!(matches!(otherwise.as_deref(), Some(Outcome::Forward(_))));
    // A token of a provider as an API key is refused on every path.
    let token = sign(&claims("admin", &["Admin"]));
    let as_key = request("GET", target, &[("x-n8n-api-key", &token)]);
    let mut open = showing(true);
    open["public_api"]["tokens_in_api_key"] = json!(false);
    assert_eq!(
        reason(&decide_with(&facts(&open), &as_key)),
        "token_as_api_key"
    );
}

#[test]
fn the_reply_has_bearer_tokens_and_no_validator_of_n8n() {
    let get = request("GET", "/api/v1/openapi.yml", &[]);
    let headers = [
        ("content-type", "text/yaml; charset=utf-8"),
        ("etag", "W/\"1\""),
        ("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT"),
        ("set-cookie", "a=b"),
    ];
    for tells in [true, false] {
        let (job, _) = job(&showing(tells), &get);
        let JobResult::Reply(reply) = end(job, response(200, &headers, DOCUMENT)) else {
            panic!("no reply");
        };
        assert_eq!(reply.status, 200);
        assert!(reply
            .body
            .contains("- ApiKeyAuth: []\n        - BearerAuth: []\n"));
        assert_eq!(reply.body.contains(TOKEN_ENDPOINT), tells);
        let names: Vec<_> = reply.headers.iter().map(|(name, _)| *name).collect();
        assert_eq!(
            names,
            ["cache-control", "x-content-type-options", "content-type"]
        );
        assert!(reply.cookies.is_empty());
    }
}

#[test]
fn a_response_that_cannot_be_edited_leaves_the_request_to_n8n() {
    let get = request("GET", "/api/v1/openapi.yml", &[]);
    let gzip = [("content-encoding", "gzip")];
    for (response, wanted) in [
        (response(200, &[], "<html></html>"), "form"),
        (response(200, &gzip, DOCUMENT), "encoded"),
        (
            response(200, &[], [DOCUMENT.as_bytes(), b"\xff"].concat()),
            "UTF-8",
        ),
        (response(200, &[], " ".repeat(MAX_DESCRIPTION + 1)), "2 MiB"),
        (response(304, &[], ""), "status 304"),
        (response(500, &[], "{}"), "status 500"),
        (CallResponse::NoResponse, "did not respond"),
        (CallResponse::NotDispatched, "cluster"),
    ] {
        let (job, _) = job(&showing(true), &get);
        let JobResult::Otherwise(why) = end(job, response) else {
            panic!("{wanted}");
        };
        assert!(why.contains(wanted), "{why}");
    }
}
