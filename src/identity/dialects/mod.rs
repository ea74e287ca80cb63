//! Where each kind of provider puts what an identity is made of: one file a dialect.

mod auth0;
mod authentik;
mod entra;
mod github_actions;
mod google;
mod keycloak;
mod kubernetes;
mod oidc;
mod okta;
mod ping;
mod workos;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::kind::Marks;
use super::{ClaimsAt, IdentityFault, Placed, Said};
use crate::identity::Dialect;

pub(super) use ping::is_ping_one;

/// What a dialect reads out of the claims.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) client: Option<String>,
    pub(super) marks: Marks,
    /// What the provider says about the e-mail address; `None`: nothing that is a yes or a no.
    pub(super) email_verified: Option<bool>,
    pub(super) scopes: Vec<String>,
    pub(super) roles: Vec<String>,
    pub(super) groups: Vec<String>,
    /// There are more groups than the token holds.
    pub(super) groups_left_out: bool,
    pub(super) tenant: Option<String>,
    pub(super) hosted_domain: Option<String>,
}

impl Dialect {
    pub(super) fn read(self, said: Said<'_>, at: &ClaimsAt) -> Result<Reading, IdentityFault> {
        let mut reading = self.places().read(said, at)?;
        let claims = &**said.claims;
        match self {
            Self::Oidc => oidc::refine(&mut reading, said)?,
            Self::Entra => entra::refine(&mut reading, claims)?,
            Self::Okta => okta::refine(&mut reading, claims)?,
            Self::Auth0 => auth0::refine(&mut reading, claims)?,
            Self::Keycloak => keycloak::refine(&mut reading, claims)?,
            Self::Google => google::refine(&mut reading, claims)?,
            Self::Ping => ping::refine(&mut reading, claims)?,
            Self::Workos => workos::refine(&mut reading, claims)?,
            Self::Kubernetes => kubernetes::refine(&mut reading, claims)?,
            Self::GithubActions => github_actions::refine(&mut reading),
            Self::Authentik => authentik::refine(&mut reading),
        }
        at.refine(&mut reading, claims)?;
        Ok(reading)
    }

    /// The claims of which every access token has one and no ID token has any, where the vendor
    /// says so: those that name the client.
    pub const fn client_claims(self) -> &'static [&'static str] {
        match self {
            Self::Entra | Self::Okta | Self::Auth0 | Self::Ping | Self::Authentik => {
                self.places().client
            }
            Self::Oidc
            | Self::Keycloak
            | Self::Google
            | Self::Workos
            | Self::Kubernetes
            | Self::GithubActions => &[],
        }
    }

    /// Whether its tokens have scopes.
    pub const fn has_scopes(self) -> bool {
        !self.places().scopes.is_empty()
    }

    const fn places(self) -> &'static Places {
        match self {
            Self::Oidc => &oidc::PLACES,
            Self::Entra => &entra::PLACES,
            Self::Okta => &okta::PLACES,
            Self::Auth0 => &auth0::PLACES,
            Self::Keycloak => &keycloak::PLACES,
            Self::Google => &google::PLACES,
            Self::Ping => &ping::PLACES,
            Self::Authentik => &authentik::PLACES,
            Self::Workos => &workos::PLACES,
            Self::Kubernetes => &kubernetes::PLACES,
            Self::GithubActions => &github_actions::PLACES,
        }
    }
}

/// The names of claims.
type Names = &'static [&'static str];

/// Where a dialect has what most of them have under one name or another.
struct Places {
    /// All of them that are there must agree.
    client: Names,
    /// What is in any of them counts, as in `roles`; what is in two of them once.
    scopes: Names,
    roles: Names,
    /// The first that is there.
    tenant: Names,
}

