//! Rules on single claims, for claims that no dialect reads.

use serde_json::Value as Rule;

use super::claim_path::NoObject;
use super::{ClaimPath, Identity};
use crate::formats::json::{Document, Value};

/// A rule on one claim.
///
/// It fails if it cannot be tested: the claim is absent or `null`, or of another type than the value of
/// the rule. This includes tests that must not hold, so that no caller is admitted by leaving a claim
/// out or by changing its type. Only `exists: false` is for an absent claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRule {
    /// The path to the claim. Never empty.
    pub path: ClaimPath,
    /// Whether the claim must be present. `Some(false)` has no tests beside it.
    pub exists: Option<bool>,
    /// All of these must hold.
    pub all: Vec<ClaimTest>,
    /// None of these may hold.
    pub none: Vec<ClaimTest>,
}

/// A test of the value of a claim: strings, whole numbers and booleans, exactly.
///
/// A whole number is the same as a number and as the text of its digits: Envoy makes text of numbers
/// that do not fit in 32 bits, and providers send ids in either form. In a rule it is
/// always a [`Rule::Number`] ([`whole`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimTest {
    /// It is one of these.
    OneOf(Vec<Rule>),
    /// It is an array that has this.
    Contains(Rule),
    /// It is a string that begins so.
    Prefix(String),
    /// It is a string that ends so.
    Suffix(String),
}

impl ClaimRule {
    /// Whether the rule holds for a token with these claims.
    pub fn holds(&self, claims: &Document) -> bool {
        let claim = match self.path.find(claims.object()) {
            Ok(Some(claim)) => claim,
            Ok(None) => return self.exists == Some(false),
            Err(NoObject) => return false,
        };
        let all_are = |tests: &[ClaimTest], result| {
            tests.iter().all(|test| test.holds(claim) == Some(result))
        };
        self.exists != Some(false) && all_are(&self.all, true) && all_are(&self.none, false)
    }

    /// Whether the rule is about groups and the token leaves groups out, so that it cannot be tested.
    pub fn misses_groups(&self, identity: &Identity) -> bool {
        identity.groups_left_out && self.path.first() == Some("groups")
    }
}

impl ClaimTest {
    /// Whether the test holds; `None`: the types cannot be compared.
    fn holds(&self, claim: Value<'_>) -> Option<bool> {
        match (self, claim) {
            (Self::OneOf(values), _) => {
                let mut comparable = values
                    .iter()
                    .filter(|value| is_like(value, claim))
                    .peekable();
                comparable.peek()?;
                Some(comparable.any(|value| is_same(value, claim)))
            }
            (Self::Contains(value), Value::Array(items)) => {
                let mut all_comparable = true;
                for item in items.iter() {
                    if is_same(value, item) {
                        return Some(true);
                    }
                    all_comparable &= is_like(value, item);
                }
                all_comparable.then_some(false)
            }
            (Self::Prefix(prefix), Value::String(text)) => Some(text.starts_with(prefix)),
            (Self::Suffix(suffix), Value::String(text)) => Some(text.ends_with(suffix)),
            _ => None,
        }
    }
}

/// The whole number of a text in plain digits: without plus, leading zeros and blanks.
pub fn whole(text: &str) -> Option<i64> {
    is_plain_digits(text).then(|| text.parse().ok())?
}

fn is_plain_digits(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_zero_before = digits.len() > 1 && digits.starts_with('0');
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number && !is_zero_before && text != "-0"
}

fn is_same(value: &Rule, claim: Value<'_>) -> bool {
    match (value, claim) {
        (Rule::Number(number), Value::String(text)) => number
            .as_i64()
            .is_some_and(|number| whole(text) == Some(number)),
        (Rule::Number(number), Value::Number(claim)) => number == claim,
        (Rule::String(text), Value::String(claim)) => text == claim,
        (Rule::Bool(flag), Value::Bool(claim)) => *flag == claim,
        _ => false,
    }
}

