//! Claims that stand elsewhere than where the dialect of their provider looks.

use serde_json::{Map, Value};

use super::claim_path::NoObject;
use super::dialects::{flag, names, once_each, whole_names, Reading};
use super::{ClaimPath, IdentityFault};

/// Where an operator says that claims are. Each place stands instead of those that the dialect
/// knows: what is left there, by a mapper of old or by somebody who may write there, says nothing
/// any more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimsAt {
    /// What is in any of these counts.
    pub roles: Option<Vec<ClaimPath>>,
    /// What is in any of these counts.
    pub groups: Option<Vec<ClaimPath>>,
    /// What is in any of these counts.
    pub scopes: Option<Vec<ClaimPath>>,
    /// Those that are there must agree.
    pub client: Option<Vec<ClaimPath>>,
    /// The first that is there.
    pub tenant: Option<Vec<ClaimPath>>,
    /// The first that is there. Nothing but the operator's trust vouches for it.
    pub email: Option<Vec<ClaimPath>>,
}

impl ClaimsAt {
    /// Reads what stands elsewhere into a reading of the dialect. The client is not among it: it
    /// has to be known before marks are told.
    pub(super) fn refine(
        &self,
        reading: &mut Reading,
        claims: &Map<String, Value>,
    ) -> Result<(), IdentityFault> {
        for (paths, list, read) in [
            (&self.roles, &mut reading.roles, names_or_keys as Reader),
            (&self.groups, &mut reading.groups, names_or_keys),
            (&self.scopes, &mut reading.scopes, |value| {
                names(Some(value))
            }),
        ] {
            let Some(paths) = paths else { continue };
            let mut found = Vec::new();
            for path in paths {
                // A way that is blocked leads to nothing, as an absent claim does.
                if let Ok(Some(value)) = path.find(claims) {
                    found.append(&mut read(value));
                }
            }
            *list = once_each(found);
        }
        if let Some(paths) = &self.tenant {
            reading.tenant = None;
            for path in paths {
                if reading.tenant.is_none() {
                    reading.tenant = text(path, claims, "claims_at.tenant")?.map(str::to_owned);
                }
            }
        }
        Ok(())
    }

    /// The client, and `None` of what is no place of the operator's.
    pub(super) fn client(
        &self,
        claims: &Map<String, Value>,
    ) -> Option<Result<Option<String>, IdentityFault>> {
        let paths = self.client.as_ref()?;
        let mut client = None;
        for path in paths {
            match text(path, claims, "claims_at.client") {
                Ok(None) => {}
                Ok(next) if client.is_none() || client == next => client = next,
                Ok(_) => return Some(Err(IdentityFault::ClientsDisagree)),
                Err(fault) => return Some(Err(fault)),
            }
        }
        let client = client.filter(|client| !client.is_empty());
        Some(Ok(client.map(str::to_owned)))
    }

    /// The e-mail address where an operator says that it is, and whether `email_verified` beside it
    /// says no. `None`: it is where it always is.
    pub(super) fn email<'c>(
        &self,
        claims: &'c Map<String, Value>,
    ) -> Option<(Option<&'c Value>, bool)> {
        let mut found = self.email.as_ref()?.iter().filter_map(|path| {
            let address = path.find(claims).ok()??;
            let word = path.beside("email_verified");
            let says_no = word.find(claims).ok()?.and_then(flag) == Some(false);
            Some((Some(address), says_no))
        });
        Some(found.next().unwrap_or_default())
    }
}

type Reader = fn(&Value) -> Vec<String>;

/// Names in a claim in which a space is part of a name: an array of strings, one string, or the
/// keys of an object. Each key must have an object that is not empty, as Zitadel writes for those
/// who were granted a role (from organisation to domain), or `true`. A key that has `false`,
/// nothing or another thing is a setting of some kind, and grants nothing.
fn names_or_keys(value: &Value) -> Vec<String> {
    let Value::Object(members) = value else {
        return whole_names(Some(value));
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
