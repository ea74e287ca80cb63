//! Tokens that are bound to a certificate of their client (RFC 8705).

use std::cell::RefCell;

use super::*;
use crate::crypto::Thumbprint;
use crate::formats::json::Document;

/// The digest of the certificate that tokens are bound to here, in the two forms.
const HEX: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const BASE64URL: &str = "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0";

/// A connection of a test, which notes what it was asked.
#[derive(Default)]
struct TestConnection {
    certificate: Option<&'static str>,
    peer: Option<&'static str>,
    asked: RefCell<Vec<ConnectionAttribute>>,
}

impl Connection for TestConnection {
    fn attribute(&self, attribute: ConnectionAttribute) -> Option<String> {
        self.asked.borrow_mut().push(attribute);
        let value = match attribute {
            ConnectionAttribute::CertificateDigest => self.certificate,
            ConnectionAttribute::Peer => self.peer,
            ConnectionAttribute::CertificateSubject
            | ConnectionAttribute::CertificateUri
            | ConnectionAttribute::CertificateDns => None,
        };
        value.map(str::to_owned)
    }
}

fn with_certificate(certificate: &'static str) -> TestConnection {
    TestConnection {
        certificate: Some(certificate),
        ..TestConnection::default()
    }
}

fn from_peer(peer: &'static str) -> TestConnection {
    TestConnection {
        peer: Some(peer),
        ..TestConnection::default()
    }
}

fn decide_over(
    facts: &TestFacts,
    token_cache: &TokenCache<Caller>,
    head: &RequestHead,
    connection: &TestConnection,
) -> Decision {
    let context = context(facts, token_cache);
    let request = Request {
        connection,
        ..Request::of_head(head)
    };
    decide(context, request)
}

fn decided_over(
    configuration: &Value,
    head: &RequestHead,
    connection: &TestConnection,
) -> Decision {
    decide_over(
        &facts(configuration),
        &TokenCache::default(),
        head,
        connection,
    )
}

fn bound_to(confirmation: &Value) -> Value {
    let mut claims = claims("reader", &["Reader"]);
    claims["cnf"] = confirmation.clone();
    claims
}

/// A call with a token that is bound to the certificate, and these headers.
fn call(headers: &[(&str, &str)]) -> RequestHead {
    let authorization = format!(
        "Bearer {}",
        sign(&bound_to(&json!({"x5t#S256": BASE64URL})))
    );
    let mut all = vec![("authorization", authorization.as_str())];
    all.extend(headers);
    request("GET", WORKFLOWS, &all)
}

/// The configuration behind a proxy that ends TLS.
fn behind_a_proxy() -> Value {
    let mut configuration = configuration();
    configuration["client_certificates"] =
        json!({"from": "x-forwarded-client-cert", "trusted": ["10.0.5.0/24", "2001:db8::7"]});
    configuration
}

#[test]
fn a_bound_token_is_good_over_a_connection_with_its_certificate_alone() {
    assert_eq!(
        Thumbprint::from_hex(HEX),
        Thumbprint::from_base64url(BASE64URL)
    );
    let other = "00".repeat(32).leak();
    for (connection, expected) in [
        (with_certificate(HEX), "forward"),
        (with_certificate(other), "client_certificate_mismatch"),
        (with_certificate(""), "client_certificate_missing"),
        (with_certificate("ba78"), "client_certificate_missing"),
        (TestConnection::default(), "client_certificate_missing"),
    ] {
        let decision = decided_over(&configuration(), &call(&[]), &connection);
        assert_eq!(result(&decision), expected, "{:?}", connection.certificate);
        let asked = [ConnectionAttribute::CertificateDigest];
        assert_eq!(*connection.asked.borrow(), asked);
    }
}

