//! An identity provider: where its keys come from, and how its tokens are checked and read.

use std::sync::Arc;
use std::time::Duration;

use super::{Admission, DpopUse, Introspection, Push};
use crate::crypto::KeySet;
use crate::http::Endpoint;
use crate::identity::{Identity, IdentityRules};
use crate::token::TokenRules;

/// The index of a provider in [`Policy::providers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderId(pub usize);

/// A provider, and how its tokens are checked.
#[derive(Clone, Debug)]
pub struct Provider {
    /// The operator's name for it: `[A-Za-z0-9_-]+`, so that it is safe in headers and metrics.
    pub name: Arc<str>,
    /// What a token must satisfy.
    pub token: TokenRules,
    /// How the claims of a token become an identity.
    pub identity: IdentityRules,
    /// Which of its callers are admitted.
    pub admission: Admission,
    /// Whether its tokens must come with a proof.
    pub dpop: DpopUse,
    /// Which names of its tokens are looked up in [`Instance::grants`].
    pub roles_from: RolesFrom,
    /// Where its keys come from.
    pub keys: KeySource,
    /// When keys are fetched, and how long they are used.
    pub freshness: Freshness,
    /// Key ids that are never used, also if the provider publishes them.
    pub revoked_kids: Vec<String>,
    /// How it is asked for the status of tokens; `None`: it is not.
    pub introspection: Option<Introspection>,
    /// Where it tells the gate that sessions have ended.
    pub pushes: Vec<Push>,
}

/// Which names of a token are looked up in `roles` of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RolesFrom {
    /// Its roles, which the provider gave to the caller.
    Roles,
    /// Its OAuth scopes: some providers grant every scope that a client asks for.
    Scopes,
    /// Both.
    Both,
}

impl RolesFrom {
    /// The names of a caller that are looked up.
    pub fn names(self, identity: &Identity) -> impl Iterator<Item = &String> {
        let (roles, scopes) = match self {
            Self::Roles => (&*identity.roles, [].as_slice()),
            Self::Scopes => ([].as_slice(), &*identity.scopes),
            Self::Both => (&*identity.roles, &*identity.scopes),
        };
        roles.iter().chain(scopes)
    }
}

/// Where the keys of a provider come from.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// The `jwks_uri` of the discovery document (OpenID Connect Discovery 1.0 §4).
    Discovery {
        /// Where the discovery document is.
        document: Endpoint,
        /// Envoy cluster for the key set, when it is another one than the document's.
        jwks_cluster: Option<String>,
    },
    /// A key set at a known URL.
    Jwks(Endpoint),
    /// A key set in the configuration.
    Inline(KeySet),
}

/// When keys are fetched, and how long they are used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Default))]
pub struct Freshness {
    /// Age at which a key set is fetched again when its provider does not say.
    pub ttl: Duration,
    /// The least that a provider's `max-age` counts for.
    pub min_ttl: Duration,
    /// The most that a provider's `max-age` counts for.
    pub max_ttl: Duration,
    /// Age after which a key set that could not be fetched again is no longer used.
    pub max_stale: Duration,
    /// How long one fetch may take.
    pub timeout: Duration,
    /// Least time between two fetches that an unknown `kid` caused.
    pub cooldown: Duration,
    /// How long a key that left the published set is still used.
    pub grace: Duration,
    /// Age at which a discovery document is read again.
    pub discovery_ttl: Duration,
}
