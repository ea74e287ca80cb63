//! Deliveries that a sender signs.

use std::borrow::Cow;

use super::*;
use crate::observe::audit_line;
use crate::time::UnixMillis;

const BODY: &[u8] = br#"{"action":"opened"}"#;
const SECRET: &str = "secret of the first webhook";
const NEXT: &str = "secret of the next webhook";

struct Senders;

impl config::Environment for Senders {
    fn secret(&self, name: &str) -> Option<Secret> {
        let value = match name {
            "SECRET" => SECRET,
            "NEXT" => NEXT,
            "VERIFY_TOKEN" => "verify-token-0123",
            other => return TestEnvironment.secret(other),
        };
        Some(Secret::new(value.to_owned()))
    }
}

fn senders() -> TestFacts {
    let rule = |path: &str, signature: Value| json!({"path": path, "auth": "signature", "signature": signature});
    let secrets = json!([{"env": "SECRET"}, {"env": "NEXT"}]);
    let mut configuration = configuration();
    configuration["webhooks"] = json!([
        rule(
            "/webhook/code/**",
            json!({"sender": "github", "secrets": secrets, "max_body": "32B"})
        ),
        rule(
            "/webhook/again/**",
            json!({"sender": "github", "secrets": secrets, "replay": "pass",
            "name": "second"})
        ),
        rule(
            "/webhook/git/**",
            json!({"sender": "gitlab", "secrets": secrets})
        ),
        rule(
            "/webhook/chat/**",
            json!({"sender": "meta", "secrets": secrets,
            "verify_token": {"env": "VERIFY_TOKEN"}})
        ),
        rule(
            "/webhook/calls/**",
            json!({"sender": "zoom", "secrets": secrets})
        ),
        rule(
            "/webhook/slack/**",
            json!({"sender": "slack", "secrets": secrets, "tolerance": "1m"})
        ),
    ]);
    let loaded = config::load(configuration.to_string().as_bytes(), &Senders);
    let mut facts = facts(&super::configuration());
    facts.policy = loaded.unwrap_or_else(|errors| panic!("{errors}")).policy;
    facts
}

fn mac(secret: &str, message: &[u8]) -> String {
    let code = hmac_sha256::HMAC::mac(message, secret.as_bytes());
    crate::formats::hex::encoded(&code)
}

fn github(secret: &str) -> String {
    format!("sha256={}", mac(secret, BODY))
}

fn decided_with(request: &RequestHead, body: Option<&[u8]>) -> Decision {
    let facts = senders();
    let token_cache = TokenCache::default();
    let context = context(&facts, &token_cache);
    decide(
        context,
        Request {
            body,
            ..Request::of_head(request)
        },
    )
}

fn record(decision: &Decision, request: &RequestHead) -> Value {
    let line = audit_line(decision, request, UnixMillis(NOW.0 * 1000));
    serde_json::from_str(&line).unwrap()
}

#[test]
fn a_good_delivery_goes_on_for_its_sender_without_any_credential() {
    let signature = github(NEXT);
    let request = request(
        "POST",
        "/webhook/code/push?x=1",
        &[
            ("x-hub-signature-256", &signature),
            ("x-github-delivery", "d-1"),
            ("authorization", "Bearer of-another"),
            ("x-n8n-api-key", "static"),
            ("cookie", "n8n-auth=x; theme=dark"),
            ("X_Auth_Principal", "root"),
            ("x-auth-subject", "root"),
        ],
    );
    let decision = decided_with(&request, Some(BODY));
    let head = upstream(&request, &decision);
    assert_eq!(value(&head, "x-hub-signature-256"), Some(&*signature));
    assert_eq!(value(&head, "x-github-delivery"), Some("d-1"));
    assert_eq!(value(&head, "x-auth-kind"), Some("webhook"));
    assert_eq!(value(&head, "x-auth-principal"), Some("github"));
    assert_eq!(value(&head, "cookie"), Some("theme=dark"));
    for gone in [
        "authorization",
        "x-n8n-api-key",
        "X_Auth_Principal",
        "x-auth-subject",
    ] {
        assert_eq!(value(&head, gone), None, "{gone}");
    }
    let record = record(&decision, &request);
    assert_eq!(record["credential"], "signature");
    assert_eq!(record["principal"], "github");
    let delivery = json!({"sender": "github", "id": "d-1", "secret": 2});
    assert_eq!(record["delivery"], delivery);
    let properties: Vec<_> = decision.record.caller_properties(each_property()).collect();
    let principal = ("n8n_idp_gate.principal", Cow::from("github"));
    assert_eq!(properties, [principal]);
}