#[test]
fn a_host_is_not_asked_about_connections_of_other_tokens() {
    for head in [
        bearing("GET", WORKFLOWS, &claims("reader", &["Reader"])),
        bearing("GET", WORKFLOWS, &bound_to(&json!({"kid": "x"}))),
        request("GET", WORKFLOWS, &[("x-n8n-api-key", "key")]),
        request("GET", WORKFLOWS, &[]),
        request("POST", "/webhook/public/x", &[]),
    ] {
        let connection = with_certificate(HEX);
        decided_over(&configuration(), &head, &connection);
        assert_eq!(*connection.asked.borrow(), [], "{head:?}");
    }
}

/// No certificate is asked for either: the signature comes first.
#[test]
fn a_forged_bound_token_is_refused_for_its_signature() {
    let attacker = Mint::generate(KeyKind::Ed25519);
    let claims = bound_to(&json!({"x5t#S256": BASE64URL}));
    let token = attacker.sign(&json!({"alg": "EdDSA", "kid": "one"}), &claims);
    let authorization = format!("Bearer {token}");
    let head = request("GET", WORKFLOWS, &[("authorization", &authorization)]);
    let connection = with_certificate(HEX);
    let decision = decided_over(&configuration(), &head, &connection);
    assert_eq!(reason(&decision), "bad_signature");
    assert_eq!(*connection.asked.borrow(), []);
}

#[test]
fn a_cached_bound_token_is_refused_over_another_connection() {
    let facts = facts(&configuration());
    let mut token_cache = TokenCache::default();
    let head = call(&[]);
    let good = with_certificate(HEX);
    let first = decide_over(&facts, &token_cache, &head, &good);
    token_cache.apply(first.remember.unwrap());
    for (connection, expected) in [
        (with_certificate(HEX), "forward"),
        (
            with_certificate("00".repeat(32).leak()),
            "client_certificate_mismatch",
        ),
        (TestConnection::default(), "client_certificate_missing"),
    ] {
        let decision = decide_over(&facts, &token_cache, &head, &connection);
        assert_eq!(result(&decision), expected);
        assert_eq!(decision.record.cache, Some(CacheOutcome::Hit));
        let identity = decision.record.identity.unwrap();
        assert_eq!(identity.client.as_deref(), Some("reader"));
    }
}

/// A client that has stolen a token cannot get it into the cache either.
#[test]
fn a_token_over_another_connection_is_not_remembered() {
    let decision = decided_over(&configuration(), &call(&[]), &TestConnection::default());
    assert!(decision.remember.is_none());
}

#[test]
fn a_token_that_is_bound_to_a_key_too_needs_more_than_a_certificate() {
    let both = bound_to(&json!({"x5t#S256": BASE64URL, "jkt": BASE64URL}));
    let head = bearing("GET", WORKFLOWS, &both);
    let decision = decided_over(&configuration(), &head, &with_certificate(HEX));
    assert_eq!(reason(&decision), "sender_constrained");
}

#[test]
fn a_webhook_takes_bound_tokens_too() {
    let mut claims = bound_to(&json!({"x5t#S256": BASE64URL}));
    claims["roles"] = json!(["Orders"]);
    let head = bearing("POST", "/webhook/orders/new", &claims);
    let decided = |connection| decided_over(&configuration(), &head, &connection);
    assert_eq!(result(&decided(with_certificate(HEX))), "forward");
    let refused = decided(TestConnection::default());
    assert_eq!(reason(&refused), "client_certificate_missing");
}