impl Places {
    /// Reads them, `groups` and `email_verified`.
    ///
    /// That `sub` is the client marks an application (RFC 9068 §2.2: no resource owner is involved
    /// then), unless a `username` says that there is one (RFC 7662 §2.2). That it is another text
    /// marks nothing: many providers give applications a subject of their own.
    fn read(&self, said: Said<'_>, at: &ClaimsAt) -> Result<Reading, IdentityFault> {
        let claims = &**said.claims;
        let confirmed = || {
            said.confirmation
                .filter(|_| self.client.contains(&"client_id"))
                .and_then(|response| response.client.clone())
        };
        let client = if at.moves(Placed::Client) {
            at.client(claims)?
        } else {
            client(claims, self.client)?.or_else(confirmed)
        };
        let subject = text(claims, "sub")?;
        let is_own_subject = client.is_some() && subject == client.as_deref();
        let has_owner = claims.contains_key("username")
            || said.confirmation.is_some_and(|response| response.has_owner);
        let mut tenant = None;
        for name in self.tenant {
            if tenant.is_none() {
                tenant = text(claims, name)?;
            }
        }
        let all = |places: Names, names: fn(Option<&Value>) -> Vec<String>| {
            once_each(places.iter().flat_map(|place| names(claims.get(*place))))
        };
        Ok(Reading {
            marks: Marks {
                app: is_own_subject && !has_owner,
                user: false,
            },
            client,
            email_verified: claims.get("email_verified").and_then(flag),
            scopes: all(self.scopes, names),
            roles: all(self.roles, whole_names),
            groups: once_each(whole_names(claims.get("groups"))),
            // They are to be had elsewhere (OpenID Connect Core 1.0 §5.6.2).
            groups_left_out: claims
                .get("_claim_names")
                .is_some_and(|names| names.get("groups").is_some()),
            tenant: tenant.map(str::to_owned),
            hosted_domain: None,
        })
    }
}

/// The session of a person at the provider (OpenID Connect Front-Channel Logout 1.0 §3). What
/// begins as a security identifier of Windows does is the `sid` of AD FS, which services have too.
fn has_session(claims: &Map<String, Value>, name: &str) -> bool {
    let session = claims.get(name).and_then(Value::as_str);
    session.is_some_and(|session| !session.is_empty() && !session.starts_with("S-1-"))
}

/// What a claim says that should be a boolean. Amazon Cognito and the load balancers of AWS write the text
/// `true`, and others the text `False`. No other text is a yes: a yes opens doors, and `1` or `yes`
/// may be anything. What PHP and SQL make of `false` is a no.
pub(super) fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) if text == "true" => Some(true),
        Value::String(text) => ["false", "no", "0"]
            .iter()
            .any(|no| text.eq_ignore_ascii_case(no))
            .then_some(false),
        value => (*value == 0).then_some(false),
    }
}

/// A claim that is text where it is present. A claim of another type is not an absent one: who
/// may choose the type must not thereby choose the branch (RFC 7519 §4).
fn text<'c>(
    claims: &'c Map<String, Value>,
    name: &'static str,
) -> Result<Option<&'c str>, IdentityFault> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(IdentityFault::NotText { claim: name }),
    }
}

/// The client, from whichever of the claims name it. They must agree: a reader that takes the
/// first and one that takes the last would see different callers.
fn client(
    claims: &Map<String, Value>,
    names: &[&'static str],
) -> Result<Option<String>, IdentityFault> {
    let mut client: Option<&str> = None;
    for name in names {
        let Some(next) = text(claims, name)? else {
            continue;
        };
        if client.is_some_and(|earlier| earlier != next) {
            return Err(IdentityFault::ClientsDisagree);
        }
        client = Some(next);
    }
    Ok(client
        .filter(|client| !client.is_empty())
        .map(str::to_owned))
}

/// Names of scopes in a claim: an array of strings, or one string with spaces between them.
/// Anything else grants nothing.
///
/// One space alone separates scopes (RFC 6749 §3.3). A name with another blank or a control
/// character is no scope, and a text with one is no list of scopes: readers cut it in different
/// places, so that a scope which the provider never granted could come out.
pub(super) fn names(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(joined)) if joined.chars().all(may_stand_between_spaces) => joined
            .split(' ')
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect(),
        Some(Value::Array(items)) => items
            .iter()
            .filter_map(Value::as_str)
            .filter(|name| !name.is_empty() && !name.contains(' '))
            .filter(|name| name.chars().all(may_stand_between_spaces))
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}

fn may_stand_between_spaces(letter: char) -> bool {
    letter == ' ' || !(letter.is_whitespace() || letter.is_control())
}

/// Names in a claim in which a space is part of a name: an array of strings, or one string.
pub(super) fn whole_names(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(name)) => vec![name.clone()],
        Some(Value::Array(items)) => items
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}

/// Each once, in the order in which they come first. A token may hold thousands of names, and
/// every rule is compared with each of them: comparing all names with all others, or meeting one
/// name again and again, would take minutes.
pub(super) fn once_each<N: Ord + Clone>(names: impl IntoIterator<Item = N>) -> Vec<N> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for name in names {
        if seen.insert(name.clone()) {
            all.push(name);
        }
    }
    all
}

#[cfg(test)]
mod tests;
