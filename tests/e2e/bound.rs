//! Tokens that are bound to a key or a certificate of their client, in the real Envoy.

use std::thread;

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use serde_json::{json, Value};

use crate::gate::{changed, claims, now, policy, token, token_of, Gate, KEY_A, ORDERS, READER};
use crate::mint::{mint, KeyKind, Mint};
use crate::support::certificates::{get_over_tls, Authority, Certificate};
use crate::support::envoy::{Envoy, Setup};
use crate::support::http::{Request, Response};

const ORIGIN: &str = "https://n8n.example.test";
const LIST: &str = "/api/v1/workflows";

/// The shared policy, with proofs.
fn with_proofs() -> Value {
    let mut policy = policy();
    policy["public_origin"] = json!(ORIGIN);
    policy["webhooks"][0]["dpop"] = json!("required");
    policy
}

fn client() -> &'static Mint {
    mint(KeyKind::P256)
}

fn jwk(key: &Mint) -> Value {
    let mut jwk = key.jwk("x");
    jwk.as_object_mut().unwrap().remove("kid");
    jwk.as_object_mut().unwrap().remove("use");
    jwk
}

/// RFC 7638 for a key on P-256.
fn thumbprint(key: &Mint) -> String {
    let jwk = jwk(key);
    let (x, y) = (&jwk["x"], &jwk["y"]);
    let text = format!(r#"{{"crv":"P-256","kty":"EC","x":{x},"y":{y}}}"#);
    URL_SAFE_NO_PAD.encode(hmac_sha256::Hash::hash(text.as_bytes()))
}

fn bound() -> String {
    changed(&json!({"cnf": {"jkt": thumbprint(client())}}))
}

/// A proof for a GET of the workflows, with changed claims.
fn proof(key: &Mint, token: &str, changes: &Value) -> String {
    let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk(key)});
    let digest = hmac_sha256::Hash::hash(token.as_bytes());
    let mut claims = json!({"htm": "GET", "htu": format!("{ORIGIN}{LIST}"), "iat": now(),
        "jti": "one", "ath": URL_SAFE_NO_PAD.encode(digest)});
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    key.sign(&header, &claims)
}

fn call(token: &str, proof: &str) -> Request {
    let request = Request::get(LIST).header("Authorization", format!("DPoP {token}"));
    request.header("DPoP", proof)
}

fn refusal(response: &Response) -> (u16, Value) {
    response.refusal()
}

#[test]
fn a_proof_opens_the_api_once_and_reaches_nothing_behind_it() {
    let gate = Gate::with(with_proofs(), |setup| setup);
    let token = bound();
    let first = call(&token, &proof(client(), &token, &json!({})));
    let response = first.send(gate.envoy.port()).unwrap();
    assert_eq!(response.status, 200, "{}", response.text());
    let recorded = gate.recorder.take().pop().unwrap();
    assert_eq!(recorded.values("x-n8n-api-key"), [KEY_A]);
    assert_eq!(recorded.values("authorization"), [""; 0]);
    assert_eq!(recorded.values("dpop"), [""; 0]);
    // The same request again, and the token with another proof.
    let again = first.send(gate.envoy.port()).unwrap();
    assert_eq!(refusal(&again), (401, json!("dpop_proof_replayed")));
    let challenges: Vec<_> = again
        .headers
        .iter()
        .filter(|(name, _)| name == "www-authenticate")
        .collect();
    assert_eq!(challenges.len(), 2);
    let of_dpop = String::from_utf8_lossy(&challenges[1].1);
    assert!(
        of_dpop.starts_with("DPoP realm=\"n8n\", algs=\"RS256 "),
        "{of_dpop}"
    );
    assert!(
        of_dpop.contains("error=\"invalid_dpop_proof\""),
        "{of_dpop}"
    );
    let other = call(&token, &proof(client(), &token, &json!({"jti": "two"})));
    assert_eq!(other.send(gate.envoy.port()).unwrap().status, 200);
    let audit = gate.envoy.audit();
    assert_eq!(audit[0]["credential"], json!("dpop"));
    assert_eq!(audit[1]["reason"], json!("dpop_proof_replayed"));
    assert_eq!(audit[1]["client"], json!("app-a"));
}

