//! What the configuration that made a record says about its caller.
//!
//! A record names the principal, and has none of the claims for which it matched. With the conditions of the
//! old policy they are known as far as these were met, or were not.

use std::collections::BTreeMap;

use n8n_idp_gate::http::RequestHead;
use n8n_idp_gate::n8n::Surface;
use n8n_idp_gate::policy::{
    Condition, Instance, Policy, Principal, Provider, TokenFrom, Upstream, WebhookAuth, WebhookRule,
};
use n8n_idp_gate::reply::Reason;

use super::nature::{nature, Nature};
use super::record::Record;
use super::rights::{Granted, Question, Rights};
use super::truth::{Caller, Settled};
use crate::explain::place::Place;

/// The configuration that made the records.
pub(crate) struct Old<'p> {
    policy: &'p Policy,
    /// For each provider, whether the new configuration reads and checks its tokens in the same way.
    checks: BTreeMap<String, bool>,
}

/// What it says about one record.
pub(crate) struct Facts<'p> {
    pub(crate) instance: &'p Instance,
    pub(crate) rule: Option<&'p WebhookRule>,
    pub(crate) provider: Option<&'p Provider>,
    /// The provider's rules admitted the caller.
    pub(crate) is_admitted: bool,
    pub(crate) settled: Settled,
    pub(crate) principal: Option<&'p Principal>,
    granted: Option<Granted>,
    questions: Vec<Question>,
}

impl<'p> Old<'p> {
    pub(crate) fn of(policy: &'p Policy, new: &Policy) -> Self {
        let checks = policy.providers.iter().map(|old| {
            let mut others = new.providers.iter();
            let new_one = others.find(|new| new.name == old.name);
            let is_same = new_one.is_some_and(|new_one| {
                checks(policy, old) == checks(new, new_one) && old.roles_from == new_one.roles_from
            });
            (old.name.to_string(), is_same)
        });
        Self {
            policy,
            checks: checks.collect(),
        }
    }

    /// The revoked tokens.
    pub(crate) fn policy(&self) -> &'p Policy {
        self.policy
    }

    /// Whether tokens of this provider are read and checked in the same way.
    pub(crate) fn has_same_checks(&self, provider: &str) -> bool {
        self.checks.get(provider).copied().unwrap_or_default()
    }

    /// Whether a record names only what this configuration has.
    pub(crate) fn explains(&self, record: &Record, head: &RequestHead) -> bool {
        let place = Place::of(self.policy, head);
        let Some(instance) = place.instance else {
            return record.instance.is_none();
        };
        let mut principals = instance.principals.iter();
        let has = |name: &str| principals.any(|principal| &*principal.name == name);
        let is_of_caller = record.kind().is_some();
        instance.name.as_deref() == record.instance.as_deref()
            && (!is_of_caller || record.principal.as_deref().is_none_or(has))
    }

    /// What is known by a record; `None`: no instance has its host.
    pub(crate) fn facts(&self, record: &Record, head: &RequestHead) -> Option<Facts<'p>> {
        let place = Place::of(self.policy, head);
        let instance = place.instance?;
        let mut providers = self.policy.providers.iter();
        let provider = record.provider.as_deref();
        let provider = provider.and_then(|name| providers.find(|provider| &*provider.name == name));
        let mut facts = Facts {
            instance,
            rule: place.rule.map(|(_, rule)| rule),
            provider,
            is_admitted: false,
            settled: Settled::default(),
            principal: None,
            granted: None,
            questions: match place.route.as_ref().map(|route| route.surface) {
                Some(Surface::PublicApi) => Question::of_call(place.operation(head)),
                Some(Surface::Rest) => vec![Question::REST],
                _ => Vec::new(),
            },
        };
        if let (Some(kind), Some(provider)) = (record.kind(), provider) {
            let caller = Caller {
                provider: &provider.name,
                client: record.client.as_deref(),
                subject: record.sub.as_deref(),
                kind,
            };
            facts.of_caller(record, &caller);
        }
        Some(facts)
    }
}

