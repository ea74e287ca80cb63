//! An n8n that is served below a path.

use super::*;
use crate::reply::{problem, Resource, Told};

/// The configuration of the other tests, for an n8n below `/n8n`.
fn below() -> Value {
    let mut configuration = configuration();
    configuration["path_prefix"] = json!("/n8n");
    configuration["public_api"] = json!({"api_keys": "refuse"});
    configuration["metrics"] = json!("deny");
    configuration
}

fn decided_below(request: &RequestHead) -> Decision {
    decide_with(&facts(&below()), request)
}

/// The reason of a refusal, or what else was decided.
fn outcome(decision: &Decision) -> &'static str {
    match &decision.outcome {
        Outcome::Reject(reason) => reason.as_str(),
        other => other.as_str(),
    }
}

#[test]
fn all_of_n8n_is_guarded_below_its_path_prefix() {
    for (path, surface, expected) in [
        ("/n8n/webhook/orders/new", Surface::Webhook, "no_credential"),
        (
            "/n8n/webhook-test/orders/new",
            Surface::WebhookTest,
            "no_credential",
        ),
        ("/n8n/WEBHOOK/orders/new", Surface::Webhook, "no_credential"),
        ("/n8n/webhook/closed/x", Surface::Webhook, "webhook_denied"),
        ("/n8n/webhook/other", Surface::Webhook, "webhook_no_rule"),
        ("/n8n/webhook/public/x", Surface::Webhook, "pass"),
        ("/n8n/metrics", Surface::Metrics, "metrics_denied"),
        ("/n8n/healthz/readiness", Surface::Health, "pass"),
        ("/n8n/api/v1/workflows", Surface::PublicApi, "no_credential"),
        ("/n8n/rest/login", Surface::Rest, "pass"),
        ("/n8n/", Surface::Ui, "pass"),
        ("/n8n", Surface::Ui, "pass"),
        ("/n8n?x=/webhook", Surface::Ui, "pass"),
    ] {
        let decision = decided_below(&request("GET", path, &[]));
        assert_eq!(outcome(&decision), expected, "{path}");
        assert_eq!(decision.record.surface, Some(surface), "{path}");
    }
    let keyed = request("GET", "/n8n/api/v1/workflows", &[("x-n8n-api-key", "any")]);
    assert_eq!(outcome(&decided_below(&keyed)), "api_key_refused");
}

#[test]
fn a_good_token_opens_what_is_below_the_prefix() {
    let call = bearing(
        "GET",
        "/n8n/api/v1/workflows",
        &claims("reader", &["Reader"]),
    );
    let decision = decided_below(&call);
    assert_eq!(decision.record.operation, Some("workflow:list"));
    let head = upstream(&call, &decision);
    assert_eq!(value(&head, "x-n8n-api-key"), Some(READER_KEY));
    let hook = bearing(
        "POST",
        "/n8n/webhook/orders/new",
        &claims("reader", &["Orders"]),
    );
    let head = upstream(&hook, &decided_below(&hook));
    assert_eq!(value(&head, "x-auth-client"), Some("reader"));
}

#[test]
fn what_could_be_read_as_below_the_prefix_is_refused_and_the_rest_is_outside() {
    for path in [
        "/N8N/webhook/orders/new",
        "//n8n/webhook/orders/new",
        "/n8nwebhook/orders/new",
        "/%6e8n/webhook/orders/new",
        "/x/../n8n/webhook/orders/new",
        "/n8n%2fwebhook/orders/new",
        "/n8n//webhook/orders/new",
        "/n8n/../webhook/orders/new",
        "/n8n/%77ebhook/orders/new",
        "/n8n/x/..%2fapi/v1/workflows",
    ] {
        for outside in ["deny", "pass"] {
            let mut configuration = below();
            configuration["outside"] = json!(outside);
            let decision = decide_with(&facts(&configuration), &request("GET", path, &[]));
            assert_eq!(outcome(&decision), "ambiguous_path", "{path} {outside}");
        }
    }
    let made_up = [("x-auth-subject", "made-up")];
    for path in [
        "/webhook/orders/new",
        "/api/v1/workflows",
        "/metrics",
        "/",
        "/n8n-docs/x",
    ] {
        let asked = request("GET", path, &made_up);
        let decision = decided_below(&asked);
        assert_eq!(outcome(&decision), "outside_path_prefix", "{path}");
        assert_eq!(decision.record.surface, Some(Surface::Outside), "{path}");
        let mut configuration = below();
        configuration["outside"] = json!("pass");
        let decision = decide_with(&facts(&configuration), &asked);
        assert_eq!(
            value(&upstream(&asked, &decision), "x-auth-subject"),
            None,
            "{path}"
        );
    }
}

