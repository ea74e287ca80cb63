//! A caller whose token was verified.

use std::sync::{Arc, OnceLock};

use super::edits::{encoded_length, identity_headers, HeaderEdit, MAX_VALUE};
use super::Revocable;
use crate::facts::MintRequest;
use crate::formats::json::Document;
use crate::identity::Identity;
use crate::n8n::ScopeSet;
use crate::policy::{
    IdentityHeader, Instance, NoUser, Principal, Provider, ProviderId, RolesFrom, StaticKey,
    Upstream,
};
use crate::reply::Reason;
use crate::token::VerifiedToken;

/// A caller whose token was verified, and all that follows from the token and the policy of one
/// instance alone. It is good as long as the token is.
#[derive(Debug)]
pub struct Caller {
    token: VerifiedToken,
    pub(super) provider: ProviderId,
    pub(super) identity: Arc<Identity>,
    principal: Option<ResolvedPrincipal>,
    /// Whether it has no principal because a rule asks for groups that the token leaves out.
    misses_groups: bool,
    /// The identity headers, from their first use on: n8n gets all of them on webhooks, and few on its
    /// public API.
    headers: OnceLock<Vec<HeaderEdit>>,
    /// Those of them that go with calls of the public API.
    api_headers: OnceLock<Vec<HeaderEdit>>,
    /// What may revoke the token; `None`: its provider pushes no revocations.
    revocable: Option<Box<Revocable>>,
}

/// The principal of a caller, with what its token grants.
#[derive(Debug)]
pub(super) struct ResolvedPrincipal {
    /// The principal's name.
    pub(super) name: Arc<str>,
    /// The n8n scopes that the caller has.
    pub(super) granted: ScopeSet,
    /// The most n8n scopes that OAuth scopes of a token can grant; `None`: they grant none.
    pub(super) most_by_scopes: Option<ScopeSet>,
    /// What n8n gets in place of the token.
    pub(super) upstream: UpstreamKey,
}

/// The API key that n8n gets for a caller.
#[derive(Debug)]
pub(super) enum UpstreamKey {
    /// One of these, which an operator made.
    Static(Arc<[StaticKey]>),
    /// One that the gate makes.
    Minted(Arc<MintRequest>),
    /// The token does not name for which user the gate would make it.
    NoUser,
}

impl Caller {
    pub(super) fn new(
        instance: &Instance,
        (id, provider): (ProviderId, &Provider),
        token: VerifiedToken,
        mut identity: Arc<Identity>,
    ) -> Self {
        let misses_groups = instance.principals.misses_groups(&identity);
        let principal = instance.principals.of(&identity);
        let principal = principal.filter(|_| !misses_groups);
        let principal = principal.map(|principal| {
            let granted = instance.granted(provider.roles_from, &identity, principal);
            ResolvedPrincipal {
                name: Arc::clone(&principal.name),
                upstream: UpstreamKey::of(instance, &identity, principal, &granted),
                granted,
                most_by_scopes: (provider.roles_from != RolesFrom::Roles)
                    .then(|| principal.allow.clone().unwrap_or_else(ScopeSet::everything)),
            }
        });
        // Claims take more memory than everything else. They stay if a rule of any webhook tests
        // one: a rule that a claim must be absent would hold for claims that were removed.
        if !instance.webhooks.look_at_claims() {
            Arc::make_mut(&mut identity).claims = Document::empty();
        }
        Self {
            revocable: Revocable::of(provider, &token),
            token: token.without_claims(),
            provider: id,
            headers: OnceLock::new(),
            api_headers: OnceLock::new(),
            misses_groups,
            identity,
            principal,
        }
    }

    /// The caller's principal, or why it has none.
    pub(super) fn principal(&self) -> Result<&ResolvedPrincipal, Reason> {
        self.principal.as_ref().ok_or(if self.misses_groups {
            Reason::GroupsLeftOut
        } else {
            Reason::NoPrincipal
        })
    }

    /// What may revoke the token.
    pub(super) fn revocable(&self) -> Option<&Revocable> {
        self.revocable.as_deref()
    }

