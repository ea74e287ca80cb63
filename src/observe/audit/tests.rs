//! The lines of the audit.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use jsonschema::Validator;
use serde_json::Value;

use super::*;
use crate::decide::{DecisionRecord, DeliveryRecord};
use crate::facts::Outage;
use crate::identity::{Identity, Kind};
use crate::observe::audit_reference::schema;
use crate::reply::Reason;
use crate::time::UnixSeconds;
use crate::token::{KeyClaims, UnverifiedClaims};

/// Each line of every unit test conforms to the schema.
pub(super) fn assert_conforms(line: &str) {
    static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
        let schema = serde_json::from_str(&schema()).unwrap();
        jsonschema::validator_for(&schema).unwrap()
    });
    let record: Value = serde_json::from_str(line).unwrap();
    let errors: Vec<String> = SCHEMA
        .iter_errors(&record)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert_eq!(errors, [""; 0], "{line}");
}

fn line(decision: &Decision, headers: &[(&str, &[u8])]) -> String {
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.to_vec()));
    let request = RequestHead::new(headers);
    audit_line(decision, &request, UnixMillis(1_772_600_767_089))
}

fn decided(outcome: Outcome, record: DecisionRecord) -> Decision {
    Decision {
        outcome,
        record: Box::new(record),
        remember: None,
        asked_about: None,
        revocation: None,
        embed: None,
        otherwise: None,
        not_shown: None,
        use_once: None,
    }
}

/// Programs read these lines: their fields and the order of the fields stay.
#[test]
fn a_line_has_its_fields_in_the_order_of_the_alphabet() {
    let text = |text: &str| Some(text.to_owned());
    let identity = Identity {
        provider: "idp".into(),
        issuer: "https://idp.example".into(),
        subject: text("s-1"),
        client: text("app"),
        token_id: text("t-1"),
        kind: Kind::App,
        verified_email: None,
        scopes: Vec::new(),
        roles: Vec::new(),
        groups: Vec::new(),
        groups_left_out: false,
        tenant: None,
        hosted_domain: None,
        expires: UnixSeconds(0),
        claims: Arc::default(),
    };
    let record = DecisionRecord {
        instance: Some("prod".into()),
        surface: Some(Surface::PublicApi),
        operation: Some("workflow:list"),
        identity: Some(Arc::new(identity)),
        claimed: Some(UnverifiedClaims {
            issuer: text("i"),
            audience: vec!["a".to_owned(), "b".to_owned()],
            subject: text("s"),
            client: text("c"),
            key_id: text("k"),
        }),
        hint: Some("a hint"),
        provider: Some("idp".into()),
        principal: Some("app".into()),
        crypto_path: Some(CryptoPath::Guest),
        introspection: Some("active"),
        cache: Some(CacheOutcome::Hit),
        credential: Some(CredentialKind::ApiKey),
        api_key: Some(KeyClaims {
            subject: text("u"),
            id: text("j"),
            expiry: None,
            is_for_public_api: true,
        }),
        address: Some("10.0.0.1".into()),
        upstream_status: Some(401),
        delivery: Some(DeliveryRecord {
            sender: "github",
            id: text("d-1"),
            secret: Some(2),
        }),
        ..DecisionRecord::default()
    };
    let outage = Outage {
        retry_after: Duration::from_secs(1),
        fault: Some("no_response"),
    };
    let decision = decided(Outcome::Reject(Reason::KeysUnavailable(outage)), record);
    let headers: [(&str, &[u8]); 5] = [
        (":authority", b"n8n.example.com"),
        (":method", b"GET"),
        (":path", b"/api/v1/workflows?secret=1"),
        ("User-Agent", b"curl/8.5\n"),
        ("x-request-id", b"\xff\"7"),
    ];
    let expected = concat!(
        r#"{"address":"10.0.0.1","api_key":{"jti":"j","sub":"u","verified":false},"cache":"hit","#,
        r#""claimed":{"aud":"a b","client":"c","iss":"i","kid":"k","sub":"s"},"#,
        r#""client":"app","credential":"api_key","crypto":"guest","decision":"reject","#,
        r#""delivery":{"id":"d-1","secret":2,"sender":"github"},"#,
        r#""fault":"no_response","hint":"a hint","host":"n8n.example.com","instance":"prod","#,
        r#""introspection":"active","iss":"https://idp.example","jti":"t-1","kind":"app","#,
        r#""method":"GET","operation":"workflow:list","path":"/api/v1/workflows","principal":"app","#,
        r#""provider":"idp","reason":"keys_unavailable","request_id":"\\xff\"7","#,
        r#""status":503,"sub":"s-1","surface":"public_api","time":"2026-03-04T05:06:07.089Z","upstream_status":401,"#,
        r#""user_agent":"curl/8.5\\n","v":1}"#,
    );
    assert_eq!(line(&decision, &headers), expected);
    let decision = decided(Outcome::Pass(Vec::new()), DecisionRecord::default());
    let expected =
        r#"{"decision":"pass","method":"","path":"","time":"2026-03-04T05:06:07.089Z","v":1}"#;
    assert_eq!(line(&decision, &[]), expected);
}

