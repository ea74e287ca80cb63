//! Tokens that are bound to a key, and the proofs of it (RFC 9449).

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;

use super::*;
use crate::crypto::PublicKey;
use crate::reply::{problem, Told};

const ORIGIN: &str = "https://n8n.example.com";

/// The configuration of an n8n that takes proofs.
fn with_proofs() -> Value {
    let mut configuration = configuration();
    configuration["public_origin"] = json!(ORIGIN);
    configuration
}

fn client() -> &'static Mint {
    mint(KeyKind::P256)
}

fn jwk(key: &Mint) -> Value {
    let mut jwk = key.jwk("x");
    jwk.as_object_mut().unwrap().remove("kid");
    jwk
}

fn thumbprint(key: &Mint) -> String {
    let (_, thumbprint) = PublicKey::of_client(jwk(key).as_object().unwrap()).unwrap();
    URL_SAFE_NO_PAD.encode(thumbprint.bytes())
}

/// A token that is bound to the key of the client.
fn bound(roles: &[&str]) -> String {
    let mut claims = claims("reader", roles);
    claims["cnf"] = json!({"jkt": thumbprint(client())});
    sign(&claims)
}

/// A proof for a request with a token.
fn proof(key: &Mint, (method, path): (&str, &str), token: &str, id: &str) -> String {
    let header = json!({"typ": "dpop+jwt", "alg": key.algorithm(), "jwk": jwk(key)});
    let digest = hmac_sha256::Hash::hash(token.as_bytes());
    let claims = json!({"htm": method, "htu": format!("{ORIGIN}{path}"), "iat": NOW.0,
        "jti": id, "ath": URL_SAFE_NO_PAD.encode(digest)});
    key.sign(&header, &claims)
}

/// A call with a token and a proof.
fn call(target: (&str, &str), token: &str, proof: &str) -> RequestHead {
    let authorization = format!("DPoP {token}");
    let headers = [("authorization", &*authorization), ("dpop", proof)];
    request(target.0, target.1, &headers)
}

/// A good call.
fn good() -> RequestHead {
    let token = bound(&["Reader"]);
    call(
        ("GET", WORKFLOWS),
        &token,
        &proof(client(), ("GET", WORKFLOWS), &token, "one"),
    )
}

fn decided_under(configuration: &Value, request: &RequestHead) -> Decision {
    decide_with(&facts(configuration), request)
}

/// The challenges of a refusal.
fn challenges(configuration: &Value, request: &RequestHead) -> Vec<String> {
    let policy = load(configuration);
    let decision = decided_under(configuration, request);
    let Outcome::Reject(reason) = &decision.outcome else {
        panic!("{decision:?}");
    };
    let instance = policy.instances.of(request).unwrap();
    let resource = crate::reply::Resource::asked_for(instance, decision.record.surface, request)
        .map(|resource| resource.requiring_proofs(decision.record.requires_proof));
    let reply = problem(reason, resource.as_ref(), request, Told::default());
    let headers = reply.headers.into_iter();
    headers
        .filter(|(name, _)| *name == "www-authenticate")
        .map(|(_, value)| value.into_owned())
        .collect()
}

#[test]
fn a_token_with_its_proof_is_forwarded_once() {
    let head = good();
    let decision = decided_under(&with_proofs(), &head);
    assert_eq!(result(&decision), "forward", "{decision:?}");
    assert_eq!(decision.record.credential, Some(CredentialKind::Dpop));
    let used = decision.use_once.as_ref().unwrap();
    let key = PublicKey::of_client(jwk(client()).as_object().unwrap())
        .unwrap()
        .1;
    assert_eq!(used.digest, IdDigest::of(&[b"dpop", key.bytes(), b"one"]));
    assert_eq!(used.until, UnixSeconds(NOW.0 + 60));
    assert_eq!(used.replayed.as_str(), "dpop_proof_replayed");
    let upstream = upstream(&head, &decision);
    assert_eq!(value(&upstream, "authorization"), None);
    assert_eq!(value(&upstream, "dpop"), None);
    assert_eq!(value(&upstream, "x-n8n-api-key"), Some(READER_KEY));
}

