//! The caller of a verified token: identity, admission, principal and grant.

use n8n_idp_gate::decide::{CredentialKind, Decision, Outcome};
use n8n_idp_gate::identity::Identity;
use n8n_idp_gate::n8n::{ScopeSet, Surface, REST_SCOPE, SURFACE_SCOPES};
use n8n_idp_gate::policy::{
    Admission, Instance, NotAdmitted, Principal, Provider, RestAuth, RolesFrom, WebhookAuth,
};
use n8n_idp_gate::reply::Reason;
use n8n_idp_gate::token::TokenFault;

use super::mismatch::Field;
use super::place::Place;
use super::step::{Mark, Step};
use crate::judge::Case;

/// What is known of a caller and its rights.
#[derive(Default)]
pub(crate) struct Caller {
    /// The steps.
    pub(crate) steps: Vec<Step>,
    /// The name of the principal that matches.
    pub(crate) principal: Option<String>,
    /// The scopes that the caller has in n8n.
    pub(crate) granted: Vec<String>,
    /// The roles and scopes of the token that grant something.
    pub(crate) granting: Vec<String>,
}

impl Caller {
    /// Explains the caller of a decision. Without a verified token there is none.
    pub(crate) fn of(case: &Case<'_>, place: &Place<'_, '_>, decision: &Decision) -> Self {
        let mut caller = Self::default();
        let reason = match &decision.outcome {
            Outcome::Reject(reason) => Some(reason),
            _ => None,
        };
        if let Some(reason @ Reason::Identity(_)) = reason {
            caller
                .steps
                .push(Step::check("identity", "claims", Some(reason)));
        }
        let record = &decision.record;
        let found = record.identity.as_deref().zip(place.instance);
        let Some((identity, instance)) = found else {
            return caller;
        };
        let mut providers = case.policy.providers.iter();
        let provider = providers.find(|provider| provider.name == identity.provider);
        let Some(provider) = provider else {
            return caller;
        };
        caller.steps.extend(read(provider, identity));
        if let Some(reason @ Reason::TokenRevoked) = reason {
            caller
                .steps
                .push(Step::check("revoked", "token", Some(reason)));
        }
        caller.steps.extend(admission(provider, identity, reason));
        if let Some(
            reason @ (Reason::Possession(_)
            | Reason::Proof(_)
            | Reason::Token(TokenFault::SenderConstrained)),
        ) = reason
        {
            caller
                .steps
                .push(Step::check("proof", "proof", Some(reason)));
        } else if record.credential == Some(CredentialKind::Dpop) {
            caller.steps.push(Step::check("proof", "proof", None));
        }
        let needs = Needs::of(place, instance);
        let principal = caller.principals(instance, identity, needs != Needs::Nothing);
        if let Some(principal) = principal {
            caller.grant((instance, provider), identity, principal);
            caller.principal = Some(principal.name.to_string());
            let granted = instance.granted(provider.roles_from, identity, principal);
            caller.needs(case, place, needs, &granted);
        }
        if let Some((_, rule)) = place.rule {
            if matches!(rule.auth, WebhookAuth::Bearer) {
                let mismatch = rule.require.mismatch(identity);
                let reason = mismatch.map(|_| {
                    if rule.require.misses_groups(identity) {
                        Reason::GroupsLeftOut
                    } else {
                        Reason::WebhookRequirement
                    }
                });
                let step = Step::check("webhook rules", "require", reason.as_ref());
                caller.steps.push(match mismatch {
                    None => step,
                    Some(mismatch) => {
                        let field = Field::of(&rule.require, mismatch, identity);
                        let text = field.compared();
                        step.comparing(field.expected, field.found).saying(text)
                    }
                });
            }
        }
        caller
    }

