//! The fact store driven by events, with time and shared memory in the test's hands.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::format_push_string,
    clippy::string_slice,
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop where its own numbers are wrong"
)]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::crypto::{Algorithm, Candidates};
use crate::http::Endpoint;
use crate::identity::{ClaimsAt, Dialect, IdentityRules, KindRules};
use crate::n8n::{Line, ScopeSet};
use crate::policy::{
    Access, ApiKeyRules, ApiKeys, Condition, CryptoMode, Freshness, Instance, InstanceId,
    Instances, IssuerIndex, KeySource, Policy, Principal, Principals, Provider, ProviderId,
    PublicApi, RolesFrom, StaticKey, Upstream,
};
use crate::secret::Secret;
use crate::time::UnixMillis;
use crate::token::{Issuers, TokenFault, TokenRules, TypRule};

mod account;
mod any_kind;
mod browser_logins;
mod changed;
mod days;
mod discovery;
mod documents;
mod draws;
mod fetching;
mod made_up_tokens;
mod minted_faults;
mod minted_key;
mod minted_model;
mod minted_renewal;
mod minted_workers;
mod n8n;
mod neighbours;
mod provisioned;
mod rhythm;
mod sessions;
mod token_status;
mod unknown_keys;
mod waiters;
mod workers;
mod years;

const ISSUER: &str = "https://idp.example/realms/a";
const START: UnixMillis = UnixMillis(1_800_000_000_000);
const THE_PROVIDER: ProviderId = ProviderId(0);

/// A host's shared memory: versions grow, `None` overwrites, nothing is ever removed.
#[derive(Default)]
struct Memory(RefCell<BTreeMap<String, (Vec<u8>, u32)>>);

impl Memory {
    /// The name of the one entry of this kind.
    fn name_of(&self, kind: &str) -> String {
        let entries = self.0.borrow();
        let kind = format!("/{kind}/");
        let mut names = entries.keys().filter(|name| name.contains(&kind));
        names.next().cloned().unwrap()
    }
}

impl SharedMemory for Memory {
    fn read(&self, name: &str) -> Option<(Vec<u8>, u32)> {
        self.0.borrow().get(name).cloned()
    }

    fn write(&self, name: &str, value: &[u8], version: Option<u32>) -> bool {
        let mut entries = self.0.borrow_mut();
        let current = entries.get(name).map(|(_, version)| *version);
        if version.is_some() && current.is_some() && version != current {
            return false;
        }
        entries.insert(name.to_owned(), (value.to_vec(), current.unwrap_or(0) + 1));
        true
    }

    fn create(&self, name: &str, value: &[u8]) -> bool {
        self.read(name).is_none() && self.write(name, value, None)
    }
}

fn freshness() -> Freshness {
    Freshness {
        ttl: Duration::from_secs(300),
        min_ttl: Duration::from_secs(60),
        max_ttl: Duration::from_secs(900),
        max_stale: Duration::from_secs(3600),
        timeout: Duration::from_secs(5),
        cooldown: Duration::from_secs(30),
        grace: Duration::ZERO,
        discovery_ttl: Duration::from_secs(3600),
    }
}

fn policy(keys: KeySource, secret: Option<&str>) -> Policy {
    let provider = Provider {
        dpop: crate::policy::DpopUse::Accepted,
        name: "idp".into(),
        token: TokenRules {
            issuers: Issuers::one(ISSUER),
            audience_claim: None,
            audiences: BTreeSet::from(["api".to_owned()]),
            algorithms: Algorithm::ALL.into(),
            clock_skew: Duration::from_secs(30),
            typ: TypRule::AnyAccessToken,
            client_claims: &[],
        },
        admission: crate::policy::Admission::default(),
        identity: IdentityRules {
            dialect: Dialect::Oidc,
            claims_at: ClaimsAt::default(),
            trust_email: false,
            kind: KindRules::default(),
            accept_no_subject: false,
        },
        roles_from: RolesFrom::Both,
        keys,
        freshness: freshness(),
        revoked_kids: Vec::new(),
        introspection: None,
        pushes: Vec::new(),
    };
    let principal = |secret: &str| Principal {
        name: "app".into(),
        matches: Condition::default(),
        grant: ScopeSet::default(),
        allow: None,
        upstream: Upstream::Keys(Arc::new([StaticKey {
            key: Secret::new(secret.to_owned()),
            expiry: None,
        }])),
    };
    Policy {
        providers: vec![provider],
        client_certificates: None,
        proofs: crate::policy::ProofRules {
            window: Duration::from_secs(60),
            nonces: false,
        },
        issuers: IssuerIndex::new(BTreeMap::from([(ISSUER.to_owned(), THE_PROVIDER)])),
        introspecting: Vec::new(),
        instances: Instances::only(Instance {
            id: InstanceId(0),
            name: None,
            grants: BTreeMap::new(),
            provisioning: None,
            principals: Principals::new(secret.map(principal).into_iter().collect()),
            public_api: PublicApi {
                api_keys: ApiKeyRules {
                    rules: Vec::new(),
                    otherwise: ApiKeys::Pass,
                },
                tokens_in_api_key: true,
                identity_headers: Vec::new(),
                api_keys_in_bearer: false,
                public_description: false,
                bearer_in_description: None,
                resource: None,
                providers: None,
                scopes_supported: Vec::new(),
                resource_name: None,
                resource_documentation: None,
            },
            webhooks: crate::policy::WebhookRules::default(),
            public_origins: Vec::new(),
            prefixes: crate::n8n::Prefixes::default(),
            path_prefix: None,
            outside: Access::Deny,
            line: Line::default(),
            has_shadow: false,
            metrics: Access::Pass,
            oauth: Access::Pass,
            rest: crate::policy::RestAuth::Pass,
            embed: None,
        }),
        crypto: CryptoMode::Guest,
        sharing_secret: None,
        revoked: crate::policy::RevokedTokens::default(),
        audit: crate::policy::AuditRules::default(),
        caller_properties: crate::policy::CallerProperties::default(),
        refusals: crate::policy::RefusalRules::default(),
        shadow: None,
    }
}

