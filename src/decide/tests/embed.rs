//! Log-ins of browsers that pages of other origins begin.

use super::minted::facts_from;
use super::*;

const COOKIE: &str = "n8n-auth=session-of-the-browser";

/// The portal signs tokens of its users, each of whom is a user of n8n.
fn configured(change: impl FnOnce(&mut Value)) -> TestFacts {
    let mut configuration = configuration();
    configuration["n8n"] = json!({
        "cluster": "n8n", "api_key": {"env": "FIRST"}, "seed": {"env": "SEED"},
    });
    configuration["embed"] = json!({"origins": ["https://portal.example"]});
    configuration["roles"]["Editor"] = json!(["embed"]);
    configuration["principals"][0] = json!({
        "name": "portal", "match": {"client": "portal"}, "user": {"per": "subject"},
    });
    change(&mut configuration);
    TestFacts {
        session: Some(Ok(Secret::new(COOKIE.to_owned()))),
        ..facts_from(&configuration)
    }
}

fn facts() -> TestFacts {
    configured(|_| ())
}

/// A token that the portal made for this log-in.
fn short_lived() -> Value {
    let mut claims = claims("portal", &["Editor"]);
    claims["sub"] = json!("ada");
    claims["exp"] = json!(NOW.0 + 60);
    claims["given_name"] = json!("Ada");
    claims["family_name"] = json!("Lovelace");
    claims
}

fn log_in(claims: &Value, more: &str) -> RequestHead {
    let path = format!("/rest/auth/embed?token={}{more}", sign(claims));
    request("GET", &path, &[])
}

#[track_caller]
fn response(decision: &Decision) -> &crate::reply::LocalReply {
    match &decision.outcome {
        Outcome::Respond(reply) => reply,
        other => panic!("no response: {other:?}"),
    }
}

fn location(decision: &Decision) -> String {
    let headers = response(decision).headers.iter();
    let mut found = headers.filter(|(name, _)| *name == "location");
    found.next().unwrap().1.to_string()
}

#[test]
fn a_browser_gets_a_session_of_the_caller_s_user_and_goes_to_the_path() {
    let decision = decide_with(
        &facts(),
        &log_in(&short_lived(), "&redirectTo=/workflow/1?x=2"),
    );
    assert_eq!(location(&decision), "/workflow/1?x=2");
    let reply = response(&decision);
    assert_eq!(reply.status, 302);
    let expected = format!("{COOKIE}; Path=/; HttpOnly; Secure; SameSite=None; Partitioned");
    assert_eq!(reply.cookies[0].expose(), expected);
    let record = &decision.record;
    assert_eq!(record.operation, Some("embed_login"));
    assert_eq!(record.surface, Some(Surface::Rest));
    let identity = record.identity.as_ref().unwrap();
    assert_eq!(
        (identity.subject.as_deref(), &*identity.issuer),
        (Some("ada"), ISSUER)
    );
    // It counts once, until it has expired by the slowest clock, and is not kept for other requests.
    let once = decision.use_once.as_ref().unwrap();
    assert_eq!(once.until, UnixSeconds(NOW.0 + 60 + 30));
    assert_eq!(once.replayed.as_str(), "embed_replayed");
    assert_eq!(once.replayed.status(), 401);
    assert!(!once.free_after_failure);
    assert!(decision.remember.is_none());
}

#[test]
fn the_id_of_a_token_is_that_of_its_issuer() {
    let id = |id: &str| {
        let mut claims = short_lived();
        claims["jti"] = json!(id);
        let decision = decide_with(&facts(), &log_in(&claims, ""));
        decision.use_once.unwrap().digest
    };
    assert_eq!(id("a"), id("a"));
    assert_ne!(id("a"), id("b"));
}

#[test]
fn the_user_is_named_as_the_token_says() {
    let mut facts = facts();
    facts.session = None;
    let decision = decide_with(&facts, &log_in(&short_lived(), ""));
    let Outcome::Await(Need::Fact(Fact::BrowserLogin(login))) = &decision.outcome else {
        panic!("{decision:?}");
    };
    let user = login.user();
    assert!(user.email.starts_with("subject-ada-"), "{}", user.email);
    assert_eq!((&*user.first_name, &*user.last_name), ("Ada", "Lovelace"));
    facts.session = Some(Err("rate_limited"));
    let decision = decide_with(&facts, &log_in(&short_lived(), ""));
    assert_eq!(reason(&decision), "upstream_session_unavailable");
}