    /// Each principal in order, up to the first that matches.
    fn principals<'i>(
        &mut self,
        instance: &'i Instance,
        identity: &Identity,
        is_needed: bool,
    ) -> Option<&'i Principal> {
        const SECTION: &str = "principals";
        let mut left_out = false;
        for principal in instance.principals.iter() {
            let Some(mismatch) = principal.matches.mismatch(identity) else {
                self.steps
                    .push(Step::new(SECTION, &principal.name, Mark::Applies).saying("matches"));
                return Some(principal);
            };
            left_out = principal.matches.misses_groups(identity);
            let field = Field::of(&principal.matches, mismatch, identity);
            let text = field.compared();
            let step = Step::new(SECTION, &principal.name, Mark::Skipped);
            self.steps
                .push(step.comparing(field.expected, field.found).saying(text));
            if left_out {
                break;
            }
        }
        let reason = if left_out {
            Reason::GroupsLeftOut
        } else {
            Reason::NoPrincipal
        };
        self.steps.push(if is_needed {
            Step::check(SECTION, "principal", Some(&reason))
        } else {
            Step::new(SECTION, "principal", Mark::Read).saying("none; webhooks need none")
        });
        None
    }

    /// What the principal and each role and scope of the token grant.
    fn grant(
        &mut self,
        (instance, provider): (&Instance, &Provider),
        identity: &Identity,
        principal: &Principal,
    ) {
        const SECTION: &str = "grant";
        let own = names(&principal.grant);
        if !own.is_empty() {
            let step = Step::new(SECTION, "by the principal", Mark::Read);
            self.steps.push(step.finding(own));
        }
        let from = match provider.roles_from {
            RolesFrom::Roles => "role",
            RolesFrom::Scopes => "scope",
            RolesFrom::Both => "role or scope",
        };
        for name in provider.roles_from.names(identity) {
            let step = |mark| Step::new(SECTION, &format!("by the {from} {name}"), mark);
            self.steps.push(match instance.grants.get(name) {
                Some(scopes) => {
                    self.granting.push(name.clone());
                    step(Mark::Read).finding(names(scopes))
                }
                None => step(Mark::Skipped).saying("not in roles of the configuration"),
            });
        }
        if let Some(allow) = &principal.allow {
            let step = Step::new(SECTION, "at most", Mark::Read);
            self.steps.push(
                step.finding(names(allow))
                    .saying("allow of the principal limits the rest"),
            );
        }
        let granted = instance.granted(provider.roles_from, identity, principal);
        self.granted = names(&granted);
        let step = Step::new(SECTION, "together", Mark::Read);
        self.steps.push(match &*self.granted {
            [] => step.saying("nothing"),
            granted => step.finding(granted),
        });
    }

    /// What the request needs of it.
    fn needs(&mut self, case: &Case<'_>, place: &Place<'_, '_>, needs: Needs, granted: &ScopeSet) {
        let (needed, missing) = match needs {
            Needs::Nothing => return,
            Needs::Rest => {
                let missing = (!granted.contains(REST_SCOPE)).then_some(REST_SCOPE);
                (vec![REST_SCOPE], missing.into_iter().collect())
            }
            Needs::Operation => match place.operation(case.head) {
                None => {
                    let reason = (!granted.is_all()).then_some(Reason::UnknownOperation);
                    let step = Step::check("grant", "unknown operation", reason.as_ref());
                    self.steps.push(step.comparing(["*"], &self.granted));
                    return;
                }
                Some(operation) => (
                    operation.scopes.iter().map(|scope| scope.name()).collect(),
                    operation.missing_from(granted).collect::<Vec<_>>(),
                ),
            },
        };
        let reason = (!missing.is_empty()).then(|| Reason::InsufficientScope {
            missing: missing.clone(),
            ask_for: Vec::new(),
        });
        let step = Step::check("grant", "needed", reason.as_ref());
        let text = match &*missing {
            [] => String::new(),
            missing => format!("missing: {}", missing.join(" ")),
        };
        self.steps
            .push(step.comparing(needed, &self.granted).saying(text));
    }
}

/// What a request needs beside a verified token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// The scopes of an operation.
    Operation,
    /// The right to use the internal API.
    Rest,
    /// No principal.
    Nothing,
}

