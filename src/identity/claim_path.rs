//! The path to a claim.

use crate::formats::json::{Object, Value};
/// The names in the path to a claim, from the outermost object. Each is a whole name: dots, colons and
/// slashes in it mean nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimPath(Vec<String>);

/// Something in the path to a claim is not an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoObject;

impl ClaimPath {
    /// The first name.
    pub fn first(&self) -> Option<&str> {
        self.0.first().map(String::as_str)
    }

    /// Every name.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// The path to the claim of this name in the same object.
    pub(super) fn beside(&self, name: &str) -> Self {
        let mut names = self.0.clone();
        names.pop();
        names.push(name.to_owned());
        Self(names)
    }

    /// The claim, if it is present. Something in the path that is not an object is an error: a client
    /// that can choose a type must not thereby choose that the claim is absent.
    pub(super) fn find<'c>(&self, claims: Object<'c>) -> Result<Option<Value<'c>>, NoObject> {
        let Some((first, rest)) = self.0.split_first() else {
            return Err(NoObject);
        };
        let mut claim = claims.get(first);
        for name in rest {
            claim = match claim {
                None | Some(Value::Null) => return Ok(None),
                Some(Value::Object(members)) => members.get(name),
                Some(_) => return Err(NoObject),
            };
        }
        Ok(claim.filter(|claim| !matches!(claim, Value::Null)))
    }
}

impl From<Vec<String>> for ClaimPath {
    fn from(names: Vec<String>) -> Self {
        Self(names)
    }
}
