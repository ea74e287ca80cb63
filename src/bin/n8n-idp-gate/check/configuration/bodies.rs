//! Whether the filter gets the bodies that its rules check.
//!
//! Envoy hands over the body of a request whose head is held only with
//! `allow_on_headers_stop_iteration`. Without it, each signed delivery is refused after some seconds.

use n8n_idp_gate::n8n::ScopeSet;
use n8n_idp_gate::policy::{Instance, Policy, WebhookAuth};
use serde_json::Value;

use crate::diagnostic::rules::{BODIES_WITHHELD, BODIES_WITHHELD_IN_PART, BUFFER_TOO_SMALL};
use crate::diagnostic::{Fault, Rule};
use crate::file::installation::{Installation, HANDS_OVER_BODIES};

/// Says if Envoy refuses bodies that a rule would take. `buffer`: what it holds of a request over HTTP/1,
/// if that is known.
pub(crate) fn too_large(policy: &Policy, buffer: Option<u64>) -> Option<Fault> {
    let (largest, buffer) = (largest(policy)?, buffer?);
    (largest > buffer).then(|| {
        let problem = format!(
            "a rule takes bodies of {largest} bytes, and Envoy refuses those of more than {buffer} over HTTP/1"
        );
        let hint = "raise per_connection_buffer_limit_bytes of the listener, or write \
                    request_body_buffer_limit on the routes of the webhooks";
        Fault::new(BUFFER_TOO_SMALL, "webhooks", problem, hint)
    })
}

/// The largest body that a rule takes.
pub(crate) fn largest(policy: &Policy) -> Option<u64> {
    let instances = policy.instances.iter();
    let rules = instances.flat_map(|instance| instance.webhooks.iter());
    let sizes = rules.filter_map(|rule| {
        let WebhookAuth::Signature(rule) = &rule.auth else {
            return None;
        };
        u64::try_from(rule.max_body).ok()
    });
    sizes.max()
}

/// Why rules of this policy get no bodies; `None`: they do, or need none.
pub(crate) fn missing(
    policy: &Policy,
    installation: Installation,
    is_patched: bool,
) -> Option<Fault> {
    let mut instances = policy.instances.iter();
    let needs_bodies = instances.any(|instance| {
        let mut rules = instance.webhooks.iter();
        rules.any(|rule| matches!(rule.auth, WebhookAuth::Signature(_)))
    });
    let has_events = policy.providers.iter().any(|one| !one.pushes.is_empty());
    let what = if needs_bodies {
        "a rule checks signatures"
    } else if has_events {
        "a provider sends events"
    } else {
        return None;
    };
    Some(withheld(
        BODIES_WITHHELD,
        what,
        hint(installation, is_patched)?,
    ))
}

/// What else works only in part without bodies.
pub(crate) fn missed(policy: &Policy, installation: Installation, is_patched: bool) -> Vec<Fault> {
    let Some(hint) = hint(installation, is_patched) else {
        return Vec::new();
    };
    let any = |uses: fn(&Instance) -> bool| policy.instances.iter().any(uses);
    let runs = any(runs_workflows).then_some("a run of a workflow may have input");
    let forms = any(|instance| instance.embed.as_ref().is_some_and(|embed| embed.enabled));
    let forms = forms.then_some("an embedded log-in may be a form");
    let missed = runs.into_iter().chain(forms);
    missed
        .map(|what| withheld(BODIES_WITHHELD_IN_PART, what, hint))
        .collect()
}

/// Whether a role or a principal names the right to run workflows. What `*` allows is no sign of it.
fn runs_workflows(instance: &Instance) -> bool {
    let names_it = |scopes: &ScopeSet| !scopes.is_all() && scopes.contains("workflow:execute");
    let of_principals = instance.principals.iter().map(|principal| &principal.grant);
    let mut granted = instance.grants.values().chain(of_principals);
    instance.provisioning.is_some() && granted.any(names_it)
}

/// How this installation hands bodies over; `None`: it does.
fn hint(installation: Installation, is_patched: bool) -> Option<&'static str> {
    match installation {
        Installation::Envoy { hands_over: false } => {
            Some("write it beside failure_policy, in the config of the plugin")
        }
        Installation::Istio => Some(
            "WasmPlugin does not have it: install the filter by an EnvoyFilter, as the guide to signed \
             webhooks shows",
        ),
        Installation::EnvoyGateway if !is_patched => Some(
            "EnvoyExtensionPolicy does not have it: add it by an EnvoyPatchPolicy, as the guide to signed \
             webhooks shows, and name that file here, too",
        ),
        Installation::EnvoyGateway
        | Installation::Unknown
        | Installation::Envoy { hands_over: true } => None,
    }
}

fn withheld(rule: &'static Rule, what: &str, hint: &str) -> Fault {
    let problem =
        format!("{what}, and Envoy does not hand over bodies without {HANDS_OVER_BODIES}: true");
    Fault::new(rule, "", problem, hint)
}

/// Whether a document is a patch of Envoy Gateway that adds the field.
pub(crate) fn is_patch(document: &Value) -> bool {
    let text = document.to_string();
    text.contains("EnvoyPatchPolicy") && text.contains(HANDS_OVER_BODIES)
}