impl Needs {
    fn of(place: &Place<'_, '_>, instance: &Instance) -> Self {
        match place.route.as_ref().map(|route| route.surface) {
            Some(Surface::PublicApi) => Self::Operation,
            Some(Surface::Rest) if instance.rest == RestAuth::Bearer => Self::Rest,
            _ => Self::Nothing,
        }
    }
}

/// The parts of the identity, with the claims that they come from.
fn read(provider: &Provider, identity: &Identity) -> Vec<Step> {
    let sources = identity.sources(&provider.identity);
    let one = |value: &Option<String>| value.iter().cloned().collect::<Vec<_>>();
    let parts = [
        ("subject", one(&identity.subject)),
        ("client", one(&identity.client)),
        ("kind", vec![identity.kind.as_str().to_owned()]),
        ("email", one(&identity.verified_email)),
        ("tenant", one(&identity.tenant)),
        ("roles", identity.roles.clone()),
        ("scopes", identity.scopes.clone()),
        ("groups", identity.groups.clone()),
    ];
    let parts = parts.into_iter().map(|(name, values)| {
        let step = Step::new("identity", name, Mark::Read);
        if values.is_empty() {
            return step.saying("none");
        }
        let from = sources.get(name).map(|claims| claims.join(", "));
        let from = from.map_or_else(String::new, |claims| format!("from {claims}"));
        step.finding(values).saying(from)
    });
    let left_out = identity.groups_left_out.then(|| {
        let step = Step::new("identity", "more groups", Mark::Read);
        step.saying("the token leaves groups out")
    });
    parts.chain(left_out).collect()
}

/// The lists and rules of the provider, each by itself.
fn admission(provider: &Provider, identity: &Identity, reason: Option<&Reason>) -> Vec<Step> {
    let own = &provider.admission;
    let mut steps = Vec::new();
    let mut look = |name: &str, part: Admission, expected: Vec<String>, found: Vec<String>| {
        let result = part.check(identity);
        // The response about the token may name its client later.
        let is_open = result == Err(NotAdmitted::Client)
            && identity.client.is_none()
            && !matches!(reason, Some(Reason::NotAdmitted(_)));
        let reason = result.err().map(Reason::NotAdmitted);
        steps.push(if is_open {
            Step::new("admission", name, Mark::Unknown)
        } else {
            Step::check("admission", name, reason.as_ref()).comparing(expected, found)
        });
    };
    let values = |set: &std::collections::BTreeSet<String>| set.iter().cloned().collect();
    let found = |value: Option<String>| value.into_iter().collect();
    if let Some(tenants) = &own.tenants {
        let part = Admission {
            tenants: own.tenants.clone(),
            ..Admission::default()
        };
        look(
            "tenant",
            part,
            values(tenants),
            found(identity.tenant.clone()),
        );
    }
    if let Some(clients) = &own.clients {
        let part = Admission {
            clients: own.clients.clone(),
            ..Admission::default()
        };
        look(
            "client",
            part,
            values(clients),
            found(identity.client.clone()),
        );
    }
    if let Some(domains) = &own.domains {
        let part = Admission {
            domains: own.domains.clone(),
            ..Admission::default()
        };
        look("domain", part, values(domains), found(identity.domain()));
    }
    for rule in &own.claims {
        let part = Admission {
            claims: vec![rule.clone()],
            ..Admission::default()
        };
        let field = Field::of_claim(rule, identity);
        look(&field.name, part, field.expected, field.found);
    }
    steps
}

/// The names of scopes; `*` for all of n8n's.
fn names(scopes: &ScopeSet) -> Vec<String> {
    let own: Vec<&str> = if scopes.is_all() {
        vec!["*"]
    } else {
        scopes.iter().collect()
    };
    let surfaces = SURFACE_SCOPES.into_iter();
    let surfaces = surfaces.filter(|scope| scopes.contains(scope));
    own.into_iter().chain(surfaces).map(str::to_owned).collect()
}
