//! The validated policy: what a configuration means once nothing about it can be wrong any more.
//!
//! Only [`crate::config`] makes one. Every type here is plain data, ready for the decision.

mod introspection;
mod key_expiry;

pub use introspection::{Introspection, Protocol};
pub use key_expiry::principal_label;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use crate::crypto::{Algorithm, KeySet};
use crate::http::Endpoint;
use crate::identity::{Admission, ClaimsAt, Condition, KindRules};
use crate::instances::Instances;
use crate::n8n::{ApiKeyRules, Endpoints, Location, PathFault, PathPrefix, ScopeSet, WebhookRules};
use crate::observe::AuditRules;
use crate::principals::Principals;
use crate::secret::Secret;
use crate::time::UnixSeconds;

/// Everything that a decision needs beside the request, the facts and the time.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The providers in the order of the configuration; [`ProviderId`] is the place in it.
    pub providers: Vec<Provider>,
    /// Which provider an `iss` belongs to. [`owner`](crate::token::owner) looks it up: some hold a
    /// place for the tenant of the token.
    pub issuers: BTreeMap<String, ProviderId>,
    /// The instances of n8n behind this gate.
    pub instances: Instances,
    /// Who checks signatures.
    pub crypto: CryptoMode,
    /// Proves, beside the keys of principals, that what workers share comes from a worker with this
    /// configuration.
    pub sharing_secret: Option<Secret>,
    /// What leaves an audit record.
    pub audit: AuditRules,
}

/// The place of an instance in [`Policy::instances`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId(pub usize);

/// An n8n, and how it is guarded.
#[derive(Clone, Debug)]
pub struct Instance {
    /// Which one it is.
    pub id: InstanceId,
    /// The operator's name for it; `None`: it is the only one.
    pub name: Option<Rc<str>>,
    /// What the roles and scopes of a token allow in n8n.
    pub grants: BTreeMap<String, ScopeSet>,
    /// The principals in the order of the configuration; the first match wins.
    pub principals: Principals,
    /// How the public API is guarded.
    pub public_api: PublicApi,
    /// How webhooks, forms and MCP triggers are guarded.
    pub webhooks: WebhookRules,
    /// Where n8n serves its surfaces.
    pub endpoints: Endpoints,
    /// Whether `/metrics` of n8n can be reached.
    pub metrics: Access,
    /// Whether n8n's own authorization server can be reached.
    pub oauth: Access,
    /// The path below which it is served; `None`: at the root.
    pub path_prefix: Option<PathPrefix>,
    /// Whether what lies outside of that path can be reached.
    pub outside: Access,
}

impl Instance {
    /// Says whether a path (raw, without the query) is one of this n8n, and which one n8n gets.
    pub fn locate<'p>(&self, path: &'p [u8]) -> Result<Location<'p>, PathFault> {
        match &self.path_prefix {
            None => Ok(Location::Inside(path)),
            Some(prefix) => prefix.locate(&self.endpoints, path),
        }
    }

    /// The path prefix as clients write it (`/n8n`); empty without one.
    pub fn path_prefix(&self) -> &str {
        self.path_prefix.as_ref().map_or("", PathPrefix::as_str)
    }
}

/// The place of a provider in [`Policy::providers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderId(pub usize);