#[test]
fn a_token_must_be_made_for_this_log_in() {
    let with = |change: &dyn Fn(&mut Value)| {
        let mut claims = short_lived();
        change(&mut claims);
        let decision = decide_with(&facts(), &log_in(&claims, ""));
        let Outcome::Reject(refusal) = decision.outcome else {
            panic!("{decision:?}");
        };
        (refusal.as_str(), refusal.status())
    };
    for (change, expected) in [
        (
            &(|claims: &mut Value| claims["exp"] = json!(NOW.0 + 61)) as &dyn Fn(&mut Value),
            ("embed_long_lived", 401),
        ),
        (
            &|claims| drop(claims.as_object_mut().unwrap().remove("iat")),
            ("embed_long_lived", 401),
        ),
        (
            &|claims| drop(claims.as_object_mut().unwrap().remove("jti")),
            ("embed_no_id", 401),
        ),
        (&|claims| claims["jti"] = json!(""), ("embed_no_id", 401)),
        (
            &|claims| {
                claims["iat"] = json!(NOW.0 - 200);
                claims["exp"] = json!(NOW.0 - 150);
            },
            ("expired", 401),
        ),
        (
            &|claims| claims["aud"] = json!("other"),
            ("wrong_audience", 401),
        ),
        (
            &|claims| claims["iss"] = json!("https://other.example"),
            ("unknown_issuer", 401),
        ),
        (
            &|claims| claims["roles"] = json!(["Reader"]),
            ("insufficient_scope", 403),
        ),
        (
            &|claims| claims["azp"] = json!("visitor"),
            ("no_principal", 403),
        ),
    ] {
        assert_eq!(with(change), expected);
    }
}

#[test]
fn a_token_that_is_not_good_or_not_there_logs_no_browser_in() {
    let good = sign(&short_lived());
    let (start, _) = good.rsplit_once('.').unwrap();
    for (query, expected) in [
        (String::new(), "embed_no_token"),
        ("?token=".to_owned(), "embed_no_token"),
        ("?token=a%20b".to_owned(), "not_a_jws"),
        ("?token=opaque".to_owned(), "not_a_jws"),
        (format!("?token={start}.AAAA"), "bad_signature"),
    ] {
        let head = request("GET", &format!("/rest/auth/embed{query}"), &[]);
        assert_eq!(reason(&decide_with(&facts(), &head)), expected, "{query}");
    }
    // The header is for callers without a browser.
    let token = format!("Bearer {good}");
    let head = request("GET", "/rest/auth/embed", &[("authorization", &token)]);
    assert_eq!(reason(&decide_with(&facts(), &head)), "embed_no_token");
}

#[test]
fn a_browser_is_sent_to_paths_of_this_n8n_alone() {
    for (wanted, expected) in [
        ("", Some("/")),
        ("/", Some("/")),
        ("/workflow/a%2Fb?c=//d#e", None),
        ("/home", Some("/home")),
        ("//evil.example", None),
        ("/%5Cevil.example", None),
        ("/%2Fevil.example", None),
        ("https://evil.example", None),
        ("evil.example", None),
        ("javascript:alert(1)", None),
        ("/%09/evil.example", None),
        ("/%0d%0aset-cookie:x", None),
        ("/%20", None),
        ("/a/../b", None),
        ("/a/%252e%252E/b", None),
        ("/%C3%A9", None),
    ] {
        let more = format!("&redirectTo={wanted}");
        let decision = decide_with(&facts(), &log_in(&short_lived(), &more));
        match expected {
            Some(expected) => assert_eq!(location(&decision), expected, "{wanted}"),
            None if wanted.contains('#') => {
                // A fragment is no part of a request.
                assert_eq!(location(&decision), "/workflow/a/b?c=//d");
            }
            None => assert_eq!(reason(&decision), "embed_redirect", "{wanted}"),
        }
    }
    let below = configured(|configuration| configuration["path_prefix"] = json!("/n8n"));
    for (wanted, expected) in [
        ("/n8n/home", Some("/n8n/home")),
        ("", Some("/n8n/")),
        ("/home", None),
        ("/n8nx/home", None),
        ("/n8n/../home", None),
        ("/n8n//home", None),
    ] {
        let path = format!(
            "/n8n/rest/auth/embed?token={}&redirectTo={wanted}",
            sign(&short_lived())
        );
        let decision = decide_with(&below, &request("GET", &path, &[]));
        match expected {
            Some(expected) => assert_eq!(location(&decision), expected, "{wanted}"),
            None => assert_eq!(reason(&decision), "embed_redirect", "{wanted}"),
        }
    }
}