#[test]
fn a_head_that_cannot_be_good_is_refused_without_a_body() {
    type Case<'c> = (&'c str, &'c [(&'c str, &'c str)], &'c str, u16);
    let good = github(SECRET);
    let cases: [Case<'_>; 5] = [
        ("POST", &[], "signature_missing", 403),
        (
            "POST",
            &[("x-hub-signature", "sha1=00")],
            "signature_missing",
            403,
        ),
        (
            "POST",
            &[("x-hub-signature-256", "sha256=00")],
            "signature_malformed",
            400,
        ),
        (
            "POST",
            &[
                ("x-hub-signature-256", &good),
                ("x-hub-signature-256", &good),
            ],
            "signature_duplicate",
            400,
        ),
        (
            "DELETE",
            &[("x-hub-signature-256", &good)],
            "delivery_method",
            405,
        ),
    ];
    for (method, headers, expected, status) in cases {
        let request = request(method, "/webhook/code/push", headers);
        let decision = decided_with(&request, None);
        assert_eq!(reason(&decision), expected);
        assert_eq!(record(&decision, &request)["status"], status);
    }
}

#[test]
fn the_body_is_asked_for_with_the_bound_of_the_rule() {
    let signature = github(SECRET);
    let request = request(
        "POST",
        "/webhook/code/push",
        &[("x-hub-signature-256", &signature)],
    );
    let needs = |body: Option<&[u8]>| {
        let decision = decided_with(&request, body);
        let principal = decision.record.caller_properties(each_property()).count();
        assert_eq!(principal, 0);
        matches!(
            decision.outcome,
            Outcome::Await(Need::Body { max_bytes: 32 })
        )
    };
    assert!(needs(None));
    assert!(needs(Some(&[b'x'; 33])));
    assert!(!needs(Some(&[b'x'; 32])));
}

#[test]
fn a_body_that_was_not_signed_is_refused() {
    let signature = github(SECRET);
    let request = request(
        "POST",
        "/webhook/code/push",
        &[("x-hub-signature-256", &signature)],
    );
    for body in [&b""[..], b"{}", br#"{"action":"opened"} "#] {
        let decision = decided_with(&request, Some(body));
        assert_eq!(reason(&decision), "signature_invalid");
        assert!(decision.use_once.is_none());
        let record = record(&decision, &request);
        assert_eq!(record["delivery"], json!({"sender": "github"}));
        assert_eq!(record.get("principal"), None);
    }
}

#[test]
fn a_delivery_may_be_used_once_by_what_was_signed() {
    let used = |path: &str, headers: &[(&str, &str)]| {
        let decision = decided_with(&request("POST", path, headers), Some(BODY));
        assert!(
            matches!(decision.outcome, Outcome::Forward(_)),
            "{decision:?}"
        );
        decision.use_once
    };
    let [first, next] = [SECRET, NEXT].map(github);
    let one = used("/webhook/code/push", &[("x-hub-signature-256", &first)]).unwrap();
    assert_eq!(one.until, UnixSeconds(NOW.0 + 300));
    assert_eq!(one.replayed.as_str(), "delivery_replayed");
    assert!(one.free_after_failure);
    // Another id, another secret and another path of the rule are the same delivery.
    for (path, headers) in [
        (
            "/webhook/code/push",
            &[
                ("x-hub-signature-256", &*first),
                ("x-github-delivery", "other"),
            ][..],
        ),
        ("/webhook/code/push", &[("x-hub-signature-256", &*next)]),
        (
            "/webhook/code/other?x=1",
            &[("x-hub-signature-256", &*first)],
        ),
    ] {
        assert_eq!(used(path, headers).as_ref(), Some(&one), "{path}");
    }
    let other_rule = used("/webhook/git/push", &[("x-gitlab-token", SECRET)]).unwrap();
    assert_ne!(other_rule.digest, one.digest);
    let again = used("/webhook/again/push", &[("x-hub-signature-256", &first)]);
    assert_eq!(again, None);
}

