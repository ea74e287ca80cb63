//! Warnings that depend on the whole policy.

use std::collections::BTreeSet;

use super::field_path::FieldPath;
use super::provider_summary::ProviderSummary;
use crate::policy::{Condition, Policy, Replay, WebhookAuth, WebhookRule};

/// Warns of providers whose tokens no rule takes.
pub(super) fn warn_of_idle_providers(policy: &Policy, path: &FieldPath) {
    let mut conditions: Vec<&Condition> = Vec::new();
    for instance in policy.instances.iter() {
        conditions.extend(
            instance
                .principals
                .iter()
                .map(|principal| &principal.matches),
        );
        conditions.extend(instance.webhooks.iter().filter_map(taking_tokens));
    }
    for (index, provider) in policy.providers.iter().enumerate() {
        let names_it = |names: &BTreeSet<String>| names.contains(&*provider.name);
        if !conditions
            .iter()
            .any(|condition| condition.providers.as_ref().is_none_or(names_it))
        {
            path.item(index).warn(
                "no principal and no webhook takes its tokens",
                "name it in a match or require, or remove it",
            );
        }
    }
}

/// Warns if a name under `roles` may be a role or a scope: a client may ask for it as a scope, and some
/// providers grant every scope that a client asks for.
pub(super) fn warn_of_scopes(policy: &Policy, providers: &[ProviderSummary]) {
    for provider in providers {
        let Some(path) = &provider.absent_roles_from else {
            continue;
        };
        let meets = |condition: &Condition| {
            let names = condition.providers.as_ref();
            names.is_none_or(|names| names.contains(&provider.name))
        };
        let mut instances = policy.instances.iter();
        if instances.any(|instance| {
            let mut principals = instance.principals.iter();
            !instance.grants.is_empty() && principals.any(|principal| meets(&principal.matches))
        }) {
            path.warn(
                "is absent: names under roles count as scopes, too, and some providers grant every scope that a client asks for",
                "write roles, scopes or both",
            );
        }
    }
}

/// Warns if workers cannot tell each other which deliveries they forwarded: what they share is sealed with
/// a secret, and a public key is none.
pub(super) fn warn_of_unshared_deliveries(policy: &Policy, path: &FieldPath) {
    let refuses_replays = |rule: &WebhookRule| {
        let WebhookAuth::Signature(rule) = &rule.auth else {
            return false;
        };
        rule.replay == Replay::Refuse
    };
    let mut instances = policy.instances.iter();
    if policy.secrets().next().is_none()
        && instances.any(|instance| instance.webhooks.iter().any(refuses_replays))
    {
        path.warn(
            "is absent: each worker knows only the deliveries that it forwarded itself, and a delivery passes once in each",
            "write { env: NAME }; make the secret with: openssl rand -hex 32",
        );
    }
}

fn taking_tokens(rule: &WebhookRule) -> Option<&Condition> {
    matches!(rule.auth, WebhookAuth::Bearer).then_some(&rule.require)
}