#[test]
fn a_form_may_hold_the_token() {
    let facts = facts();
    let head = request("POST", "/rest/auth/embed", &[]);
    let body = format!("token={}&redirectTo=%2Fhome", sign(&short_lived()));
    let decided = |body| {
        let request = Request {
            body,
            ..Request::of_head(&head)
        };
        let token_cache = TokenCache::default();
        let context = context(&facts, &token_cache);
        decide(context, request)
    };
    let decision = decided(None);
    assert!(matches!(
        decision.outcome,
        Outcome::Await(Need::Body { .. })
    ));
    assert_eq!(location(&decided(Some(body.as_bytes()))), "/home");
    assert_eq!(reason(&decided(Some(b"token"))), "embed_no_token");
    let path = format!("/rest/auth/embed?token={}", sign(&short_lived()));
    let decision = decide_with(&facts, &request("POST", &path, &[]));
    assert_eq!(location(&decision), "/");
}

#[test]
fn other_methods_a_feature_that_is_off_and_a_principal_without_a_user_are_refused() {
    let head = log_in(&short_lived(), "");
    let path = String::from_utf8_lossy(head.path()).into_owned();
    let put = decide_with(&facts(), &request("PUT", &path, &[]));
    assert_eq!(reason(&put), "embed_method");
    let off = configured(|configuration| configuration["embed"]["enabled"] = json!(false));
    let decision = decide_with(&off, &head);
    let Outcome::Reject(refusal) = &decision.outcome else {
        panic!("{decision:?}");
    };
    assert_eq!(
        (refusal.as_str(), refusal.status()),
        ("embed_disabled", 501)
    );
    let keyed = configured(|configuration| {
        let principal = configuration["principals"][0].as_object_mut().unwrap();
        principal.remove("user");
        principal.insert("api_key".to_owned(), json!({"env": "SECOND"}));
    });
    assert_eq!(reason(&decide_with(&keyed, &head)), "no_session");
}

/// An n8n with a licence has a route of its own there.
#[test]
fn without_the_section_the_route_is_n8n_s() {
    let none = configured(|configuration| {
        configuration.as_object_mut().unwrap().remove("embed");
    });
    let decision = decide_with(&none, &log_in(&short_lived(), ""));
    assert!(matches!(decision.outcome, Outcome::Pass(_)), "{decision:?}");
    assert!(decision.embed.is_none());
    for path in ["/rest/auth/embed/", "/REST/Auth/Embed"] {
        let path = format!("{path}?token={}", sign(&short_lived()));
        let decision = decide_with(&facts(), &request("GET", &path, &[]));
        assert_eq!(response(&decision).status, 302, "{path}");
    }
}

#[test]
fn pages_of_the_origins_may_show_the_editor_and_nothing_else() {
    let facts = facts();
    let embedded = |path: &str, cookie: &str| {
        let head = request("GET", path, &[("cookie", cookie)]);
        decide_with(&facts, &head).embed
    };
    let edits = embedded("/home", "__Host-n8n-idp-gate-embedded=1").unwrap();
    assert_eq!(
        &*edits.frame_ancestors,
        "frame-ancestors 'self' https://portal.example"
    );
    assert!(edits.is_embedded);
    assert!(!embedded("/rest/login", "a=b").unwrap().is_embedded);
    for path in ["/webhook/public/a", "/healthz", "/metrics"] {
        assert_eq!(
            embedded(path, "__Host-n8n-idp-gate-embedded=1"),
            None,
            "{path}"
        );
    }
    let off = configured(|configuration| configuration["embed"]["enabled"] = json!(false));
    assert_eq!(decide_with(&off, &request("GET", "/home", &[])).embed, None);
}

/// Another page would log a person in to an account of its own.
#[test]
fn only_a_page_of_a_configured_origin_logs_a_browser_in() {
    let path = format!("/rest/auth/embed?token={}", sign(&short_lived()));
    for (origins, is_good) in [
        (&["https://portal.example"][..], true),
        (&["HTTPS://PORTAL.example"], true),
        (&[], true),
        (&["https://evil.example"], false),
        (&["https://portal.example.evil.example"], false),
        (&["null"], false),
        (&["'self'"], false),
        (&["frame-ancestors"], false),
        (&["https://portal.example", "https://portal.example"], false),
    ] {
        let headers: Vec<_> = origins.iter().map(|origin| ("origin", *origin)).collect();
        let decision = decide_with(&facts(), &request("POST", &path, &headers));
        if is_good {
            assert_eq!(response(&decision).status, 302, "{origins:?}");
        } else {
            assert_eq!(reason(&decision), "cross_site", "{origins:?}");
        }
    }
}