#[test]
fn a_line_says_which_scopes_are_missing() {
    let reason = Reason::InsufficientScope {
        missing: vec!["workflow:list", "tag:list"],
        ask_for: Vec::new(),
    };
    let decision = decided(Outcome::Reject(reason), DecisionRecord::default());
    let expected = concat!(
        r#"{"decision":"reject","method":"","missing":"workflow:list tag:list","path":"","#,
        r#""reason":"insufficient_scope","status":403,"time":"2026-03-04T05:06:07.089Z","v":1}"#,
    );
    assert_eq!(line(&decision, &[]), expected);
}

/// An attacker can write each text of a forged token. It must not turn, hide or forge other lines
/// of the log.
#[test]
fn nothing_that_a_client_sent_reaches_the_log_unescaped() {
    let odd = "a\u{85}\u{7f}\u{1b}[2J\u{202e}\u{2066}\u{200b}\u{feff}\u{3164}\u{2028}\n";
    let claimed = UnverifiedClaims {
        issuer: Some(odd.to_owned()),
        audience: vec![odd.to_owned(), odd.to_owned()],
        subject: Some(odd.to_owned()),
        client: Some(odd.to_owned()),
        key_id: Some(odd.to_owned()),
    };
    let record = DecisionRecord {
        claimed: Some(claimed),
        ..DecisionRecord::default()
    };
    let decision = decided(Outcome::Reject(Reason::UnknownIssuer), record);
    let bytes = [odd.as_bytes(), b"\xff\x80"].concat();
    let request = RequestHead::new(vec![
        (":method".to_owned(), bytes.clone()),
        (":path".to_owned(), bytes.clone()),
        ("x-request-id".to_owned(), bytes.clone()),
        ("user-agent".to_owned(), [bytes, b"a".repeat(600)].concat()),
    ]);
    let line = audit_line(&decision, &request, UnixMillis(0));
    assert!(
        line.bytes().all(|byte| matches!(byte, b' '..=b'~')),
        "{line:?}"
    );
    // The same once the line is read as JSON.
    let record: Value = serde_json::from_str(&line).unwrap_or_default();
    let values = ["path", "method", "request_id", "user_agent"].map(|name| &record[name]);
    let claims = ["iss", "aud", "sub", "client", "kid"].map(|name| &record["claimed"][name]);
    for value in values.into_iter().chain(claims) {
        let text = value.as_str().unwrap_or_default();
        assert!(
            text.starts_with("a\\u{85}\\u{7f}\\u{1b}[2J\\u{202e}"),
            "{text}"
        );
        assert!(
            text.bytes().all(|byte| matches!(byte, b' '..=b'~')),
            "{text:?}"
        );
    }
}
