//! Whether a token says whom it stands for.

use serde_json::json;

use super::*;

fn fault(
    rules: &IdentityRules,
    claims: &Value,
    response_kind: Option<ResponseKind>,
) -> Option<IdentityFault> {
    let issuer = claims.get("iss").and_then(Value::as_str);
    let source = ClaimSource {
        claims: &Arc::new(Document::from(claims)),
        issuer: &issuer.unwrap_or("https://idp.example").into(),
        expires: UnixSeconds(7),
        keeps_rfc_9068: false,
        response_kind,
        confirmation: None,
    };
    Identity::read(source, &"idp".into(), rules).err()
}

const MISSING: Option<IdentityFault> = Some(IdentityFault::SubjectMissing);

#[test]
fn a_token_without_a_subject_is_refused_in_every_dialect() {
    for (dialect, client) in [
        (Dialect::Oidc, "client_id"),
        (Dialect::Entra, "azp"),
        (Dialect::Okta, "cid"),
        (Dialect::Auth0, "azp"),
        (Dialect::Keycloak, "azp"),
        (Dialect::Google, "azp"),
        (Dialect::Ping, "client_id"),
        (Dialect::Authentik, "azp"),
        (Dialect::Workos, "client_id"),
        (Dialect::Kubernetes, "azp"),
        (Dialect::GithubActions, "repository"),
    ] {
        let rules = rules(dialect, false);
        for subject in [None, Some("")] {
            let mut claims = json!({ client: "c" });
            if let Some(subject) = subject {
                claims["sub"] = json!(subject);
            }
            assert_eq!(
                fault(&rules, &claims, None),
                MISSING,
                "{dialect:?} {claims}"
            );
        }
    }
}

/// The exceptions: callers that the client alone identifies, and never without one.
#[test]
fn a_client_stands_for_a_subject_only_where_the_provider_leaves_it_out() {
    let client = json!({"client_id": "c", "azp": "c"});
    let without = json!({"scope": "a"});
    let empty = json!({"client_id": "c", "azp": "c", "sub": ""});
    let mut ping_one = client.clone();
    ping_one["iss"] = json!("https://auth.pingone.eu/e/as");
    let ping = rules(Dialect::Ping, false);
    assert_eq!(fault(&ping, &ping_one, None), None);
    ping_one["sub"] = json!("");
    assert_eq!(fault(&ping, &ping_one, None), MISSING);

    let usual = rules(Dialect::Oidc, false);
    let mut allowed = usual.clone();
    allowed.accept_no_subject = true;
    let introspection = ResponseKind::Introspection {
        accept_untyped: false,
    };
    for (rules, response_kind, expected) in [
        (&allowed, None, None),
        (&allowed, Some(ResponseKind::UserInfo), MISSING),
        (&usual, Some(introspection), None),
        (&usual, None, MISSING),
        (&usual, Some(ResponseKind::GoogleTokenInfo), None),
        (&usual, Some(ResponseKind::UserInfo), MISSING),
    ] {
        assert_eq!(fault(rules, &client, response_kind), expected);
        assert_eq!(fault(rules, &without, response_kind), MISSING);
        assert_eq!(fault(rules, &empty, response_kind), MISSING);
    }
}
