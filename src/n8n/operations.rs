//! The operations of n8n's public API.

mod operation;
mod table;

pub use operation::{Method, Operation};

use std::borrow::Cow;
use std::cmp::Ordering;

use super::line::{Line, Lines};
use super::scope::{scope, RUN_WORKFLOW, WITH_OWN};
use super::{Route, ScopeSet};
use operation::{Group, Segment};

/// What the gate itself carries out, where it has sessions. n8n has no such operation, and answers 405.
static RUN: Operation = Operation {
    lines: WITH_OWN,
    method: Method::Post,
    segments: &[
        Segment::Literal("workflows"),
        Segment::Parameter("id"),
        Segment::Literal("run"),
    ],
    name: RUN_WORKFLOW,
    scopes: &[scope(RUN_WORKFLOW)],
};

const RUN_REASON: &str =
    "the gate itself carries it out, see [running workflows](../guides/running-workflows.md)";

impl Operation {
    /// The operation of this call in a line of n8n; `None`: it is unknown there.
    pub fn find(method: &[u8], route: &Route<'_>, line: Line) -> Option<&'static Self> {
        let method = Method::of(method)?;
        let segments = route.api_call()?;
        let group = Group::find(segments.first()?)?;
        let mut all = group.operations.iter().chain([&RUN]);
        all.find(|operation| operation.matches(method, segments, line))
    }

    /// The workflow that this operation runs, if that is what it does.
    pub fn workflow_to_run<'r>(&self, route: &'r Route<'_>) -> Option<&'r str> {
        let is_run = std::ptr::eq(self, &raw const RUN);
        let id = route.api_call().filter(|_| is_run)?.get(1)?;
        Some(id)
    }

    /// All operations of n8n that are known, in any line.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        table::GROUPS.iter().flat_map(|group| group.operations)
    }

    /// The operation that the gate itself carries out.
    pub fn own() -> &'static Self {
        &RUN
    }

    /// The name in the audit record: n8n's scope for it if that is exactly one, else method and template.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The lines of n8n that have it, and ask for these scopes.
    pub const fn lines(&self) -> Lines {
        self.lines
    }

    /// The path below `/api/v1`, with `{parameter}` segments.
    pub fn template(&self) -> String {
        self.segments.iter().map(ToString::to_string).collect()
    }

    /// The result of a review of n8n's handler in a line: why more is needed than n8n's middleware asks for, or
    /// why that is enough. `None`: the handler does what its scope says.
    pub fn reason(&self, line: Line) -> Option<&'static str> {
        if std::ptr::eq(self, &raw const RUN) {
            return Some(RUN_REASON);
        }
        let template = self.template();
        let mut reasons = table::REASONS.iter();
        let found = reasons.find(|(method, own, lines, _)| {
            (*method, *own) == (self.method, &*template) && lines.contain(line)
        });
        found.map(|(_, _, _, reason)| *reason)
    }

    /// Whether `granted` allows it. An operation that needs no scope is only for callers with some scope:
    /// n8n accepts it with any API key, and the upstream API key is not the caller's own.
    pub fn is_allowed_by(&self, granted: &ScopeSet) -> bool {
        !granted.is_empty() && self.scopes.iter().all(|scope| granted.holds(*scope))
    }

    /// The scopes that `granted` lacks for it.
    pub fn missing_from<'g>(
        &self,
        granted: &'g ScopeSet,
    ) -> impl Iterator<Item = &'static str> + use<'g> {
        let needed = self.scopes.iter();
        let missing = needed.filter(|scope| !granted.holds(**scope));
        missing.map(|scope| scope.name())
    }

    fn matches(&self, method: Method, segments: &[Cow<'_, str>], line: Line) -> bool {
        let mut pairs = self.segments.iter().zip(segments);
        self.method == method
            && self.segments.len() == segments.len()
            && self.lines.contain(line)
            && pairs.all(|(own, sent)| own.matches(sent))
    }
}

impl Group {
    /// The operations whose paths begin with this segment, in any case.
    fn find(first: &str) -> Option<&'static Self> {
        let groups = &table::GROUPS;
        let index = groups.binary_search_by(|group| group.order(first)).ok()?;
        groups.get(index)
    }

    /// The order of this group in the table, compared with the one that is searched for.
    fn order(&self, first: &str) -> Ordering {
        let lower_case = || first.bytes().map(|byte| byte.to_ascii_lowercase());
        let order = self.first.len().cmp(&first.len());
        order.then_with(|| self.first.bytes().cmp(lower_case()))
    }
}

#[cfg(test)]
mod tests;
