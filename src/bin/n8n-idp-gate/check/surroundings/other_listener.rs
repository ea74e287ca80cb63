//! Listeners without the gate, in the same file.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{finding, Walk};
use crate::check::configuration::routes::clusters;
use crate::diagnostic::rules::AROUND_THE_GATE;
use crate::diagnostic::Place;
use crate::file::fields::field;

/// To which clusters the routes of a file lead, with the gate and without it.
#[derive(Default)]
pub(super) struct Ways {
    guarded: BTreeSet<String>,
    others: Vec<(String, Place)>,
}

impl Walk<'_> {
    /// Takes the routes of a connection manager without the gate. What they do to paths changes nothing that
    /// the gate decided on.
    pub(super) fn routes_without_the_gate(&mut self, name: &str, routes: &Value) {
        let place = self.place(&[name]);
        for cluster in clusters(routes) {
            self.ways.others.push((cluster.to_owned(), place.clone()));
        }
    }

    /// Takes the routes of a connection manager with the gate.
    pub(super) fn routes_with_the_gate(&mut self, members: &Map<String, Value>) {
        if let Some(routes) = field(members, "route_config") {
            let led_to = clusters(routes).into_iter().map(str::to_owned);
            self.ways.guarded.extend(led_to);
        }
    }

    /// Reports the listeners without the gate that lead to where the gate leads.
    pub(super) fn compare_listeners(&mut self) {
        let others = std::mem::take(&mut self.ways.others);
        for (cluster, place) in others {
            if self.ways.guarded.contains(&cluster) {
                self.found
                    .findings
                    .push(finding(AROUND_THE_GATE, place, AROUND));
            }
        }
    }
}

/// Whether an object is a connection manager whose filters are all Envoy's own, so that none is the gate.
pub(super) fn is_without_the_gate(members: &Map<String, Value>) -> bool {
    let filters = field(members, "http_filters").and_then(Value::as_array);
    filters.is_some_and(|filters| filters.iter().all(is_of_envoy))
}

/// Whether a filter is known to be none of WebAssembly. One that is discovered can be any.
fn is_of_envoy(filter: &Value) -> bool {
    let typed = filter
        .as_object()
        .and_then(|members| field(members, "typed_config"));
    let kind = typed.and_then(|typed| typed.get("@type")?.as_str());
    kind.is_some_and(|kind| !kind.ends_with("TypedStruct") && !kind.contains(".wasm."))
}

const AROUND: &str =
    "a listener without the gate leads to the cluster to which the gate leads. Hint: put \
     the gate into it, or remove the route";
