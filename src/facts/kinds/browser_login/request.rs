//! Asking for the log-in of a browser.

use hmac_sha256::Hash;

use crate::policy::{InstanceId, N8nUser};

/// The log-in of a browser: as which user of which n8n, and what begins it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginRequest {
    instance: InstanceId,
    user: N8nUser,
    digest: [u8; 32],
}

impl LoginRequest {
    /// Of this user, begun by the token with this digest. Each token begins one log-in.
    pub fn new(instance: InstanceId, user: N8nUser, token: &[u8]) -> Self {
        let mut hash = Hash::new();
        hash.update(Hash::hash(user.email.as_bytes()));
        hash.update(Hash::hash(token));
        Self {
            instance,
            user,
            digest: hash.finalize(),
        }
    }

    /// The n8n of the user.
    pub const fn instance(&self) -> InstanceId {
        self.instance
    }

    /// The user, with the names that it has from now on.
    pub const fn user(&self) -> &N8nUser {
        &self.user
    }

    pub(super) const fn digest(&self) -> [u8; 32] {
        self.digest
    }
}
