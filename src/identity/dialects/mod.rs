//! Where each kind of provider puts what an identity is made of: one file a dialect.

mod entra;
mod keycloak;
mod oidc;

use serde_json::{Map, Value};

use super::{IdentityFault, Kind};
use crate::policy::Dialect;

/// What a dialect reads out of the claims.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) client: Option<String>,
    pub(super) kind: Kind,
    pub(super) scopes: Vec<String>,
    pub(super) roles: Vec<String>,
    pub(super) groups: Vec<String>,
    pub(super) tenant: Option<String>,
}

impl Dialect {
    pub(super) fn read(self, claims: &Map<String, Value>) -> Result<Reading, IdentityFault> {
        match self {
            Self::Oidc => oidc::read(claims),
            Self::Entra => entra::read(claims),
            Self::Keycloak => keycloak::read(claims),
        }
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

/// Names in a claim, as an array of strings or as one string with spaces between them
/// (RFC 6749 §3.3). Anything else in the claim grants nothing.
fn names(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(joined)) => joined.split_ascii_whitespace().map(str::to_owned).collect(),
        Some(Value::Array(items)) => items
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}

/// Like [`names`], for claims in which a space is part of a name.
fn whole_names(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(name)) => vec![name.clone()],
        other => names(other),
    }
}
