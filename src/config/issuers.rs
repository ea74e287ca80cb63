//! The issuers of a provider: as the configuration has them, or made of tenant, domain and realm.

use super::field::Field;
use super::field_path::FieldPath;
use super::raw::RawProvider;
use super::syntax::Text;
use crate::identity::Dialect;
use crate::token::{is_guid, TENANT};

/// The issuer for the workflows of all of GitHub.
pub(super) const GITHUB: &str = "https://token.actions.githubusercontent.com";

/// The issuers of one provider.
pub(super) struct Issuers {
    /// Each `iss`, and the path of the field that it comes from. Those of many tenants contain [`TENANT`].
    pub(super) list: Vec<(String, FieldPath)>,
    /// The URL below which the discovery document is.
    pub(super) base: String,
    /// Whether tokens of any tenant have such an issuer.
    pub(super) of_many_tenants: bool,
}

/// Words that stand for many tenants.
const MANY_TENANTS: [&str; 2] = ["organizations", "common"];

/// The issuers of each type, with the fields of the same names in braces.
pub(super) const fn templates(dialect: Dialect) -> &'static [&'static str] {
    match dialect {
        Dialect::Oidc | Dialect::Kubernetes => &[],
        Dialect::Entra => &[
            "https://{domain}/{tenant}/v2.0",
            "https://sts.windows.net/{tenant}/",
        ],
        Dialect::Okta => &["https://{domain}/oauth2/{realm}"],
        Dialect::Auth0 => &["https://{domain}/"],
        Dialect::Keycloak => &["https://{domain}/realms/{realm}"],
        Dialect::Google => &["https://accounts.google.com"],
        Dialect::Ping => &["https://{domain}/{tenant}/as"],
        Dialect::Authentik => &["https://{domain}/application/o/{realm}/"],
        Dialect::Workos => &["https://{domain}"],
        Dialect::GithubActions => &[GITHUB],
    }
}

/// The host of a provider that has one for all of its tenants.
pub(super) const fn usual_domain(dialect: Dialect) -> Option<&'static str> {
    match dialect {
        Dialect::Entra => Some("login.microsoftonline.com"),
        Dialect::Ping => Some("auth.pingone.com"),
        _ => None,
    }
}

/// The realm of a provider that usually has one.
pub(super) fn usual_realm(dialect: Dialect) -> Option<&'static str> {
    (dialect == Dialect::Okta).then_some("default")
}

