//! Log-ins of browsers that pages of another origin begin, before a real n8n.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{json, Value};

use crate::mint::{mint, KeyKind};
use crate::minted::{random, with_key, Accounts};
use crate::stage;
use crate::support::envoy::Envoy;
use crate::support::http::{Request, Response};
use crate::support::{installed, ports};
use crate::Stage;

const ISSUER: &str = "https://portal.example";
const AUDIENCE: &str = "n8n";
const DOMAIN: &str = "embedded.invalid";

/// A gate that lets pages of this origin log browsers in, with tokens that the portal signs.
fn gate(stage: &Stage, origin: &str) -> Envoy {
    let policy = json!({
        "providers": [{ "name": "portal", "issuer": ISSUER, "audiences": [AUDIENCE],
            "jwks": { "keys": [mint(KeyKind::P256).jwk("portal")] } }],
        "n8n": { "cluster": "n8n", "api_key": { "env": "N8N_PROVISIONING_KEY" },
            "seed": { "env": "N8N_SEED" }, "email_domain": DOMAIN },
        "embed": { "origins": [origin] },
        "principals": [{ "name": "people", "match": { "provider": "portal" },
            "grant": ["embed"], "user": { "per": "subject" } }],
    });
    let key = Accounts::of(stage).provisioning_key();
    let setup = with_key(stage, policy, &key);
    setup.holding_heads_alone().start().unwrap()
}

/// A token for one log-in.
#[allow(
    clippy::disallowed_methods,
    reason = "the real filter compares tokens with the real clock"
)]
fn token(subject: &str, given_name: &str, change: impl FnOnce(&mut Value)) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let mut claims = json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": subject, "jti": random(),
        "iat": now.as_secs(), "exp": now.as_secs() + 60,
        "given_name": given_name, "family_name": "Lovelace",
    });
    change(&mut claims);
    let header = json!({ "alg": "ES256", "kid": "portal", "typ": "JWT" });
    mint(KeyKind::P256).sign(&header, &claims)
}

fn log_in(gate: &Envoy, token: &str) -> Response {
    let path = format!("/rest/auth/embed?token={token}&redirectTo=/home/workflows");
    Request::get(path).send(gate.port()).unwrap()
}

fn cookies(response: &Response) -> Vec<String> {
    let all = response.headers.iter();
    let all = all.filter(|(name, _)| name == "set-cookie");
    all.map(|(_, value)| String::from_utf8(value.clone()).unwrap())
        .collect()
}

/// The cookies of a browser that was logged in.
#[track_caller]
fn logged_in(response: &Response) -> String {
    assert_eq!(response.status, 302, "{}", response.text());
    assert_eq!(
        response.header("location").as_deref(),
        Some("/home/workflows")
    );
    let cookies = cookies(response);
    assert_eq!(cookies.len(), 2, "{cookies:?}");
    for cookie in &cookies {
        let attributes = "; Path=/; HttpOnly; Secure; SameSite=None; Partitioned";
        assert!(cookie.ends_with(attributes), "{cookie}");
    }
    let pairs = cookies
        .iter()
        .map(|cookie| cookie.split(';').next().unwrap());
    pairs.collect::<Vec<_>>().join("; ")
}

#[test]
fn a_token_of_the_portal_logs_a_browser_in_once() {
    let stage = stage();
    let gate = gate(&stage, "https://portal.example");
    let first = token("ada", "Ada", |_| ());
    let response = log_in(&gate, &first);
    let browser = logged_in(&response);
    assert_eq!(
        response.header("cache-control").as_deref(),
        Some("no-store")
    );
    assert_eq!(
        response.header("referrer-policy").as_deref(),
        Some("no-referrer")
    );
    let record = gate.audit().pop().unwrap();
    assert_eq!(record["operation"], "embed_login", "{record}");
    assert_eq!(
        (&record["sub"], &record["iss"]),
        (&json!("ada"), &json!(ISSUER))
    );
    assert_eq!(record["address"], "127.0.0.1");
    let me = |cookies: &str| {
        let request = Request::get("/rest/login").header("Cookie", cookies);
        request.send(gate.port()).unwrap()
    };
    let user = me(&browser).json();
    assert_eq!(user["data"]["firstName"], "Ada", "{user}");
    assert_eq!(user["data"]["lastName"], "Lovelace");
    let email = user["data"]["email"].as_str().unwrap().to_owned();
    assert!(
        email.starts_with("subject-ada-") && email.ends_with(DOMAIN),
        "{email}"
    );

    let again = log_in(&gate, &first);
    assert_eq!(again.refusal(), (401, json!("embed_replayed")));
    assert!(cookies(&again).is_empty());
    // At the next log-in the name is that of the token, also in a form.
    let form = format!(
        "token={}&redirectTo=%2Fhome%2Fworkflows",
        token("ada", "Augusta", |_| ())
    );
    let posted = Request::new("POST", "/rest/auth/embed").form(form);
    let second = logged_in(&posted.send(gate.port()).unwrap());
    let user = me(&second).json();
    assert_eq!(user["data"]["firstName"], "Augusta", "{user}");
    assert_eq!(user["data"]["email"], email.as_str());

    // A browser that was logged in so keeps its cookies in frames; n8n ends the session with one.
    let out = Request::new("POST", "/rest/logout").header("Cookie", &second);
    let out = out.send(gate.port()).unwrap();
    assert_eq!(out.status, 200, "{}", out.text());
    let ended = cookies(&out);
    let is_for_frames = |cookie: &String| cookie.ends_with("SameSite=None; Partitioned");
    assert!(
        !ended.is_empty() && ended.iter().all(is_for_frames),
        "{ended:?}"
    );
    assert_eq!(me(&second).status, 401);
    let log = gate.log_text();
    assert!(!log.contains(&first), "the log holds a token");
    assert!(!log.contains("n8n-auth="), "the log holds a session");
}

