//! Which API keys a configuration needs, and what they must be able to do.

use std::fmt::Write as _;

use n8n_idp_gate::n8n::accounts::MAX_LABEL;
use n8n_idp_gate::n8n::ScopeSet;
use n8n_idp_gate::policy::{Instance, Principal};
use serde_json::Value;

use crate::n8n::hex;

/// How the labels of keys begin. Those that the gate makes by itself have a blank in place of the colon,
/// and the gate deletes them when they have ended.
const PREFIX: &str = "n8n-idp-gate:";

/// The label of the provisioning key.
const PROVISIONING: &str = "n8n-idp-gate";

/// The name of the provisioning key among principals.
const PROVISIONING_NAME: &str = "n8n.api_key";

/// The room for the number of a key and of its generation.
const ROOM: usize = 8;

/// A key that the configuration names.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    /// The principal whose callers use it.
    pub(super) owner: String,
    /// The environment variable.
    pub(super) variable: String,
    /// The label of its first generation.
    pub(super) label: String,
    /// What the key must be able to do.
    pub(super) scopes: ScopeSet,
}

/// What only the text of a configuration says: the names of variables.
pub(super) struct Variables {
    /// Of each principal, in order.
    principals: Vec<Vec<String>>,
    api_key: Option<String>,
    pub(super) seed: Option<String>,
}

/// The variables of one instance. The configuration has been loaded, so that it has a good form.
pub(super) fn of_instance(configuration: &Value, name: Option<&str>) -> Variables {
    let instances = configuration.get("instances").and_then(Value::as_array);
    let named = |one: &&Value| one.get("name").and_then(Value::as_str) == name;
    let instance = instances.and_then(|all| all.iter().find(named));
    let instance = instance.unwrap_or(configuration);
    let n8n = instance.get("n8n");
    let of_n8n = |field: &str| n8n.and_then(|n8n| variable(n8n.get(field)?));
    let principals = instance.get("principals").and_then(Value::as_array);
    let principals = principals.into_iter().flatten().map(|principal| {
        let several = principal.get("api_keys");
        let several = several.into_iter().flat_map(|list| match list {
            Value::Array(list) => list.iter().collect(),
            one => vec![one],
        });
        let all = principal.get("api_key").into_iter().chain(several);
        all.filter_map(variable).collect()
    });
    Variables {
        principals: principals.collect(),
        api_key: of_n8n("api_key"),
        seed: of_n8n("seed"),
    }
}

fn variable(secret: &Value) -> Option<String> {
    Some(secret.get("env")?.as_str()?.to_owned())
}

/// The keys that an instance needs.
pub(super) fn slots(instance: &Instance, variables: &Variables) -> Vec<Slot> {
    let mut slots: Vec<Slot> = Vec::new();
    for (principal, named) in instance.principals.iter().zip(&variables.principals) {
        let scopes = most(instance, principal);
        for (number, variable) in (1_usize..).zip(named) {
            // Two principals may have one key: it must be good for both.
            if let Some(slot) = slots.iter_mut().find(|slot| slot.variable == *variable) {
                slot.scopes.extend(&scopes);
                continue;
            }
            let mut label = label(&principal.name);
            if number > 1 {
                let _ = write!(label, "/{number}");
            }
            slots.push(Slot {
                owner: principal.name.to_string(),
                variable: variable.clone(),
                label,
                scopes: scopes.clone(),
            });
        }
    }
    if let Some(variable) = &variables.api_key {
        let mut scopes = ScopeSet::default();
        for scope in ["user:create", "user:read"] {
            let _ = scopes.insert(scope);
        }
        slots.push(Slot {
            owner: PROVISIONING_NAME.to_owned(),
            variable: variable.clone(),
            label: PROVISIONING.to_owned(),
            scopes,
        });
    }
    slots
}

/// The most that callers of a principal can be granted: what each has, and all that roles and scopes of
/// tokens add within `allow`. Scopes that mean nothing in this n8n are left out.
fn most(instance: &Instance, principal: &Principal) -> ScopeSet {
    let mut most = principal.grant.clone();
    for scopes in instance.grants.values() {
        most.extend(scopes);
    }
    let most = match &principal.allow {
        Some(allowed) => most.intersection(allowed),
        None => most,
    };
    most.within(instance.line)
}

/// The label of a principal's key. Names that do not fit are cut, and get a digest.
fn label(principal: &str) -> String {
    let whole = format!("{PREFIX}{principal}");
    let longest = MAX_LABEL.saturating_sub(ROOM);
    if whole.len() <= longest {
        return whole;
    }
    let digest = hmac_sha256::Hash::hash(principal.as_bytes());
    let digest = hex(digest.get(..4).unwrap_or_default());
    let kept: String = whole.chars().take(longest.saturating_sub(9)).collect();
    format!("{kept}~{digest}")
}

impl Slot {
    /// The generation that a label names, if it is one of this key.
    pub(super) fn generation(&self, label: &str) -> Option<u32> {
        match label.strip_prefix(&*self.label)?.strip_prefix('#') {
            None => (label == self.label).then_some(1),
            Some(number) => number.parse().ok().filter(|number| *number > 1),
        }
    }

    /// The label of a generation.
    pub(super) fn label_of(&self, generation: u32) -> String {
        match generation {
            1 => self.label.clone(),
            _ => format!("{}#{generation}", self.label),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_fit_and_differ() {
        let long = "a".repeat(60);
        let labels = ["reports", &long, &format!("{long}b")].map(label);
        assert_eq!(labels[0], "n8n-idp-gate:reports");
        assert_ne!(labels[1], labels[2]);
        for label in labels {
            assert!(label.len() <= MAX_LABEL - ROOM, "{label}");
        }
    }

    #[test]
    fn generations_are_read_as_they_are_written() {
        let slot = Slot {
            owner: "a".to_owned(),
            variable: "A".to_owned(),
            label: label("a"),
            scopes: ScopeSet::default(),
        };
        for generation in [1, 2, 17] {
            let label = slot.label_of(generation);
            assert_eq!(slot.generation(&label), Some(generation));
        }
        for other in [
            "n8n-idp-gate:ab",
            "n8n-idp-gate:a/2",
            "n8n-idp-gate:a#1",
            "n8n-idp-gate:a#x",
        ] {
            assert_eq!(slot.generation(other), None, "{other}");
        }
    }
}
