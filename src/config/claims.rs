//! Rules on single claims, as they are written.
//!
//! The tests of a rule stand in two places, in the rule and in its `not`. One reader serves both,
//! so its fields are not declared in `raw`.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use super::field_path::FieldPath;
use super::read::{is_present, wrong_kind, Plain, Read, Text};
use super::section::{link, FieldReference, Members, Section};
use super::wire::MAX_EXACT;
use crate::identity::{whole, ClaimPath, ClaimRule, ClaimTest};

const TITLE: &str = "claims[]";

/// Whole numbers beyond these are not exact any more when a host hands them on as doubles.
const EXACT: RangeInclusive<i64> = -MAX_EXACT..=MAX_EXACT;

const FIELDS: [&str; 8] = [
    "claim", "equals", "one_of", "contains", "prefix", "suffix", "exists", "not",
];

impl Read for ClaimRule {
    fn shape() -> String {
        link(TITLE)
    }

    fn read(value: &Value, path: &FieldPath) -> Option<Self> {
        let mut rule = Self {
            path: ClaimPath::default(),
            exists: None,
            all: Vec::new(),
            none: Vec::new(),
        };
        let members = open(value, path, &FIELDS)?;
        for (name, value) in members {
            let path = path.member(name);
            match name.as_str() {
                _ if !is_present(value, &path) => {}
                "claim" => rule.path = ClaimPath::read(value, &path).unwrap_or_default(),
                "exists" => rule.exists = bool::read(value, &path),
                "not" => rule.none = none(value, &path).unwrap_or_default(),
                name => rule.all.extend(test(name, value, &path)),
            }
        }
        if !members.contains_key("claim") {
            let hint = "name a claim, such as repository or realm_access.roles";
            path.member("claim").error("is required", hint);
        }
        if path.has_errors() {
            return None;
        }
        let tests_it = !rule.all.is_empty() || !rule.none.is_empty();
        match rule.exists {
            Some(false) if tests_it => path.error(
                "can never hold: what is absent has no value",
                "take out exists: false, or everything else",
            ),
            None if !tests_it => path.error(
                "says nothing about the claim",
                "add equals, one_of, contains, prefix, suffix, exists or not",
            ),
            _ => return Some(rule),
        }
        None
    }
}

/// The members of a map, once those that are not known were reported.
fn open<'v>(
    value: &'v Value,
    path: &FieldPath,
    known: &[&'static str],
) -> Option<&'v Map<String, Value>> {
    Members::open(value, path, known)?;
    value.as_object()
}

/// What must not hold.
fn none(value: &Value, path: &FieldPath) -> Option<Vec<ClaimTest>> {
    let mut tests = Vec::new();
    for (name, value) in open(value, path, FIELDS.get(1..6)?)? {
        let path = path.member(name);
        if is_present(value, &path) {
            tests.extend(test(name, value, &path));
        }
    }
    if tests.is_empty() && !path.has_errors() {
        path.error("must not be an empty map", "say what must not hold");
    }
    Some(tests)
}

fn test(name: &str, value: &Value, path: &FieldPath) -> Option<ClaimTest> {
    Some(match name {
        "equals" => ClaimTest::OneOf(vec![scalar(value, path)?]),
        "one_of" => {
            let mut values = Vec::new();
            for (index, value) in value.as_array().into_iter().flatten().enumerate() {
                values.push(scalar(value, &path.item(index))?);
            }
            if values.is_empty() {
                path.error(
                    "must be a list, and not an empty one",
                    "list at least one value",
                );
            }
            ClaimTest::OneOf(values)
        }
        "contains" => ClaimTest::Contains(scalar(value, path)?),
        "prefix" => ClaimTest::Prefix(Text::<Plain>::read(value, path)?.text),
        "suffix" => ClaimTest::Suffix(Text::<Plain>::read(value, path)?.text),
        // Reported as unknown.
        _ => return None,
    })
}

/// A value that a claim can be compared with exactly.
fn scalar(value: &Value, path: &FieldPath) -> Option<Value> {
    match value {
        Value::String(text) if text.is_empty() => {
            path.error("must not be an empty string", "give it a value");
        }
        Value::String(text) => {
            if is_fraction(text) {
                path.warn(
                    "looks like a number and is compared as text: no number of a token equals it",
                    "write whole numbers in plain digits; leave it where tokens have this text",
                );
            }
            let whole = whole(text).map(Value::from);
            return Some(whole.unwrap_or_else(|| Value::String(text.clone())));
        }
        Value::Bool(flag) => return Some(Value::Bool(*flag)),
        Value::Number(number) => match number.as_i64() {
            Some(whole) if EXACT.contains(&whole) => return Some(whole.into()),
            _ => path.error(
                "is no whole number in plain digits, or one too large to be exact",
                "a string is compared exactly, whatever it holds",
            ),
        },
        _ => {
            let hint = "write one value; contains looks into arrays";
            wrong_kind(value, path, "a string, a number or a boolean", hint);
        }
    }
    None
}

/// Whether a text is a number with a fraction or an exponent. Envoy hands such numbers on as text, so
/// that a number may have been meant.
///
/// Read by hand: the standard library's reader of floats would make the module 17 KB larger.
fn is_fraction(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let after_digits = |text: &str| text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let rest = |length: usize| unsigned.get(unsigned.len().checked_sub(length)?..);
    let mut left = after_digits(unsigned);
    let mut digits = unsigned.len().saturating_sub(left);
    if let Some(fraction) = rest(left).and_then(|rest| rest.strip_prefix('.')) {
        left = after_digits(fraction);
        digits = digits.saturating_add(fraction.len().saturating_sub(left));
    }
    let exponent = rest(left).and_then(|rest| rest.strip_prefix(['e', 'E']));
    let ends = exponent.map_or(left == 0, |exponent| {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !exponent.is_empty() && after_digits(exponent) == 0
    });
    ends && digits > 0 && text.contains(['.', 'e', 'E'])
}