/// The issuers of a provider. `None`: something is wrong with them, and that was reported.
pub(super) fn issuers(raw: &RawProvider) -> Option<Issuers> {
    if raw.issuer.given {
        let written = raw.issuer.value.as_ref()?.0.iter();
        let list: Vec<_> = written
            .map(|issuer| (issuer.value.text.clone(), issuer.path.clone()))
            .collect();
        let base = list.first()?.0.clone();
        return Some(Issuers {
            list,
            base,
            of_many_tenants: false,
        });
    }
    made(raw, raw.r#type.value.as_ref()?.0)
}

fn made(raw: &RawProvider, dialect: Dialect) -> Option<Issuers> {
    let mut templates = templates(dialect);
    let Some(first) = templates.first() else {
        let hint = "write the iss of its tokens, exactly";
        raw.issuer.error("is required", hint);
        return None;
    };
    if dialect == Dialect::Entra && raw.domain.given {
        // Other clouds have other hosts for tokens of version 1.0.
        templates = std::slice::from_ref(first);
    }
    let tenant = part(&raw.tenant, "{tenant}", first, None);
    let domain = part(&raw.domain, "{domain}", first, usual_domain(dialect));
    let realm = part(&raw.realm, "{realm}", first, usual_realm(dialect));
    let (tenant, domain, realm) = (tenant?, domain?, realm?);
    let of_many_tenants = dialect == Dialect::Entra && MANY_TENANTS.contains(&tenant);
    if dialect == Dialect::Entra && !of_many_tenants && !is_guid(tenant) {
        raw.tenant.error(
            "is no tenant id",
            "write the id (a GUID in lower case), which is in the iss of tokens, or organizations",
        );
        return None;
    }
    let path = match (raw.tenant.given, raw.domain.given) {
        (true, _) => &raw.tenant.path,
        (false, true) => &raw.domain.path,
        (false, false) => &raw.r#type.path,
    };
    let fill = |template: &str| {
        template
            .replace("{domain}", domain)
            .replace("{realm}", realm)
    };
    let in_tokens = if of_many_tenants { TENANT } else { tenant };
    let mut list = Vec::new();
    for template in templates {
        let issuer = fill(template).replace("{tenant}", in_tokens);
        list.push((issuer, path.clone()));
    }
    Some(Issuers {
        list,
        base: fill(first).replace("{tenant}", tenant),
        of_many_tenants,
    })
}

/// The value for `name` in an issuer; empty if the issuer has no `name`.
fn part<'r, S>(
    field: &'r Field<Text<S>>,
    name: &str,
    template: &str,
    usual: Option<&'static str>,
) -> Option<&'r str> {
    match &field.value {
        _ if !template.contains(name) => {
            let hint = "remove it, or write issuer";
            field.refuse("is no part of the issuers of this type", hint);
            (!field.given).then_some("")
        }
        Some(text) => Some(&text.text),
        None if field.given => None,
        None => {
            if usual.is_none() {
                let hint = format!("write it, for the issuer {template}; or write issuer");
                field.error("is required without issuer", hint);
            }
            usual
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{json, Value};

    use crate::config::environment::NoSecrets;
    use crate::config::load;
    use crate::policy::{KeySource, Policy};

    const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";

    fn policy(fields: &Value) -> Policy {
        let mut provider = json!({"name": "idp", "audiences": "n8n", "cluster": "idp"});
        for (name, value) in fields.as_object().unwrap() {
            provider[name] = value.clone();
        }
        let document = json!({
            "providers": [provider],
            "webhooks": [{"path": "/webhook/**", "auth": "bearer"}],
        });
        let loaded = load(document.to_string().as_bytes(), &NoSecrets).unwrap();
        assert_eq!(loaded.warnings, []);
        loaded.policy
    }

    #[test]
    fn issuer_and_discovery_are_made_of_what_an_operator_knows() {
        for (fields, issuers, document) in [
            (
                json!({"type": "entra", "tenant": TENANT}),
                &[
                    "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0",
                    "https://sts.windows.net/72f988bf-86f1-41af-91ab-2d7cd011db47/",
                ][..],
                "login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0",
            ),
            (
                json!({"type": "entra", "tenant": TENANT, "domain": "login.microsoftonline.us"}),
                &["https://login.microsoftonline.us/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0"],
                "login.microsoftonline.us/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0",
            ),
            (
                json!({"type": "entra", "tenant": "organizations", "tenants": [TENANT]}),
                &[
                    "https://login.microsoftonline.com/{tenantid}/v2.0",
                    "https://sts.windows.net/{tenantid}/",
                ],
                "login.microsoftonline.com/organizations/v2.0",
            ),
            (
                json!({"type": "okta", "domain": "example.okta.com"}),
                &["https://example.okta.com/oauth2/default"],
                "example.okta.com/oauth2/default",
            ),
            (
                json!({"type": "okta", "domain": "example.okta.com", "realm": "aus1"}),
                &["https://example.okta.com/oauth2/aus1"],
                "example.okta.com/oauth2/aus1",
            ),
            (
                json!({"type": "auth0", "domain": "example.eu.auth0.com"}),
                &["https://example.eu.auth0.com/"],
                "example.eu.auth0.com",
            ),
            (
                json!({"type": "keycloak", "domain": "sso.example.com/auth", "realm": "main"}),
                &["https://sso.example.com/auth/realms/main"],
                "sso.example.com/auth/realms/main",
            ),
            (
                json!({"type": "google", "typ": "id_token", "tenants": "example.com"}),
                &["https://accounts.google.com"],
                "accounts.google.com",
            ),
            (
                json!({"type": "ping", "tenant": TENANT}),
                &["https://auth.pingone.com/72f988bf-86f1-41af-91ab-2d7cd011db47/as"],
                "auth.pingone.com/72f988bf-86f1-41af-91ab-2d7cd011db47/as",
            ),
            (
                json!({"type": "authentik", "domain": "sso.example.com", "realm": "n8n"}),
                &["https://sso.example.com/application/o/n8n/"],
                "sso.example.com/application/o/n8n",
            ),
            (
                json!({"type": "workos", "domain": "example.authkit.app"}),
                &["https://example.authkit.app"],
                "example.authkit.app",
            ),
            (
                json!({"type": "github_actions", "clients": "example-org/workflows"}),
                &["https://token.actions.githubusercontent.com"],
                "token.actions.githubusercontent.com",
            ),
            (
                json!({"type": "kubernetes", "issuer": "https://k8s.example.com"}),
                &["https://k8s.example.com"],
                "k8s.example.com",
            ),
        ] {
            let policy = policy(&fields);
            let provider = &policy.providers[0];
            let listed: Vec<_> = provider.token.issuers.iter().collect();
            assert_eq!(listed, issuers, "{fields}");
            let KeySource::Discovery { document: at, .. } = &provider.keys else {
                panic!("{fields}");
            };
            let address = format!("{}{}", at.authority, at.path);
            let expected = format!("{document}/.well-known/openid-configuration");
            assert_eq!(address, expected, "{fields}");
            let indexed: Vec<_> = policy.issuers.iter().map(|(issuer, _)| issuer).collect();
            let mut expected = listed;
            expected.sort_unstable();
            assert_eq!(indexed, expected, "{fields}");
        }
    }

    #[test]
    fn what_is_written_out_wins() {
        let policy = policy(&json!({
            "type": "entra", "tenant": "common", "tenants": [TENANT],
            "discovery_uri": "https://login.microsoftonline.com/x/openid",
        }));
        let KeySource::Discovery { document, .. } = &policy.providers[0].keys else {
            panic!("no discovery");
        };
        assert_eq!(document.path, "/x/openid");
    }

    #[test]
    fn an_issuer_of_entra_read_in_another_dialect_is_warned_of() {
        for issuer in [
            "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0",
            "https://sts.windows.net/72f988bf-86f1-41af-91ab-2d7cd011db47/",
        ] {
            let document = json!({
                "providers": [{"name": "idp", "issuer": issuer, "audiences": "n8n", "cluster": "idp"}],
                "webhooks": [{"path": "/webhook/**", "auth": "bearer"}],
            });
            let loaded = load(document.to_string().as_bytes(), &NoSecrets).unwrap();
            assert!(!loaded.warnings.is_empty(), "{issuer}");
        }
    }
}