fn endpoint(path: &str) -> Endpoint {
    Endpoint {
        cluster: "idp".to_owned(),
        scheme: "https".to_owned(),
        authority: "idp.example".to_owned(),
        path: path.to_owned(),
    }
}

fn by_jwks() -> KeySource {
    KeySource::Jwks(endpoint("/jwks"))
}

fn by_discovery() -> KeySource {
    KeySource::Discovery {
        document: endpoint("/realms/a/.well-known/openid-configuration"),
        jwks_cluster: None,
    }
}

fn key_set(kid: &str) -> Vec<u8> {
    // The public key of RFC 8037 §A.2.
    format!(
        r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}]}}"#
    )
    .into_bytes()
}

fn header(name: &str, value: &str) -> ResponseHeaders {
    ResponseHeaders::new(vec![(name.to_owned(), value.as_bytes().to_vec())])
}

fn ok(body: impl Into<Vec<u8>>) -> CallResponse {
    CallResponse::Response {
        status: 200,
        headers: ResponseHeaders::default(),
        body: body.into(),
    }
}

/// A good response that says how long it is fresh.
fn fresh_for(seconds: u64, body: impl Into<Vec<u8>>) -> CallResponse {
    CallResponse::Response {
        status: 200,
        headers: header("cache-control", &format!("public, max-age={seconds}")),
        body: body.into(),
    }
}

fn status(status: u16) -> CallResponse {
    CallResponse::Response {
        status,
        headers: ResponseHeaders::default(),
        body: key_set("never-read"),
    }
}

/// A failure that says when to come back.
fn retry_after(status: u16, seconds: u64) -> CallResponse {
    CallResponse::Response {
        status,
        headers: header("retry-after", &seconds.to_string()),
        body: Vec::new(),
    }
}

/// A truthful discovery document.
fn document(jwks: &str) -> CallResponse {
    ok(format!(
        r#"{{"issuer":"{ISSUER}","jwks_uri":"https://idp.example{jwks}"}}"#
    ))
}

/// When a set that was fetched at `fetched`, and is fresh for `seconds`, is due.
fn due(fetched: UnixMillis, seconds: u64) -> UnixMillis {
    let length = schedule::rhythm(Duration::from_secs(seconds), fetched.0);
    assert!(length <= Duration::from_secs(seconds));
    assert!(length >= Duration::from_secs(seconds * 9 / 10));
    fetched.saturating_add(length)
}

fn before(moment: UnixMillis) -> UnixMillis {
    UnixMillis(moment.0 - 1)
}

impl FactStore {
    /// Lets a request wait of which nothing is known.
    fn wait(&mut self, waiter: WaiterId, fact: &Fact, since: UnixMillis) -> Result<(), WaitFault> {
        self.admit(waiter, fact, since, Origin::default(), since)
    }
}

/// The origin of a request that came from there.
fn from(address: &str) -> Origin {
    Origin {
        peer: Some(Peer::parse(address).unwrap()),
        ..Origin::default()
    }
}

/// Whether a token that names this key would be worth a fetch.
fn newer_keys(store: &FactStore, kid: &str, now: UnixMillis) -> NewerKeys {
    store.at(now).newer_keys(THE_PROVIDER, KeyIdDigest::of(kid))
}

/// What a request waits for whose token names this key.
fn newer(kid: &str) -> Fact {
    Fact::NewerKeySet(THE_PROVIDER, KeyIdDigest::of(kid))
}

/// Fetches at `now`, which must be due, with this response.
fn refresh(store: &mut FactStore, response: CallResponse, now: UnixMillis, memory: &Memory) {
    let call = fetch(&store.tick(now, memory));
    store.received(call.id, response, now, memory);
}

fn after(millis: u64) -> UnixMillis {
    UnixMillis(START.0 + millis)
}

/// The one fetch among the effects.
fn fetch(effects: &[Effect]) -> Call {
    let fetches: Vec<_> = fetches(effects);
    assert_eq!(fetches.len(), 1, "{effects:?}");
    fetches[0].clone()
}

fn fetches(effects: &[Effect]) -> Vec<Call> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Call(call) => Some(call.clone()),
            _ => None,
        })
        .collect()
}

fn woken(effects: &[Effect]) -> Vec<(u32, bool)> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Wake {
                waiter,
                last_chance,
            } => Some((waiter.0, *last_chance)),
            _ => None,
        })
        .collect()
}

fn knows(store: &FactStore, kid: &str, now: UnixMillis) -> bool {
    match store.at(now).key_set(THE_PROVIDER) {
        Availability::Known(set) => matches!(
            set.candidates(Algorithm::EdDsa, Some(kid)),
            Candidates::Keys(_)
        ),
        _ => false,
    }
}

/// A store whose key set was fetched at [`START`].
fn warm(memory: &Memory) -> FactStore {
    let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
    let call = fetch(&store.tick(START, memory));
    store.received(call.id, ok(key_set("one")), START, memory);
    assert!(knows(&store, "one", START));
    store
}