#[test]
fn a_request_without_a_proof_uses_nothing_once() {
    let head = bearing("GET", WORKFLOWS, &claims("reader", &["Reader"]));
    let decision = decided_under(&with_proofs(), &head);
    assert_eq!(result(&decision), "forward");
    assert_eq!(decision.use_once, None);
}

#[test]
fn a_bound_token_is_no_bearer_token() {
    let authorization = format!("Bearer {}", bound(&["Reader"]));
    for proofs in [vec![], vec![("dpop", "x")]] {
        let mut headers = vec![("authorization", authorization.as_str())];
        headers.extend(proofs);
        let head = request("GET", WORKFLOWS, &headers);
        let decision = decided_under(&with_proofs(), &head);
        assert_eq!(reason(&decision), "sender_constrained");
    }
}

/// Any client could make a proof for it.
#[test]
fn a_bearer_token_does_not_become_bound_by_a_proof() {
    let token = sign(&claims("reader", &["Reader"]));
    let proof = proof(client(), ("GET", WORKFLOWS), &token, "one");
    let decision = decided_under(&with_proofs(), &call(("GET", WORKFLOWS), &token, &proof));
    assert_eq!(reason(&decision), "dpop_token_not_bound");
}

#[test]
fn a_proof_of_something_else_is_refused() {
    let token = bound(&["Reader"]);
    let other = bound(&["Reader", "Other"]);
    let thief = Mint::generate(KeyKind::P256);
    let target = ("GET", WORKFLOWS);
    for (made, expected) in [
        (
            proof(client(), ("POST", WORKFLOWS), &token, "1"),
            "dpop_proof_method",
        ),
        (
            proof(client(), ("GET", "/api/v1/users"), &token, "1"),
            "dpop_proof_url",
        ),
        (
            proof(client(), target, &other, "1"),
            "dpop_proof_other_token",
        ),
        (proof(client(), target, &token, ""), "dpop_proof_id"),
        (proof(&thief, target, &token, "1"), "dpop_other_key"),
        ("x".to_owned(), "dpop_proof_malformed"),
        ("x".repeat(9000), "dpop_proof_too_long"),
    ] {
        let head = call(target, &token, &made);
        assert_eq!(reason(&decided_under(&with_proofs(), &head)), expected);
    }
    let authorization = format!("DPoP {token}");
    let head = request("GET", WORKFLOWS, &[("authorization", &authorization)]);
    assert_eq!(
        reason(&decided_under(&with_proofs(), &head)),
        "dpop_proof_missing"
    );
    let twice = proof(client(), target, &token, "1");
    let headers = [
        ("authorization", &*authorization),
        ("dpop", &twice),
        ("dpop", &twice),
    ];
    let head = request("GET", WORKFLOWS, &headers);
    assert_eq!(
        reason(&decided_under(&with_proofs(), &head)),
        "dpop_proof_duplicate"
    );
}

/// The token comes first: there is no signature check of a proof for garbage.
#[test]
fn a_token_that_is_not_good_is_refused_for_that() {
    let attacker = Mint::generate(KeyKind::Ed25519);
    let mut forged = claims("reader", &["Reader"]);
    forged["cnf"] = json!({"jkt": thumbprint(client())});
    let forged = attacker.sign(&json!({"alg": "EdDSA", "kid": "one"}), &forged);
    let made = proof(client(), ("GET", WORKFLOWS), &forged, "1");
    let decision = decided_under(&with_proofs(), &call(("GET", WORKFLOWS), &forged, &made));
    assert_eq!(reason(&decision), "bad_signature");
}