/// An issuer of tokens, and how its tokens are checked.
#[derive(Clone, Debug)]
pub struct Provider {
    /// The operator's name for it: `[A-Za-z0-9_-]+`, so that it is safe in headers and metrics.
    pub name: Rc<str>,
    /// Where its claims are.
    pub dialect: Dialect,
    /// Where claims are instead.
    pub claims_at: ClaimsAt,
    /// Every `iss` that it signs for. The first is the one whose discovery document is read.
    pub issuers: Vec<String>,
    /// What a token must satisfy.
    pub token: TokenRules,
    /// Which of its callers may come in at all.
    pub admission: Admission,
    /// Take `email` as verified though the token does not say so.
    pub trust_email: bool,
    /// How its tokens say whether an application or a person calls, where the dialect does not know.
    pub kind: KindRules,
    /// Take tokens without `sub` that name a client.
    pub accept_no_subject: bool,
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

/// Where a kind of provider puts its claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Any OpenID provider; the default.
    Oidc,
    /// Microsoft Entra ID.
    Entra,
    /// Okta, with its custom authorization servers.
    Okta,
    /// Auth0.
    Auth0,
    /// Keycloak.
    Keycloak,
    /// Google, whose ID tokens are its only JWTs.
    Google,
    /// `PingOne`, and `PingFederate` where it is set up alike.
    Ping,
    /// authentik.
    Authentik,
    /// WorkOS `AuthKit` and Connect.
    Workos,
    /// Kubernetes service accounts.
    Kubernetes,
    /// Workflows of GitHub Actions.
    GithubActions,
}

/// What every token of a provider must satisfy.
#[derive(Clone, Debug)]
pub struct TokenRules {
    /// The first issuer, whose discovery document is read: keys may be bound to it.
    pub discovery_issuer: String,
    /// `aud` must hold one of these (RFC 7519 §4.1.3). Never empty.
    pub audiences: BTreeSet<String>,
    /// Holds the audience in tokens that have no `aud`; `None`: those are refused.
    pub audience_claim: Option<&'static str>,
    /// `alg` must be one of these (RFC 8725 §3.1).
    pub algorithms: BTreeSet<Algorithm>,
    /// How far the provider's clock may be from ours.
    pub clock_skew: Duration,
    /// Which `typ` an access token of this provider has.
    pub typ: TypRule,
    /// Every access token of this provider has one of these, and no ID token has. Empty: that
    /// cannot be said.
    pub client_claims: &'static [&'static str],
}

/// How an access token is told from the provider's other JWTs (RFC 8725 §3.11, §3.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypRule {
    /// `typ` must be `at+jwt` (RFC 9068 §4).
    AccessToken,
    /// `typ` may be absent, `JWT` or `at+jwt`; everything that marks another kind of token
    /// (an ID token, a log-out token, a refresh token …) is refused.
    NotAnotherKind,
    /// It may also be an ID token, for providers that have no other JWTs. `typ` may be absent or
    /// `JWT`.
    IdToken,
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

/// An identity that becomes somebody in n8n.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The operator's name for it: `[A-Za-z0-9._-]+`, so that it is safe in headers and audit.
    pub name: Rc<str>,
    /// Which identities it stands for.
    pub matches: Condition,
    /// What it may do whatever its roles are.
    pub grant: ScopeSet,
    /// The most that roles may give it; `None`: all that they give.
    pub allow: Option<ScopeSet>,
    /// The n8n API key that stands for it upstream.
    pub api_key: Secret,
    /// When that key expires by its own word; `None`: never, or it does not say.
    pub key_expiry: Option<UnixSeconds>,
}

/// How the public API is guarded.
#[derive(Clone, Debug)]
pub struct PublicApi {
    /// What becomes of calls with a static `X-N8N-API-KEY`.
    pub api_keys: ApiKeyRules,
    /// The identifier of this resource (RFC 9728 §1.2), such as
    /// `https://n8n.example.com/api/v1`; `None`: derived from what the client asked for.
    pub resource: Option<String>,
    /// The providers whose callers may become somebody here; `None`: any of them.
    pub providers: Option<BTreeSet<String>>,
    /// The OAuth scopes that a client may ask its provider for (RFC 9728 §2).
    pub scopes_supported: Vec<String>,
    /// What people call the resource.
    pub resource_name: Option<String>,
    /// Where people can read about it.
    pub resource_documentation: Option<String>,
}

/// Whether something can be reached through the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It can.
    Pass,
    /// It cannot.
    Deny,
}

/// Who checks signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CryptoMode {
    /// The host where it passes the self-test, else this module.
    Auto,
    /// This module, always.
    Guest,
}
