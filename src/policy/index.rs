//! The first of many rules that matches, without trying all of them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// A value that rules need and requests have: its text and the sort of text.
pub(super) type Key<'k> = (u8, Cow<'k, str>);

/// The positions of rules, by the keys that they need.
///
/// A rule can match only if a request has one key of each of its groups. So the rule is filed under the
/// keys of one group, the one that it shares with the fewest other rules. A request is compared with
/// the rules alone that are filed under a key of the request.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    rows: BTreeMap<u8, BTreeMap<String, Vec<usize>>>,
    /// Rules without groups: every request is compared with them.
    unfiled: Vec<usize>,
}

impl Index {
    /// Files rules, given the groups of each, in their order.
    pub(super) fn new(rules: &[Vec<Vec<Key<'_>>>]) -> Self {
        let mut crowds: BTreeMap<&Key<'_>, usize> = BTreeMap::new();
        for key in rules.iter().flatten().flatten() {
            let crowd = crowds.entry(key).or_default();
            *crowd = crowd.saturating_add(1);
        }
        let most = |group: &&Vec<Key<'_>>| {
            let crowd = |key| crowds.get(key).copied();
            group.iter().filter_map(crowd).max()
        };
        let mut index = Self::default();
        for (position, groups) in rules.iter().enumerate() {
            match groups.iter().min_by_key(most) {
                None => index.unfiled.push(position),
                Some(group) => group.iter().for_each(|key| index.file(key, position)),
            }
        }
        index
    }

    fn file(&mut self, (sort, text): &Key<'_>, position: usize) {
        let rows = self.rows.entry(*sort).or_default();
        let row = rows.entry(text.clone().into_owned()).or_default();
        // A rule may name one text twice, and rows stay in order.
        if row.last() != Some(&position) {
            row.push(position);
        }
    }

    /// The position of the first rule that `holds`, of those without groups and those filed under one
    /// of `keys`. Each rule is tried once at most, also if a request repeats a key a thousand times.
    pub(super) fn first<'k>(
        &self,
        keys: impl IntoIterator<Item = Key<'k>>,
        holds: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let mut first = self
            .unfiled
            .iter()
            .find(|position| holds(**position))
            .copied();
        let mut seen: BTreeSet<(u8, &str)> = BTreeSet::new();
        let mut asked: BTreeSet<usize> = BTreeSet::new();
        for (sort, text) in keys {
            let rows = self.rows.get(&sort);
            let Some((text, row)) = rows.and_then(|rows| rows.get_key_value(&*text)) else {
                continue;
            };
            if !seen.insert((sort, text)) {
                continue;
            }
            let is_earlier = |position: &&usize| first.is_none_or(|first| **position < first);
            let mut earlier = row.iter().take_while(is_earlier);
            let found = earlier.find(|position| asked.insert(**position) && holds(**position));
            first = found.copied().or(first);
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Key<'_> {
        (0, text.into())
    }

    fn compared(index: &Index, keys: &[&str]) -> Vec<usize> {
        let seen = std::cell::RefCell::new(Vec::new());
        let first = index.first(keys.iter().map(|text| key(text)), |position| {
            seen.borrow_mut().push(position);
            false
        });
        assert_eq!(first, None);
        seen.into_inner()
    }

    #[test]
    fn a_rule_is_filed_under_what_it_shares_with_the_fewest() {
        let own: Vec<String> = (0..1000).map(|position| position.to_string()).collect();
        let other = |position: &str| Key::from((0, format!("other {position}").into()));
        let rules: Vec<_> = own
            .iter()
            .map(|own| vec![vec![key("common")], vec![key(own), other(own)]])
            .chain([vec![]])
            .collect();
        let index = Index::new(&rules);
        assert_eq!(compared(&index, &["common"]), [1000], "filed elsewhere");
        assert_eq!(compared(&index, &["7", "common"]), [1000, 7]);
        assert_eq!(compared(&index, &[]), [1000]);
    }

    #[test]
    fn a_rule_is_tried_once_if_its_keys_are_repeated() {
        let rules = [
            vec![vec![key("a"), key("b")]],
            vec![vec![key("a")]],
            vec![vec![key("b"), key("a")]],
        ];
        let index = Index::new(&rules);
        let keys: Vec<&str> = ["b", "a", "c"].into_iter().cycle().take(3000).collect();
        assert_eq!(compared(&index, &keys), [0, 2, 1]);
    }

    #[test]
    fn the_first_rule_that_holds_is_found_whatever_it_is_filed_under() {
        let rules = [
            vec![vec![key("a")]],
            vec![],
            vec![vec![key("b"), key("b")]],
            vec![vec![key("a"), key("b")]],
        ];
        let index = Index::new(&rules);
        let first = |keys: &[&str], holds: &[usize]| {
            index.first(keys.iter().map(|text| key(text)), |position| {
                holds.contains(&position)
            })
        };
        assert_eq!(first(&["b", "a"], &[0, 1, 2, 3]), Some(0));
        assert_eq!(first(&["b", "a"], &[2, 3]), Some(2));
        assert_eq!(first(&["b"], &[0, 2, 3]), Some(2));
        assert_eq!(first(&["c"], &[0, 1, 2, 3]), Some(1));
        assert_eq!(first(&["c"], &[0, 2, 3]), None);
    }
}
