//! One n8n, and how it is guarded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{
    Access, ApiKeyRules, Embed, IdentityHeader, Principal, Principals, Provisioning, RestAuth,
    RolesFrom, WebhookRules,
};
use crate::http::{Endpoint, Origin};
use crate::identity::Identity;
use crate::n8n::{Endpoints, Line, Location, PathFault, PathPrefix, Prefixes, ScopeSet};

/// The index of an instance in [`Policy::instances`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId(pub usize);

/// An n8n, and how it is guarded.
#[derive(Clone, Debug)]
pub struct Instance {
    /// Which one it is.
    pub id: InstanceId,
    /// The operator's name for it; `None`: it is the only one.
    pub name: Option<Arc<str>>,
    /// What the roles and scopes of a token allow in n8n.
    pub grants: BTreeMap<String, ScopeSet>,
    /// The principals in the order of the configuration; the first match applies.
    pub principals: Principals,
    /// How the gate itself calls this n8n; `None`: it does not.
    pub provisioning: Option<Arc<Provisioning>>,
    /// How the public API is guarded.
    pub public_api: PublicApi,
    /// How webhooks, forms and MCP triggers are guarded.
    pub webhooks: WebhookRules,
    /// How the internal API is guarded.
    pub rest: RestAuth,
    /// Log-ins of browsers that pages of other origins begin; `None`: n8n's own route for them is not
    /// touched.
    pub embed: Option<Arc<Embed>>,
    /// The line of n8n that it is of.
    pub line: Line,
    /// Where n8n serves its surfaces.
    pub prefixes: Prefixes,
    /// Whether `/metrics` of n8n can be reached.
    pub metrics: Access,
    /// Whether n8n's own authorization server can be reached.
    pub oauth: Access,
    /// The origins under which clients call it, for proofs. Without one, it takes no proofs.
    pub public_origins: Vec<Origin>,
    /// The path below which it is served; `None`: at the root.
    pub path_prefix: Option<PathPrefix>,
    /// Whether what lies outside of that path can be reached.
    pub outside: Access,
    /// Whether its requests are judged by a second policy, too.
    pub has_shadow: bool,
}

impl Instance {
    /// Whether a path (raw, without the query) is of this n8n, and which path n8n gets.
    pub fn locate<'p>(&self, path: &'p [u8]) -> Result<Location<'p>, PathFault> {
        match &self.path_prefix {
            None => Ok(Location::Inside(path)),
            Some(prefix) => prefix.locate(&self.prefixes, path),
        }
    }

    /// The endpoints that its prefixes follow from.
    pub const fn endpoints(&self) -> &Endpoints {
        self.prefixes.endpoints()
    }

    /// What the roles and scopes of a caller and its principal grant, within `allow` of the principal.
    pub fn granted(&self, from: RolesFrom, identity: &Identity, principal: &Principal) -> ScopeSet {
        let mut granted = principal.grant.clone();
        for name in from.names(identity) {
            if let Some(scopes) = self.grants.get(name) {
                granted.extend(scopes);
            }
        }
        match &principal.allow {
            Some(allowed) => granted.intersection(allowed),
            None => granted,
        }
    }

    /// The path prefix as clients write it (`/n8n`); empty without one.
    pub fn path_prefix(&self) -> &str {
        self.path_prefix.as_ref().map_or("", PathPrefix::as_str)
    }
}

/// How bearer tokens are shown in n8n's own description of its public API.
#[derive(Clone, Debug)]
pub struct BearerInDescription {
    /// Where n8n is, without a path.
    pub server: Endpoint,
    /// Whether it names where clients get tokens.
    pub token_endpoints: bool,
}

/// How the public API is guarded.
#[derive(Clone, Debug)]
pub struct PublicApi {
    /// What happens to calls with a static API key.
    pub api_keys: ApiKeyRules,
    /// Whether a token of a provider in the header of API keys is a bearer token.
    pub tokens_in_api_key: bool,
    /// The identity headers that go with its calls.
    pub identity_headers: Vec<IdentityHeader>,
    /// Whether a static API key may come as a bearer token.
    pub api_keys_in_bearer: bool,
    /// Whether n8n's own description of it needs no credential.
    pub public_description: bool,
    /// How bearer tokens are shown in it; `None`: it is n8n's own.
    pub bearer_in_description: Option<Arc<BearerInDescription>>,
    /// The identifier of this resource (RFC 9728 §1.2), such as
    /// `https://n8n.example.com/api/v1`; `None`: derived from what the client asked for.
    pub resource: Option<String>,
    /// The providers whose callers can have a principal here; `None`: all providers.
    pub providers: Option<BTreeSet<String>>,
    /// The OAuth scopes that a client may ask its provider for (RFC 9728 §2).
    pub scopes_supported: Vec<String>,
    /// The name of the resource, for people.
    pub resource_name: Option<String>,
    /// Where people can read about it.
    pub resource_documentation: Option<String>,
}
