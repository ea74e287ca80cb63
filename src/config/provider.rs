//! Issuers of tokens, and how their tokens are checked.

use std::collections::BTreeMap;
use std::time::Duration;

use super::claims_at::claims_at;
use super::condition::{self, EmailDomain};
use super::defaults::{self, KeysGrace, KeysMaxTtl, KeysMinTtl};
use super::duration::{Limits as _, Span};
use super::environment::Environment;
use super::field_path::FieldPath;
use super::issuers::{issuers, Issuers};
use super::keys::InlineKeys;
use super::raw::{RawKeys, RawKind, RawProvider};
use super::read::{gathered, List, OneOrMany, Text};
use super::section::{Field, Reported};
use super::{dialect, introspection};
use crate::crypto::{Algorithm, KeySet};
use crate::http::Address;
use crate::identity::{ClaimRule, Dialect, IdentityRules, KindRules};
use crate::policy::{
    Admission, Freshness, IssuerIndex, KeySource, Provider, ProviderId, RolesFrom,
};
use crate::token::{self, TokenRules};

/// Where a provider publishes where everything else is (OpenID Connect Discovery 1.0 §4).
const DISCOVERY: &str = "/.well-known/openid-configuration";

/// All providers, and which of them an `iss` belongs to.
#[derive(Default)]
pub(super) struct Providers {
    pub(super) list: Vec<Provider>,
    pub(super) issuers: IssuerIndex,
}

/// Turns what was written of the providers into what it means. Whatever is missing in the result
/// was reported.
pub(super) fn providers(raw: Vec<RawProvider>, environment: &dyn Environment) -> Providers {
    report_equal_names(&raw);
    introspection::warn_of_several(&raw);
    introspection::report_overlaps(&raw);
    let mut owners: BTreeMap<String, (ProviderId, FieldPath)> = BTreeMap::new();
    let mut list = Vec::new();
    for (index, raw) in raw.into_iter().enumerate() {
        let issuers = issuers(&raw);
        for (issuer, path) in issuers.iter().flat_map(|issuers| &issuers.list) {
            register_issuer(&mut owners, issuer, path, ProviderId(index));
        }
        list.extend(provider(raw, issuers, environment));
    }
    let issuers = owners.into_iter().map(|(issuer, (id, _))| (issuer, id));
    Providers {
        list,
        issuers: IssuerIndex::new(gathered(issuers)),
    }
}

fn report_equal_names(providers: &[RawProvider]) {
    let mut seen: BTreeMap<&str, &FieldPath> = BTreeMap::new();
    for field in providers.iter().map(|provider| &provider.name) {
        let Some(name) = &field.value else { continue };
        if let Some(first) = seen.insert(&name.text, &field.path) {
            let problem = format!("is the name at {first} too");
            field
                .path
                .error(problem, "give each provider a name of its own");
        }
    }
}

/// An `iss` has to say whose keys a token is checked with, so it belongs to one provider.
fn register_issuer(
    owners: &mut BTreeMap<String, (ProviderId, FieldPath)>,
    text: &str,
    path: &FieldPath,
    provider: ProviderId,
) {
    if let Some((_, first)) = owners.get(text) {
        let problem = format!("is an issuer at {first} too");
        path.error(problem, "name each issuer once, in one provider");
        return;
    }
    owners.insert(text.to_owned(), (provider, path.clone()));
    warn_of_plaintext(text, path);
}

pub(super) fn warn_of_plaintext(uri: &str, path: &FieldPath) {
    let plaintext = |address: Address<'_>| address.is_plaintext() && !address.is_loopback();
    if Address::parse(uri).is_ok_and(plaintext) {
        path.warn("is not https", "use https, unless this is a test");
    }
}

