//! How names are cut out of claims, and at what cost.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "a test may stop where its own numbers are wrong"
)]

use std::cell::Cell;
use std::cmp::Ordering;
use std::rc::Rc;

use serde_json::json;

use super::*;
use crate::formats::json::Document;

#[test]
fn one_space_alone_separates_scopes() {
    for (claim, expected) in [
        (json!("a b"), &["a", "b"][..]),
        (json!("a"), &["a"]),
        (json!(" a  b "), &["a", "b"]),
        (json!(""), &[]),
        (json!(["a", "b"]), &["a", "b"]),
        (json!("a\tb"), &[]),
        (json!("a\nb"), &[]),
        (json!("a\r\nb"), &[]),
        (json!("a\u{b}b"), &[]),
        (json!("a\u{c}b"), &[]),
        (json!("a b\n"), &[]),
        (json!("a\u{0}b c"), &[]),
        (json!("a\u{7f}"), &[]),
        (json!("a\u{85}b"), &[]),
        (json!("a\u{a0}b"), &[]),
        (json!("a\u{2028}b"), &[]),
        (json!("a\u{3000}b"), &[]),
        (json!(["a", "b c", "d\te", "f\n", "", "g\u{a0}"]), &["a"]),
        (json!([["a"], 1, null, "b"]), &["b"]),
        (json!({"a": "b"}), &[]),
        (json!(7), &[]),
    ] {
        let claims = Document::from(&json!({ "claim": claim }));
        assert_eq!(names(claims.get("claim")), expected, "{claim}");
    }
    assert_eq!(names(None), [""; 0]);
}

/// A name that counts how often it is compared.
struct Counted(String, Rc<Cell<usize>>);

impl Ord for Counted {
    fn cmp(&self, other: &Self) -> Ordering {
        self.1.set(self.1.get() + 1);
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for Counted {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Counted {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Counted {}

#[test]
fn names_come_once_each_in_the_order_of_their_first_occurrences() {
    for (names, expected) in [
        ("", ""),
        ("a", "a"),
        ("aa", "a"),
        ("babac", "bac"),
        ("abcdefgh", "abcdefgh"),
        ("hgfeabab", "hgfeab"),
        ("abcdefghi", "abcdefghi"),
        ("iihgfeabab", "ihgfeab"),
    ] {
        let once: String = once_each(names.chars().collect()).into_iter().collect();
        assert_eq!(once, expected);
    }
}

#[test]
fn names_come_once_each_after_few_comparisons() {
    for count in [100_usize, 1_000, 10_000] {
        let comparisons = Rc::new(Cell::new(0));
        let name = |number: usize| Counted(number.to_string(), Rc::clone(&comparisons));
        let all = once_each((0..count).chain(0..count).map(name).collect());
        assert!(all.iter().map(|name| &name.0).eq((0..count)
            .map(|number| number.to_string())
            .collect::<Vec<_>>()
            .iter()));
        let each = comparisons.get() / (2 * count);
        assert!(
            each <= 3 * count.ilog2() as usize,
            "{count}: {each} comparisons for each"
        );
    }
}
