//! Which tokens a provider is asked about at all.

use super::introspection::{active_status, asking, decided_on, reason};
use super::*;
use crate::facts::Fact;
use crate::token::MAX_TOKEN_BYTES;

/// The provider that is asked about a token, of which nothing is known yet.
fn asked(configuration: &Value, token: &str) -> Result<ProviderId, &'static str> {
    let decision = decided_on(configuration, token, vec![]);
    match decision.outcome {
        Outcome::Await(Need::Fact(Fact::TokenStatusToDecide(provider, _))) => Ok(provider),
        _ => Err(reason(&decision)),
    }
}

/// A long token costs a provider as much as it costs the gate.
#[test]
fn no_provider_is_asked_about_a_token_that_is_too_long() {
    let longest = "o".repeat(MAX_TOKEN_BYTES);
    assert_eq!(asked(&asking(), &longest), Ok(ProviderId(0)));
    let longer = "o".repeat(MAX_TOKEN_BYTES + 1);
    let responses = || vec![active_status(&json!({})), active_status(&json!({}))];
    for statuses in [vec![], responses()] {
        let decision = decided_on(&asking(), &longer, statuses);
        assert_eq!(reason(&decision), "too_long");
        assert_eq!(decision.record.introspection, None);
    }
}

/// With a provider of many tenants, a response without `iss` does not say of which one the caller is.
#[test]
fn a_response_without_an_issuer_counts_only_with_a_provider_of_one_issuer() {
    let tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47";
    let mut configuration = asking();
    let providers = configuration["providers"].as_array_mut().unwrap();
    providers.truncate(1);
    let provider = providers[0].as_object_mut().unwrap();
    provider.insert("type".to_owned(), json!("entra"));
    let silent = || vec![active_status(&json!({"iss": null, "tid": tenant}))];
    let decision = decided_on(&configuration, "opaque", silent());
    assert_eq!(reason(&decision), "forward");
    let provider = configuration["providers"][0].as_object_mut().unwrap();
    provider.remove("issuer");
    provider.insert("tenant".to_owned(), json!("organizations"));
    provider.insert("tenants".to_owned(), json!([tenant]));
    let decision = decided_on(&configuration, "opaque", silent());
    assert_eq!(reason(&decision), "issuer_missing");
}
