//! Webhooks for clients with a certificate.

use std::cell::RefCell;

use super::*;

const PATH: &str = "/webhook/partner/orders";
const SUBJECT: &str = "CN=partner,O=\"Acme, Inc\",C=DE";

fn with_rule(rule: &Value) -> Value {
    let mut configuration = configuration();
    configuration["client_certificates"] = json!({"from": "connection", "verified": true});
    configuration["webhooks"] = json!([
        {"path": "/webhook/partner/**", "auth": "certificate", "certificate": rule},
    ]);
    configuration
}

fn behind_a_proxy(rule: &Value) -> Value {
    let mut configuration = with_rule(rule);
    configuration["client_certificates"] = json!({"from": "x-forwarded-client-cert",
        "trusted": ["10.0.5.0/24"], "verified": true});
    configuration
}

/// A connection with a certificate of these names, or without one.
#[derive(Default)]
struct Certified {
    subject: Option<&'static str>,
    uri: Option<&'static str>,
    dns: Option<&'static str>,
    peer: Option<&'static str>,
    asked: RefCell<Vec<ConnectionAttribute>>,
}

impl Connection for Certified {
    fn attribute(&self, attribute: ConnectionAttribute) -> Option<String> {
        self.asked.borrow_mut().push(attribute);
        let value = match attribute {
            ConnectionAttribute::CertificateSubject => self.subject,
            ConnectionAttribute::CertificateUri => self.uri,
            ConnectionAttribute::CertificateDns => self.dns,
            ConnectionAttribute::CertificateDigest => None,
            ConnectionAttribute::Peer => self.peer,
        };
        value.map(str::to_owned)
    }
}

fn partner() -> Certified {
    Certified {
        subject: Some(SUBJECT),
        uri: Some("spiffe://example.com/partner"),
        dns: Some("Partner.example"),
        ..Certified::default()
    }
}

fn decided_over(configuration: &Value, head: &RequestHead, connection: &Certified) -> Decision {
    let facts = facts(configuration);
    let token_cache = TokenCache::default();
    let context = context(&facts, &token_cache);
    let request = Request {
        connection,
        ..Request::of_head(head)
    };
    decide(context, request)
}

#[test]
fn a_client_is_admitted_by_the_names_in_its_certificate() {
    let head = request("POST", PATH, &[]);
    for (rule, expected) in [
        (json!({"subject": SUBJECT}), "forward"),
        (
            json!({"uri": ["spiffe://other", "spiffe://example.com/partner"]}),
            "forward",
        ),
        (json!({"dns": "partner.example"}), "forward"),
        (
            json!({"subject": SUBJECT, "dns": "partner.example"}),
            "forward",
        ),
        (
            json!({"subject": "CN=partner"}),
            "client_certificate_not_allowed",
        ),
        (
            json!({"subject": SUBJECT, "dns": "other.example"}),
            "client_certificate_not_allowed",
        ),
        (
            json!({"uri": "spiffe://example.com"}),
            "client_certificate_not_allowed",
        ),
    ] {
        let decision = decided_over(&with_rule(&rule), &head, &partner());
        assert_eq!(result(&decision), expected, "{rule}");
        assert_eq!(
            decision.record.credential,
            Some(CredentialKind::Certificate)
        );
        // The access log names the client only if the rule admits it.
        let properties: Vec<_> = decision.record.caller_properties(each_property()).collect();
        let is_named = properties
            .first()
            .is_some_and(|(name, value)| *name == CALLER_PROPERTIES[0] && !value.is_empty());
        assert_eq!(is_named, expected == "forward", "{properties:?}");
        let without = decided_over(&with_rule(&rule), &head, &Certified::default());
        assert_eq!(reason(&without), "client_certificate_required", "{rule}");
        let empty = Certified {
            subject: Some(""),
            ..Certified::default()
        };
        let empty = decided_over(&with_rule(&rule), &head, &empty);
        assert_eq!(reason(&empty), "client_certificate_required", "{rule}");
    }
}

#[test]
fn a_workflow_learns_the_client_and_gets_no_credential() {
    let made_up = [
        ("authorization", "Bearer x"),
        ("x-n8n-api-key", "key"),
        ("dpop", "x"),
        ("x-forwarded-client-cert", "Hash=x"),
        ("x-auth-principal", "made-up"),
        ("x-auth-email", "made-up"),
        ("cookie", "n8n-auth=x; a=b"),
    ];
    let head = request("POST", PATH, &made_up);
    let decision = decided_over(
        &with_rule(&json!({"dns": "partner.example"})),
        &head,
        &partner(),
    );
    assert_eq!(
        decision.record.principal.as_deref(),
        Some("partner.example")
    );
    let upstream = upstream(&head, &decision);
    for (name, expected) in [
        ("x-auth-kind", Some("certificate")),
        ("x-auth-principal", Some("partner.example")),
        (
            "x-auth-subject",
            Some("CN=partner%2CO=\"Acme%2C%20Inc\"%2CC=DE"),
        ),
        ("x-auth-email", None),
        ("authorization", None),
        ("x-n8n-api-key", None),
        ("dpop", None),
        ("x-forwarded-client-cert", None),
        ("cookie", Some("a=b")),
    ] {
        assert_eq!(value(&upstream, name), expected, "{name}");
    }
}

#[test]
fn only_the_names_that_a_rule_compares_are_asked_for() {
    let head = request("POST", PATH, &[]);
    let connection = partner();
    decided_over(&with_rule(&json!({"subject": SUBJECT})), &head, &connection);
    assert_eq!(
        *connection.asked.borrow(),
        [ConnectionAttribute::CertificateSubject]
    );
    let connection = partner();
    let other = request("GET", "/rest/settings", &[]);
    decided_over(
        &with_rule(&json!({"subject": SUBJECT})),
        &other,
        &connection,
    );
    assert_eq!(*connection.asked.borrow(), []);
}

#[test]
fn behind_a_proxy_its_header_has_the_names() {
    let rule = json!({"uri": "spiffe://b"});
    let header = "Hash=ab;Subject=\"CN=x,O=\\\"A\\\"\";URI=spiffe://a;URI=spiffe://b";
    let head = request("POST", PATH, &[("x-forwarded-client-cert", header)]);
    let from = |peer| Certified {
        peer: Some(peer),
        ..partner()
    };
    let decided = |peer| decided_over(&behind_a_proxy(&rule), &head, &from(peer));
    assert_eq!(result(&decided("10.0.5.1:9")), "forward");
    assert_eq!(
        reason(&decided("10.0.6.1:9")),
        "client_certificate_required"
    );
    for (header, expected) in [
        ("Hash=ab;URI=spiffe://a", "client_certificate_not_allowed"),
        ("Hash=ab", "client_certificate_required"),
        (
            "URI=spiffe://b,URI=spiffe://a",
            "client_certificate_malformed",
        ),
    ] {
        let head = request("POST", PATH, &[("x-forwarded-client-cert", header)]);
        let decision = decided_over(&behind_a_proxy(&rule), &head, &from("10.0.5.1"));
        assert_eq!(reason(&decision), expected, "{header}");
    }
}
