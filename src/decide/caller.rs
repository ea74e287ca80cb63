//! A caller whose token was verified.

use std::rc::Rc;

use super::edits::{identity_headers, HeaderEdit};
use super::DecisionContext;
use crate::facts::Availability;
use crate::formats::json;
use crate::identity::Identity;
use crate::n8n::ScopeSet;
use crate::policy::{Instance, Principal, Provider, ProviderId, RolesFrom};
use crate::reply::Reason;
use crate::secret::Secret;
use crate::token::VerifiedToken;

/// A caller whose token was verified, and all that follows from the token and one instance's
/// policy alone: it holds as long as the token does.
#[derive(Clone, Debug)]
pub struct Caller {
    token: VerifiedToken,
    pub(super) provider: ProviderId,
    pub(super) identity: Rc<Identity>,
    /// Whom it becomes in n8n.
    pub(super) standing: Option<ResolvedPrincipal>,
    /// Whether it becomes nobody because a rule asks for groups that the token leaves out.
    misses_groups: bool,
    headers: Vec<HeaderEdit>,
}

/// Whom a caller becomes in n8n.
#[derive(Clone, Debug)]
pub(super) struct ResolvedPrincipal {
    /// The principal's name.
    pub(super) principal: Rc<str>,
    /// What it may do.
    pub(super) granted: ScopeSet,
    /// The most that scopes of its token may give it; `None`: nothing at all, as they give nothing.
    pub(super) most_by_scopes: Option<ScopeSet>,
    /// The n8n API key that stands for it upstream.
    pub(super) api_key: Secret,
}

impl Caller {
    pub(super) fn new(
        instance: &Instance,
        (id, provider): (ProviderId, &Provider),
        token: VerifiedToken,
        mut identity: Rc<Identity>,
    ) -> Self {
        let misses_groups = instance.principals.misses_groups(&identity);
        let principal = instance.principals.of(&identity);
        let principal = principal.filter(|_| !misses_groups);
        let standing = principal.map(|principal| ResolvedPrincipal {
            principal: Rc::clone(&principal.name),
            granted: granted(instance, provider.roles_from, &identity, principal),
            most_by_scopes: (provider.roles_from != RolesFrom::Roles)
                .then(|| principal.allow.clone().unwrap_or_else(ScopeSet::everything)),
            api_key: principal.api_key.clone(),
        });
        let principal = standing.as_ref().map(|standing| &*standing.principal);
        let headers = identity_headers(&identity, principal);
        // Claims take more memory than everything else. Each request may come to another rule of a
        // webhook, and a rule that a claim must be absent would hold of every claim that is gone.
        if !instance.webhooks.look_at_claims() {
            Rc::make_mut(&mut identity).claims = Rc::default();
        }
        Self {
            token: token.without_claims(),
            provider: id,
            headers,
            misses_groups,
            identity,
            standing,
        }
    }

    /// Whom the caller becomes in n8n, or why nobody.
    pub(super) fn standing(&self) -> Result<&ResolvedPrincipal, Reason> {
        self.standing.as_ref().ok_or(if self.misses_groups {
            Reason::GroupsLeftOut
        } else {
            Reason::NoPrincipal
        })
    }

    /// Whether the token would still be found good now, with the keys that are known now.
    pub(super) fn still_holds(&self, context: DecisionContext<'_>) -> bool {
        let keys = match context.facts.key_set(self.provider) {
            Availability::Known(keys) => Some(keys),
            Availability::Pending | Availability::Unavailable { .. } => None,
        };
        self.token.still_holds(keys, context.now)
    }

    /// What an operator should know of the token.
    pub(super) const fn hint(&self) -> Option<&'static str> {
        self.token.hint()
    }

    /// The headers that say who calls.
    pub(super) fn headers(&self) -> &[HeaderEdit] {
        &self.headers
    }

    /// About how many bytes this takes in memory.
    pub fn weight(&self) -> usize {
        /// What an allocation takes beside its bytes.
        const ALLOCATION: usize = 12;
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
        let headers = self.headers.iter().map(HeaderEdit::value_len);
        let headers = headers.map(|length| length.saturating_add(ALLOCATION * 4));
        let claims = (!identity.claims.is_empty()).then(|| json::weight(&identity.claims));
        let fixed = size_of::<Self>()
            .saturating_add(size_of::<Identity>())
            .saturating_add(identity.issuer.len().saturating_mul(2))
            .saturating_add(20 * ALLOCATION);
        texts
            .chain(headers)
            .chain(claims)
            .fold(fixed, usize::saturating_add)
    }
}

/// What roles and scopes of the token and the principal itself grant, within what the principal
/// allows.
fn granted(
    instance: &Instance,
    from: RolesFrom,
    identity: &Identity,
    principal: &Principal,
) -> ScopeSet {
    let mut granted = principal.grant.clone();
    let (roles, scopes) = match from {
        RolesFrom::Roles => (&*identity.roles, [].as_slice()),
        RolesFrom::Scopes => ([].as_slice(), &*identity.scopes),
        RolesFrom::Both => (&*identity.roles, &*identity.scopes),
    };
    for name in roles.iter().chain(scopes) {
        if let Some(scopes) = instance.grants.get(name) {
            granted.extend(scopes);
        }
    }
    match &principal.allow {
        Some(allowed) => granted.intersection(allowed),
        None => granted,
    }
}
