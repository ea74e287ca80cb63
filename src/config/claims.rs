//! Rules on single claims.

use super::raw::{RawClaimRule, RawClaimTests};
use super::read::Located;
use crate::identity::{ClaimRule, ClaimTest};

/// Rules on claims. What is wrong with one of them was reported when it was read.
pub(super) fn claim_rules(raw: Vec<Located<RawClaimRule>>) -> Vec<ClaimRule> {
    raw.into_iter().map(|item| rule(item.value)).collect()
}

fn rule(raw: RawClaimRule) -> ClaimRule {
    ClaimRule {
        path: raw.claim.value.unwrap_or_default(),
        exists: raw.exists.value,
        all: claim_tests(raw.tests),
        none: raw
            .not
            .value
            .map(|not| claim_tests(not.tests))
            .unwrap_or_default(),
    }
}

fn claim_tests(raw: RawClaimTests) -> Vec<ClaimTest> {
    let contains = raw.contains.value.map(|value| ClaimTest::Contains(value.0));
    let equals = raw
        .equals
        .value
        .map(|value| ClaimTest::OneOf(vec![value.0]));
    let one_of = raw.one_of.value.map(|list| {
        let values = list.0.into_iter().map(|value| value.0);
        ClaimTest::OneOf(values.collect())
    });
    let prefix = raw.prefix.value.map(|text| ClaimTest::Prefix(text.text));
    let suffix = raw.suffix.value.map(|text| ClaimTest::Suffix(text.text));
    let tests = [contains, equals, one_of, prefix, suffix];
    tests.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{json, Value};

    use super::*;
    use crate::config::field_path::FieldPath;
    use crate::config::read::Read as _;

    fn read(value: &Value) -> ClaimRule {
        let path = FieldPath::whole();
        let raw = RawClaimRule::read(value, &path).unwrap();
        assert_eq!(path.errors(), []);
        rule(raw)
    }

    #[test]
    fn a_rule_is_read_part_by_part() {
        let written = json!({
            "claim": ["kubernetes.io", "namespace"], "exists": true, "one_of": ["a", "7", true],
            "prefix": "p", "not": {"equals": "x", "suffix": "s", "contains": -9_000_000_000_000_000_i64},
        });
        let read = read(&written);
        assert_eq!(read.path.names(), ["kubernetes.io", "namespace"]);
        assert_eq!(read.exists, Some(true));
        // A number is the same in quotes.
        let one_of = ClaimTest::OneOf(vec![json!("a"), json!(7), json!(true)]);
        assert_eq!(read.all, [one_of, ClaimTest::Prefix("p".to_owned())]);
        assert_eq!(
            read.none,
            [
                ClaimTest::Contains(json!(-9_000_000_000_000_000_i64)),
                ClaimTest::OneOf(vec![json!("x")]),
                ClaimTest::Suffix("s".to_owned()),
            ]
        );
    }

    #[test]
    fn dots_lead_further_in() {
        let rule = read(&json!({"claim": "realm_access.roles", "exists": false}));
        assert_eq!(rule.path.names(), ["realm_access", "roles"]);
        assert_eq!(rule.exists, Some(false));
    }
}
