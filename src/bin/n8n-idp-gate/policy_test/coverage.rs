//! Which principals, roles and webhook rules of a configuration the tests reach.

use std::collections::BTreeMap;

use n8n_idp_gate::policy::{Instance, Policy};

use crate::explain::explanation::Explanation;

/// The principals, roles and webhook rules of one configuration, each with whether a test reached it.
#[derive(Default)]
pub(crate) struct Coverage {
    reached: BTreeMap<Part, bool>,
}

/// The kinds of parts, in the order of reports.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Principal,
    Role,
    Rule,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Part {
    kind: Kind,
    instance: String,
    /// Of a webhook rule, its number from 0.
    number: usize,
    name: String,
}

impl Coverage {
    /// What a policy has.
    pub(crate) fn of(policy: &Policy) -> Self {
        let mut coverage = Self::default();
        for instance in policy.instances.iter() {
            let mut add = |kind, number, name: &str| {
                let part = Part {
                    kind,
                    instance: instance_name(instance),
                    number,
                    name: name.to_owned(),
                };
                coverage.reached.insert(part, false);
            };
            for principal in instance.principals.iter() {
                add(Kind::Principal, 0, &principal.name);
            }
            for role in instance.grants.keys() {
                add(Kind::Role, 0, role);
            }
            for (number, rule) in instance.webhooks.iter().enumerate() {
                add(Kind::Rule, number, &rule.pattern.to_string());
            }
        }
        coverage
    }

    /// A test reached what this explanation names.
    pub(crate) fn reach(&mut self, explanation: &Explanation) {
        let instance = explanation.decision.record.instance.as_deref();
        let instance = instance.unwrap_or_default().to_owned();
        let mut add = |kind, number, name: &str| {
            let part = Part {
                kind,
                instance: instance.clone(),
                number,
                name: name.to_owned(),
            };
            if let Some(reached) = self.reached.get_mut(&part) {
                *reached = true;
            }
        };
        if let Some(principal) = &explanation.principal {
            add(Kind::Principal, 0, principal);
        }
        for role in &explanation.granting {
            add(Kind::Role, 0, role);
        }
        if let Some((number, path)) = &explanation.rule {
            add(Kind::Rule, *number, path);
        }
    }

    /// How many of each kind were reached.
    pub(crate) fn counts(&self) -> String {
        let kinds = [
            (Kind::Principal, "principals"),
            (Kind::Role, "roles"),
            (Kind::Rule, "webhook rules"),
        ];
        let kinds = kinds.into_iter().filter_map(|(kind, name)| {
            let of_kind = || self.reached.iter().filter(|(part, _)| part.kind == kind);
            let all = of_kind().count();
            let reached = of_kind().filter(|(_, reached)| **reached).count();
            (all > 0).then(|| format!("{reached} of {all} {name}"))
        });
        kinds.collect::<Vec<_>>().join(", ")
    }

    /// What no test reached.
    pub(crate) fn missed(&self) -> Vec<String> {
        let missed = self.reached.iter().filter(|(_, reached)| !**reached);
        let missed = missed.map(|(part, _)| {
            let instance = match &*part.instance {
                "" => String::new(),
                name => format!(" of the instance {name}"),
            };
            let number = part.number.saturating_add(1);
            match part.kind {
                Kind::Principal => format!("principal {}{instance}", part.name),
                Kind::Role => format!("role {}{instance}", part.name),
                Kind::Rule => format!("webhook rule {number}{instance}: {}", part.name),
            }
        });
        missed.collect()
    }
}

fn instance_name(instance: &Instance) -> String {
    instance.name.as_deref().unwrap_or_default().to_owned()
}
