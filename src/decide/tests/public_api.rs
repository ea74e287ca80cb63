//! Calls of the public API.

use super::*;

#[test]
fn the_callers_own_key_replaces_the_token() {
    let request = bearing("GET", WORKFLOWS, &claims("reader", &["Reader"]));
    let decision = decided(&request);
    let head = upstream(&request, &decision);
    assert_eq!(
        head,
        [
            ("x-auth-subject", "reader"),
            ("x-auth-client", "reader"),
            ("x-auth-issuer", ISSUER),
            ("x-auth-kind", "app"),
            ("x-auth-roles", "Reader"),
            ("x-auth-principal", "reader"),
            ("x-n8n-api-key", READER_KEY),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    let record = decision.record;
    assert_eq!(record.operation, Some("workflow:list"));
    assert_eq!(record.principal.as_deref(), Some("reader"));
    assert_eq!(record.provider.as_deref(), Some("idp"));
    assert_eq!(record.crypto_path, Some(CryptoPath::Guest));
}

/// n8n reads none there. The shipped routes know a verified caller by one.
#[test]
fn the_public_api_gets_the_identity_headers_that_are_wanted_there() {
    let made_up = ("x-auth-subject", "root");
    for (public_api, expected) in [
        (json!({}), vec![("x-auth-issuer", ISSUER)]),
        (json!({"identity_headers": []}), vec![]),
        (
            json!({"identity_headers": ["principal", "kind"]}),
            vec![("x-auth-kind", "app"), ("x-auth-principal", "reader")],
        ),
    ] {
        let mut configuration = configuration();
        configuration["public_api"] = public_api;
        let token = bearing("GET", WORKFLOWS, &claims("reader", &["Reader"]));
        let token = token.first("authorization").unwrap();
        let token = str::from_utf8(token).unwrap();
        let request = request("GET", WORKFLOWS, &[("authorization", token), made_up]);
        let decision = decide_with(&facts(&configuration), &request);
        let key = ("x-n8n-api-key", READER_KEY);
        let expected = expected.into_iter().chain([key]);
        let expected: Vec<_> = expected
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        assert_eq!(upstream(&request, &decision), expected);
    }
}

#[test]
fn an_operation_that_no_role_allows_is_refused_by_its_scope() {
    let request = bearing("POST", WORKFLOWS, &claims("reader", &["Reader"]));
    let decision = decided(&request);
    let Outcome::Reject(reason) = &decision.outcome else {
        panic!("{decision:?}");
    };
    assert_eq!(reason.missing_scopes(), ["workflow:create"]);
    assert_eq!(reason.status(), 403);
}

#[test]
fn a_caller_without_roles_may_do_nothing() {
    let request = bearing("GET", WORKFLOWS, &claims("reader", &[]));
    assert_eq!(reason(&decided(&request)), "insufficient_scope");
}

#[test]
fn head_needs_what_get_needs() {
    let request = bearing("HEAD", WORKFLOWS, &claims("reader", &["Reader"]));
    assert!(matches!(decided(&request).outcome, Outcome::Forward(_)));
    let request = bearing("HEAD", "/api/v1/users", &claims("reader", &["Reader"]));
    assert_eq!(reason(&decided(&request)), "insufficient_scope");
}

#[test]
fn an_unknown_operation_is_for_callers_who_may_do_everything() {
    for (method, path) in [
        ("GET", "/api/v1/no-such-thing"),
        ("PATCH", WORKFLOWS),
        ("GET", "/api/v2/workflows"),
        ("GET", "/api"),
    ] {
        let reader = bearing(method, path, &claims("reader", &["Reader"]));
        assert_eq!(reason(&decided(&reader)), "unknown_operation", "{path}");
        let admin = bearing(method, path, &claims("admin", &["Admin"]));
        assert!(
            matches!(decided(&admin).outcome, Outcome::Forward(_)),
            "{path}"
        );
    }
}

/// The members of a project belong to another scope in n8n 1, which has no archive and no runs.
#[test]
fn a_call_is_an_operation_of_the_line_of_its_n8n() {
    let outcome_in = |version: Option<&str>, (method, path): (&str, &str), scopes: Value| {
        let mut configuration = configuration();
        configuration["roles"]["Reader"] = scopes;
        if let Some(version) = version {
            configuration["n8n_version"] = version.into();
        }
        let request = bearing(method, path, &claims("reader", &["Reader"]));
        let decision = decide_with(&facts(&configuration), &request);
        let operation = decision.record.operation;
        match &decision.outcome {
            Outcome::Forward(_) => ("forward".to_owned(), operation),
            _ => (reason(&decision).to_owned(), operation),
        }
    };
    let members = ("POST", "/api/v1/projects/7/users");
    let archive = ("POST", "/api/v1/workflows/7/archive");
    let run = ("POST", "/api/v1/workflows/7/run");
    let (update, manage) = (json!("project:update"), json!("project:manageMembers"));
    let (workflows, all) = (json!("workflow:*"), json!("*"));
    for (call, scopes, in_2, in_1) in [
        (
            members,
            &manage,
            ("forward", Some("project:manageMembers")),
            ("insufficient_scope", Some("project:update")),
        ),
        (
            members,
            &update,
            ("insufficient_scope", Some("project:manageMembers")),
            ("forward", Some("project:update")),
        ),
        (
            archive,
            &workflows,
            ("forward", Some("workflow:delete")),
            ("unknown_operation", None),
        ),
        (
            archive,
            &all,
            ("forward", Some("workflow:delete")),
            ("forward", None),
        ),
        (
            run,
            &workflows,
            ("run_needs_user", Some("workflow:execute")),
            ("unknown_operation", None),
        ),
        (
            ("GET", WORKFLOWS),
            &workflows,
            ("forward", Some("workflow:list")),
            ("forward", Some("workflow:list")),
        ),
    ] {
        for (version, expected) in [
            (None, in_2),
            (Some("2.41"), in_2),
            (Some("2.41.7"), in_2),
            (Some("1.123.81"), in_1),
        ] {
            let (outcome, operation) = outcome_in(version, call, scopes.clone());
            assert_eq!(
                (&*outcome, operation),
                expected,
                "{call:?} {scopes} in {version:?}"
            );
        }
    }
}

#[test]
fn a_principal_narrows_what_roles_grant() {
    let admin = person("ann@example.com", true, &["Admin"]);
    let request = bearing("GET", WORKFLOWS, &admin);
    let head = upstream(&request, &decided(&request));
    assert_eq!(value(&head, "x-n8n-api-key"), Some(PEOPLE_KEY));
    assert_eq!(value(&head, "x-auth-email"), Some("ann@example.com"));
    assert_eq!(value(&head, "x-auth-kind"), Some("user"));
    let request = bearing("POST", WORKFLOWS, &admin);
    assert_eq!(reason(&decided(&request)), "insufficient_scope");
    let request = bearing("GET", "/api/v1/no-such-thing", &admin);
    assert_eq!(reason(&decided(&request)), "unknown_operation");
}

#[test]
fn credentials_are_one_or_none() {
    let token = format!("Bearer {}", sign(&claims("reader", &["Reader"])));
    let bearer = ("authorization", token.as_str());
    let key = ("x-n8n-api-key", "static");
    let cases: [(&[(&str, &str)], &str); 15] = [
        (&[], "no_credential"),
        (&[("authorization", "Basic YTpi")], "no_credential"),
        (&[("cookie", "n8n-auth=session")], "no_credential"),
        (&[("x-n8n-api-key", "")], "no_credential"),
        (&[("x-n8n-api-key", " ")], "no_credential"),
        (&[bearer, key], "two_credentials"),
        (&[bearer, ("x-n8n-api-key", "")], "two_credentials"),
        (&[bearer, bearer], "duplicate_authorization"),
        (
            &[bearer, ("authorization", "Basic YTpi")],
            "duplicate_authorization",
        ),
        (
            &[("authorization", "Bearer a,Bearer b")],
            "duplicate_authorization",
        ),
        (&[key, key], "duplicate_api_key"),
        (&[("x-n8n-api-key", "a, b")], "duplicate_api_key"),
        (&[("authorization", "Bearer")], "malformed_authorization"),
        (
            &[("authorization", "Bearer a b")],
            "malformed_authorization",
        ),
        (&[("authorization", "Bearer a.b.c")], "not_a_jws"),
    ];
    for (headers, expected) in cases {
        let decision = decided(&request("GET", WORKFLOWS, headers));
        assert_eq!(reason(&decision), expected, "{headers:?}");
    }
}

#[test]
fn a_static_key_passes_unchanged() {
    let headers = [
        ("x-n8n-api-key", "static"),
        ("cookie", "n8n-auth=session; a=b"),
        ("authorization", "Basic YTpi"),
        ("x-other", "1"),
    ];
    let request = request("POST", WORKFLOWS, &headers);
    let head = upstream(&request, &decided(&request));
    let sent = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(head, sent);
}

#[test]
fn a_static_key_is_refused_where_single_sign_on_is_enforced() {
    let mut configuration = configuration();
    configuration["public_api"] = json!({"api_keys": "refuse"});
    let facts = facts(&configuration);
    let keyed = request("GET", WORKFLOWS, &[("x-n8n-api-key", "static")]);
    assert_eq!(reason(&decide_with(&facts, &keyed)), "api_key_refused");
    let bearing = bearing("GET", WORKFLOWS, &claims("reader", &["Reader"]));
    assert!(matches!(
        decide_with(&facts, &bearing).outcome,
        Outcome::Forward(_)
    ));
}

#[test]
fn no_credential_of_the_client_reaches_n8n_beside_the_chosen_one() {
    let authorization = format!("Bearer {}", sign(&claims("reader", &["Reader"])));
    let request = request(
        "GET",
        WORKFLOWS,
        &[
            ("authorization", &authorization),
            ("x_n8n_api_key", "spelled with underscores"),
            ("x-n8n_api-key", "and mixed"),
            ("cookie", "a=1;n8n-auth=one; N8N-Auth =two"),
            ("cookie", " n8n-auth=three ; b=2;\u{a0}n8n-auth=four"),
            ("X-Auth-Subject", "root"),
            ("x_auth_subject", "root"),
            ("x-auth_principal", "root"),
            ("x-auth-email", "root@example.com"),
            ("x-auth-email", "root@example.org"),
            ("x-authority", "kept"),
        ],
    );
    let head = upstream(&request, &decided(&request));
    assert_eq!(value(&head, "cookie"), Some("a=1; b=2"));
    assert_eq!(value(&head, "x-auth-subject"), Some("reader"));
    assert_eq!(value(&head, "x-auth-email"), None);
    assert_eq!(value(&head, "x-authority"), Some("kept"));
    let names: Vec<&str> = head.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "x-authority",
            "cookie",
            "x-auth-subject",
            "x-auth-client",
            "x-auth-issuer",
            "x-auth-kind",
            "x-auth-roles",
            "x-auth-principal",
            "x-n8n-api-key",
        ]
    );
}

