//! What a refusal tells its caller beside the reason.

use super::DecisionRecord;
use crate::identity::Identity;
use crate::policy::{Policy, Provider};
use crate::reply::{Reason, Told};
use crate::token::TokenFault;

impl DecisionRecord {
    /// What a refusal for this reason tells.
    ///
    /// A token that was not verified may be of an attacker that looks for what is accepted here: only what
    /// the configuration allows is told about it.
    pub fn told<'t>(&'t self, reason: &Reason, policy: &'t Policy) -> Told<'t> {
        let rules = &policy.refusals;
        let identity = self.identity.as_deref();
        let client = match reason {
            Reason::NoPrincipal => identity.and_then(|identity| identity.client.as_deref()),
            _ => None,
        };
        let is_for_others = matches!(
            reason,
            Reason::Token(TokenFault::WrongAudience | TokenFault::AudienceMissing)
        );
        let audiences = || {
            let mut providers = policy.providers.iter();
            let is_it = |provider: &&Provider| self.provider.as_ref() == Some(&provider.name);
            Some(&providers.find(is_it)?.token.audiences)
        };
        Told {
            types: rules.types.as_deref(),
            client,
            audiences: (rules.audiences && is_for_others).then(audiences).flatten(),
            hint: self.hint.filter(|_| rules.hints || identity.is_some()),
        }
    }

    /// Notes the usual cause of a refusal, if the caller shows one.
    pub(super) fn note_usual_cause(&mut self, reason: &Reason) {
        const NO_ROLES: &str =
            "the token has no roles and no scopes: give the caller a role at the provider, \
            then get a new token";
        let names_none = |identity: &Identity| {
            identity.roles.is_empty() && identity.scopes.is_empty() && identity.groups.is_empty()
        };
        let is_about_rights = matches!(
            reason,
            Reason::NoPrincipal | Reason::InsufficientScope { .. } | Reason::WebhookRequirement
        );
        if is_about_rights && self.identity.as_deref().is_some_and(names_none) {
            self.hint = self.hint.or(Some(NO_ROLES));
        }
    }
}
