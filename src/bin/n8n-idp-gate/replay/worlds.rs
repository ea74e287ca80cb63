//! Policies that are derived from one, so that what a record has is enough to decide by them.
//!
//! In the narrow world no condition holds of which it is unknown whether it holds, and no role is there.
//! In the wide world all of them hold, and every role is there. Conditions and scopes only ever let more
//! through, and the first principal that matches applies: where both worlds have the same principal and
//! decide alike, so does the policy, whatever is unknown.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use n8n_idp_gate::crypto::Algorithm;
use n8n_idp_gate::identity::{
    ClaimPath, ClaimRule, ClaimTest, ClaimsAt, Dialect, IdentityPart, IdentityRules, KindRules,
};
use n8n_idp_gate::n8n::ScopeSet;
use n8n_idp_gate::policy::{
    Admission, Condition, DpopUse, InstanceId, IssuerIndex, Policy, Principal, Principals,
    ProviderId, RevokedTokens, Upstream, WebhookRule, WebhookRules,
};
use n8n_idp_gate::token::TypRule;
use serde_json::json;

/// The audience of the tokens that stand for those of records.
pub(crate) const AUDIENCE: &str = "the audience of the record";

/// The name of the claim with the client, and of that with the kind.
pub(crate) const CLIENT: &str = "client";
pub(crate) const KIND: &str = "kind";

/// The two policies.
pub(crate) struct Worlds<'p> {
    new: &'p Policy,
    policies: [Policy; 2],
    /// The instances whose webhook rules are not those of the policy.
    replaced: BTreeSet<(bool, InstanceId)>,
}

/// Which of the two worlds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum World {
    Narrow,
    Wide,
}

impl World {
    pub(crate) const BOTH: [Self; 2] = [Self::Narrow, Self::Wide];

    fn is_wide(self) -> bool {
        self == Self::Wide
    }
}

/// What is true in one world.
pub(crate) struct Premises<'p> {
    /// The instance, and the principals of its callers.
    pub(crate) instance: Option<(InstanceId, Option<PrincipalHere<'p>>)>,
    /// The webhook rule that applies, and whether what it requires holds.
    pub(crate) rule: Option<(&'p WebhookRule, bool)>,
    /// The provider with this issuer, and whom it admits.
    pub(crate) provider: Option<(ProviderId, String, Admission)>,
    /// The tokens that the operator revoked.
    pub(crate) revoked: RevokedTokens,
    /// Whether tokens must come with a proof; `None`: as the policy says.
    pub(crate) dpop: Option<DpopUse>,
}

/// The principal of a caller.
pub(crate) struct PrincipalHere<'p> {
    pub(crate) principal: &'p Principal,
    pub(crate) granted: ScopeSet,
    pub(crate) upstream: Upstream,
}

impl<'p> Worlds<'p> {
    /// Derives the policies. The tokens in them have the claims of a record alone.
    pub(crate) fn of(new: &'p Policy) -> Self {
        let mut policy = new.clone();
        for provider in &mut policy.providers {
            let token = &mut provider.token;
            token.audiences = BTreeSet::from([AUDIENCE.to_owned()]);
            token.audience_claim = None;
            token.algorithms = vec![Algorithm::Es256];
            token.typ = TypRule::AnyAccessToken;
            token.client_claims = &[];
            provider.introspection = None;
            let is = |kind| vec![claim_is(KIND, kind)];
            provider.identity = IdentityRules {
                dialect: Dialect::Oidc,
                claims_at: ClaimsAt(vec![(IdentityPart::Client, path(CLIENT))]),
                trust_email: false,
                kind: KindRules {
                    app: Some(is("app")),
                    user: Some(is("user")),
                },
                accept_no_subject: true,
            };
        }
        Self {
            new,
            policies: [policy.clone(), policy],
            replaced: BTreeSet::new(),
        }
    }

    /// The policy of a world, with these premises in place of those before.
    pub(crate) fn policy(&mut self, world: World, premises: Premises<'_>) -> &Policy {
        let [narrow, wide] = &mut self.policies;
        let policy = if world.is_wide() { wide } else { narrow };
        policy.revoked = premises.revoked;
        policy.issuers = self.new.issuers.clone();
        let originals = self.new.providers.iter();
        for (provider, original) in policy.providers.iter_mut().zip(originals) {
            provider.dpop = premises.dpop.unwrap_or(original.dpop);
        }
        if let Some((id, issuer, admission)) = premises.provider {
            policy.issuers = IssuerIndex::new(BTreeMap::from([(issuer, id)]));
            if let Some(provider) = policy.providers.get_mut(id.0) {
                provider.admission = admission;
            }
        }
        let Some((id, mut principal)) = premises.instance else {
            return policy;
        };
        let both = policy.instances.iter_mut().zip(self.new.instances.iter());
        for (instance, original) in both.filter(|(instance, _)| instance.id == id) {
            instance.grants.clear();
            let principals = principal.take().into_iter().map(|here| Principal {
                name: Arc::clone(&here.principal.name),
                matches: Condition::default(),
                grant: here.granted,
                allow: None,
                upstream: here.upstream,
            });
            instance.principals = Principals::new(principals.collect());
            // A rule that applies to the path is enough: the others do not count.
            if let Some((rule, is_met)) = premises.rule {
                self.replaced.insert((world.is_wide(), id));
                instance.webhooks = WebhookRules::new(vec![WebhookRule {
                    require: if is_met {
                        Condition::default()
                    } else {
                        never()
                    },
                    dpop: premises.dpop.unwrap_or(rule.dpop),
                    token_from: None,
                    ..rule.clone()
                }])
                .in_line(instance.line);
            } else if self.replaced.remove(&(world.is_wide(), id)) {
                instance.webhooks = original.webhooks.clone();
            }
        }
        policy
    }
}

/// The condition that holds for no caller.
fn never() -> Condition {
    Condition {
        providers: Some(BTreeSet::new()),
        ..Condition::default()
    }
}

/// The rule that holds for no token.
pub(crate) fn never_claimed() -> ClaimRule {
    ClaimRule {
        exists: Some(true),
        ..claim_is("", "")
    }
}

fn claim_is(name: &str, value: &str) -> ClaimRule {
    ClaimRule {
        path: path(name),
        exists: None,
        all: vec![ClaimTest::OneOf(vec![json!(value)])],
        none: Vec::new(),
    }
}

fn path(name: &str) -> ClaimPath {
    vec![name.to_owned()].into()
}
