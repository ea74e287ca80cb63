//! What the host learns about a caller.

use super::*;

const CALL: &str = "/api/v1/workflows";

fn properties(decision: &Decision) -> Vec<(&'static str, String)> {
    let properties = decision.record.caller_properties(each_property());
    properties
        .map(|(name, value)| (name, value.into_owned()))
        .collect()
}

#[test]
fn a_verified_caller_has_properties_also_where_the_call_is_refused() {
    let [principal, client, subject] = CALLER_PROPERTIES;
    let named = |name: &str| vec![(principal, name.to_owned()), (client, name.to_owned())];
    for (claims, method, principal_and_client) in [
        (claims("reader", &["Reader"]), "GET", named("reader")),
        (claims("reader", &[]), "GET", named("reader")),
        (claims("reader", &["Reader"]), "DELETE", named("reader")),
        (
            claims("visitor", &["Admin"]),
            "GET",
            vec![(client, "visitor".to_owned())],
        ),
        (
            claims("unlisted", &["Admin"]),
            "GET",
            vec![(client, "unlisted".to_owned())],
        ),
    ] {
        let mut expected = principal_and_client;
        expected.push((subject, claims["sub"].as_str().unwrap().to_owned()));
        let decision = decided(&bearing(method, CALL, &claims));
        assert_eq!(properties(&decision), expected, "{method} {claims}");
    }
}

#[test]
fn a_caller_that_was_not_verified_has_none_whatever_it_sends() {
    let made_up = [
        ("x-auth-client", "reader"),
        ("x-auth-principal", "reader"),
        ("x-n8n-api-key", "static"),
    ];
    let forged = format!("Bearer {}AAAA", {
        let token = sign(&claims("reader", &["Reader"]));
        token[..token.len() - 4].to_owned()
    });
    let mut expired = claims("reader", &["Reader"]);
    expired["exp"] = json!(NOW.0 - 100);
    for request in [
        request("GET", CALL, &made_up),
        request("GET", CALL, &made_up[..2]),
        request("GET", "/rest/login", &made_up),
        request("GET", CALL, &[("authorization", &forged), made_up[0]]),
        bearing("GET", CALL, &expired),
    ] {
        assert_eq!(properties(&decided(&request)), [], "{request:?}");
    }
}

/// A log line is not ended, and no value becomes two.
#[test]
fn properties_are_encoded_and_bounded() {
    let mut odd = claims("reader", &["Reader"]);
    odd["sub"] = json!("a,b\r\nc\u{e9} %");
    let found = properties(&decided(&bearing("GET", CALL, &odd)));
    let [.., subject] = CALLER_PROPERTIES;
    let encoded = (subject, "a%2Cb%0D%0Ac%C3%A9%20%25".to_owned());
    assert_eq!(found.last(), Some(&encoded));
    odd["sub"] = json!("s".repeat(2049));
    let found = properties(&decided(&bearing("GET", CALL, &odd)));
    assert_eq!(found.len(), 2, "{found:?}");
}