fn provider(
    raw: RawProvider,
    issuers: Option<Issuers>,
    environment: &dyn Environment,
) -> Option<Provider> {
    dialect::check(&raw);
    let introspection = introspection::introspection(&raw, issuers.as_ref(), environment);
    let keys = key_source(&raw, issuers.as_ref());
    let dialect = raw.r#type.value.as_ref().map(|word| word.0);
    let freshness = raw.keys.value.as_ref();
    let freshness = freshness.and_then(|raw| self::freshness(raw, dialect));
    let revoked_kids = raw.revoked_kids.value_or_error().ok()?;
    let revoked_kids: Vec<String> = revoked_kids
        .into_iter()
        .flat_map(|OneOrMany(kids)| kids)
        .map(|kid| kid.text)
        .collect();
    let keys = keys.map(|source| match source {
        KeySource::Inline(set) => KeySource::Inline(set.revoking(&revoked_kids)),
        fetched => fetched,
    });
    let of_many_tenants = issuers
        .as_ref()
        .is_some_and(|issuers| issuers.of_many_tenants);
    if of_many_tenants && !raw.tenants.given {
        let problem = "is required where any tenant can have tokens: everybody can have a tenant";
        raw.tenants
            .path
            .error(problem, "list the ids of the tenants");
    }
    let claims_at = claims_at(raw.claims_at, raw.trust_email.value);
    let kind = kind_rules(raw.kind);
    let admission = admission(raw.clients, raw.tenants, raw.allowed_domains, raw.claims);
    let algorithms = match raw.algorithms.value_or_error().ok()? {
        Some(OneOrMany(written)) => gathered(written.into_iter().map(|word| word.0)),
        None => gathered(Algorithm::ALL.into_iter()),
    };
    let mut issuers = issuers?.list.into_iter().map(|(issuer, _)| issuer);
    let issuers = token::Issuers {
        discovery: issuers.next()?,
        others: issuers.collect(),
    };
    Some(Provider {
        name: raw.name.value?.text.into(),
        token: TokenRules {
            issuers,
            audiences: raw.audiences.value?.into_set(),
            audience_claim: raw
                .audience_claim
                .value_or_error()
                .ok()?
                .map(|word| word.0 .0),
            algorithms,
            clock_skew: raw.clock_skew.value?.0,
            typ: raw.typ.value?.0,
            client_claims: dialect?.client_claims(),
        },
        identity: IdentityRules {
            dialect: dialect?,
            claims_at: claims_at?,
            trust_email: raw.trust_email.value?,
            kind: kind?,
            accept_no_subject: raw.accept_no_subject.value?,
        },
        admission: admission?,
        roles_from: (raw.roles_from.value_or_error().ok()?).map_or(RolesFrom::Both, |word| word.0),
        keys: keys?,
        freshness: freshness?,
        revoked_kids,
        introspection: introspection.ok()?,
    })
}

fn admission(
    clients: Field<OneOrMany<Text>>,
    tenants: Field<OneOrMany<Text>>,
    domains: Field<OneOrMany<Text<EmailDomain>>>,
    claims: Field<List<ClaimRule>>,
) -> Option<Admission> {
    Some(Admission {
        clients: clients.value_or_error().ok()?.map(OneOrMany::into_set),
        tenants: tenants.value_or_error().ok()?.map(OneOrMany::into_set),
        domains: condition::domains(domains).ok()?,
        claims: claims
            .value_or_error()
            .ok()?
            .map(|rules| rules.0)
            .unwrap_or_default(),
    })
}

/// `None`: something is wrong, and was reported.
fn kind_rules(raw: Field<RawKind>) -> Option<KindRules> {
    let path = raw.path.clone();
    let Some(raw) = raw.value_or_error().ok()? else {
        return Some(KindRules::default());
    };
    if !raw.app.given && !raw.user.given {
        path.error(
            "says nothing",
            "say how applications are told (app), people (user), or both",
        );
    }
    let rules =
        |field: Field<List<ClaimRule>>| Some(field.value_or_error().ok()?.map(|rules| rules.0));
    let (app, user) = (rules(raw.app), rules(raw.user));
    Some(KindRules {
        app: app?,
        user: user?,
    })
}