#[test]
fn one_proof_counts_once_in_all_workers() {
    let gate = Gate::with(with_proofs(), |setup| setup.workers(4));
    let token = bound();
    let port = gate.envoy.port();
    // All workers have the keys.
    for number in 0..16 {
        let proof = proof(
            client(),
            &token,
            &json!({"jti": format!("before-{number}")}),
        );
        assert_eq!(call(&token, &proof).send(port).unwrap().status, 200);
    }
    gate.recorder.take();
    for round in 0..5 {
        let request = call(
            &token,
            &proof(client(), &token, &json!({"jti": format!("race-{round}")})),
        );
        let statuses: Vec<u16> = thread::scope(|scope| {
            let callers: Vec<_> = (0..16)
                .map(|_| scope.spawn(|| request.send(port).unwrap().status))
                .collect();
            callers
                .into_iter()
                .map(|caller| caller.join().unwrap())
                .collect()
        });
        let good = statuses.iter().filter(|status| **status == 200).count();
        assert_eq!(good, 1, "{statuses:?}");
        assert_eq!(gate.recorder.take().len(), 1);
    }
}

#[test]
fn a_client_gets_a_nonce_and_uses_it_at_every_worker() {
    let mut policy = with_proofs();
    policy["dpop_proofs"] = json!({ "nonces": true });
    let gate = Gate::with(policy, |setup| setup.workers(2));
    let token = bound();
    let port = gate.envoy.port();
    let first = call(&token, &proof(client(), &token, &json!({})))
        .send(port)
        .unwrap();
    assert_eq!(refusal(&first), (401, json!("use_dpop_nonce")));
    let nonce = first.header("dpop-nonce").unwrap();
    let challenges = first
        .headers
        .iter()
        .filter(|(name, _)| name == "www-authenticate");
    let challenges: Vec<_> = challenges
        .map(|(_, value)| String::from_utf8_lossy(value))
        .collect();
    assert!(
        challenges[1].contains("error=\"use_dpop_nonce\""),
        "{challenges:?}"
    );
    for number in 0..8 {
        let with_nonce = json!({ "nonce": nonce, "jti": format!("n-{number}") });
        let request = call(&token, &proof(client(), &token, &with_nonce));
        assert_eq!(request.send(port).unwrap().status, 200);
        assert_eq!(
            refusal(&request.send(port).unwrap()),
            (401, json!("dpop_proof_replayed"))
        );
    }
    let other = json!({ "nonce": "x", "jti": "other" });
    let other = call(&token, &proof(client(), &token, &other))
        .send(port)
        .unwrap();
    assert_eq!(refusal(&other), (401, json!("use_dpop_nonce")));
}

#[test]
fn attacks_on_proofs_are_refused() {
    let gate = Gate::with(with_proofs(), |setup| setup);
    let token = bound();
    let other = changed(&json!({"cnf": {"jkt": thumbprint(client())}, "jti": "token-2"}));
    let thief = Mint::generate(KeyKind::P256);
    let good = |id: &str| proof(client(), &token, &json!({"jti": id}));
    let with = |changes: Value| call(&token, &proof(client(), &token, &changes));
    let hs256 = {
        let header = json!({"typ": "dpop+jwt", "alg": "HS256", "jwk": jwk(client())});
        client().raw("ES256", header.to_string().as_bytes(), b"{}")
    };
    let private = {
        let mut jwk = jwk(client());
        jwk["d"] = json!("AQAB");
        let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk});
        let digest = hmac_sha256::Hash::hash(token.as_bytes());
        let claims = json!({"htm": "GET", "htu": format!("{ORIGIN}{LIST}"), "iat": now(),
            "jti": "p", "ath": URL_SAFE_NO_PAD.encode(digest)});
        client().sign(&header, &claims)
    };
    let post = Request::new("POST", LIST)
        .header("Authorization", format!("DPoP {token}"))
        .header("DPoP", good("a"));
    for (what, request, expected) in [
        ("another method", post, "dpop_proof_method"),
        (
            "another path",
            with(json!({"htu": format!("{ORIGIN}/api/v1/users")})),
            "dpop_proof_url",
        ),
        (
            "another host",
            with(json!({"htu": format!("https://evil.example{LIST}")})),
            "dpop_proof_url",
        ),
        (
            "another scheme",
            with(json!({"htu": format!("http://n8n.example.test{LIST}")})),
            "dpop_proof_url",
        ),
        (
            "an old proof",
            with(json!({"iat": now() - 120})),
            "dpop_proof_too_old",
        ),
        (
            "a proof for later",
            with(json!({"iat": now() + 120})),
            "dpop_proof_from_the_future",
        ),
        (
            "another token",
            call(&other, &good("b")),
            "dpop_proof_other_token",
        ),
        (
            "another key",
            call(&token, &proof(&thief, &token, &json!({}))),
            "dpop_other_key",
        ),
        (
            "two proofs",
            call(&token, &good("c")).header("dpop", good("d")),
            "dpop_proof_duplicate",
        ),
        (
            "no proof",
            Request::get(LIST).header("Authorization", format!("DPoP {token}")),
            "dpop_proof_missing",
        ),
        ("an HMAC", call(&token, &hs256), "dpop_proof_algorithm"),
        ("a private key", call(&token, &private), "dpop_proof_key"),
        (
            "a huge proof",
            call(&token, &"x".repeat(20_000)),
            "dpop_proof_too_long",
        ),
    ] {
        let response = request.send(gate.envoy.port()).unwrap();
        assert_eq!(refusal(&response), (401, json!(expected)), "{what}");
    }
    // Another spelling of the same URL, and a token that is in the cache by now.
    let spelled = with(json!({"jti": "f",
        "htu": "HTTPS://N8N.example.test:443/api/v1/./%77orkflows?limit=1#x"}));
    let response = spelled.send(gate.envoy.port()).unwrap();
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(gate.recorder.take().len(), 1);
}

