//! Sets of n8n's API-key scopes.

use std::collections::BTreeSet;

use thiserror::Error;

/// A set of n8n scopes, or all of them, those of later n8n versions included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeSet {
    all: bool,
    scopes: BTreeSet<&'static str>,
}

/// A scope that no operation of n8n asks for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("n8n has no scope {scope:?}")]
pub struct UnknownScope {
    /// What was asked for.
    pub scope: String,
    /// The nearest scope that exists.
    pub nearest: Option<&'static str>,
}

impl ScopeSet {
    /// Adds `workflow:read`, `workflow:*` or `*`.
    pub fn insert(&mut self, scope: &str) -> Result<(), UnknownScope> {
        Err(UnknownScope {
            scope: scope.to_owned(),
            nearest: None,
        })
    }

    /// Whether the scope is in the set.
    pub fn contains(&self, scope: &str) -> bool {
        self.all || self.scopes.contains(scope)
    }

    /// Whether the set is `*`: only that allows an operation that this filter does not know.
    pub const fn is_all(&self) -> bool {
        self.all
    }

    /// Adds everything that is in `other`.
    pub fn extend(&mut self, other: &Self) {
        self.all |= other.all;
        self.scopes.extend(&other.scopes);
    }

    /// What is in both sets.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        match (self.all, other.all) {
            (true, _) => other.clone(),
            (_, true) => self.clone(),
            _ => Self {
                all: false,
                scopes: self.scopes.intersection(&other.scopes).copied().collect(),
            },
        }
    }
}