#[test]
fn the_same_delivery_to_another_instance_is_another() {
    let digest = |name: &str| {
        let mut facts = senders();
        let mut instance = facts.policy.instances.iter().next().unwrap().clone();
        instance.name = Some(name.into());
        facts.policy.instances = Instances::only(instance);
        let signature = github(SECRET);
        let request = request(
            "POST",
            "/webhook/code/push",
            &[("x-hub-signature-256", &signature)],
        );
        let token_cache = TokenCache::default();
        let context = context(&facts, &token_cache);
        let decision = decide(
            context,
            Request {
                body: Some(BODY),
                ..Request::of_head(&request)
            },
        );
        decision.use_once.unwrap().digest
    };
    assert_eq!(digest("one"), digest("one"));
    assert_ne!(digest("one"), digest("two"));
}

#[test]
fn a_secret_that_is_sent_itself_never_reaches_a_workflow() {
    let request = request(
        "POST",
        "/webhook/git/push",
        &[
            ("X-Gitlab-Token", SECRET),
            ("x_gitlab_token", SECRET),
            ("x-gitlab-event", "Push Hook"),
        ],
    );
    let decision = decided_with(&request, Some(BODY));
    let head = upstream(&request, &decision);
    assert_eq!(value(&head, "x-gitlab-event"), Some("Push Hook"));
    assert!(!format!("{head:?} {decision:?}").contains(SECRET));
    let line = audit_line(&decision, &request, UnixMillis(NOW.0 * 1000));
    assert!(!line.contains(SECRET), "{line}");
}

#[test]
fn a_recorded_delivery_is_refused_for_its_age() {
    let time = (NOW.0 - 61).to_string();
    let message = [b"v0:", time.as_bytes(), b":", BODY].concat();
    let signature = format!("v0={}", mac(SECRET, &message));
    let request = request(
        "POST",
        "/webhook/slack/events",
        &[
            ("x-slack-signature", &signature),
            ("x-slack-request-timestamp", &time),
        ],
    );
    let decision = decided_with(&request, Some(BODY));
    assert_eq!(reason(&decision), "signature_stale");
    assert_eq!(record(&decision, &request)["fault"], "too_old");
}

fn reply(decision: &Decision) -> &crate::reply::LocalReply {
    match &decision.outcome {
        Outcome::Respond(reply) => reply,
        other => panic!("no local reply: {other:?}"),
    }
}

#[test]
fn the_gate_answers_the_questions_of_senders_and_n8n_gets_none() {
    let meta = |token: &str| {
        let query = format!("hub.mode=subscribe&hub.challenge=77&hub.verify_token={token}");
        let request = request("GET", &format!("/webhook/chat/in?{query}"), &[]);
        decided_with(&request, None)
    };
    let good = meta("verify-token-0123");
    let answer = reply(&good);
    assert_eq!((answer.status, &*answer.body), (200, "77"));
    assert!(good.use_once.is_none());
    assert_eq!(reason(&meta("guess")), "signature_invalid");

    let body = br#"{"event":"endpoint.url_validation","payload":{"plainToken":"abc"}}"#;
    let time = NOW.0.to_string();
    let message = [b"v0:", time.as_bytes(), b":", body].concat();
    let zoom = |secret: &str| {
        let signature = format!("v0={}", mac(secret, &message));
        let request = request(
            "POST",
            "/webhook/calls/in",
            &[
                ("x-zm-signature", &signature),
                ("x-zm-request-timestamp", &time),
            ],
        );
        decided_with(&request, Some(body))
    };
    let good = zoom(SECRET);
    let code = mac(SECRET, b"abc");
    let expected = format!(r#"{{"plainToken":"abc","encryptedToken":"{code}"}}"#);
    assert_eq!((reply(&good).status, &reply(&good).body), (200, &expected));
    // Without a signature, the gate would sign whatever a client asks for.
    assert_eq!(reason(&zoom("another secret of 16")), "signature_invalid");
}

#[test]
fn every_secret_of_a_sender_protects_what_workers_share() {
    let facts = senders();
    let secrets: Vec<_> = facts.policy.secrets().map(Secret::expose).collect();
    for secret in [SECRET, NEXT] {
        assert!(secrets.contains(&secret), "{secret}");
    }
}