#[test]
fn a_cached_token_needs_a_proof_each_time() {
    let facts = facts(&with_proofs());
    let mut token_cache = TokenCache::default();
    let first = decide_with_cache(&facts, &token_cache, &good());
    token_cache.apply(first.remember.unwrap());
    let token = bound(&["Reader"]);
    let target = ("GET", WORKFLOWS);
    let again = call(target, &token, &proof(client(), target, &token, "two"));
    let decision = decide_with_cache(&facts, &token_cache, &again);
    assert_eq!(result(&decision), "forward");
    assert_eq!(decision.record.cache, Some(CacheOutcome::Hit));
    assert!(decision.use_once.is_some());
    let thief = Mint::generate(KeyKind::P256);
    let stolen = call(target, &token, &proof(&thief, target, &token, "three"));
    let decision = decide_with_cache(&facts, &token_cache, &stolen);
    assert_eq!(reason(&decision), "dpop_other_key");
    let authorization = format!("Bearer {token}");
    let downgraded = request("GET", WORKFLOWS, &[("authorization", &authorization)]);
    let decision = decide_with_cache(&facts, &token_cache, &downgraded);
    assert_eq!(reason(&decision), "sender_constrained");
}

#[test]
fn an_instance_without_an_origin_takes_no_proofs() {
    let decision = decided_under(&configuration(), &good());
    assert_eq!(reason(&decision), "dpop_not_offered");
}

#[test]
fn a_bound_token_is_no_api_key() {
    let token = bound(&["Reader"]);
    for (method, path, expected) in [
        // It is judged as a bearer token, which it must not be.
        ("GET", WORKFLOWS, "sender_constrained"),
        ("POST", "/webhook/public/x", "token_as_api_key"),
    ] {
        let head = request(method, path, &[("x-n8n-api-key", &token)]);
        assert_eq!(reason(&decided_under(&with_proofs(), &head)), expected);
    }
}

#[test]
fn a_provider_or_a_rule_can_demand_proofs() {
    let bearer = bearing("GET", WORKFLOWS, &claims("reader", &["Reader"]));
    let mut configuration = with_proofs();
    configuration["providers"][0]["dpop"] = json!("required");
    assert_eq!(
        reason(&decided_under(&configuration, &bearer)),
        "dpop_required"
    );
    assert_eq!(result(&decided_under(&configuration, &good())), "forward");
    // A certificate does not replace the key.
    let mut bound_to_certificate = claims("reader", &["Reader"]);
    bound_to_certificate["cnf"] = json!({"x5t#S256": thumbprint(client())});
    let head = bearing("GET", WORKFLOWS, &bound_to_certificate);
    assert_eq!(
        reason(&decided_under(&configuration, &head)),
        "client_certificate_missing"
    );

    let mut configuration = with_proofs();
    configuration["webhooks"][0]["dpop"] = json!("required");
    let target = ("POST", "/webhook/orders/new");
    let head = bearing(target.0, target.1, &claims("reader", &["Orders"]));
    assert_eq!(
        reason(&decided_under(&configuration, &head)),
        "dpop_required"
    );
    let token = bound(&["Orders"]);
    let head = call(target, &token, &proof(client(), target, &token, "1"));
    assert_eq!(result(&decided_under(&configuration, &head)), "forward");
    assert_eq!(result(&decided_under(&configuration, &bearer)), "forward");
}

#[test]
fn a_workflow_never_gets_a_proof() {
    let target = ("POST", "/webhook/browser");
    let token = bound(&[]);
    let head = call(target, &token, &proof(client(), target, &token, "1"));
    let decision = decided_under(&with_proofs(), &head);
    let upstream = upstream(&head, &decision);
    assert_eq!(value(&upstream, "dpop"), None);
    let kept = format!("DPoP {token}");
    assert_eq!(value(&upstream, "authorization"), Some(&*kept));
}

const ALGORITHMS: &str = "algs=\"RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 EdDSA Ed25519\"";

