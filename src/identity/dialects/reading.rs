//! What a dialect reads, and the names of the claims.

use crate::formats::json::{Object, Value};
use crate::identity::claim_source::ClaimSource;
use crate::identity::kind::Marks;
use crate::identity::values::{flag, names, once_each, whole_names};
use crate::identity::{ClaimsAt, IdentityFault, IdentityPart};
use crate::token::text;

/// What a dialect reads of the claims.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::identity) struct Reading {
    pub(in crate::identity) client: Option<String>,
    pub(in crate::identity) marks: Marks,
    /// Whether the provider verified the e-mail address; `None`: it does not say.
    pub(in crate::identity) email_verified: Option<bool>,
    pub(in crate::identity) scopes: Vec<String>,
    pub(in crate::identity) roles: Vec<String>,
    pub(in crate::identity) groups: Vec<String>,
    /// There are more groups than the token holds.
    pub(in crate::identity) groups_left_out: bool,
    pub(in crate::identity) tenant: Option<String>,
    pub(in crate::identity) hosted_domain: Option<String>,
}

/// The names of claims.
pub(super) type Names = &'static [&'static str];

/// The names under which a dialect has the claims that most dialects have.
pub(super) struct ClaimNames {
    /// All that are present must agree.
    pub(super) client: Names,
    /// The values of all of them count, as in `roles`, each once.
    pub(super) scopes: Names,
    pub(super) roles: Names,
    /// The first that is present.
    pub(super) tenant: Names,
}

impl ClaimNames {
    /// Reads these claims, `groups` and `email_verified`.
    ///
    /// A `sub` that is the client is the mark of an application (RFC 9068 §2.2: no resource owner is
    /// involved then), unless a `username` names one (RFC 7662 §2.2). Another `sub` is no mark: many
    /// providers give applications a subject of their own.
    pub(super) fn read(
        &self,
        source: ClaimSource<'_>,
        at: &ClaimsAt,
    ) -> Result<Reading, IdentityFault> {
        let claims = source.claims.object();
        let confirmed = || {
            source
                .confirmation
                .filter(|_| self.client.contains(&"client_id"))
                .and_then(|response| response.client.clone())
        };
        let client = if at.moves(IdentityPart::Client) {
            at.client(claims)?
        } else {
            client(claims, self.client)?.or_else(confirmed)
        };
        let subject = text(claims, "sub")?;
        let is_own_subject = client.is_some() && subject == client.as_deref();
        let has_owner = claims.contains_key("username")
            || source
                .confirmation
                .is_some_and(|response| response.has_owner);
        let mut tenant = None;
        for name in self.tenant {
            if tenant.is_none() {
                tenant = text(claims, name)?;
            }
        }
        let all = |claim_names: Names, names: fn(Option<Value<'_>>) -> Vec<String>| {
            once_each(
                claim_names
                    .iter()
                    .flat_map(|name| names(claims.get(name)))
                    .collect(),
            )
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
            // The groups are available elsewhere (OpenID Connect Core 1.0 §5.6.2).
            groups_left_out: claims
                .get("_claim_names")
                .is_some_and(|names| names.get("groups").is_some()),
            tenant: tenant.map(str::to_owned),
            hosted_domain: None,
        })
    }
}

/// The session of a person at the provider (OpenID Connect Front-Channel Logout 1.0 §3). A value that
/// begins as a security identifier of Windows is the `sid` of AD FS, which services have, too.
pub(super) fn has_session(claims: Object<'_>, name: &str) -> bool {
    let session = claims.get(name).and_then(Value::as_str);
    session.is_some_and(|session| !session.is_empty() && !session.starts_with("S-1-"))
}

/// The OAuth client, by all claims that can name it. They must agree: a program that takes the first
/// and one that takes the last would see different callers.
fn client(claims: Object<'_>, names: &[&'static str]) -> Result<Option<String>, IdentityFault> {
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
