use super::*;
use crate::facts::ResponseHeaders;
use crate::secret::Secret;

const TERM: Term = Term {
    since: UnixMillis(0),
    until: UnixMillis(1),
};

fn introspection() -> Protocol {
    Protocol::Introspection {
        authorization: Some(Secret::new("Basic x".to_owned())),
        form: None,
        accept_untyped: false,
    }
}

fn response(status: u16, content_type: &str, body: &str) -> CallResponse {
    CallResponse::Response {
        status,
        headers: ResponseHeaders::new(vec![(
            "content-type".to_owned(),
            content_type.as_bytes().to_vec(),
        )]),
        body: body.as_bytes().to_vec(),
    }
}

fn json(body: &str) -> CallResponse {
    response(200, "application/json", body)
}

/// `active`, `inactive`, `nameless`, or the code of the fault.
fn said(protocol: &Protocol, response: CallResponse) -> &'static str {
    match read(protocol, response, TERM) {
        Ok(TokenStatus::Active(_)) => "active",
        Ok(TokenStatus::Inactive) => "inactive",
        Ok(TokenStatus::Nameless) => "nameless",
        Err(fault) => fault.code().as_str(),
    }
}

#[test]
fn a_token_is_active_only_where_the_response_says_so_in_json() {
    for (body, expected) in [
        (r#"{"active":true}"#, "active"),
        (r#"{"active":true,"sub":"a"}"#, "active"),
        (r#"{"active":false}"#, "inactive"),
        (r#"{"active":false,"sub":"a"}"#, "inactive"),
        (r#"{"active":"true"}"#, "answer_malformed"),
        (r#"{"active":1}"#, "answer_malformed"),
        (r#"{"active":null}"#, "answer_malformed"),
        (r#"{"active":[true]}"#, "answer_malformed"),
        (r#"{"sub":"a"}"#, "answer_malformed"),
        (r#"{"active":false,"active":true}"#, "answer_malformed"),
        (r#"[{"active":true}]"#, "answer_malformed"),
        (r#"{"active":true}}"#, "answer_malformed"),
        ("true", "answer_malformed"),
        ("", "answer_malformed"),
        ("<html>", "answer_malformed"),
    ] {
        assert_eq!(said(&introspection(), json(body)), expected, "{body}");
    }
}

#[test]
fn a_response_of_another_type_or_status_or_size_says_nothing() {
    const ACTIVE: &str = r#"{"active":true}"#;
    for (status, content_type, expected) in [
        (200, "application/json; charset=utf-8", "active"),
        (200, "Application/JSON", "active"),
        (200, "text/html", "content_type"),
        (200, "application/token-introspection+jwt", "content_type"),
        (200, "application/jsonp", "content_type"),
        (200, "", "content_type"),
        (201, "application/json", "status"),
        (302, "application/json", "redirect"),
        (400, "application/json", "client_error"),
        (401, "application/json", "client_refused"),
        (403, "application/json", "client_error"),
        (429, "application/json", "rate_limited"),
        (500, "application/json", "server_error"),
        (504, "application/json", "timeout"),
    ] {
        let response = response(status, content_type, ACTIVE);
        assert_eq!(
            said(&introspection(), response),
            expected,
            "{status} {content_type}"
        );
    }
    for (length, expected) in [(MAX_RESPONSE, "active"), (MAX_RESPONSE + 1, "too_large")] {
        let padding = " ".repeat(length - ACTIVE.len());
        let response = json(&format!("{ACTIVE}{padding}"));
        assert_eq!(said(&introspection(), response), expected, "{length}");
    }
    for (response, expected) in [
        (CallResponse::NoResponse, "no_response"),
        (CallResponse::NotDispatched, "not_dispatched"),
    ] {
        assert_eq!(said(&introspection(), response), expected);
    }
}

#[test]
fn userinfo_names_the_subject_of_a_token_or_none() {
    for (response, expected) in [
        (json(r#"{"sub":"a"}"#), "active"),
        (json(r#"{"sub":"a","aud":["app"],"iat":1}"#), "active"),
        // What the endpoint says without a name, it says for good.
        (json("{}"), "nameless"),
        (json(r#"{"sub":""}"#), "nameless"),
        (json(r#"{"sub":null}"#), "nameless"),
        (json(r#"{"sub":7}"#), "nameless"),
        (
            json(r#"{"aud":["app"],"iss":"https://idp.example"}"#),
            "nameless",
        ),
        (json(r#"{"active":true}"#), "nameless"),
        (json(r#"{"error":"invalid_token"}"#), "nameless"),
        (json("[]"), "answer_malformed"),
        (json("null"), "answer_malformed"),
        (json(""), "answer_malformed"),
        (response(200, "application/jwt", "a.b.c"), "content_type"),
        (response(401, "", ""), "inactive"),
        (response(403, "", ""), "inactive"),
        (response(400, "", ""), "inactive"),
        (response(404, "", ""), "not_found"),
        (response(500, "", ""), "server_error"),
    ] {
        assert_eq!(
            said(&Protocol::UserInfo, response.clone()),
            expected,
            "{response:?}"
        );
    }
}

#[test]
fn google_s_strings_are_numbers_and_booleans_where_they_are_meant() {
    let body = r#"{"azp":"app","aud":"app","sub":"7","scope":"openid","exp":"1800000000",
        "expires_in":"3599","email":"a@gmail.com","email_verified":"true"}"#;
    let Ok(TokenStatus::Active(active)) = read(&Protocol::GoogleTokenInfo, json(body), TERM) else {
        panic!("not active");
    };
    let members = active.claims();
    assert_eq!(
        members.get("exp").and_then(Value::as_u64),
        Some(1_800_000_000)
    );
    assert_eq!(members.get("email_verified"), Some(Value::Bool(true)));
    assert_eq!(members.get("expires_in"), Some(Value::String("3599")));
    for (body, expected) in [
        // Refused with the claims that they lack.
        (r#"{"aud":"app","sub":"7"}"#, "active"),
        (r#"{"exp":"1","sub":"7"}"#, "active"),
        ("[]", "answer_malformed"),
        (r#"{"aud":"app","exp":"1"}"#, "active"),
    ] {
        assert_eq!(
            said(&Protocol::GoogleTokenInfo, json(body)),
            expected,
            "{body}"
        );
    }
    let refused = response(
        400,
        "application/json",
        r#"{"error_description":"Invalid Value"}"#,
    );
    assert_eq!(said(&Protocol::GoogleTokenInfo, refused), "inactive");
}