impl Section for ClaimRule {
    const TITLE: &'static str = TITLE;
    const ABOUT: &'static str =
        " A rule on one claim. Every part of it that is there must hold. A rule fails where the \
        claim is absent or `null`, or of another type than what it is compared with; that goes \
        for `not`, too. Strings, whole numbers and booleans are compared exactly. A whole number is \
        the same as a number and as the text of its plain digits, in the rule and in the token: \
        Envoy itself makes text of what does not fit in 32 bits. Other numbers (`7.0`, `1e3`) are \
        refused where they arrive as numbers, and are text, with a warning, where Envoy makes text \
        of them.";

    fn fields() -> Vec<FieldReference> {
        let field = |name, shape, absence: &str, meaning| FieldReference {
            name,
            shape,
            absence: absence.to_owned(),
            meaning,
        };
        let test = "not looked at";
        vec![
            field("claim", ClaimPath::shape(), "**required**", "The claim. `realm_access.roles` is `roles` in `realm_access`; names with dots in them stand in a list: `[kubernetes.io, namespace]`."),
            field("equals", "string, number or boolean".to_owned(), test, "It has this value."),
            field("one_of", "list of those".to_owned(), test, "It has one of these values."),
            field("contains", "string, number or boolean".to_owned(), test, "It is an array that has this value."),
            field("prefix", Text::<Plain>::shape(), test, "It is a string that begins so."),
            field("suffix", Text::<Plain>::shape(), test, "It is a string that ends so."),
            field("exists", bool::shape(), test, "`true`: it is there. `false`: it is not, and nothing else stands in the rule."),
            field("not", "map of `equals`, `one_of`, `contains`, `prefix`, `suffix`".to_owned(), test, "It is there, can be compared, and none of these holds."),
        ]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: &Value) -> Option<ClaimRule> {
        let path = FieldPath::whole();
        let rule = ClaimRule::read(value, &path);
        assert_eq!(path.errors(), []);
        rule
    }

    #[test]
    fn a_rule_is_read_part_by_part() {
        let written = json!({
            "claim": ["kubernetes.io", "namespace"], "exists": true, "one_of": ["a", "7", true],
            "prefix": "p", "not": {"equals": "x", "suffix": "s", "contains": -9_000_000_000_000_000_i64},
        });
        let read = read(&written).unwrap();
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
        let rule = read(&json!({"claim": "realm_access.roles", "exists": false})).unwrap();
        assert_eq!(rule.path.names(), ["realm_access", "roles"]);
        assert_eq!(rule.exists, Some(false));
    }

    #[test]
    fn a_whole_number_is_one_thing_in_digits_and_as_a_number() {
        let test = |value: Value| {
            let rule = read(&json!({"claim": "num", "equals": value})).unwrap();
            rule.all[0].clone()
        };
        for (number, text) in [
            (json!(7), "7"),
            (json!(-1), "-1"),
            (json!(0), "0"),
            (json!(2_147_483_648_i64), "2147483648"),
            (json!(9_007_199_254_740_991_i64), "9007199254740991"),
        ] {
            assert_eq!(test(number.clone()), test(json!(text)));
            assert_eq!(test(number.clone()), ClaimTest::OneOf(vec![number]));
        }
        for text in [
            "007",
            "+7",
            "-0",
            " 7",
            "7.0",
            "1e3",
            "99999999999999999999",
            "0x7",
            "\u{667}",
        ] {
            assert_eq!(test(json!(text)), ClaimTest::OneOf(vec![json!(text)]));
        }
    }

    #[test]
    fn a_number_that_may_have_been_another_is_refused() {
        // What a double makes of 9007199254740993.
        for number in [
            json!(9_007_199_254_740_992_i64),
            json!(-9_007_199_254_740_992_i64),
            json!(9_007_199_254_740_992.0),
            json!(7.0),
            json!(0.5),
            json!(1e3),
            json!(u64::MAX),
        ] {
            for test in ["equals", "contains"] {
                let path = FieldPath::whole();
                let rule = ClaimRule::read(&json!({"claim": "num", test: number}), &path);
                assert!(rule.is_none() && path.errors().len() == 1, "{number}");
            }
        }
    }

    #[test]
    fn a_text_that_may_have_been_a_number_is_warned_of() {
        let warned = |text: &str| {
            let path = FieldPath::whole();
            ClaimRule::read(&json!({"claim": "num", "not": {"one_of": [text]}}), &path).unwrap();
            path.warnings().len()
        };
        for text in [
            "7.0", "7.", ".5", "-1.5", "+1.5", "1e3", "1E-3", "1.5e+3", "2.0", "1e400",
        ] {
            assert_eq!(warned(text), 1, "{text}");
        }
        for text in [
            "7",
            "-7",
            "007",
            "1.2.3",
            "1e",
            "e3",
            ".",
            "1e3e",
            "1-2",
            "2026-01-01",
            "1.0a",
            "1_0.5",
            "a",
            "0x1f",
            "12345678901234567890",
            "1e+",
            "\u{667}.0",
        ] {
            assert_eq!(warned(text), 0, "{text}");
        }
    }
}
