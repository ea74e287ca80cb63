//! The operations of n8n's public API.

mod operation;
mod table;

pub use operation::Operation;
pub(super) use table::{SCOPES, WILDCARDS};

use std::cmp::Ordering;

use super::scope::RUN_WORKFLOW;
use super::{Route, ScopeSet};

/// What the gate itself carries out. n8n has no such operation, and answers 405.
static RUN: Operation = Operation {
    method: "POST",
    template: "/workflows/{id}/run",
    scopes: &[RUN_WORKFLOW],
    name: RUN_WORKFLOW,
};

const RUN_REASON: &str =
    "the gate itself carries it out, see [running workflows](../guides/running-workflows.md)";

impl Operation {
    /// The operation of this call; `None`: it is unknown.
    ///
    /// Express runs the handler of `GET` for `HEAD`, so that it is the same operation.
    pub fn find(method: &[u8], route: &Route) -> Option<&'static Self> {
        let method = if method == b"HEAD" { b"GET" } else { method };
        let segments = route.api_call()?;
        Self::find_in_n8n(method, segments).or_else(|| {
            let is_run = RUN.order(method, segments.first()?, segments.len()).is_eq();
            (is_run && RUN.matches(segments)).then_some(&RUN)
        })
    }

    /// The workflow that this operation runs, if that is what it does.
    pub fn workflow_to_run<'r>(&self, route: &'r Route) -> Option<&'r str> {
        let is_run = std::ptr::eq(self, &raw const RUN);
        let id = route.api_call().filter(|_| is_run)?.get(1)?;
        Some(id)
    }

    fn find_in_n8n(method: &[u8], segments: &[String]) -> Option<&'static Self> {
        let first = segments.first()?;
        let order = |operation: &&Self| operation.order(method, first, segments.len());
        let start = table::OPERATIONS.partition_point(|operation| order(&operation).is_lt());
        table::OPERATIONS
            .get(start..)?
            .iter()
            .take_while(|operation| order(operation).is_eq())
            .find(|operation| operation.matches(segments))
    }

    /// All operations of n8n that are known.
    pub fn all() -> &'static [Self] {
        &table::OPERATIONS
    }

    /// The operation that the gate itself carries out.
    pub fn own() -> &'static Self {
        &RUN
    }

    /// The name in the audit record: n8n's scope for it if that is exactly one, else method and template.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The result of a review of n8n's handler: why more is needed than n8n's middleware asks for, or
    /// why that is enough. `None`: the handler does what its scope says.
    pub fn reason(&self) -> Option<&'static str> {
        if std::ptr::eq(self, &raw const RUN) {
            return Some(RUN_REASON);
        }
        table::REASONS
            .iter()
            .find(|(method, template, _)| (*method, *template) == (self.method, self.template))
            .map(|(_, _, reason)| *reason)
    }

    /// Whether `granted` allows it. An operation that needs no scope is only for callers with some scope:
    /// n8n accepts it with any API key, and the upstream API key is not the caller's own.
    pub fn is_allowed_by(&self, granted: &ScopeSet) -> bool {
        !granted.is_empty() && self.missing_from(granted).next().is_none()
    }

    /// The scopes that `granted` lacks for it.
    pub fn missing_from<'g>(
        &self,
        granted: &'g ScopeSet,
    ) -> impl Iterator<Item = &'static str> + use<'g> {
        let needed: &'static [&'static str] = self.scopes;
        needed
            .iter()
            .copied()
            .filter(|scope| !granted.contains(scope))
    }

    /// The order of this operation in the table, compared with the group that is searched for.
    fn order(&self, method: &[u8], first: &str, count: usize) -> Ordering {
        // Bytes, because a request compares some ten rows, and `split` costs several times as much.
        let template = self.template.as_bytes();
        let own_first = template.iter().skip(1).take_while(|byte| **byte != b'/');
        let lower_case = first.bytes().map(|byte| byte.to_ascii_lowercase());
        self.method
            .as_bytes()
            .cmp(method)
            .then_with(|| own_first.copied().cmp(lower_case))
            .then_with(|| {
                let slashes = template.iter().filter(|byte| **byte == b'/');
                slashes.count().cmp(&count)
            })
    }

    /// Express compares literals without regard to case, and lets a parameter be any segment.
    fn matches(&self, segments: &[String]) -> bool {
        self.segments()
            .zip(segments)
            .all(|(own, segment)| own.starts_with('{') || own.eq_ignore_ascii_case(segment))
    }

    fn segments(&self) -> impl Iterator<Item = &'static str> {
        self.template.split('/').skip(1)
    }
}

#[cfg(test)]
mod tests;
