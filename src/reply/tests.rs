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

use serde_json::{json, Value};

use super::*;
use crate::http::RequestHead;

fn identified(id: &[u8]) -> RequestHead {
    RequestHead::new(vec![("x-request-id".to_owned(), id.to_vec())])
}

fn resource() -> Resource<'static> {
    Resource {
        origin: ["https", "://", "n8n.example.com"],
        path: ["", "/", "api", "/v1"],
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

/// Texts that JSON cannot hold as they are.
const ODD: &str = "\"\\/\u{0}\n\u{7f}\u{2028}ä🦀";

#[test]
fn a_document_is_as_serde_json_writes_it() {
    let audiences = BTreeSet::from([String::new(), ODD.to_owned()]);
    let told = Told {
        types: Some(ODD),
        client: Some(ODD),
        audiences: Some(&audiences),
        hint: Some(ODD),
    };
    let no_trigger = Reason::NoTrigger {
        names: vec![ODD.to_owned(), String::new()],
    };
    for reason in Reason::examples().into_iter().chain([no_trigger]) {
        let code = reason.as_str();
        for told in [told, Told::default()] {
            let reply = problem(&reason, None, &identified(b"1-2"), told);
            let document: Value = serde_json::from_str(&reply.body).expect(code);
            // The members of a `Value` are in the order of the alphabet.
            assert_eq!(document.to_string(), reply.body);
            assert_eq!(document["status"], reply.status, "{code}");
            assert_eq!(document["reason"], code);
            assert_eq!(document["detail"], document["message"], "{code}");
            assert_eq!(document["triggers"].is_null(), reason.triggers().is_empty());
            if told.types.is_some() {
                assert_eq!(document["type"], [ODD, code].concat());
                assert_eq!(document["client"], ODD, "{code}");
                assert_eq!(document["hint"], ODD, "{code}");
                assert_eq!(document["accepted_audiences"], json!(["", ODD]), "{code}");
            }
        }
    }
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
