//! Whether a token says whom it stands for.

use serde_json::json;

use super::*;
use crate::http::Endpoint;
use crate::policy::{Introspection, Protocol};

fn asked(protocol: Protocol) -> Introspection {
    Introspection {
        endpoint: Endpoint {
            cluster: String::new(),
            scheme: String::new(),
            authority: String::new(),
            path: String::new(),
        },
        protocol,
        always: false,
        token_prefixes: Vec::new(),
        ttl: Duration::ZERO,
        inactive_ttl: Duration::ZERO,
        timeout: Duration::ZERO,
    }
}

fn fault(provider: &Provider, claims: &Value, is_answer: bool) -> Option<IdentityFault> {
    let claims = Rc::new(claims.as_object().expect("claims").clone());
    let issuer = claims.get("iss").and_then(Value::as_str);
    let said = Said {
        claims: &claims,
        issuer: &issuer.unwrap_or("https://idp.example").into(),
        expires: UnixSeconds(7),
        keeps_rfc_9068: false,
        is_answer,
        answered: None,
    };
    Identity::read(said, provider).err()
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
        let provider = provider(dialect, false);
        for subject in [None, Some("")] {
            let mut claims = json!({ client: "c" });
            if let Some(subject) = subject {
                claims["sub"] = json!(subject);
            }
            assert_eq!(
                fault(&provider, &claims, false),
                MISSING,
                "{dialect:?} {claims}"
            );
        }
    }
}

/// The exceptions: who may be known by the client alone, and never without one.
#[test]
fn a_client_stands_for_a_subject_only_where_the_provider_leaves_it_out() {
    let client = json!({"client_id": "c", "azp": "c"});
    let without = json!({"scope": "a"});
    let empty = json!({"client_id": "c", "azp": "c", "sub": ""});
    let mut ping_one = client.clone();
    ping_one["iss"] = json!("https://auth.pingone.eu/e/as");
    let ping = provider(Dialect::Ping, false);
    assert_eq!(fault(&ping, &ping_one, false), None);
    ping_one["sub"] = json!("");
    assert_eq!(fault(&ping, &ping_one, false), MISSING);

    let mut allowed = provider(Dialect::Oidc, false);
    allowed.accept_no_subject = true;
    let introspection = Protocol::Introspection {
        authorization: None,
        form: None,
        accept_untyped: false,
    };
    let mut asking = provider(Dialect::Oidc, false);
    asking.introspection = Some(asked(introspection));
    let mut tokeninfo = provider(Dialect::Google, false);
    tokeninfo.introspection = Some(asked(Protocol::GoogleTokenInfo));
    let mut userinfo = provider(Dialect::Oidc, false);
    userinfo.introspection = Some(asked(Protocol::UserInfo));
    for (provider, is_answer, expected) in [
        (&allowed, false, None),
        (&asking, true, None),
        (&asking, false, MISSING),
        (&tokeninfo, true, None),
        (&tokeninfo, false, MISSING),
        (&userinfo, true, MISSING),
    ] {
        assert_eq!(fault(provider, &client, is_answer), expected);
        assert_eq!(fault(provider, &without, is_answer), MISSING);
        assert_eq!(fault(provider, &empty, is_answer), MISSING);
    }
}