impl<'p> Facts<'p> {
    fn of_caller(&mut self, record: &Record, caller: &Caller<'_>) {
        let reason = record.reason();
        self.is_admitted = !matches!(reason, Some(Reason::NotAdmitted(_) | Reason::TokenRevoked))
            && reason.map(nature) != Some(Nature::Status);
        let instance = self.instance;
        let name = record.principal.as_deref();
        let mut earlier = Vec::new();
        for principal in instance.principals.iter() {
            if Some(&*principal.name) == name {
                self.principal = Some(principal);
                break;
            }
            earlier.push(&principal.matches);
        }
        let (hold, fail) = (&mut self.settled.hold, &mut self.settled.fail);
        let left = |condition| caller.left(condition);
        // A webhook needs no principal. The caller has none if none matches, or if the token left groups out.
        let has_none = matches!(reason, None | Some(Reason::WebhookRequirement))
            && name.is_none()
            && !earlier.iter().any(|condition| asks_for_groups(condition));
        // The first one that matches is the caller's.
        if self.principal.is_some() || reason == Some(&Reason::NoPrincipal) || has_none {
            fail.extend(earlier.into_iter().filter_map(left));
            hold.extend(self.principal.and_then(|own| left(&own.matches)));
        }
        let is_of_bearer = |rule: &&WebhookRule| matches!(rule.auth, WebhookAuth::Bearer);
        if let Some(rule) = self.rule.filter(is_of_bearer) {
            match reason {
                None => hold.extend(left(&rule.require)),
                Some(Reason::WebhookRequirement) => fail.extend(left(&rule.require)),
                Some(_) => {}
            }
        }
        let missing = || record.decided().map(|decided| decided.missing);
        self.granted = match reason {
            Some(Reason::InsufficientScope { .. }) => missing().map(Granted::AllBut),
            Some(Reason::UnknownOperation) => Some(Granted::NotAll),
            None
            | Some(
                Reason::NoUser | Reason::NoSession | Reason::RestClosed(_) | Reason::RunNeedsUser,
            ) => Some(Granted::All),
            Some(reason) => (nature(reason) == Nature::Later).then_some(Granted::All),
        };
    }

    /// What the caller was granted, if the same was asked.
    pub(crate) fn rights(&self, asked: &[Question]) -> Option<(Rights<'p>, &Granted)> {
        let rights = Rights {
            instance: self.instance,
            principal: self.principal?,
        };
        let granted = self.granted.as_ref().filter(|_| asked == self.questions);
        Some((rights, granted?))
    }

    /// Whether the caller has a user in n8n by this rule, if the old principal had the same.
    pub(crate) fn has_user(&self, upstream: &Upstream, record: &Record) -> Option<bool> {
        if !is_same_upstream(&self.principal?.upstream, upstream) {
            return None;
        }
        match record.reason() {
            Some(Reason::NoUser) => Some(false),
            None => Some(true),
            Some(reason) => (nature(reason) == Nature::Later).then_some(true),
        }
    }

    /// Whether a token is looked for in the same places.
    pub(crate) fn has_same_places(&self, instance: &Instance, rule: Option<&WebhookRule>) -> bool {
        fn from(rule: Option<&WebhookRule>) -> Option<&TokenFrom> {
            rule.and_then(|rule| rule.token_from.as_ref())
        }
        let (old, new) = (&self.instance.public_api, &instance.public_api);
        from(self.rule) == from(rule)
            && old.tokens_in_api_key == new.tokens_in_api_key
            && old.api_keys_in_bearer == new.api_keys_in_bearer
    }
}

fn asks_for_groups(condition: &Condition) -> bool {
    let mut claims = condition.claims.iter();
    condition.groups.is_some() || claims.any(|rule| rule.path.first() == Some("groups"))
}

/// Whether n8n gets the same API key, or one of the same user.
pub(crate) fn is_same_upstream(one: &Upstream, other: &Upstream) -> bool {
    match (one, other) {
        (Upstream::User(one), Upstream::User(other)) => one == other,
        (Upstream::Keys(one), Upstream::Keys(other)) => {
            let keys = one.iter().zip(other.iter());
            one.len() == other.len() && { keys }.all(|(one, other)| one.key == other.key)
        }
        _ => false,
    }
}

/// How the tokens of a provider are read and checked. `Debug` shows each field but secrets, and no secret
/// makes a token good.
fn checks(policy: &Policy, provider: &Provider) -> String {
    format!(
        "{:?}",
        (
            &provider.token,
            &provider.identity,
            &provider.introspection,
            &provider.keys,
            &provider.revoked_kids,
            &policy.proofs,
            &policy.client_certificates,
        )
    )
}
