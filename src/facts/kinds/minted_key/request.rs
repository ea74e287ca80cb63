//! Asking for a minted API key.

use hmac_sha256::Hash;

use crate::n8n::ScopeSet;
use crate::policy::{InstanceId, N8nUser};

/// An API key that the gate makes: for which user of which n8n, and with which scopes. The session of
/// that user has no scopes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MintRequest {
    instance: InstanceId,
    user: N8nUser,
    scopes: ScopeSet,
    user_digest: [u8; 32],
    scopes_id: ScopesId,
}

/// Stands for a set of scopes, also among workers whose versions know other scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::facts) struct ScopesId(pub(super) [u8; 16]);

impl MintRequest {
    /// A key of this user with these scopes, or those of them that the user can have.
    pub fn new(instance: InstanceId, user: N8nUser, scopes: ScopeSet) -> Self {
        Self {
            instance,
            user_digest: Hash::hash(user.email.as_bytes()),
            scopes_id: ScopesId::of(&scopes),
            user,
            scopes,
        }
    }

    /// The n8n of the user.
    pub const fn instance(&self) -> InstanceId {
        self.instance
    }

    /// The e-mail address of the user.
    pub fn email(&self) -> &str {
        &self.user.email
    }

    /// The bytes that this takes in memory, approximately.
    pub fn weight(&self) -> usize {
        let N8nUser {
            email,
            first_name,
            last_name,
        } = &self.user;
        let texts = [email, first_name, last_name].map(String::len);
        texts
            .iter()
            .fold(size_of::<Self>(), |sum, length| sum.saturating_add(*length))
    }

    /// The user.
    pub const fn user(&self) -> &N8nUser {
        &self.user
    }

    pub(in crate::facts) const fn scopes(&self) -> &ScopeSet {
        &self.scopes
    }

    pub(super) const fn scopes_id(&self) -> ScopesId {
        self.scopes_id
    }

    pub(in crate::facts) const fn user_digest(&self) -> [u8; 32] {
        self.user_digest
    }
}

impl ScopesId {
    pub(super) fn of(scopes: &ScopeSet) -> Self {
        let mut hash = Hash::new();
        if scopes.is_all() {
            hash.update("*");
        } else {
            for scope in scopes.iter() {
                hash.update(scope);
                hash.update("\n");
            }
        }
        Self(hash.finalize().first_chunk().copied().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(all: &[&str]) -> ScopeSet {
        let mut set = ScopeSet::default();
        for scope in all {
            set.insert(scope).unwrap();
        }
        set
    }

    #[test]
    fn sets_of_scopes_have_ids_of_their_own() {
        let id = |all: &[&str]| ScopesId::of(&scopes(all));
        assert_eq!(
            id(&["workflow:read", "workflow:list"]),
            id(&["workflow:list", "workflow:read"])
        );
        assert_ne!(id(&["workflow:read"]), id(&["workflow:list"]));
        assert_ne!(id(&["*"]), ScopesId::of(&ScopeSet::default()));
        let every: Vec<_> = ScopeSet::everything().iter().collect();
        assert_ne!(id(&["*"]), id(&every), "later scopes are in one of them");
    }
}