/// The provider may say it in the introspection response alone.
#[test]
fn an_opaque_token_is_bound_by_its_introspection_response() {
    let mut configuration = configuration();
    configuration["providers"][0]["introspection"] = json!({"uri": "https://idp.example/i",
        "cluster": "idp", "client_id": "gate", "client_secret": {"env": "READER_KEY"}});
    let mut facts = facts(&configuration);
    let mut response = bound_to(&json!({"x5t#S256": BASE64URL}));
    response["token_type"] = json!("Bearer");
    let start = crate::time::UnixMillis(NOW.0 * 1000);
    let term = crate::token::Term {
        since: start,
        until: start.saturating_add(std::time::Duration::from_secs(60)),
    };
    let response = ActiveResponse::new(Document::from(&response), term);
    facts.statuses = vec![TestStatus::Active(response)];
    let head = request("GET", WORKFLOWS, &[("authorization", "Bearer opaque")]);
    let decided = |connection| decide_over(&facts, &TokenCache::default(), &head, &connection);
    assert_eq!(result(&decided(with_certificate(HEX))), "forward");
    let refused = decided(TestConnection::default());
    assert_eq!(reason(&refused), "client_certificate_missing");
}

#[test]
fn behind_a_proxy_its_header_names_the_certificate() {
    let good = format!("By=spiffe://gate;Hash={HEX};Subject=\"CN=app,O=\\\"A\\\", B\"");
    let other = format!("Hash={}", "00".repeat(32));
    let two = format!("Hash={},Hash={HEX}", "00".repeat(32));
    for (peer, header, expected) in [
        ("10.0.5.7:4711", Some(good.as_str()), "forward"),
        ("[2001:db8::7]:4711", Some(&good), "forward"),
        ("10.0.5.7", Some("By=x"), "client_certificate_missing"),
        ("10.0.5.7", Some("Hash=x"), "client_certificate_missing"),
        ("10.0.5.7", Some(&other), "client_certificate_mismatch"),
        ("10.0.5.7", None, "client_certificate_missing"),
        ("10.0.5.7", Some(&two), "client_certificate_malformed"),
        ("10.0.5.7", Some("Hash=\""), "client_certificate_malformed"),
        // A client that is no such proxy, and one of which the host says nothing.
        ("10.0.6.7:4711", Some(&good), "client_certificate_missing"),
        ("", Some(&good), "client_certificate_missing"),
    ] {
        let headers: Vec<_> = header
            .map(|value| ("x-forwarded-client-cert", value))
            .into_iter()
            .collect();
        let decision = decided_over(&behind_a_proxy(), &call(&headers), &from_peer(peer));
        assert_eq!(result(&decision), expected, "{peer} {header:?}");
    }
}

/// It could have been stolen from another client of the proxy.
#[test]
fn behind_a_proxy_the_certificate_of_the_connection_does_not_count() {
    let connection = TestConnection {
        peer: Some("10.0.5.7:4711"),
        ..with_certificate(HEX)
    };
    let decision = decided_over(&behind_a_proxy(), &call(&[]), &connection);
    assert_eq!(reason(&decision), "client_certificate_missing");
    assert_eq!(*connection.asked.borrow(), [ConnectionAttribute::Peer]);
}

#[test]
fn without_a_configured_proxy_the_header_never_counts() {
    let header = format!("Hash={HEX}");
    let head = call(&[("x-forwarded-client-cert", &header)]);
    let decision = decided_over(&configuration(), &head, &from_peer("10.0.5.7"));
    assert_eq!(reason(&decision), "client_certificate_missing");
}

#[test]
fn the_header_of_a_certificate_reaches_n8n_on_no_surface() {
    let header = format!("Hash={HEX}");
    let spelled = [
        ("x-forwarded-client-cert", header.as_str()),
        ("X_Forwarded_Client_Cert", "Hash=x"),
    ];
    let mut headers = spelled.to_vec();
    let authorization = format!("Bearer {}", sign(&claims("reader", &["Reader"])));
    headers.push(("authorization", &authorization));
    for (method, path) in [
        ("GET", WORKFLOWS),
        ("POST", "/webhook/public/x"),
        ("GET", "/rest/settings"),
        ("GET", "/"),
    ] {
        let head = request(method, path, &headers);
        let decision = decided_over(&configuration(), &head, &with_certificate(HEX));
        for (name, _) in upstream(&head, &decision) {
            assert!(!name.to_lowercase().contains("cert"), "{path}: {name}");
        }
    }
}
