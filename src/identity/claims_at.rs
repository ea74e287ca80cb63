//! Claims under other names than those of the dialect.

use super::claim_path::NoObject;
use super::values::flag;
use super::{ClaimPath, IdentityFault};
use crate::formats::json::{Object, Value};

/// A part of an identity whose claim the operator can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityPart {
    /// Roles. The values of all named claims count.
    Roles,
    /// Groups. The values of all named claims count.
    Groups,
    /// Scopes. The values of all named claims count.
    Scopes,
    /// The client. All named claims that are present must agree.
    Client,
    /// The tenant: the first named claim that is present.
    Tenant,
    /// The e-mail address: the first named claim that is present. It counts only if the operator trusts
    /// the provider for addresses.
    Email,
}

impl IdentityPart {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 6] = [
        Self::Roles,
        Self::Groups,
        Self::Scopes,
        Self::Client,
        Self::Tenant,
        Self::Email,
    ];

    /// The name in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Roles => "roles",
            Self::Groups => "groups",
            Self::Scopes => "scopes",
            Self::Client => "client",
            Self::Tenant => "tenant",
            Self::Email => "email",
        }
    }
}

/// The claims that an operator names. They replace those of the dialect, which then mean nothing: an old
/// mapper may still write them, or a person who must not choose them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimsAt(pub Vec<(IdentityPart, ClaimPath)>);

impl ClaimsAt {
    /// Whether the operator names the claim of this.
    pub fn moves(&self, what: IdentityPart) -> bool {
        self.0.iter().any(|(moved, _)| *moved == what)
    }

    pub(super) fn paths(&self, what: IdentityPart) -> impl Iterator<Item = &ClaimPath> {
        let of_it = self.0.iter().filter(move |(moved, _)| *moved == what);
        of_it.map(|(_, path)| path)
    }

    /// The client; only if [`Self::moves`] it.
    pub(super) fn client(&self, claims: Object<'_>) -> Result<Option<String>, IdentityFault> {
        let mut client = None;
        for path in self.paths(IdentityPart::Client) {
            let next = text(path, claims, "claims_at.client")?;
            if client.is_some() && next.is_some() && client != next {
                return Err(IdentityFault::ClientsDisagree);
            }
            client = client.or(next);
        }
        let client = client.filter(|client| !client.is_empty());
        Ok(client.map(str::to_owned))
    }

    /// The e-mail address, and whether `email_verified` beside it is `false`; only if [`Self::moves`]
    /// it.
    pub(super) fn email<'c>(&self, claims: Object<'c>) -> Option<(Value<'c>, bool)> {
        self.paths(IdentityPart::Email).find_map(|path| {
            let address = path.find(claims).ok()??;
            let verified = path.beside("email_verified");
            let says_no = verified.find(claims).ok()?.and_then(flag) == Some(false);
            Some((address, says_no))
        })
    }
}

/// A claim that must be a string if it is present. A claim of another type is not an absent one, nor is
/// one below something that is not an object.
pub(super) fn text<'c>(
    path: &ClaimPath,
    claims: Object<'c>,
    claim: &'static str,
) -> Result<Option<&'c str>, IdentityFault> {
    match path.find(claims) {
        Ok(None) => Ok(None),
        Ok(Some(Value::String(text))) => Ok(Some(text)),
        Ok(Some(_)) | Err(NoObject) => Err(IdentityFault::NotText { claim }),
    }
}
