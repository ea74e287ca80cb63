//! Names that people bring from other programs: `jwt_authn` of Envoy, `RequestAuthentication` of Istio,
//! oauth2-proxy, Kubernetes.

use n8n_idp_gate::config::Diagnostic;
use serde_json::Value;

use crate::file::fields::snake;

/// A better hint for an error of the filter, if it is about such a name.
pub(super) fn hint(error: &Diagnostic, configuration: &Value) -> Option<String> {
    if error.problem == "is an unknown word" {
        let at = error.path.strip_prefix("providers[")?;
        let index: usize = at.strip_suffix("].type")?.parse().ok()?;
        let written = configuration["providers"]
            .get(index)?
            .get("type")?
            .as_str()?;
        let known = look_up(TYPES, written)?;
        return Some(format!("did you mean {known}?"));
    }
    if error.problem != "there is no such field" || !error.hint.starts_with("known here") {
        return None;
    }
    let name = error
        .path
        .rsplit(['.', ']'])
        .find(|name| !name.is_empty())?;
    look_up(FIELDS, name).map(|hint| format!("write {hint}"))
}

fn look_up(table: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    let plain = |name: &str| snake(name).replace(['-', '_', ' '], "");
    let name = plain(name);
    let mut rows = table.iter();
    rows.find(|(names, _)| names.split(' ').any(|known| plain(known) == name))
        .map(|(_, meant)| *meant)
}

/// Types of providers, and what they are called here.
const TYPES: &[(&str, &str)] = &[
    (
        "azuread azure azure-ad aad microsoft ms entra-id entraid microsoft-entra msft",
        "entra",
    ),
    ("keycloak-oidc redhat-sso rhbk rhsso", "keycloak"),
    (
        "generic oauth oauth2 openid openid-connect adfs cognito gitlab zitadel dex hydra",
        "oidc",
    ),
    ("pingone pingfederate ping-identity pingidentity", "ping"),
    ("k8s service-account serviceaccount", "kubernetes"),
    ("github github-oidc actions", "github_actions"),
    ("gcp gsuite google-workspace", "google"),
    ("authkit workos-authkit", "workos"),
];

/// Fields, and what to write here.
const FIELDS: &[(&str, &str)] = &[
    ("jwks_url jwks key_set_url oidc_jwks_url keys_url jwksUri remote_jwks certs_url", "jwks_uri"),
    ("local_jwks", "jwks"),
    ("oidc_issuer_url issuer_url authority iss issuers", "issuer"),
    ("audience aud allowed_audiences oidc_extra_audiences extra_audiences expected_audience", "audiences"),
    ("client_id client_ids allowed_clients azp appid", "clients"),
    ("jwtRules jwt_rules provider idps identity_providers", "providers"),
    ("discovery_url well_known well_known_url openid_configuration openid_configuration_url metadata_url", "discovery_uri"),
    ("tenant_id tenantid azure_tenant directory", "tenant"),
    ("roles_claim groups_claim oidc_groups_claim role_claim", "roles_from, or claims_at for another claim"),
    ("oidc_email_claim user_id_claim username_claim email_claim", "claims_at"),
    ("clock_skew_seconds leeway skew", "clock_skew"),
    ("allowed_email_domains email_domains email_domain hosted_domain hd", "allowed_domains"),
    ("forward forward_original_token pass_authorization_header", "keep_authorization in the rule of a webhook"),
    ("from_headers from_params from_cookies", "nothing: tokens come in Authorization; token_from of a webhook rule names other places"),
    ("skip_auth_routes skip_auth_regex whitelist", "webhooks, with auth: open"),
    ("apikey key n8n_api_key", "api_key"),
];

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn names_are_found_in_every_spelling() {
        for (table, name, meant) in [
            (TYPES, "AzureAD", "entra"),
            (TYPES, "azure_ad", "entra"),
            (TYPES, "aad", "entra"),
            (TYPES, "microsoft", "entra"),
            (FIELDS, "jwksUri", "jwks_uri"),
            (FIELDS, "jwks_url", "jwks_uri"),
            (FIELDS, "jwtRules", "providers"),
            (FIELDS, "oidc-issuer-url", "issuer"),
        ] {
            assert_eq!(look_up(table, name), Some(meant), "{name}");
        }
        assert_eq!(look_up(TYPES, "entra"), None);
    }

    /// What a hint says to write is there.
    #[test]
    fn every_hint_names_a_field_or_a_type() {
        let schema = "docs/reference/configuration.schema.json";
        let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join(schema);
        let schema = fs::read_to_string(schema).unwrap();
        for (_, meant) in FIELDS.iter().chain(TYPES) {
            let mut words = meant.split([' ', ',', ';', ':']);
            assert!(
                words.any(|word| schema.contains(&format!("\"{word}\""))),
                "{meant}"
            );
        }
    }
}
