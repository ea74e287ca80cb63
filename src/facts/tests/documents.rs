//! What the documents of a provider lead to, and what is wrong with others.

use super::*;

#[test]
fn discovery_leads_to_the_keys_through_the_same_cluster() {
    let memory = Memory::default();
    let mut store = FactStore::new(&policy(by_discovery(), Some("secret")));
    let call = fetch(&store.tick(START, &memory));
    let document =
        format!(r#"{{"issuer":"{ISSUER}","jwks_uri":"https://169.254.169.254/latest","x":[1]}}"#);
    let next = fetch(&store.received(call.id, ok(document), START, &memory));
    assert_eq!(next.request.endpoint.cluster, "idp");
    assert_eq!(next.request.endpoint.authority, "169.254.169.254");
    assert_ne!(next.id, call.id);
    store.received(next.id, ok(key_set("one")), START, &memory);
    assert!(knows(&store, "one", START));
}

/// What is wrong with a document stands in the log: the operator must not have to fetch it.
#[test]
fn a_discovery_document_that_lies_brings_no_keys_and_the_log_says_what_is_wrong_with_it() {
    let of = |issuer: &str, jwks: &str| format!(r#"{{"issuer":"{issuer}","jwks_uri":"{jwks}"}}"#);
    let good = "https://idp.example/jwks";
    let mismatch = |found: &str| {
        format!("the discovery document is of another issuer: expected \"{ISSUER}\", found {found}")
    };
    let uri = |found: &str, why: &str| {
        format!("the discovery document's jwks_uri {found} cannot be used: it {why}")
    };
    let malformed = |why: &str| format!("the discovery document is malformed: {why}");
    let long = format!("https://idp.example/{}", "a".repeat(500));
    let (shown, _) = long.split_at(256);
    let cases = [
        (
            of("https://idp.example/realms/b", good),
            "issuer_mismatch",
            mismatch("\"https://idp.example/realms/b\""),
        ),
        (
            of(&format!("{ISSUER}/"), good),
            "issuer_mismatch",
            mismatch("\"https://idp.example/realms/a/\""),
        ),
        (
            of("https://idp.example\\n\\u202e\\u001b[2J", good),
            "issuer_mismatch",
            mismatch("\"https://idp.example\\n\\u{202e}\\u{1b}[2J\""),
        ),
        (
            of(&long, good),
            "issuer_mismatch",
            mismatch(&format!("\"{shown}…\"")),
        ),
        (
            of(ISSUER, "http://idp.example/jwks"),
            "jwks_uri",
            uri(
                "\"http://idp.example/jwks\"",
                "is http, and the issuer is https",
            ),
        ),
        (
            of(ISSUER, "file:///etc/passwd"),
            "jwks_uri",
            uri(
                "\"file:///etc/passwd\"",
                "does not begin with https:// or http://",
            ),
        ),
        (
            format!(r#"{{"issuer":"{ISSUER}"}}"#),
            "document_malformed",
            malformed("it has no `jwks_uri`"),
        ),
        (
            r#"{"jwks_uri":"https://idp.example/jwks"}"#.to_owned(),
            "document_malformed",
            malformed("it has no `issuer`"),
        ),
        (
            format!(r#"{{"issuer":"{ISSUER}","issuer":"x","jwks_uri":"https://a/"}}"#),
            "document_malformed",
            malformed("it is not a JSON object that can be read"),
        ),
        (
            "\n<html>".to_owned(),
            "document_malformed",
            malformed("it is a page (HTML or XML)"),
        ),
        (
            String::new(),
            "document_malformed",
            malformed("it is not a JSON object that can be read"),
        ),
        (
            "[]".to_owned(),
            "document_malformed",
            malformed("it is not a JSON object that can be read"),
        ),
        (
            r#"{"keys":[]}"#.to_owned(),
            "document_malformed",
            malformed("it is a JWK set: its address belongs into `jwks_uri`"),
        ),
    ];
    for (document, code, words) in cases {
        let memory = Memory::default();
        let mut store = FactStore::new(&policy(by_discovery(), Some("secret")));
        let call = fetch(&store.tick(START, &memory));
        let effects = store.received(call.id, ok(document.clone()), START, &memory);
        let [Effect::Report(Event::KeysFailed(THE_PROVIDER, fault))] = effects.as_slice() else {
            panic!("{document}: {effects:?}");
        };
        assert_eq!(
            (fault.code().as_str(), fault.to_string()),
            (code, words),
            "{document}"
        );
    }
}

/// RFC 8259 §8.1 lets a reader ignore it.
#[test]
fn a_byte_order_mark_before_a_document_is_not_looked_at() {
    let memory = Memory::default();
    let mut store = FactStore::new(&policy(by_discovery(), Some("secret")));
    let marked = |response: CallResponse| match response {
        CallResponse::Response { body, .. } => ok([b"\xef\xbb\xbf", body.as_slice()].concat()),
        other => other,
    };
    let call = fetch(&store.tick(START, &memory));
    let next = fetch(&store.received(call.id, marked(document("/jwks")), START, &memory));
    let effects = store.received(next.id, marked(ok(key_set("one"))), START, &memory);
    assert_eq!(effects, [Effect::Report(Event::KeysFetched(THE_PROVIDER))]);
    assert!(knows(&store, "one", START));
}

#[test]
fn a_redirect_says_where_it_leads_to_and_a_compressed_response_how_it_is_encoded() {
    let response = |status: u16, headers: ResponseHeaders, body: &[u8]| CallResponse::Response {
        status,
        headers,
        body: body.to_vec(),
    };
    let coded = |coding: &str| header("content-encoding", coding);
    let to =
        |location: &[u8]| ResponseHeaders::new(vec![("location".to_owned(), location.to_vec())]);
    let encoded =
        |coding: &str| format!("the document is encoded ({coding}), though that was not asked for");
    let plain = key_set("one");
    for (response, message) in [
        (
            response(301, to(b"https://new.example/\x1bkeys\xff"), b""),
            "the server responded with status 301, to \"https://new.example/\\u{1b}keys\\xff\""
                .to_owned(),
        ),
        (
            response(302, ResponseHeaders::default(), b""),
            "the server responded with status 302".to_owned(),
        ),
        (
            response(200, coded("gzip"), b"\x1f\x8b\x08"),
            encoded("gzip"),
        ),
        (response(200, coded("br"), &plain), encoded("br")),
        (
            response(200, coded("identity, Deflate"), &plain),
            encoded("identity, Deflate"),
        ),
        (
            response(200, ResponseHeaders::default(), b"\x1f\x8b\x08"),
            encoded("gzip"),
        ),
    ] {
        let memory = Memory::default();
        let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
        let call = fetch(&store.tick(START, &memory));
        let effects = store.received(call.id, response, START, &memory);
        let [Effect::Report(Event::KeysFailed(THE_PROVIDER, fault))] = effects.as_slice() else {
            panic!("{effects:?}");
        };
        assert_eq!(fault.to_string(), message);
    }
    for plainly in ["", "identity", " Identity "] {
        let memory = Memory::default();
        let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
        refresh(
            &mut store,
            response(200, coded(plainly), &plain),
            START,
            &memory,
        );
        assert!(knows(&store, "one", START), "{plainly:?}");
    }
}

#[test]
fn whatever_is_no_key_set_is_a_fault_of_its_own() {
    let large = vec![b' '; MAX_DOCUMENT + 1];
    let cases = [
        (status(500), "server_error"),
        (status(503), "unavailable"),
        (status(504), "timeout"),
        (status(302), "redirect"),
        (status(404), "not_found"),
        (status(410), "not_found"),
        (status(429), "rate_limited"),
        (status(403), "client_error"),
        (status(204), "status"),
        (CallResponse::NoResponse, "no_response"),
        (CallResponse::NotDispatched, "not_dispatched"),
        (ok(large), "too_large"),
        (ok("<html></html>"), "page"),
        (ok("[]"), "list"),
        (ok("{}"), "keys_missing"),
        (
            ok(r#"{"a1":"-----BEGIN CERTIFICATE-----\nMII"}"#),
            "certificates",
        ),
        (ok(r#"{"kty":"RSA"}"#), "single_key"),
        (ok(r#"{"issuer":"x","jwks_uri":"y"}"#), "discovery_document"),
        (ok(r#"{"keys":{}}"#), "not_a_key_set"),
        (ok(b"\x1f\x8b\x08"), "content_encoding"),
        (ok(r#"{"keys":[]}"#), "empty"),
        (
            ok(r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#),
            "no_usable_key",
        ),
        (ok(&key_set("one")[..40]), "not_json"),
        (ok(r#"{"keys":[],"keys":[]}"#), "duplicate_member"),
    ];
    for (response, code) in cases {
        let memory = Memory::default();
        let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
        let call = fetch(&store.tick(START, &memory));
        let effects = store.received(call.id, response.clone(), START, &memory);
        let [Effect::Report(Event::KeysFailed(_, fault)), ..] = effects.as_slice() else {
            panic!("{response:?}: {effects:?}");
        };
        assert_eq!(fault.code().as_str(), code);
        // The request that is refused for it says so.
        let facts = store.at(START);
        let Availability::Unavailable(outage) = facts.key_set(THE_PROVIDER) else {
            panic!("{response:?}: keys");
        };
        assert_eq!(outage.fault, Some(code));
    }
}