#[test]
fn a_token_that_is_not_made_for_a_log_in_is_refused() {
    let stage = stage();
    let gate = gate(&stage, "https://portal.example");
    for (token, reason) in [
        (
            token("ada", "Ada", |claims| {
                claims["iat"] = json!(claims["iat"].as_u64().unwrap() - 300);
                claims["exp"] = json!(claims["exp"].as_u64().unwrap() - 300);
            }),
            "expired",
        ),
        (
            token("ada", "Ada", |claims| {
                claims["exp"] = json!(claims["exp"].as_u64().unwrap() + 1);
            }),
            "embed_long_lived",
        ),
        (
            token("ada", "Ada", |claims| {
                claims.as_object_mut().unwrap().remove("jti");
            }),
            "embed_no_id",
        ),
        (
            token("ada", "Ada", |claims| claims["aud"] = json!("x")),
            "wrong_audience",
        ),
        (
            format!("{}AAAA", token("ada", "Ada", |_| ())),
            "bad_signature",
        ),
    ] {
        let refused = log_in(&gate, &token);
        assert_eq!(
            refused.refusal(),
            (401, json!(reason)),
            "{}",
            refused.text()
        );
        assert!(cookies(&refused).is_empty());
    }
}

#[test]
fn pages_of_the_portal_may_show_the_editor() {
    let stage = stage();
    let gate = gate(&stage, "https://portal.example");
    let direct = Request::get("/").send(stage.n8n.port()).unwrap();
    assert!(
        direct.header("x-frame-options").is_some(),
        "n8n forbids frames"
    );
    let page = Request::get("/").send(gate.port()).unwrap();
    assert_eq!(page.status, 200);
    assert_eq!(page.header("x-frame-options"), None);
    let policies = page.headers.iter();
    let policies = policies.filter(|(name, _)| name == "content-security-policy");
    let policies: Vec<_> = policies
        .map(|(_, value)| String::from_utf8(value.clone()).unwrap())
        .collect();
    let ours = "frame-ancestors 'self' https://portal.example";
    let about_frames = policies
        .iter()
        .filter(|policy| policy.contains("frame-ancestors"));
    assert_eq!(about_frames.collect::<Vec<_>>(), [ours]);
}

/// Chromium shows the editor in a frame of a page of another site, and blocks cookies of other sites that
/// are not stored apart.
#[test]
fn a_browser_shows_the_editor_in_a_frame_of_another_site() {
    let stage = stage();
    let portal = ports::free().unwrap();
    let gate = gate(&stage, &format!("http://localhost:{portal}"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("e2e_n8n_browser");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let address = format!(
        "http://127.0.0.1:{}/rest/auth/embed?token={}&redirectTo=/home/workflows",
        gate.port(),
        token("grace", "Grace", |_| ())
    );
    let output = Command::new(installed::node().unwrap())
        .arg(installed::root().join("tests/real/browser/frame.mjs"))
        .arg(installed::chromium().unwrap())
        .arg(&folder)
        .args([&portal.to_string(), &address])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    let seen: Value = serde_json::from_str(text.trim()).unwrap();
    assert_eq!(seen["blocked"], "stored_apart=1", "{seen}");
    assert_eq!(seen["user"]["firstName"], "Grace", "{seen}");
    assert_eq!(seen["path"], "/home/workflows", "{seen}");
    assert_eq!(seen["status"], 200, "{seen}");
    let shown = seen["text"].as_str().unwrap();
    assert!(!shown.contains("Sign in"), "{shown}");
}
