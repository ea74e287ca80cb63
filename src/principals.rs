//! Whom an identity becomes in n8n.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use crate::identity::{Condition, Dimension, Identity};
use crate::policy::Principal;

/// The principals in the order of the configuration. The first match wins, and finding it takes
/// as long among ten thousand as among ten: only those are looked at that list a value of the
/// caller's.
#[derive(Clone, Default)]
pub struct Principals {
    list: Vec<Principal>,
    /// Each principal is in one dimension alone, under every value that it lists there.
    rows: BTreeMap<Dimension, BTreeMap<String, Vec<usize>>>,
    /// Those that list no values at all.
    unlisted: Vec<usize>,
}

impl Principals {
    /// Puts principals in order.
    pub fn new(list: Vec<Principal>) -> Self {
        let mut principals = Self::default();
        let crowds = crowds(&list);
        for (place, principal) in list.iter().enumerate() {
            match emptiest(&principal.matches, &crowds) {
                None => principals.unlisted.push(place),
                Some(dimension) => principals.add(place, &principal.matches, dimension),
            }
        }
        Self { list, ..principals }
    }

    fn add(&mut self, place: usize, condition: &Condition, dimension: Dimension) {
        let rows = self.rows.entry(dimension).or_default();
        let listed = condition.lists().filter(|(own, _)| *own == dimension);
        for value in listed.flat_map(|(_, values)| values) {
            rows.entry(value.clone()).or_default().push(place);
        }
    }

    /// The principal that an identity becomes.
    pub fn of(&self, identity: &Identity) -> Option<&Principal> {
        let holds = |principal: &Principal| principal.matches.holds(identity);
        let place = self.first(identity.values(), holds)?;
        self.list.get(place)
    }

    /// Whether nobody knows which principal an identity becomes, because one that asks for groups
    /// comes first and the token leaves some out. To go on to the next would give a caller the
    /// rights of somebody else.
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

    /// The first principal that matches every identity that this one matches too; if that is an
    /// earlier one, this one can never be reached.
    pub fn first_covering(&self, principal: &Principal) -> Option<(usize, &Principal)> {
        let covers = |other: &Principal| other.matches.covers(&principal.matches);
        let place = self.first(principal.matches.samples(), covers)?;
        Some((place, self.list.get(place)?))
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

    /// The place of the first principal that is `wanted`, among those that list none or one of
    /// `values`.
    fn first<'v>(
        &self,
        values: impl IntoIterator<Item = (Dimension, Cow<'v, str>)>,
        wanted: impl Fn(&Principal) -> bool,
    ) -> Option<usize> {
        let is_wanted = |place: &&usize| self.list.get(**place).is_some_and(&wanted);
        let mut first = self.unlisted.iter().find(is_wanted).copied();
        for (dimension, value) in values {
            let row = self.rows.get(&dimension).and_then(|rows| rows.get(&*value));
            let earlier = row
                .into_iter()
                .flatten()
                .take_while(|place| first.is_none_or(|first| **place < first))
                .find(is_wanted);
            first = earlier.copied().or(first);
        }
        first
    }
}

impl fmt::Debug for Principals {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.list.fmt(formatter)
    }
}

type Crowds<'l> = BTreeMap<(Dimension, &'l str), usize>;

/// How many principals list each value.
fn crowds(list: &[Principal]) -> Crowds<'_> {
    let mut crowds = Crowds::new();
    for (dimension, values) in list.iter().flat_map(|principal| principal.matches.lists()) {
        for value in values {
            let crowd = crowds.entry((dimension, value)).or_default();
            *crowd = crowd.saturating_add(1);
        }
    }
    crowds
}

/// The dimension in which a condition shares its values with the fewest others.
fn emptiest(condition: &Condition, crowds: &Crowds<'_>) -> Option<Dimension> {
    let crowd = |dimension, value| crowds.get(&(dimension, value)).copied();
    condition
        .lists()
        .map(|(dimension, values)| {
            let most = values.iter().filter_map(|value| crowd(dimension, value));
            (most.max(), dimension)
        })
        .min()
        .map(|(_, dimension)| dimension)
}

#[cfg(test)]
mod tests;
