//! Istio's own checks of tokens, before the gate: they remove a token unless they are told to keep it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::connection_manager::reads_authorization;
use super::{holds_configuration, Walk};
use crate::diagnostic::rules::TOKEN_REMOVED;

/// The namespace whose resources are for the whole mesh, as Istio is installed by default.
const ROOT: &str = "istio-system";

/// The label of the pods of a gateway that Istio makes of a `Gateway`.
const GATEWAY: &str = "gateway.networking.k8s.io/gateway-name";

/// The pods that a resource of Istio is about.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Workload {
    /// `None`: the namespace in which it is applied.
    namespace: Option<String>,
    labels: BTreeMap<String, String>,
    /// The names of what `targetRefs` lists.
    targets: Vec<String>,
}

impl Workload {
    fn of(resource: &Map<String, Value>) -> Self {
        let at = |pointer| resource_at(resource, pointer);
        let labels =
            at("/spec/selector/matchLabels").or_else(|| at("/spec/workloadSelector/labels"));
        let labels = labels.and_then(Value::as_object).into_iter().flatten();
        let several = at("/spec/targetRefs").and_then(Value::as_array);
        let targets = several.into_iter().flatten().chain(at("/spec/targetRef"));
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Self {
            namespace: at("/metadata/namespace").and_then(text),
            labels: labels
                .filter_map(|(name, value)| Some((name.clone(), text(value)?)))
                .collect(),
            targets: targets.filter_map(|target| text(&target["name"])).collect(),
        }
    }

    /// Whether both may be about one pod.
    fn meets(&self, other: &Self) -> bool {
        let is_root = |one: &Self| one.namespace.as_deref() == Some(ROOT);
        let namespaces = self.namespace.as_ref().zip(other.namespace.as_ref());
        let is_near = namespaces.is_none_or(|(one, other)| one == other);
        if !is_near && !is_root(self) && !is_root(other) {
            return false;
        }
        let mut both = self.labels.iter();
        let has_same_labels = both.all(|(name, value)| {
            let others = other.labels.get(name);
            others.is_none_or(|other| other == value)
        });
        has_same_labels && self.may_be_of(other) && other.may_be_of(self)
    }

    /// Whether its pods may be those of the targets of the other one.
    fn may_be_of(&self, other: &Self) -> bool {
        let is_one = |name: &String| other.targets.contains(name);
        if other.targets.is_empty() {
            return true;
        }
        if !self.targets.is_empty() {
            return self.targets.iter().any(is_one);
        }
        self.labels.is_empty() || self.labels.get(GATEWAY).is_some_and(is_one)
    }
}

/// The pods in which the gate of a resource runs after Istio's own checks of tokens.
pub(super) fn gates_after(value: &Value, found: &mut Vec<Workload>) {
    match value {
        Value::Object(resource) if is_after(resource) => found.push(Workload::of(resource)),
        Value::Object(members) => members
            .values()
            .for_each(|member| gates_after(member, found)),
        Value::Array(items) => items.iter().for_each(|item| gates_after(item, found)),
        _ => {}
    }
}

fn is_after(resource: &Map<String, Value>) -> bool {
    let at = |pointer| resource_at(resource, pointer);
    match resource.get("kind").and_then(Value::as_str) {
        // Without a phase it is put before the router.
        Some("WasmPlugin") => {
            at("/spec/pluginConfig").is_some_and(holds_configuration)
                && at("/spec/phase").is_none_or(|phase| phase != "AUTHN")
        }
        Some("EnvoyFilter") => {
            let patches = at("/spec/configPatches").and_then(Value::as_array);
            let mut patches = patches.into_iter().flatten();
            patches.any(|patch| holds_configuration(patch) && is_patched_after(patch))
        }
        _ => false,
    }
}

/// Whether a patch puts its filter behind those of Istio. Without another filter, `INSERT_BEFORE` is the
/// beginning of the chain.
fn is_patched_after(patch: &Value) -> bool {
    let other = patch.pointer("/match/listener/filterChain/filter/subFilter/name");
    let is_first = match patch.pointer("/patch/operation").and_then(Value::as_str) {
        Some("INSERT_FIRST") => true,
        Some("INSERT_BEFORE") => other.is_none_or(|name| name == "envoy.filters.http.jwt_authn"),
        _ => false,
    };
    !is_first
}

/// Whether it is one of Istio's own checks of tokens.
pub(super) fn is_request_authentication(members: &Map<String, Value>) -> bool {
    members
        .get("kind")
        .is_some_and(|kind| kind == "RequestAuthentication")
}

impl Walk<'_> {
    /// A check of tokens by Istio, if it removes a token before the gate can read it.
    pub(super) fn request_authentication(&mut self, resource: &Map<String, Value>) {
        let own = Workload::of(resource);
        if !self.gates.after_istio.iter().any(|gate| gate.meets(&own)) {
            return;
        }
        let rules = resource_at(resource, "/spec/jwtRules").and_then(Value::as_array);
        for (index, rule) in rules.into_iter().flatten().enumerate() {
            let Some(rule) = rule.as_object() else {
                continue;
            };
            let keeps = rule
                .get("forwardOriginalToken")
                .is_some_and(|value| value == true);
            if keeps || !reads_authorization(rule) {
                continue;
            }
            let length = self.steps.len();
            let steps = ["spec", "jwtRules", &index.to_string()];
            self.steps.extend(steps.map(str::to_owned));
            self.report(TOKEN_REMOVED, "", REMOVED);
            self.steps.truncate(length);
        }
    }
}

/// What a pointer leads to in a resource.
fn resource_at<'v>(resource: &'v Map<String, Value>, pointer: &str) -> Option<&'v Value> {
    let (first, rest) = pointer.strip_prefix('/')?.split_once('/')?;
    resource.get(first)?.pointer(&format!("/{rest}"))
}

const REMOVED: &str =
    "Istio removes the token after it verified it, and the gate, which runs later, sees a request \
     without one. Hint: write forwardOriginalToken: true, or phase: AUTHN in the WasmPlugin of the gate";