#[test]
fn a_session_alone_leaves_no_cookie_header() {
    let authorization = format!("Bearer {}", sign(&claims("reader", &["Reader"])));
    let headers = [
        ("authorization", authorization.as_str()),
        ("cookie", "n8n-auth=x"),
    ];
    let request = request("GET", WORKFLOWS, &headers);
    let head = upstream(&request, &decided(&request));
    assert_eq!(value(&head, "cookie"), None);
}

#[test]
fn claims_cannot_break_out_of_identity_headers() {
    let mut claims = claims("reader", &["Reader"]);
    claims["sub"] = json!("a\r\nx-n8n-api-key: evil");
    claims["roles"] = json!(["Reader", "a,b", "50%", "\u{e4}", "x y"]);
    let request = bearing("GET", WORKFLOWS, &claims);
    let head = upstream(&request, &decided(&request));
    assert_eq!(
        value(&head, "x-auth-subject"),
        Some("a%0D%0Ax-n8n-api-key:%20evil")
    );
    assert_eq!(
        value(&head, "x-auth-roles"),
        Some("Reader,a%2Cb,50%25,%C3%A4,x%20y")
    );
}

#[test]
fn more_roles_than_a_header_can_hold_are_not_sent() {
    let roles: Vec<String> = (0..500).map(|number| format!("Role{number}")).collect();
    let mut roles: Vec<&str> = roles.iter().map(String::as_str).collect();
    roles.push("Reader");
    let request = bearing("GET", WORKFLOWS, &claims("reader", &roles));
    let head = upstream(&request, &decided(&request));
    assert_eq!(value(&head, "x-auth-roles"), None);
    assert_eq!(value(&head, "x-auth-subject"), Some("reader"));
}