#[test]
fn a_challenge_names_each_scheme_that_is_taken() {
    let metadata =
        "resource_metadata=\"https://n8n.example.com/.well-known/oauth-protected-resource/api/v1\"";
    let nothing = request("GET", WORKFLOWS, &[]);
    assert_eq!(
        challenges(&with_proofs(), &nothing),
        [
            format!("Bearer realm=\"n8n\", {metadata}"),
            format!("DPoP realm=\"n8n\", {ALGORITHMS}, {metadata}"),
        ]
    );
    assert_eq!(
        challenges(&configuration(), &nothing),
        [format!("Bearer realm=\"n8n\", {metadata}")]
    );
    // The error stands in the scheme that was used.
    let authorization = format!("Bearer {}", bound(&["Reader"]));
    let bearer = request("GET", WORKFLOWS, &[("authorization", &authorization)]);
    let [of_bearer, of_dpop] = &challenges(&with_proofs(), &bearer)[..] else {
        panic!("not two");
    };
    assert!(
        of_bearer.starts_with("Bearer realm=\"n8n\", error=\"invalid_token\""),
        "{of_bearer}"
    );
    assert!(!of_dpop.contains("error"), "{of_dpop}");
    let token = bound(&["Reader"]);
    let dpop = call(("GET", WORKFLOWS), &token, "x");
    let [of_bearer, of_dpop] = &challenges(&with_proofs(), &dpop)[..] else {
        panic!("not two");
    };
    assert!(!of_bearer.contains("error"), "{of_bearer}");
    let expected = format!("DPoP realm=\"n8n\", {ALGORITHMS}, error=\"invalid_dpop_proof\"");
    assert!(of_dpop.starts_with(&expected), "{of_dpop}");
}

#[test]
fn a_rule_that_takes_no_bearer_tokens_challenges_for_proofs_alone() {
    let mut configuration = with_proofs();
    configuration["webhooks"][0]["dpop"] = json!("required");
    let head = request("POST", "/webhook/orders/new", &[]);
    let [challenge] = &challenges(&configuration, &head)[..] else {
        panic!("not one");
    };
    assert!(challenge.starts_with("DPoP "), "{challenge}");
    assert!(!challenge.contains("error"), "{challenge}");
    let head = bearing(
        "POST",
        "/webhook/orders/new",
        &claims("reader", &["Orders"]),
    );
    let [challenge] = &challenges(&configuration, &head)[..] else {
        panic!("not one");
    };
    assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
}

fn metadata(configuration: &Value, path: &str) -> Value {
    let decision = decided_under(configuration, &request("GET", path, &[]));
    let Outcome::Respond(reply) = decision.outcome else {
        panic!("{decision:?}");
    };
    serde_json::from_str(&reply.body).unwrap()
}

#[test]
fn the_metadata_says_how_tokens_are_bound() {
    const API: &str = "/.well-known/oauth-protected-resource/api/v1";
    const ORDERS: &str = "/.well-known/oauth-protected-resource/webhook/orders/new";
    const REQUIRED: &str = "dpop_bound_access_tokens_required";
    const CERTIFICATES: &str = "tls_client_certificate_bound_access_tokens";
    let algorithms = |document: &Value| document["dpop_signing_alg_values_supported"].clone();
    let document = metadata(&configuration(), API);
    for name in [REQUIRED, CERTIFICATES, "dpop_signing_alg_values_supported"] {
        assert_eq!(document.get(name), None);
    }
    let mut configuration = with_proofs();
    configuration["client_certificates"] = json!({"from": "connection"});
    configuration["webhooks"][0]["dpop"] = json!("required");
    let api = metadata(&configuration, API);
    let names = "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 EdDSA Ed25519";
    let names: Vec<_> = names.split(' ').collect();
    assert_eq!(algorithms(&api), json!(names));
    assert_eq!(
        (api.get(REQUIRED), &api[CERTIFICATES]),
        (None, &json!(true))
    );
    let orders = metadata(&configuration, ORDERS);
    assert_eq!(
        (&orders[REQUIRED], algorithms(&orders)),
        (&json!(true), json!(names))
    );
    configuration["providers"][0]["dpop"] = json!("required");
    assert_eq!(metadata(&configuration, API)[REQUIRED], json!(true));
}
