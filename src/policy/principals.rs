//! Which principal a caller has.

use std::borrow::Cow;
use std::fmt;

use super::index::Index;
use super::{Dimension, Principal};
use crate::identity::Identity;

/// The principals in the order of the configuration. The first match applies. Finding it takes the same
/// time among ten thousand as among ten.
#[derive(Clone, Default)]
pub struct Principals {
    list: Vec<Principal>,
    index: Index,
}

impl Principals {
    /// Puts principals in order.
    pub fn new(list: Vec<Principal>) -> Self {
        let groups = |principal: &Principal| {
            let lists = principal.matches.lists();
            lists
                .map(|(dimension, values)| {
                    let values = values.iter().map(|value| Cow::Owned(value.clone()));
                    values.map(|value| (dimension as u8, value)).collect()
                })
                .collect()
        };
        let rules: Vec<_> = list.iter().map(groups).collect();
        Self {
            index: Index::new(&rules),
            list,
        }
    }

    /// The principal of a caller.
    pub fn of(&self, identity: &Identity) -> Option<&Principal> {
        let holds = |principal: &Principal| principal.matches.holds(identity);
        let position = self.first(Dimension::values_of(identity), holds)?;
        self.list.get(position)
    }

    /// Whether the principal of a caller is unknown, because one that asks for groups comes first and
    /// the token leaves groups out. The next principal could have rights that the caller must not get.
    pub fn misses_groups(&self, identity: &Identity) -> bool {
        let misses = |principal: &&Principal| principal.matches.misses_groups(identity);
        let comes_first =
            |principal: &&Principal| misses(principal) || principal.matches.holds(identity);
        identity.groups_left_out
            && self
                .list
                .iter()
                .find(comes_first)
                .as_ref()
                .is_some_and(misses)
    }

    /// The first principal that matches every caller that this one matches. If it comes earlier, this
    /// one can never be reached.
    pub fn first_covering(&self, principal: &Principal) -> Option<(usize, &Principal)> {
        let covers = |other: &Principal| other.matches.covers(&principal.matches);
        let position = self.first(principal.matches.samples(), covers)?;
        Some((position, self.list.get(position)?))
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Principal> {
        self.list.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    fn first<'v>(
        &self,
        values: impl IntoIterator<Item = (Dimension, Cow<'v, str>)>,
        wanted: impl Fn(&Principal) -> bool,
    ) -> Option<usize> {
        let keys = values.into_iter();
        self.index.first(
            keys.map(|(dimension, value)| (dimension as u8, value)),
            |position| self.list.get(position).is_some_and(&wanted),
        )
    }
}

impl fmt::Debug for Principals {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.list.fmt(formatter)
    }
}

#[cfg(test)]
mod tests;