/// A bound token has one way in, and a token that is not bound has none where proofs are required.
#[test]
fn tokens_and_proofs_that_do_not_belong_together_are_refused() {
    let gate = Gate::with(with_proofs(), |setup| setup);
    let token = bound();
    let webhook = Request::get("/webhook/orders/x").bearer(&token_of(&claims(
        "app-a",
        &[ORDERS],
        &json!({}),
    )));
    let proof = proof(client(), &token, &json!({}));
    for (what, request, expected) in [
        (
            "as a bearer token",
            Request::get(LIST).bearer(&token),
            "sender_constrained",
        ),
        (
            "as an API key",
            Request::get(LIST).header("X-N8N-API-KEY", &token),
            "sender_constrained",
        ),
        (
            "an unbound token",
            call(&self::token("app-a", &[READER]), &proof),
            "dpop_token_not_bound",
        ),
        (
            "a bearer token where proofs are required",
            webhook,
            "dpop_required",
        ),
    ] {
        let response = request.send(gate.envoy.port()).unwrap();
        assert_eq!(refusal(&response), (401, json!(expected)), "{what}");
    }
    assert!(gate.recorder.take().is_empty());
}

/// A gate that serves TLS, and asks clients for a certificate so.
fn tls_gate(authority: &Authority, validation: &Value) -> Gate {
    Gate::with(policy(), |setup| serving(setup, authority, validation))
}

/// A listener with TLS that asks clients for a certificate.
fn serving(setup: Setup, authority: &Authority, validation: &Value) -> Setup {
    let names = "DNS:n8n.example.test";
    let server = authority.signed("server", "/CN=server", names).unwrap();
    setup.tls(json!({
        "common_tls_context": {
            "tls_certificates": [{
                "certificate_chain": { "filename": server.chain },
                "private_key": { "filename": server.key },
            }],
            "validation_context": validation,
        },
        "require_client_certificate": false,
    }))
}

fn trusting(authority: &Authority) -> Value {
    json!({ "trusted_ca": { "filename": authority.root() } })
}

fn over_tls(
    gate: &Envoy,
    authority: &Authority,
    client: Option<&Certificate>,
    headers: &[(&str, &str)],
) -> (u16, Value) {
    let response = get_over_tls(authority, client, gate.port(), LIST, headers).unwrap();
    response.refusal()
}