    /// The token that was verified.
    pub(super) const fn token(&self) -> &VerifiedToken {
        &self.token
    }

    /// What may be wrong with the token, for the audit record.
    pub(super) const fn hint(&self) -> Option<&'static str> {
        self.token.hint()
    }

    /// The identity headers.
    pub(super) fn headers(&self) -> &[HeaderEdit] {
        let make = || self.identity_headers(&IdentityHeader::ALL);
        self.headers.get_or_init(make)
    }

    /// Those of them that go with calls of the public API of its instance.
    pub(super) fn api_headers(&self, instance: &Instance) -> &[HeaderEdit] {
        let wanted = instance.public_api.identity_headers.as_slice();
        if wanted.len() == IdentityHeader::ALL.len() {
            return self.headers();
        }
        let make = || self.identity_headers(wanted);
        self.api_headers.get_or_init(make)
    }

    fn identity_headers(&self, wanted: &[IdentityHeader]) -> Vec<HeaderEdit> {
        let principal = self.principal.as_ref();
        let principal = principal.map(|principal| &*principal.name);
        identity_headers(wanted, &self.identity, principal)
    }

    /// The bytes that this takes in memory, approximately, with all headers, of which those of the public API
    /// are some.
    pub fn weight(&self) -> usize {
        /// What an allocation takes besides its bytes.
        const ALLOCATION: usize = 12;
        /// What the list of the identity headers takes besides their values.
        const HEADERS: usize = IdentityHeader::ALL.len() * 4 * ALLOCATION;
        let identity = &self.identity;
        let single = [
            &identity.subject,
            &identity.client,
            &identity.verified_email,
            &identity.tenant,
            &identity.hosted_domain,
            &identity.token_id,
        ];
        let several = [&identity.scopes, &identity.roles, &identity.groups];
        let texts = single.into_iter().flatten();
        let texts = texts.chain(several.into_iter().flatten());
        let texts = texts.map(|text| text.len().saturating_add(ALLOCATION * 2));
        let headers = [
            header(&identity.subject),
            header(&identity.client),
            header(&identity.verified_email),
            header(&identity.roles),
            header(&identity.scopes),
        ];
        let claims = (!identity.claims.is_empty()).then(|| identity.claims.weight());
        let principal = self.principal.as_ref();
        let minted = principal.and_then(|principal| principal.upstream.minted());
        let minted = minted.map(|request| request.weight());
        let fixed = size_of::<Self>()
            .saturating_add(size_of::<Identity>())
            .saturating_add(identity.issuer.len().saturating_mul(2))
            .saturating_add(HEADERS)
            .saturating_add(20 * ALLOCATION);
        texts
            .chain(headers)
            .chain(claims)
            .chain(minted)
            .chain(self.revocable().map(Revocable::weight))
            .fold(fixed, usize::saturating_add)
    }
}

/// The most bytes that a header of these values takes. A longer one is not made.
fn header<'v>(values: impl IntoIterator<Item = &'v String>) -> usize {
    let lengths = values.into_iter().map(|value| encoded_length(value));
    lengths.fold(0, usize::saturating_add).min(MAX_VALUE)
}

impl UpstreamKey {
    fn of(
        instance: &Instance,
        identity: &Identity,
        principal: &Principal,
        granted: &ScopeSet,
    ) -> Self {
        let rule = match &principal.upstream {
            Upstream::Keys(keys) => return Self::Static(Arc::clone(keys)),
            Upstream::User(rule) => rule,
        };
        let provisioning = instance.provisioning.as_ref().ok_or(NoUser);
        let user = provisioning
            .and_then(|provisioning| rule.user(&principal.name, identity, provisioning));
        match user {
            Ok(user) => Self::Minted(Arc::new(MintRequest::new(
                instance.id,
                user,
                granted.clone(),
            ))),
            Err(NoUser) => Self::NoUser,
        }
    }

    fn minted(&self) -> Option<&Arc<MintRequest>> {
        match self {
            Self::Minted(request) => Some(request),
            Self::Static(_) | Self::NoUser => None,
        }
    }
}