fn freshness(raw: &RawKeys, dialect: Option<Dialect>) -> Option<Freshness> {
    let ttl = length(&raw.ttl)?;
    let max_stale = length(&raw.max_stale)?;
    // A bound that nobody wrote gives way to what was written.
    let min_ttl = said(&raw.min_ttl)
        .ok()?
        .unwrap_or(KeysMinTtl::DEFAULT.min(ttl));
    let max_ttl = said(&raw.max_ttl)
        .ok()?
        .unwrap_or(KeysMaxTtl::DEFAULT.max(ttl).min(max_stale));
    let grace = said(&raw.grace).ok()?.unwrap_or(match dialect {
        Some(Dialect::Entra) => defaults::ENTRA_GRACE,
        _ => KeysGrace::DEFAULT,
    });
    let freshness = Freshness {
        ttl,
        min_ttl,
        max_ttl,
        max_stale,
        timeout: length(&raw.timeout)?,
        cooldown: length(&raw.cooldown)?,
        grace,
        discovery_ttl: length(&raw.discovery_ttl)?,
    };
    in_order(raw, &freshness).then_some(freshness)
}

/// Reports lengths that contradict each other.
fn in_order(raw: &RawKeys, freshness: &Freshness) -> bool {
    let Freshness {
        ttl,
        min_ttl,
        max_ttl,
        max_stale,
        ..
    } = *freshness;
    let kept = "keys are not given up before they are due: make max_stale at least ";
    if max_stale < ttl {
        let path = if raw.max_stale.given {
            &raw.max_stale.path
        } else {
            &raw.ttl.path
        };
        path.error("max_stale is shorter than ttl", format!("{kept}ttl"));
    } else if max_stale < max_ttl {
        let path = &raw.max_ttl.path;
        path.error(
            "max_stale is shorter than max_ttl",
            format!("{kept}max_ttl"),
        );
    } else if ttl < min_ttl {
        let path = &raw.min_ttl.path;
        path.error(
            "ttl is shorter than min_ttl",
            "make min_ttl no more than ttl",
        );
    } else if max_ttl < ttl {
        let path = &raw.max_ttl.path;
        path.error("max_ttl is shorter than ttl", "make max_ttl at least ttl");
    } else {
        return true;
    }
    false
}

/// A length of time that may be absent.
fn said<L>(field: &Field<Span<L>>) -> Result<Option<Duration>, Reported> {
    match (&field.value, field.given) {
        (None, true) => Err(Reported),
        (span, _) => Ok(span.as_ref().map(|span| span.0)),
    }
}

pub(super) fn length<L>(field: &Field<Span<L>>) -> Option<Duration> {
    field.value.as_ref().map(|span| span.0)
}