#[test]
fn a_token_is_good_with_the_certificate_that_it_is_bound_to_alone() {
    let authority = Authority::new().unwrap();
    let gate = tls_gate(&authority, &trusting(&authority));
    let own = authority
        .signed("own", "/CN=app-a", "DNS:a.example")
        .unwrap();
    let other = authority
        .signed("other", "/CN=app-a", "DNS:a.example")
        .unwrap();
    let token = changed(&json!({"cnf": {"x5t#S256": own.thumbprint()}}));
    let bearer = format!("Bearer {token}");
    let ask = |client, headers: &[(&str, &str)]| {
        let mut all = vec![("Authorization", bearer.as_str())];
        all.extend(headers);
        over_tls(&gate.envoy, &authority, client, &all)
    };
    // The first waits for keys, so that it is decided in an event of the worker itself.
    assert_eq!(ask(Some(&own), &[]), (200, Value::Null));
    assert_eq!(ask(Some(&own), &[]), (200, Value::Null));
    let spoofed = format!("Hash={}", own.hex());
    let spoofed = [("X-Forwarded-Client-Cert", spoofed.as_str())];
    for headers in [&[][..], &spoofed] {
        let missing = (401, json!("client_certificate_missing"));
        assert_eq!(ask(None, headers), missing);
        let mismatch = (401, json!("client_certificate_mismatch"));
        assert_eq!(ask(Some(&other), headers), mismatch);
    }
    assert_eq!(gate.recorder.take().len(), 2);
    let audit = gate.envoy.audit();
    let hits = audit
        .iter()
        .filter(|record| record["cache"] == json!("hit"));
    assert_eq!(hits.count(), 5, "{audit:?}");
    // Other tokens need no certificate.
    let plain = format!("Bearer {}", self::token("app-a", &[READER]));
    let plain = over_tls(&gate.envoy, &authority, None, &[("Authorization", &plain)]);
    assert_eq!(plain, (200, Value::Null));
}

/// The binding is to the certificate, and not to its issuer (RFC 8705 §2.2).
#[test]
fn a_certificate_may_be_one_that_the_client_signed() {
    let authority = Authority::new().unwrap();
    let mut validation = trusting(&authority);
    validation["trust_chain_verification"] = json!("ACCEPT_UNTRUSTED");
    let gate = tls_gate(&authority, &validation);
    let own = authority.self_signed("app-a").unwrap();
    let other = authority.self_signed("app-b").unwrap();
    let token = changed(&json!({"cnf": {"x5t#S256": own.thumbprint()}}));
    let bearer = format!("Bearer {token}");
    let ask = |client| {
        over_tls(
            &gate.envoy,
            &authority,
            client,
            &[("Authorization", &bearer)],
        )
    };
    assert_eq!(ask(Some(&own)), (200, Value::Null));
    assert_eq!(
        ask(Some(&other)),
        (401, json!("client_certificate_mismatch"))
    );
    assert_eq!(ask(None), (401, json!("client_certificate_missing")));
}

#[test]
fn a_webhook_admits_clients_by_the_names_in_their_certificates() {
    const ASK: &str = "/webhook/partner/x";
    let authority = Authority::new().unwrap();
    let mut policy = policy();
    policy["client_certificates"] = json!({ "from": "connection", "verified": true });
    policy["webhooks"] = json!([
        { "path": "/webhook/partner/**", "auth": "certificate",
          "certificate": { "subject": "CN=partner,O=Acme,C=DE", "uri": "spiffe://a/partner" } },
        { "path": "/webhook/hosts/**", "auth": "certificate", "certificate": { "dns": "b.example" } },
    ]);
    let gate = Gate::with(policy, |setup| {
        serving(setup, &authority, &trusting(&authority))
    });
    let names = "URI:spiffe://a/partner,DNS:a.example";
    let partner = authority
        .signed("partner", "/C=DE/O=Acme/CN=partner", names)
        .unwrap();
    let other = authority
        .signed("other", "/C=DE/O=Acme/CN=other", names)
        .unwrap();
    let host = authority.signed("host", "/CN=b", "DNS:b.example").unwrap();
    let ask = |client: Option<&Certificate>, path: &str| {
        let response = get_over_tls(&authority, client, gate.envoy.port(), path, &[]).unwrap();
        response.refusal()
    };
    let not_allowed = (403, json!("client_certificate_not_allowed"));
    assert_eq!(ask(Some(&partner), ASK), (200, Value::Null));
    assert_eq!(ask(Some(&other), ASK), not_allowed);
    assert_eq!(ask(None, ASK), (403, json!("client_certificate_required")));
    assert_eq!(ask(Some(&host), "/webhook/hosts/x"), (200, Value::Null));
    assert_eq!(ask(Some(&partner), "/webhook/hosts/x"), not_allowed);
    let recorded = gate.recorder.take();
    assert_eq!(recorded.len(), 2);
    assert_eq!(recorded[0].values("x-auth-kind"), ["certificate"]);
    assert_eq!(
        recorded[0].values("x-auth-principal"),
        ["spiffe://a/partner"]
    );
    assert_eq!(
        recorded[0].values("x-auth-subject"),
        ["CN=partner%2CO=Acme%2CC=DE"]
    );
    let audit = gate.envoy.audit();
    assert_eq!(audit[0]["credential"], json!("certificate"));
    // One that the listener does not trust never gets to the gate.
    let untrusted = authority.self_signed("partner-2").unwrap();
    get_over_tls(&authority, Some(&untrusted), gate.envoy.port(), ASK, &[]).unwrap_err();
}

