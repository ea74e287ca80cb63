//! Calls of the public API.

use super::*;
use crate::token::{bearer, Bearer, TokenDigest};

const WORKFLOWS: &str = "/api/v1/workflows";

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
fn an_email_that_is_not_verified_matches_no_principal() {
    for claims in [
        person("ann@example.com", false, &["Admin"]),
        person("ann@evil.example@example.com", true, &["Admin"]),
        person("ann@example.com.evil.example", true, &["Admin"]),
        person("@example.com", true, &["Admin"]),
        person("ann@sub.example.com", true, &["Admin"]),
        {
            let mut claims = person("ann@example.com", true, &["Admin"]);
            claims["email_verified"] = json!("yes");
            claims
        },
    ] {
        let request = bearing("GET", WORKFLOWS, &claims);
        assert_eq!(reason(&decided(&request)), "no_principal", "{claims}");
    }
}

#[test]
fn trust_in_emails_covers_silence_and_no_denial() {
    let mut configuration = configuration();
    configuration["providers"][0]["trust_email"] = json!(true);
    let facts = facts(&configuration);
    let mut claims = person("Ann@Example.com", true, &["Admin"]);
    claims.as_object_mut().unwrap().remove("email_verified");
    let silent = bearing("GET", WORKFLOWS, &claims);
    assert!(matches!(
        decide_with(&facts, &silent).outcome,
        Outcome::Forward(_)
    ));
    claims["email_verified"] = json!(false);
    let denied = bearing("GET", WORKFLOWS, &claims);
    assert_eq!(reason(&decide_with(&facts, &denied)), "no_principal");
}

#[test]
fn a_person_is_not_an_application_of_the_same_client() {
    let mut claims = claims("admin", &["Admin"]);
    claims["sub"] = json!("u-17");
    let request = bearing("GET", WORKFLOWS, &claims);
    assert_eq!(reason(&decided(&request)), "no_principal");
}

#[test]
fn a_client_that_is_not_listed_is_refused_though_its_token_is_good() {
    for client in ["intruder", "Reader", "reader "] {
        let request = bearing("GET", WORKFLOWS, &claims(client, &["Admin"]));
        assert_eq!(
            reason(&decided(&request)),
            "client_not_allowed",
            "{client:?}"
        );
    }
    let mut nameless = claims("reader", &["Reader"]);
    nameless.as_object_mut().unwrap().remove("azp");
    let request = bearing("GET", WORKFLOWS, &nameless);
    assert_eq!(reason(&decided(&request)), "client_not_allowed");
}

#[test]
fn clients_that_disagree_are_refused() {
    let mut claims = claims("reader", &["Reader"]);
    claims["client_id"] = json!("admin");
    let request = bearing("GET", WORKFLOWS, &claims);
    assert_eq!(reason(&decided(&request)), "clients_disagree");
    claims["client_id"] = json!(["reader"]);
    let request = bearing("GET", WORKFLOWS, &claims);
    assert_eq!(reason(&decided(&request)), "identity_claim_malformed");
}