/// RFC 9728 §3.1 puts the well-known path between host and path: at the root of the host.
#[test]
fn resources_below_the_prefix_describe_themselves_at_the_root_of_the_host() {
    for (path, resource) in [
        ("/n8n/api/v1", "https://n8n.example.com/n8n/api/v1"),
        (
            "/n8n/webhook/orders/new",
            "https://n8n.example.com/n8n/webhook/orders/new",
        ),
    ] {
        let metadata = format!("/.well-known/oauth-protected-resource{path}");
        for asked in [
            metadata.clone(),
            // Where the route of n8n alone leads to the gate.
            metadata
                .replace("/.well", "/n8n/.well")
                .replace("resource/n8n", "resource"),
        ] {
            let decision = decided_below(&request("GET", &asked, &[]));
            assert_eq!(decision.record.surface, Some(Surface::Gate), "{asked}");
            let Outcome::Respond(reply) = decision.outcome else {
                panic!("no document at {asked}");
            };
            let document: Value = serde_json::from_str(&reply.body).unwrap();
            assert_eq!(document["resource"], json!(resource), "{asked}");
        }
        let policy = load(&below());
        let called = request("GET", path, &[]);
        let decision = decided_below(&called);
        let surface = decision.record.surface;
        let instance = policy.instances.of(&called).unwrap();
        let named = Resource::asked_for(instance, surface, &called).unwrap();
        assert_eq!(named.identifier(), resource);
        let challenge = problem(
            &Reason::NoCredential,
            Some(&named),
            &RequestHead::default(),
            Told::default(),
        );
        let address = format!("resource_metadata=\"https://n8n.example.com{metadata}\"");
        let mut headers = challenge.headers.iter();
        assert!(
            headers.any(|(_, value)| value.ends_with(&address)),
            "{challenge:?}"
        );
    }
    for path in [
        "/api/v1",
        "/webhook/orders/new",
        "/n8n/webhook/public/x",
        "/n8n/api/v1/workflows",
        "/N8N/api/v1",
        "/n8n/api/../api/v1",
        "/n8n",
        "",
    ] {
        let asked = format!("/.well-known/oauth-protected-resource{path}");
        let decision = decided_below(&request("GET", &asked, &[]));
        assert_ne!(decision.record.surface, Some(Surface::Gate), "{asked}");
        assert!(matches!(decision.outcome, Outcome::Reject(_)), "{asked}");
    }
}

#[test]
fn each_instance_has_a_path_prefix_of_its_own() {
    let whole = configuration();
    let instance = |name: &str, prefix: Option<&str>| {
        let mut instance = json!({
            "name": name, "hosts": format!("{name}.example.com"), "webhooks": whole["webhooks"],
        });
        if let Some(prefix) = prefix {
            instance["path_prefix"] = json!(prefix);
        }
        instance
    };
    let configuration = json!({
        "providers": whole["providers"],
        "instances": [instance("n8n", Some("/tools/n8n")), instance("test", None)],
    });
    let facts = facts(&configuration);
    for (host, path, expected) in [
        (
            "n8n.example.com",
            "/tools/n8n/webhook/orders/x",
            "no_credential",
        ),
        (
            "n8n.example.com",
            "/webhook/orders/x",
            "outside_path_prefix",
        ),
        ("test.example.com", "/webhook/orders/x", "no_credential"),
        ("test.example.com", "/tools/n8n/webhook/orders/x", "pass"),
    ] {
        let pairs = [(":method", "GET"), (":path", path), (":authority", host)];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        let decision = decide_with(&facts, &RequestHead::new(pairs.to_vec()));
        assert_eq!(outcome(&decision), expected, "{host}{path}");
    }
}
