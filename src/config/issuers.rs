//! The issuers of a provider: as they are written, or made of what its operator knows.

use super::field_path::FieldPath;
use super::provider::refuse;
use super::raw::RawProvider;
use super::read::{Syntax, Text};
use super::report::Message;
use super::section::Field;
use crate::http::Address;
use crate::identity::Dialect;
use crate::token::{is_guid, TENANT};

/// Of the workflows of everybody.
pub(super) const GITHUB: &str = "https://token.actions.githubusercontent.com";

/// The issuers of one provider.
pub(super) struct Issuers {
    /// Each `iss`, and where the configuration says it. Those of many tenants hold [`TENANT`].
    pub(super) list: Vec<(String, FieldPath)>,
    /// The address under which the discovery document lies.
    pub(super) base: String,
    /// Whether tokens of any tenant would do.
    pub(super) of_many_tenants: bool,
}

/// Words in place of a tenant that stand for many of them.
const MANY_TENANTS: [&str; 2] = ["organizations", "common"];

/// The issuers of each type, with places for the fields of the same names.
const fn templates(dialect: Dialect) -> &'static [&'static str] {
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

/// The host of a provider that has one for everybody.
const fn usual_domain(dialect: Dialect) -> Option<&'static str> {
    match dialect {
        Dialect::Entra => Some("login.microsoftonline.com"),
        Dialect::Ping => Some("auth.pingone.com"),
        _ => None,
    }
}

/// The issuers of a provider. `None`: something is wrong with them, and that was reported.
pub(super) fn issuers(raw: &RawProvider) -> Option<Issuers> {
    if raw.issuer.given {
        const PROBLEM: &str = "has no use beside issuer";
        const HINT: &str = "take one of the two out: the issuer is made of it, or written out";
        refuse(&raw.tenant, PROBLEM, HINT);
        refuse(&raw.domain, PROBLEM, HINT);
        refuse(&raw.realm, PROBLEM, HINT);
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
        raw.issuer.path.error("is required", hint);
        return None;
    };
    if dialect == Dialect::Entra && raw.domain.given {
        // Other clouds have other hosts for tokens of version 1.0.
        templates = std::slice::from_ref(first);
    }
    let usual_realm = (dialect == Dialect::Okta).then_some("default");
    let tenant = part(&raw.tenant, "{tenant}", first, None);
    let domain = part(&raw.domain, "{domain}", first, usual_domain(dialect));
    let realm = part(&raw.realm, "{realm}", first, usual_realm);
    let (tenant, domain, realm) = (tenant?, domain?, realm?);
    let of_many_tenants = dialect == Dialect::Entra && MANY_TENANTS.contains(&tenant);
    if dialect == Dialect::Entra && !of_many_tenants && !is_guid(tenant) {
        raw.tenant.path.error(
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

/// What goes into the place `name` of an issuer; empty where there is no such place.
fn part<'r, S>(
    field: &'r Field<Text<S>>,
    name: &str,
    template: &str,
    usual: Option<&'static str>,
) -> Option<&'r str> {
    match &field.value {
        _ if !template.contains(name) => {
            let hint = "take it out, or write the issuer itself";
            refuse(field, "is no part of the issuers of this type", hint);
            (!field.given).then_some("")
        }
        Some(text) => Some(&text.text),
        None if field.given => None,
        None => {
            if usual.is_none() {
                let hint = format!("the issuer is {template}; or write issuer itself");
                field
                    .path
                    .error("is required where there is no issuer", hint);
            }
            usual
        }
    }
}

/// A host, and a path where a provider lives under one.
pub(super) struct Domain;

impl Syntax for Domain {
    const SHAPE: &'static str = "host";

    fn check(text: &str) -> Result<(), Message> {
        let address = format!("https://{text}");
        let sound = Address::parse(&address).is_ok() && !text.contains('?') && !text.ends_with('/');
        if sound {
            return Ok(());
        }
        let hint = "write it without https:// and without a slash at the end";
        Err(Message::new("is no host", hint))
    }
}

/// One segment of a path.
pub(super) struct Segment;

impl Syntax for Segment {
    const SHAPE: &'static str = "string";

    fn check(text: &str) -> Result<(), Message> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte);
        if text.bytes().all(plain) && !text.starts_with('.') {
            return Ok(());
        }
        Err(Message::new(
            "is no part of a path",
            "write it as it stands in the iss of tokens",
        ))
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