#[test]
fn a_good_token_without_a_principal_is_refused() {
    let request = bearing("GET", WORKFLOWS, &claims("visitor", &["Admin"]));
    assert_eq!(reason(&decided(&request)), "no_principal");
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

/// Must not be asked about any signature.
struct Unasked;

impl SignatureVerifier for Unasked {
    fn verify(
        &self,
        _: &crate::crypto::PublicKey,
        _: crate::crypto::Algorithm,
        _: &[u8],
        _: &[u8],
    ) -> crate::crypto::Verification {
        panic!("a signature is looked at");
    }
}

#[test]
fn a_token_of_an_unknown_issuer_is_refused_before_its_signature_is_checked() {
    let facts = facts(&configuration());
    for issuer in [
        "https://evil.example",
        "https://idp.example/",
        "https://idp.exampl",
        "HTTPS://idp.example",
        "",
    ] {
        let mut claims = claims("reader", &["Reader"]);
        claims["iss"] = json!(issuer);
        let request = bearing("GET", WORKFLOWS, &claims);
        let token_cache = TokenCache::default();
        let context = DecisionContext {
            crypto: &Unasked,
            ..context(&facts, &token_cache)
        };
        let decision = decide(context, Request::of_head(&request));
        assert_eq!(reason(&decision), "unknown_issuer", "{issuer}");
    }
}

#[test]
fn the_fault_of_a_token_is_the_reason() {
    let good = claims("reader", &["Reader"]);
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    let cases = [
        (with("aud", json!("api://other")), "wrong_audience"),
        (with("exp", json!(NOW.0 - 31)), "expired"),
        (with("exp", json!("9999999999")), "claim_of_wrong_type"),
        (with("nbf", json!(NOW.0 + 31)), "not_yet_valid"),
        (with("cnf", json!({"jkt": "x"})), "sender_constrained"),
    ];
    for (claims, expected) in cases {
        let request = bearing("GET", WORKFLOWS, &claims);
        assert_eq!(reason(&decided(&request)), expected, "{claims}");
    }
    let attacker = Mint::generate(KeyKind::Ed25519);
    for (kid, expected) in [("one", "bad_signature"), ("two", "unknown_key_id")] {
        let token = attacker.sign(&json!({"alg": "EdDSA", "kid": kid}), &good);
        let authorization = format!("Bearer {token}");
        let request = request("GET", WORKFLOWS, &[("authorization", &authorization)]);
        assert_eq!(reason(&decided(&request)), expected);
    }
}

#[test]
fn missing_keys_are_awaited_and_unknown_ones_asked_for() {
    let mut facts = facts(&configuration());
    let request = bearing("GET", WORKFLOWS, &claims("reader", &["Reader"]));
    facts.pending = true;
    let decision = decide_with(&facts, &request);
    assert!(matches!(
        decision.outcome,
        Outcome::Await(Need::Fact(Fact::KeySet(ProviderId(0))))
    ));
    facts.pending = false;
    facts.newer_keys = NewerKeys::MayCome;
    assert!(matches!(
        decide_with(&facts, &request).outcome,
        Outcome::Forward(_)
    ));
    let attacker = Mint::generate(KeyKind::Ed25519);
    let claims = claims("reader", &["Reader"]);
    for (header, key_id) in [
        (json!({"alg": "EdDSA", "kid": "two"}), Some("two")),
        (json!({"alg": "EdDSA"}), None),
    ] {
        let authorization = format!("Bearer {}", attacker.sign(&header, &claims));
        let request = super::request("GET", WORKFLOWS, &[("authorization", &authorization)]);
        let Ok(Bearer::Token(token)) = bearer(&request) else {
            panic!("no token");
        };
        let of_token = KeyIdDigest::of_token(&TokenDigest::of(&token));
        let digest = key_id.map_or(of_token, KeyIdDigest::of);
        let decision = decide_with(&facts, &request);
        let Outcome::Await(Need::Fact(fact)) = decision.outcome else {
            panic!("{:?}", decision.outcome);
        };
        assert_eq!(fact, Fact::NewerKeySet(ProviderId(0), digest));
    }
    let header = json!({"alg": "EdDSA", "kid": "one"});
    let authorization = format!("Bearer {}", attacker.sign(&header, &claims));
    let forged = super::request("GET", WORKFLOWS, &[("authorization", &authorization)]);
    assert_eq!(reason(&decide_with(&facts, &forged)), "bad_signature");
    facts.newer_keys = NewerKeys::Unavailable(Outage {
        retry_after: std::time::Duration::from_secs(3),
        fault: Some("server_error"),
    });
    assert_eq!(reason(&decide_with(&facts, &forged)), "bad_signature");
    let header = json!({"alg": "EdDSA", "kid": "two"});
    let authorization = format!("Bearer {}", attacker.sign(&header, &claims));
    let unknown = super::request("GET", WORKFLOWS, &[("authorization", &authorization)]);
    assert_eq!(reason(&decide_with(&facts, &unknown)), "keys_unavailable");
    facts.newer_keys = NewerKeys::NotYet(std::time::Duration::from_secs(3));
    assert_eq!(reason(&decide_with(&facts, &forged)), "bad_signature");
    assert_eq!(reason(&decide_with(&facts, &unknown)), "keys_not_current");
}

#[test]
fn keys_that_cannot_be_had_refuse_tokens_and_let_static_keys_pass() {
    let mut configuration = configuration();
    let provider = configuration["providers"][0].as_object_mut().unwrap();
    provider.remove("jwks");
    provider.insert("cluster".to_owned(), json!("idp"));
    let facts = facts(&configuration);
    let bearing = bearing("GET", WORKFLOWS, &claims("reader", &["Reader"]));
    let decision = decide_with(&facts, &bearing);
    assert_eq!(reason(&decision), "keys_unavailable");
    let keyed = request("GET", WORKFLOWS, &[("x-n8n-api-key", "static")]);
    assert!(matches!(
        decide_with(&facts, &keyed).outcome,
        Outcome::Pass(_)
    ));
}

#[test]
fn each_provider_signs_for_its_own_issuer_alone_though_key_ids_are_the_same() {
    let other = mint(KeyKind::P256);
    let other_issuer = "https://other.example";
    let mut configuration = configuration();
    configuration["providers"]
        .as_array_mut()
        .unwrap()
        .push(json!({
            "name": "other",
            "issuer": other_issuer,
            "audiences": ["api://n8n-api"],
            "jwks": {"keys": [other.jwk("one")]},
        }));
    let facts = facts(&configuration);
    let of_issuer = |issuer: &str| {
        let mut claims = claims("reader", &["Reader"]);
        claims["iss"] = json!(issuer);
        claims
    };
    let decided = |token: String| {
        let authorization = format!("Bearer {token}");
        let request = request("GET", WORKFLOWS, &[("authorization", &authorization)]);
        decide_with(&facts, &request)
    };
    for (mint, algorithm, own, foreign) in [
        (signer(), "EdDSA", ISSUER, other_issuer),
        (other, "ES256", other_issuer, ISSUER),
    ] {
        let header = json!({"alg": algorithm, "kid": "one"});
        let good = decided(mint.sign(&header, &of_issuer(own)));
        let Outcome::Forward(_) = good.outcome else {
            panic!("{:?}", good.outcome);
        };
        assert_eq!(&*good.record.identity.unwrap().issuer, own);
        let crossed = decided(mint.sign(&header, &of_issuer(foreign)));
        assert_eq!(reason(&crossed), "no_key_fits", "{algorithm}");
    }
    // A key of the same kind, so that only the signature can tell.
    let attacker = Mint::generate(KeyKind::P256);
    let header = json!({"alg": "ES256", "kid": "one"});
    let forged = decided(attacker.sign(&header, &of_issuer(other_issuer)));
    assert_eq!(reason(&forged), "bad_signature");
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
