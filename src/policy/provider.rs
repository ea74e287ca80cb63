//! An identity provider: where its keys come from, and how its tokens are checked and read.

use std::rc::Rc;
use std::time::Duration;

use super::{Admission, Introspection};
use crate::crypto::KeySet;
use crate::http::Endpoint;
use crate::identity::IdentityRules;
use crate::token::TokenRules;

/// The place of a provider in [`Policy::providers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderId(pub usize);

/// An issuer of tokens, and how its tokens are checked.
#[derive(Clone, Debug)]
pub struct Provider {
    /// The operator's name for it: `[A-Za-z0-9_-]+`, so that it is safe in headers and metrics.
    pub name: Rc<str>,
    /// What a token must satisfy.
    pub token: TokenRules,
    /// How the claims of a token say who the caller is.
    pub identity: IdentityRules,
    /// Which of its callers may come in at all.
    pub admission: Admission,
    /// Which names of its tokens are looked up in [`Instance::grants`].
    pub roles_from: RolesFrom,
    /// Where its keys come from.
    pub keys: KeySource,
    /// When keys are fetched, kept and given up.
    pub freshness: Freshness,
    /// Key ids that never count, whatever the provider publishes.
    pub revoked_kids: Vec<String>,
    /// How it is asked about tokens; `None`: it is not.
    pub introspection: Option<Introspection>,
}

/// Which names of a token count as those that an operator gave a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RolesFrom {
    /// Its roles: the provider gave them to the caller.
    Roles,
    /// Its scopes: some providers grant whatever a client asks for.
    Scopes,
    /// Both.
    Both,
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
    /// A key set at a known place.
    Jwks(Endpoint),
    /// A key set in the configuration.
    Inline(KeySet),
}

/// When keys are fetched, kept and given up.
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
