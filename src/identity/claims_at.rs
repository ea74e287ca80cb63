//! Claims that stand elsewhere than where the dialect of their provider looks.

use serde_json::{Map, Value};

use super::claim_path::NoObject;
use super::dialects::{flag, names, once_each, whole_names, Reading};
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

    fn paths(&self, what: Placed) -> impl Iterator<Item = &ClaimPath> {
        let of_it = self.0.iter().filter(move |(moved, _)| *moved == what);
        of_it.map(|(_, path)| path)
    }

    /// Reads what stands elsewhere into a reading of the dialect. The client is not among it: it
    /// has to be known before marks are told.
    pub(super) fn refine(
        &self,
        reading: &mut Reading,
        claims: &Map<String, Value>,
    ) -> Result<(), IdentityFault> {
        for (what, list) in [
            (Placed::Roles, &mut reading.roles),
            (Placed::Groups, &mut reading.groups),
            (Placed::Scopes, &mut reading.scopes),
        ] {
            if !self.moves(what) {
                continue;
            }
            list.clear();
            for path in self.paths(what) {
                // A way that is blocked leads to nothing, as an absent claim does.
                let claim = path.find(claims).ok().flatten();
                list.append(&mut match what {
                    Placed::Scopes => names(claim),
                    _ => names_or_keys(claim),
                });
            }
            *list = once_each(std::mem::take(list));
        }
        if self.moves(Placed::Tenant) {
            reading.tenant = None;
            for path in self.paths(Placed::Tenant) {
                if reading.tenant.is_none() {
                    reading.tenant = text(path, claims, "claims_at.tenant")?.map(str::to_owned);
                }
            }
        }
        Ok(())
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

/// Names in a claim in which a space is part of a name: an array of strings, one string, or the
/// keys of an object. Each key must have an object that is not empty, as Zitadel writes for those
/// who were granted a role (from organisation to domain), or `true`. A key that has `false`,
/// nothing or another thing is a setting of some kind, and grants nothing.
fn names_or_keys(value: Option<&Value>) -> Vec<String> {
    let Some(Value::Object(members)) = value else {
        return whole_names(value);
    };
    let is_granted = |value: &Value| match value {
        Value::Object(members) => !members.is_empty(),
        value => *value == true,
    };
    let granted = members.iter().filter(|(_, value)| is_granted(value));
    granted.map(|(name, _)| name.clone()).collect()
}

/// A claim that is text where it is present. One of another type, or one that something else than
/// an object hides, is not an absent one.
fn text<'c>(
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
