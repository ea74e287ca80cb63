//! Claims that stand elsewhere than where the dialect of their provider looks.

use serde_json::{Map, Value};

use super::claim_path::NoObject;
use super::values::flag;
use super::{ClaimPath, IdentityFault};

/// What an operator can say the place of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// Roles. What is in any of several places counts.
    Roles,
    /// Groups. What is in any of several places counts.
    Groups,
    /// Scopes. What is in any of several places counts.
    Scopes,
    /// The client. Several places that have one must agree.
    Client,
    /// The tenant: the first that is there.
    Tenant,
    /// The e-mail address: the first that is there. Nothing but the operator's trust vouches for it.
    Email,
}

impl Placed {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 6] = [
        Self::Roles,
        Self::Groups,
        Self::Scopes,
        Self::Client,
        Self::Tenant,
        Self::Email,
    ];

    /// The word used in configuration.
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

/// Where an operator says that claims are. Each place stands instead of those that the dialect
/// knows: what is left there, by a mapper of old or by somebody who may write there, says nothing
/// any more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimsAt(pub Vec<(Placed, ClaimPath)>);

impl ClaimsAt {
    /// Whether an operator says where this is.
    pub fn moves(&self, what: Placed) -> bool {
        self.0.iter().any(|(moved, _)| *moved == what)
    }

    pub(super) fn paths(&self, what: Placed) -> impl Iterator<Item = &ClaimPath> {
        let of_it = self.0.iter().filter(move |(moved, _)| *moved == what);
        of_it.map(|(_, path)| path)
    }

    /// The client; only where [`Self::moves`] says that it is elsewhere.
    pub(super) fn client(
        &self,
        claims: &Map<String, Value>,
    ) -> Result<Option<String>, IdentityFault> {
        let mut client = None;
        for path in self.paths(Placed::Client) {
            let next = text(path, claims, "claims_at.client")?;
            if client.is_some() && next.is_some() && client != next {
                return Err(IdentityFault::ClientsDisagree);
            }
            client = client.or(next);
        }
        let client = client.filter(|client| !client.is_empty());
        Ok(client.map(str::to_owned))
    }

    /// The e-mail address, and whether `email_verified` beside it says no; only where
    /// [`Self::moves`] says that it is elsewhere.
    pub(super) fn email<'c>(&self, claims: &'c Map<String, Value>) -> Option<(&'c Value, bool)> {
        self.paths(Placed::Email).find_map(|path| {
            let address = path.find(claims).ok()??;
            let word = path.beside("email_verified");
            let says_no = word.find(claims).ok()?.and_then(flag) == Some(false);
            Some((address, says_no))
        })
    }
}

/// A claim that is text where it is present. One of another type, or one that something else than
/// an object hides, is not an absent one.
pub(super) fn text<'c>(
    path: &ClaimPath,
    claims: &'c Map<String, Value>,
    claim: &'static str,
) -> Result<Option<&'c str>, IdentityFault> {
    match path.find(claims) {
        Ok(None) => Ok(None),
        Ok(Some(Value::String(text))) => Ok(Some(text)),
        Ok(Some(_)) | Err(NoObject) => Err(IdentityFault::NotText { claim }),
    }
}
