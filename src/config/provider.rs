//! Identity providers, and how their tokens are checked.

use std::collections::BTreeMap;

use super::claims::claim_rules;
use super::claims_at::claims_at;
use super::condition;
use super::environment::Environment;
use super::field::Field;
use super::field_path::FieldPath;
use super::freshness::freshness;
use super::issuers::{issuers, Issuers};
use super::key_source::{has_no_keys, key_source, warn_of_plaintext};
use super::push::push;
use super::raw::{RawClaimRule, RawKind, RawProvider};
use super::read::{gathered, List, Located, OneOrMany};
use super::syntax::{EmailDomain, Text};
use super::{dialect, introspection};
use crate::crypto::Algorithm;
use crate::identity::{ClaimRule, IdentityRules, KindRules};
use crate::policy::{Admission, IssuerIndex, KeySource, Provider, ProviderId, RolesFrom};
use crate::token::{self, EventKind, TokenRules};

/// All providers, and which of them an `iss` belongs to.
#[derive(Default)]
pub(super) struct Providers {
    pub(super) list: Vec<Provider>,
    pub(super) issuers: IssuerIndex,
}

impl Providers {
    /// Those that are asked about opaque tokens.
    pub(super) fn introspecting(&self) -> Vec<ProviderId> {
        let asked = self.list.iter().enumerate();
        let asked = asked.filter(|(_, provider)| provider.introspection.is_some());
        asked.map(|(index, _)| ProviderId(index)).collect()
    }
}

/// The providers. What is missing in the result was wrong, and was reported.
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
            let problem = format!("is also the name at {first}");
            field.error(problem, "give each provider a name of its own");
        }
    }
}

/// The `iss` of a token decides whose keys it is checked with. So an issuer belongs to one provider.
fn register_issuer(
    owners: &mut BTreeMap<String, (ProviderId, FieldPath)>,
    text: &str,
    path: &FieldPath,
    provider: ProviderId,
) {
    if let Some((_, first)) = owners.get(text) {
        let problem = format!("is also an issuer at {first}");
        path.error(problem, "name each issuer once, in one provider");
        return;
    }
    owners.insert(text.to_owned(), (provider, path.clone()));
    warn_of_plaintext(text, path);
}

fn provider(
    raw: RawProvider,
    issuers: Option<Issuers>,
    environment: &dyn Environment,
) -> Option<Provider> {
    dialect::check(&raw);
    let introspection = introspection::introspection(&raw, issuers.as_ref(), environment);
    let keys = key_source(&raw, issuers.as_ref());
    let has_no_keys = has_no_keys(&raw);
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
        let problem = "is required with an issuer for many tenants: any person can create a tenant";
        raw.tenants.error(problem, "list the ids of the tenants");
    }
    let claims_at = claims_at(raw.claims_at, raw.trust_email.value);
    let kind = kind_rules(raw.kind);
    let admission = admission(raw.clients, raw.tenants, raw.allowed_domains, raw.claims);
    let algorithms = match raw.algorithms.value_or_error().ok()? {
        Some(OneOrMany(written)) => written.into_iter().map(|word| word.0).collect(),
        None => Algorithm::ALL.into(),
    };
    let mut issuers = issuers?.list.into_iter().map(|(issuer, _)| issuer);
    let issuers = token::Issuers {
        discovery: issuers.next()?,
        others: issuers.collect(),
    };
    let of_provider = (raw.name.value.as_ref(), has_no_keys);
    let pushes = [
        push(raw.logout, EventKind::Logout, of_provider),
        push(raw.events, EventKind::Security, of_provider),
    ];
    let mut endpoints = Vec::new();
    for push in pushes {
        endpoints.extend(push.ok()?);
    }
    Some(Provider {
        pushes: endpoints,
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
        dpop: raw.dpop.value?.0,
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
    claims: Field<List<Located<RawClaimRule>>>,
) -> Option<Admission> {
    Some(Admission {
        clients: clients.value_or_error().ok()?.map(OneOrMany::into_set),
        tenants: tenants.value_or_error().ok()?.map(OneOrMany::into_set),
        domains: condition::domains(domains).ok()?,
        claims: rules(claims)?.unwrap_or_default(),
    })
}

/// `None`: something is wrong, and was reported.
fn kind_rules(raw: Field<RawKind>) -> Option<KindRules> {
    let Some(raw) = raw.value_or_error().ok()? else {
        return Some(KindRules::default());
    };
    let (app, user) = (rules(raw.app), rules(raw.user));
    Some(KindRules {
        app: app?,
        user: user?,
    })
}

/// `None`: something is wrong, and was reported.
#[allow(clippy::option_option, reason = "wrong is not absent")]
fn rules(field: Field<List<Located<RawClaimRule>>>) -> Option<Option<Vec<ClaimRule>>> {
    let written = field.value_or_error().ok()?;
    Some(written.map(|rules| claim_rules(rules.0)))
}