/// Exactly one source: with two, the one that nobody watches would be the one that counts.
fn key_source(raw: &RawProvider, issuers: Option<&Issuers>) -> Option<KeySource> {
    if raw.jwks.given {
        return inline(raw);
    }
    if has_no_keys(raw) {
        return Some(KeySource::Inline(KeySet::default()));
    }
    if !raw.cluster.given {
        let needed_by = [
            (raw.jwks_uri.given, "jwks_uri"),
            (raw.discovery_uri.given, "discovery_uri"),
            (raw.jwks_cluster.given, "jwks_cluster"),
        ];
        let problem = match needed_by.into_iter().find(|(given, _)| *given) {
            Some((_, field)) => format!("is required beside {field}"),
            None => "is required where there is no jwks".to_owned(),
        };
        let hint = "name the Envoy cluster of the provider; addresses alone are never called";
        raw.cluster.path.error(problem, hint);
    }
    let cluster = raw
        .cluster
        .value
        .as_ref()
        .map(|cluster| cluster.text.as_str());
    if raw.jwks_uri.given {
        let hint = "take it out, or take jwks_uri out to have the discovery document read";
        refuse(&raw.discovery_uri, "has no use beside jwks_uri", hint);
        refuse(
            &raw.jwks_cluster,
            "has no use beside jwks_uri, which is called through cluster",
            hint,
        );
        let uri = address(issuers, &raw.jwks_uri)?;
        return Some(KeySource::Jwks(uri.endpoint(cluster?, "")));
    }
    let document = if raw.discovery_uri.given {
        address(issuers, &raw.discovery_uri)?.endpoint(cluster?, "")
    } else {
        let issuers = issuers?;
        let (text, path) = (&issuers.base, &issuers.list.first()?.1);
        // OpenID Connect Discovery 1.0 §4.1: a slash at the end goes before the path is added.
        let base = text.strip_suffix('/').unwrap_or(text);
        as_safe_as_the_issuer(Some(issuers), base, path)?.endpoint(cluster?, DISCOVERY)
    };
    let jwks_cluster = raw.jwks_cluster.value.as_ref();
    if raw.jwks_cluster.given && jwks_cluster.is_none() {
        return None;
    }
    Some(KeySource::Discovery {
        document,
        jwks_cluster: jwks_cluster.map(|cluster| cluster.text.clone()),
    })
}

/// Whether a provider is only asked about tokens: without keys, none of its JWTs is taken.
pub(super) fn has_no_keys(raw: &RawProvider) -> bool {
    let paths = [
        raw.cluster.given,
        raw.jwks_uri.given,
        raw.discovery_uri.given,
        raw.jwks_cluster.given,
        raw.jwks.given,
    ];
    (raw.introspection.given || raw.userinfo.given) && !paths.contains(&true)
}

fn inline(raw: &RawProvider) -> Option<KeySource> {
    const PROBLEM: &str = "has no use beside jwks, which is never fetched";
    const HINT: &str = "take it out, or take jwks out to have the keys fetched";
    // Another place to take keys from contradicts them; what only goes with fetching is idle.
    refuse(&raw.discovery_uri, PROBLEM, HINT);
    refuse(&raw.jwks_uri, PROBLEM, HINT);
    refuse(&raw.jwks_cluster, PROBLEM, HINT);
    warn_of(&raw.cluster, PROBLEM, HINT);
    warn_of(&raw.keys, PROBLEM, HINT);
    let InlineKeys(keys) = raw.jwks.value.as_ref()?;
    Some(KeySource::Inline(keys.clone()))
}

/// Reports a field that would be ignored: whoever wrote it expects something of it.
pub(super) fn refuse<T>(field: &Field<T>, problem: &str, hint: &str) {
    if field.given {
        field.path.error(problem, hint);
    }
}

/// Warns of a field that has no effect.
fn warn_of<T>(field: &Field<T>, problem: &str, hint: &str) {
    if field.given {
        field.path.warn(problem, hint);
    }
}

/// The address of a document that is written down.
pub(super) fn address<'r, S>(
    issuers: Option<&Issuers>,
    field: &'r Field<Text<S>>,
) -> Option<Address<'r>> {
    let text = &field.value.as_ref()?.text;
    let address = as_safe_as_the_issuer(issuers, text, &field.path)?;
    warn_of_plaintext(text, &field.path);
    Some(address)
}

/// Keys that come over http vouch for nothing (RFC 8414 §2), so an issuer that is https cannot
/// have them from there.
fn as_safe_as_the_issuer<'t>(
    issuers: Option<&Issuers>,
    text: &'t str,
    path: &FieldPath,
) -> Option<Address<'t>> {
    let address = Address::parse(text).ok()?;
    let mut issuers = issuers.iter().flat_map(|issuers| &issuers.list);
    if address.is_plaintext() && issuers.any(|(issuer, _)| issuer.starts_with("https:")) {
        let problem = "is http, and the issuer is https";
        path.error(problem, "write its https address; RFC 8414 section 2");
        return None;
    }
    Some(address)
}
