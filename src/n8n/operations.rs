//! What a call of the public API does, in n8n's own scope names.

mod table;

pub(super) use table::{SCOPES, WILDCARDS};

use std::cmp::Ordering;

use super::{Route, ScopeSet};

/// One operation of n8n's public API.
#[derive(Debug, PartialEq, Eq)]
pub struct Operation {
    /// The method, in capitals.
    pub method: &'static str,
    /// The path below `/api/v1`, with `{parameter}` segments.
    pub template: &'static str,
    /// The API-key scopes that n8n asks for; none: any key will do.
    pub scopes: &'static [&'static str],
    /// How many of the scopes are needed.
    pub rule: ScopeRule,
    name: &'static str,
}

/// How many of an operation's scopes are needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeRule {
    /// Every one. Also where n8n decides by the body, which this filter does not read.
    AllOf,
    /// One of them.
    AnyOf,
}

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

    /// What audit calls it: its scope if it has exactly one, else method and template.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// How many of its scopes are needed, in words.
    pub const fn needed(&self) -> &'static str {
        match (self.scopes, self.rule) {
            ([], _) => "any key",
            ([_], _) => "it",
            (_, ScopeRule::AllOf) => "all",
            (_, ScopeRule::AnyOf) => "one",
        }
    }

    /// Whether `granted` allows it.
    pub fn is_allowed_by(&self, granted: &ScopeSet) -> bool {
        self.missing_from(granted).next().is_none()
    }

    /// The scopes that `granted` lacks for it. Where one of several would do, all of them.
    pub fn missing_from<'g>(
        &self,
        granted: &'g ScopeSet,
    ) -> impl Iterator<Item = &'static str> + use<'g> {
        let has = |scope: &&str| granted.contains(scope);
        let enough = match self.rule {
            ScopeRule::AllOf => self.scopes.iter().all(has),
            ScopeRule::AnyOf => self.scopes.iter().any(has),
        };
        let asked: &'static [&'static str] = if enough { &[] } else { self.scopes };
        asked
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