/// The gate behind a proxy that ends TLS.
fn behind_a_proxy(trusted: &str, knows_peer: bool) -> Gate {
    let mut policy = policy();
    policy["client_certificates"] =
        json!({ "from": "x-forwarded-client-cert", "trusted": [trusted] });
    Gate::with(policy, |setup| {
        let setup = setup.manager("forward_client_cert_details", json!("ALWAYS_FORWARD_ONLY"));
        if !knows_peer {
            return setup;
        }
        setup.before(json!({
            "name": "peer",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.set_filter_state.v3.Config",
                "on_request_headers": [{
                    "object_key": "n8n_idp_gate.peer",
                    "factory_key": "envoy.string",
                    "format_string": { "text_format_source": {
                        "inline_string": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%",
                    } },
                }],
            },
        }))
    })
}

#[test]
fn a_proxy_that_ends_tls_reports_the_certificate() {
    let authority = Authority::new().unwrap();
    let gate = behind_a_proxy("127.0.0.0/8", true);
    let proxy = Setup::minimal(json!({}), gate.envoy.port()).unwrap();
    let proxy = serving(proxy, &authority, &trusting(&authority))
        .without_gate()
        .manager("forward_client_cert_details", json!("SANITIZE_SET"))
        .manager(
            "set_current_client_cert_details",
            json!({ "subject": true, "uri": true, "dns": true }),
        )
        .start()
        .unwrap();
    let own = authority
        .signed(
            "own",
            "/C=DE/O=A, \"B\"/CN=app-a",
            "URI:spiffe://a,DNS:a.example",
        )
        .unwrap();
    let other = authority
        .signed("other", "/CN=app-a", "DNS:a.example")
        .unwrap();
    let bearer = format!(
        "Bearer {}",
        changed(&json!({"cnf": {"x5t#S256": own.thumbprint()}}))
    );
    let spoofed = format!("Hash={}", own.hex());
    for spoof in [None, Some(("X-Forwarded-Client-Cert", spoofed.as_str()))] {
        let ask = |client| {
            let headers: Vec<_> = [("Authorization", bearer.as_str())]
                .into_iter()
                .chain(spoof)
                .collect();
            over_tls(&proxy, &authority, client, &headers)
        };
        assert_eq!(ask(Some(&own)), (200, Value::Null));
        assert_eq!(
            ask(Some(&other)),
            (401, json!("client_certificate_mismatch"))
        );
        assert_eq!(ask(None), (401, json!("client_certificate_missing")));
    }
    for recorded in gate.recorder.take() {
        assert_eq!(recorded.values("x-forwarded-client-cert"), [""; 0]);
    }
}

#[test]
fn a_client_that_writes_the_header_itself_is_refused() {
    let digest = "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0";
    let hash = "Hash=ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let token = changed(&json!({"cnf": {"x5t#S256": digest}}));
    let call = || {
        Request::get(LIST)
            .bearer(&token)
            .header("X-Forwarded-Client-Cert", hash)
    };
    // Not a proxy, not known to be one, and one that says so in a header of its own.
    let elsewhere = behind_a_proxy("10.9.0.0/16", true);
    let unknown = behind_a_proxy("127.0.0.1", false);
    for (gate, request) in [
        (&elsewhere, call()),
        (&elsewhere, call().header("X-Forwarded-For", "10.9.0.1")),
        (&unknown, call()),
        (&unknown, call().header("X-Forwarded-For", "127.0.0.1")),
    ] {
        let response = request.send(gate.envoy.port()).unwrap();
        assert_eq!(
            refusal(&response),
            (401, json!("client_certificate_missing"))
        );
    }
    let trusted = behind_a_proxy("127.0.0.1", true);
    let port = trusted.envoy.port();
    assert_eq!(call().send(port).unwrap().status, 200);
    // A proxy that adds to the header of its client.
    let two = call().header("X-Forwarded-Client-Cert", "Hash=00");
    assert_eq!(
        refusal(&two.send(port).unwrap()),
        (400, json!("client_certificate_malformed"))
    );
    for recorded in trusted.recorder.take() {
        assert_eq!(recorded.values("x-forwarded-client-cert"), [""; 0]);
    }
}
