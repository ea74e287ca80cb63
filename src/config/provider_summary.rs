//! What rules on callers need to know of the providers.

use std::collections::BTreeSet;

use super::field_path::FieldPath;
use super::key_source::has_no_keys;
use super::raw::RawProvider;
use crate::identity::{Dialect, Kind};
use crate::token::TypRule;

/// A provider, as rules on callers need it.
pub(super) struct ProviderSummary {
    pub(super) name: String,
    /// Whether its tokens say that an application calls.
    tells_apps: bool,
    /// Whether they say that a person does.
    tells_people: bool,
    /// The audiences of the provider, if an ID token differs from an access token in nothing else.
    audiences: BTreeSet<String>,
    /// The path of `roles_from`, if it is absent and the tokens of the provider have scopes.
    pub(super) absent_roles_from: Option<FieldPath>,
}

impl ProviderSummary {
    /// `None`: it has no name, which was reported. Warns of the clients that the provider itself lists.
    pub(super) fn of(raw: &RawProvider) -> Option<Self> {
        let name = raw.name.value.as_ref()?.text.clone();
        let dialect = raw.r#type.value.as_ref().map(|word| word.0);
        let [apps, people] = dialect.map_or([true; 2], |dialect| tells(dialect, raw));
        let rules = raw.kind.value.as_ref();
        let tells_apps = apps || rules.is_some_and(|rules| rules.app.given);
        let tells_people = people || rules.is_some_and(|rules| rules.user.given);
        let typ = raw.typ.value.as_ref().map(|word| word.0);
        let marks_none = matches!(dialect, Some(Dialect::Oidc | Dialect::Workos));
        let takes_any = typ == Some(TypRule::AnyAccessToken);
        let audiences = raw.audiences.value.iter().flat_map(|list| &list.0);
        let audiences = audiences.filter(|_| marks_none && takes_any && !has_no_keys(raw));
        let mut names = BTreeSet::new();
        names.extend(audiences.map(|audience| audience.text.clone()));
        let moved = raw.claims_at.value.as_ref();
        let has_scopes = (dialect.is_some_and(Dialect::has_scopes)
            || moved.is_some_and(|at| at.scopes.value.is_some()))
            && (raw.introspection.given || !has_no_keys(raw));
        let says = raw.roles_from.given;
        let known = Self {
            name,
            tells_apps,
            tells_people,
            audiences: names,
            absent_roles_from: (has_scopes && !says).then(|| raw.roles_from.path.clone()),
        };
        for client in raw.clients.value.iter().flat_map(|list| &list.0) {
            known.warn_of_client(&client.text, &raw.clients.path);
        }
        Some(known)
    }

    /// Warns if a rule matches a kind that tokens of this provider need not say.
    pub(super) fn warn_of_kind(&self, kind: Kind, path: &FieldPath) {
        let (tells, who, field) = match kind {
            Kind::App => (self.tells_apps, "an application", "app"),
            _ => (self.tells_people, "a person", "user"),
        };
        if !tells {
            path.warn(
                format!(
                    "not every token of {} says that {who} calls, and those without do not match",
                    self.name
                ),
                format!("add kind.{field} to the provider, or match without kind"),
            );
        }
    }

    /// Warns if a client is an audience: its ID tokens have that audience, too.
    pub(super) fn warn_of_client(&self, client: &str, path: &FieldPath) {
        if self.audiences.contains(client) {
            path.warn(
                format!(
                    "names a client that is also an audience of {}: its ID tokens may be taken for access tokens",
                    self.name
                ),
                "set typ: at+jwt at the provider, or give n8n an audience that is no client",
            );
        }
    }
}

/// Whether the tokens of a provider say that an application calls, and that a person does.
fn tells(dialect: Dialect, raw: &RawProvider) -> [bool; 2] {
    match dialect {
        // RFC 9068 has a mark of applications, and none of people.
        Dialect::Oidc | Dialect::Kubernetes | Dialect::GithubActions => [true, false],
        Dialect::Authentik => [false; 2],
        // Without `tenant` it may be `PingFederate`, where the operator defines the tokens.
        Dialect::Ping => [true, raw.tenant.given],
        Dialect::Entra
        | Dialect::Okta
        | Dialect::Auth0
        | Dialect::Keycloak
        | Dialect::Google
        | Dialect::Workos => [true; 2],
    }
}