/// Whether a value of a rule and a claim can be compared. A number with a fraction or an exponent
/// cannot: `7.0` is another spelling of `7`. Nor can a number and a text that is none, or may be
/// another spelling of one.
fn is_like(value: &Rule, claim: Value<'_>) -> bool {
    match (value, claim) {
        (Rule::Number(_), Value::String(text)) => is_plain_digits(text),
        (Rule::Number(number), Value::Number(claim)) => !number.is_f64() && !claim.is_f64(),
        (Rule::String(_), Value::String(_)) | (Rule::Bool(_), Value::Bool(_)) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{json, Value};

    use super::*;

    fn rule(
        path: &[&str],
        exists: Option<bool>,
        all: &[ClaimTest],
        none: &[ClaimTest],
    ) -> ClaimRule {
        ClaimRule {
            path: ClaimPath::from(
                path.iter()
                    .map(|name| (*name).to_owned())
                    .collect::<Vec<_>>(),
            ),
            exists,
            all: all.to_vec(),
            none: none.to_vec(),
        }
    }

    fn holds(rule: &ClaimRule, claims: &Value) -> bool {
        rule.holds(&Document::from(claims))
    }

    /// For each test: values for which it holds, values for which it does not, and values that cannot be
    /// compared.
    #[test]
    #[allow(clippy::too_many_lines, reason = "one table, a line for each form")]
    fn a_test_holds_or_does_not_or_cannot_be_compared() {
        let equals = |value| ClaimTest::OneOf(vec![value]);
        for (test, yes, no, unclear) in [
            (
                equals(json!("a")),
                vec![json!("a")],
                vec![json!("A"), json!(""), json!("a ")],
                vec![
                    json!(["a"]),
                    json!(1),
                    json!({"a": 1}),
                    json!(true),
                    json!(null),
                ],
            ),
            (
                equals(json!(7)),
                vec![json!(7), json!("7")],
                vec![
                    json!(8),
                    json!(-7),
                    json!("8"),
                    json!("77"),
                    json!("99999999999999999999"),
                ],
                vec![
                    json!([7]),
                    json!(7.5),
                    json!(7.0),
                    json!("7.0"),
                    json!("007"),
                    json!("+7"),
                    json!(" 7"),
                    json!("a"),
                    json!(""),
                ],
            ),
            (
                ClaimTest::Contains(json!(7)),
                vec![
                    json!([7]),
                    json!(["7"]),
                    json!(["a", 7]),
                    json!([true, "7"]),
                ],
                vec![json!([]), json!([8]), json!(["8", 9])],
                vec![
                    json!(7),
                    json!("7"),
                    json!(["a"]),
                    json!([7.0]),
                    json!(["07"]),
                ],
            ),
            (
                equals(json!(true)),
                vec![json!(true)],
                vec![json!(false)],
                vec![json!("true"), json!(1)],
            ),
            (
                ClaimTest::OneOf(vec![json!("a"), json!(1)]),
                vec![json!("a"), json!(1)],
                vec![json!("b"), json!(2)],
                vec![json!(true), json!([1])],
            ),
            (
                ClaimTest::Contains(json!("a")),
                vec![json!(["a"]), json!(["b", "a"]), json!([1, "a"])],
                vec![json!([]), json!(["b"]), json!(["ab"])],
                vec![
                    json!("a"),
                    json!("b a"),
                    json!({"a": 1}),
                    json!([["a"]]),
                    json!([1]),
                ],
            ),
            (
                ClaimTest::Prefix("refs/heads/".to_owned()),
                vec![json!("refs/heads/main"), json!("refs/heads/")],
                vec![json!("refs/tags/v1"), json!("Refs/heads/x"), json!("")],
                vec![json!(["refs/heads/main"]), json!(1)],
            ),
            (
                ClaimTest::Suffix("@example.com".to_owned()),
                vec![json!("a@example.com")],
                vec![json!("a@example.com.evil.example"), json!("")],
                vec![json!(["a@example.com"])],
            ),
        ] {
            let positive = rule(&["c"], None, std::slice::from_ref(&test), &[]);
            let negative = rule(&["c"], None, &[], std::slice::from_ref(&test));
            for (values, expected) in [
                (yes, [true, false]),
                (no, [false, true]),
                (unclear, [false; 2]),
            ] {
                for value in values {
                    let claims = json!({"c": value});
                    let found = [holds(&positive, &claims), holds(&negative, &claims)];
                    assert_eq!(found, expected, "{test:?} of {claims}");
                }
            }
            assert!(!holds(&positive, &json!({})), "{test:?} of nothing");
            assert!(!holds(&negative, &json!({})), "not {test:?} of nothing");
        }
    }

    #[test]
    fn a_claim_is_there_or_not() {
        let there = rule(&["c"], Some(true), &[], &[]);
        let absent = rule(&["c"], Some(false), &[], &[]);
        for (claims, expected) in [
            (json!({"c": ""}), true),
            (json!({"c": false}), true),
            (json!({"c": []}), true),
            (json!({"c": null}), false),
            (json!({"d": 1}), false),
        ] {
            assert_eq!(holds(&there, &claims), expected, "{claims}");
            assert_eq!(holds(&absent, &claims), !expected, "{claims}");
        }
    }

    #[test]
    fn every_part_of_a_rule_must_hold() {
        let [prefix, other] = ["a", "ab"].map(|text| ClaimTest::Prefix(text.to_owned()));
        let rule = rule(&["c"], Some(true), &[prefix], &[other]);
        assert!(holds(&rule, &json!({"c": "ac"})));
        assert!(!holds(&rule, &json!({"c": "ab"})));
        assert!(!holds(&rule, &json!({"c": "b"})));
    }

    #[test]
    fn a_path_leads_through_objects_and_names_are_whole() {
        let claims = json!({
            "kubernetes.io": {"namespace": "jobs"}, "a": {"b": {"c": 1}}, "l": [{"x": 1}],
            "https://example.com/role": "r",
        });
        for path in [
            &["kubernetes.io", "namespace"][..],
            &["a", "b", "c"],
            &["https://example.com/role"],
        ] {
            assert!(
                holds(&rule(path, Some(true), &[], &[]), &claims),
                "{path:?}"
            );
        }
        for path in [
            &["kubernetes", "io", "namespace"][..],
            &["a", "b", "c", "d"],
            &["a", "c"],
            &["l", "0", "x"],
            &["l", "x"],
        ] {
            assert!(
                !holds(&rule(path, Some(true), &[], &[]), &claims),
                "{path:?}"
            );
        }
    }

    #[test]
    fn a_way_that_is_blocked_is_no_absence() {
        let absent = rule(&["act", "sub"], Some(false), &[], &[]);
        for claims in [
            json!({}),
            json!({"act": null}),
            json!({"act": {}}),
            json!({"act": {"sub": null}}),
        ] {
            assert!(holds(&absent, &claims), "{claims}");
        }
        for act in [
            json!("svc-admin"),
            json!([{"sub": "svc-admin"}]),
            json!(1),
            json!(true),
        ] {
            let claims = json!({"act": act});
            assert!(!holds(&absent, &claims), "{claims}");
        }
    }

    #[test]
    fn a_number_spelled_in_another_way_does_not_get_past_a_negated_rule() {
        for spelling in ["7.0", "7e0", "70e-1"] {
            let claims = Document::read(
                format!(r#"{{"c":{spelling},"l":[{spelling}]}}"#).as_bytes(),
                4,
            )
            .unwrap();
            let equals = rule(&["c"], None, &[], &[ClaimTest::OneOf(vec![json!(7)])]);
            let contains = rule(&["l"], None, &[], &[ClaimTest::Contains(json!(7))]);
            assert!(!equals.holds(&claims), "{spelling}");
            assert!(!contains.holds(&claims), "{spelling}");
        }
    }
}