#[test]
fn scopes_grant_what_roles_of_that_name_grant() {
    let mut claims = claims("reader", &[]);
    claims["scope"] = json!("openid Reader");
    let request = bearing("GET", WORKFLOWS, &claims);
    let head = upstream(&request, &decided(&request));
    assert_eq!(value(&head, "x-auth-scopes"), Some("openid,Reader"));
}

/// n8n serves it to every client. What names each operation is of use to an attacker, so that it is guarded
/// unless the operator says otherwise.
#[test]
fn the_description_of_the_api_is_public_if_the_operator_says_so() {
    let mut open = configuration();
    open["public_api"]["public_description"] = json!(true);
    for path in [
        "/api/v1/openapi.yml",
        "/api/v1/OpenApi.yml",
        "/api/v1/docs",
        "/api/v1/docs/",
        "/api/v1/docs/swagger-ui.css",
    ] {
        let get = request("GET", path, &[]);
        assert_eq!(reason(&decided(&get)), "no_credential", "{path}");
        let decision = decide_with(&facts(&open), &get);
        assert!(matches!(decision.outcome, Outcome::Pass(_)), "{path}");
        // A token does not reach n8n.
        let token = format!("Bearer {}", sign(&claims("reader", &["Reader"])));
        let with_token = request(
            "GET",
            path,
            &[("authorization", &token), ("x-auth-subject", "a")],
        );
        let head = upstream(&with_token, &decide_with(&facts(&open), &with_token));
        assert_eq!(value(&head, "authorization"), None, "{path}");
        assert_eq!(value(&head, "x-auth-subject"), None, "{path}");
    }
    for (method, path) in [
        ("POST", "/api/v1/docs"),
        ("GET", "/api/v1/openapi.yml/x"),
        ("GET", "/api/v1/openapi"),
        ("GET", "/api/v1/workflows"),
        ("GET", "/api/v1"),
    ] {
        let decision = decide_with(&facts(&open), &request(method, path, &[]));
        assert_eq!(reason(&decision), "no_credential", "{method} {path}");
    }
}
