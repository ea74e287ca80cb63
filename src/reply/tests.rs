//! The response for every reason, byte by byte.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::format_push_string,
    clippy::string_slice,
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop where its own numbers are wrong"
)]

use std::collections::BTreeSet;

use super::*;
use crate::http::RequestHead;

fn identified(id: &[u8]) -> RequestHead {
    RequestHead::new(vec![("x-request-id".to_owned(), id.to_vec())])
}

fn resource() -> Resource {
    Resource {
        origin: "https://n8n.example.com".to_owned(),
        path: "/api/v1".to_owned(),
        proofs: Proofs::NotTaken,
    }
}

fn render(reply: &LocalReply) -> String {
    let mut text = format!("{}\n", reply.status);
    for (name, value) in &reply.headers {
        text.push_str(&format!("{name}: {value}\n"));
    }
    text.push_str(&reply.body);
    text.push('\n');
    text
}

#[test]
fn every_reason_has_one_response() {
    let responses: Vec<String> = Reason::examples()
        .iter()
        .map(|reason| {
            let resource = resource().requiring_proofs(matches!(reason, Reason::Proof(_)));
            render(&problem(
                reason,
                Some(&resource),
                &identified(b"1-2"),
                Told::default(),
            ))
        })
        .collect();
    insta::assert_snapshot!(responses.join("\n"));
}

#[test]
fn header_values_stay_within_what_rfc_6750_allows() {
    for reason in Reason::examples() {
        let detail = reason.detail();
        let allowed = |byte: u8| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        assert!(detail.bytes().all(allowed), "{detail}");
        for (_, value) in problem(
            &reason,
            Some(&resource()),
            &RequestHead::default(),
            Told::default(),
        )
        .headers
        {
            let printable = |byte: u8| (0x20..=0x7e).contains(&byte);
            assert!(value.bytes().all(printable), "{value:?}");
        }
    }
}

#[test]
fn a_refusal_that_ends_by_itself_says_when_to_try_again() {
    for reason in Reason::examples() {
        let reply = problem(&reason, None, &RequestHead::default(), Told::default());
        let says = reply.headers.iter().any(|(name, _)| *name == "retry-after");
        assert_eq!(says, reply.status == 503, "{}", reason.as_str());
    }
}

#[test]
fn a_request_id_that_is_not_plain_is_not_repeated() {
    let long = [b'a'; 65];
    for id in [&b""[..], b"a b", b"a\"b", b"\xff", b"a\r\nb", &long] {
        let reply = problem(
            &Reason::NoCredential,
            None,
            &identified(id),
            Told::default(),
        );
        assert!(!reply.body.contains("request_id"), "{id:?}");
    }
}

#[test]
fn every_reason_has_a_code_of_its_own() {
    let examples = Reason::examples();
    let codes: BTreeSet<_> = examples.iter().map(Reason::as_str).collect();
    assert_eq!(codes.len(), examples.len());
}

#[test]
fn metrics_and_headers_can_hold_each_code() {
    for reason in Reason::examples() {
        let code = reason.as_str();
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        assert!(code.bytes().all(plain), "{code}");
    }
}
