//! What a call of the public API can do, in n8n's own scope names.

mod operation;
mod table;

pub use operation::Operation;
pub(super) use table::{SCOPES, WILDCARDS};

use std::cmp::Ordering;

use super::{Route, ScopeSet};

impl Operation {
    /// The operation that n8n would run for this call; `None`: none that is known.
    ///
    /// Express answers `HEAD` with the handler of `GET`, so it is the same operation.
    pub fn find(method: &[u8], route: &Route) -> Option<&'static Self> {
        let method = if method == b"HEAD" { b"GET" } else { method };
        let segments = route.api_call()?;
        let first = segments.first()?;
        let order = |operation: &&Self| operation.place(method, first, segments.len());
        let start = table::OPERATIONS.partition_point(|operation| order(&operation).is_lt());
        table::OPERATIONS
            .get(start..)?
            .iter()
            .take_while(|operation| order(operation).is_eq())
            .find(|operation| operation.matches(segments))
    }

    /// All operations that are known.
    pub fn all() -> &'static [Self] {
        &table::OPERATIONS
    }

    /// What audit calls it: n8n's own scope for it if that is exactly one, else method and template.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What a review of n8n's handler found: why more is needed than n8n's middleware asks for, or
    /// why that will do. `None`: the handler does what its scope says.
    pub fn reason(&self) -> Option<&'static str> {
        table::REASONS
            .iter()
            .find(|(method, template, _)| (*method, *template) == (self.method, self.template))
            .map(|(_, _, reason)| *reason)
    }

    /// Whether `granted` allows it. What needs no scope is for those who are granted something:
    /// n8n would answer any key, and the principal's key is not the caller's.
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

    /// Where this stands in the table, seen from the group that is looked for.
    fn place(&self, method: &[u8], first: &str, count: usize) -> Ordering {
        let mut segments = self.segments();
        let own_first = segments.next().unwrap_or_default();
        let lower_case = first.bytes().map(|byte| byte.to_ascii_lowercase());
        self.method
            .as_bytes()
            .cmp(method)
            .then_with(|| own_first.bytes().cmp(lower_case))
            .then_with(|| segments.count().saturating_add(1).cmp(&count))
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
