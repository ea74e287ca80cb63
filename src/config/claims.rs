//! Rules on single claims, as they are written.
//!
//! The tests of a rule stand in two places, in the rule and in its `not`. One reader serves both,
//! so its fields are not declared in `raw`.

use serde_json::{Map, Number, Value};

use super::place::Place;
use super::read::{is_present, wrong_kind, Plain, Read, Text};
use super::section::{link, FieldReference, Members, Section};
use crate::identity::{ClaimPath, ClaimRule, ClaimTest};

const TITLE: &str = "claims[]";

/// Whole numbers beyond this are not exact any more when Envoy hands them on.
const LARGEST_EXACT: i64 = (1 << 53) - 1;

const FIELDS: [&str; 8] = [
    "claim", "equals", "one_of", "contains", "prefix", "suffix", "exists", "not",
];

impl Read for ClaimRule {
    fn shape() -> String {
        link(TITLE)
    }

    fn read(value: &Value, place: &Place) -> Option<Self> {
        let mut rule = Self {
            path: ClaimPath::default(),
            exists: None,
            all: Vec::new(),
            none: Vec::new(),
        };
        let members = open(value, place, &FIELDS)?;
        for (name, value) in members {
            let place = place.member(name);
            match name.as_str() {
                _ if !is_present(value, &place) => {}
                "claim" => rule.path = ClaimPath::read(value, &place).unwrap_or_default(),
                "exists" => rule.exists = bool::read(value, &place),
                "not" => rule.none = none(value, &place).unwrap_or_default(),
                name => rule.all.extend(test(name, value, &place)),
            }
        }
        if !members.contains_key("claim") {
            let hint = "name a claim, such as repository or realm_access.roles";
            place.member("claim").error("is required", hint);
        }
        if place.has_errors() {
            return None;
        }
        let tests_it = !rule.all.is_empty() || !rule.none.is_empty();
        match rule.exists {
            Some(false) if tests_it => place.error(
                "can never hold: what is absent has no value",
                "take out exists: false, or everything else",
            ),
            None if !tests_it => place.error(
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
    place: &Place,
    known: &[&'static str],
) -> Option<&'v Map<String, Value>> {
    Members::open(value, place, known)?;
    value.as_object()
}

/// What must not hold.
fn none(value: &Value, place: &Place) -> Option<Vec<ClaimTest>> {
    let mut tests = Vec::new();
    for (name, value) in open(value, place, FIELDS.get(1..6)?)? {
        let place = place.member(name);
        if is_present(value, &place) {
            tests.extend(test(name, value, &place));
        }
    }
    if tests.is_empty() && !place.has_errors() {
        place.error("must not be an empty map", "say what must not hold");
    }
    Some(tests)
}

fn test(name: &str, value: &Value, place: &Place) -> Option<ClaimTest> {
    Some(match name {
        "equals" => ClaimTest::OneOf(vec![scalar(value, place)?]),
        "one_of" => {
            let mut values = Vec::new();
            for (index, value) in value.as_array().into_iter().flatten().enumerate() {
                values.push(scalar(value, &place.item(index))?);
            }
            if values.is_empty() {
                place.error(
                    "must be a list, and not an empty one",
                    "list at least one value",
                );
            }
            ClaimTest::OneOf(values)
        }
        "contains" => ClaimTest::Contains(scalar(value, place)?),
        "prefix" => ClaimTest::Prefix(Text::<Plain>::read(value, place)?.text),
        "suffix" => ClaimTest::Suffix(Text::<Plain>::read(value, place)?.text),
        // Reported as unknown.
        _ => return None,
    })
}

/// A value that a claim can be compared with exactly.
fn scalar(value: &Value, place: &Place) -> Option<Value> {
    match value {
        Value::String(text) if text.is_empty() => {
            place.error("must not be an empty string", "give it a value");
        }
        Value::String(text) => return Some(Value::String(text.clone())),
        Value::Bool(flag) => return Some(Value::Bool(*flag)),
        Value::Number(number) => match whole(number) {
            Some(whole) => return Some(whole.into()),
            None => place.error(
                "is no whole number, or one too large to be exact",
                "a string is compared exactly, whatever it holds",
            ),
        },
        _ => {
            let hint = "write one value; contains looks into arrays";
            wrong_kind(value, place, "a string, a number or a boolean", hint);
        }
    }
    None
}

/// Envoy hands every number on as a double.
fn whole(number: &Number) -> Option<i64> {
    let whole = number
        .as_i64()
        .or_else(|| number.as_f64()?.to_string().parse().ok())?;
    (-LARGEST_EXACT..=LARGEST_EXACT)
        .contains(&whole)
        .then_some(whole)
}

impl Section for ClaimRule {
    const TITLE: &'static str = TITLE;
    const ABOUT: &'static str =
        " A rule on one claim. Every part of it that is there must hold. A rule fails where the \
        claim is absent or `null`, or of another type than what it is compared with; that goes \
        for `not`, too. Strings, whole numbers and booleans are compared exactly.";

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
        let place = Place::whole();
        let rule = ClaimRule::read(value, &place);
        assert_eq!(place.errors(), []);
        rule
    }

    #[test]
    fn a_rule_is_read_part_by_part() {
        let written = json!({
            "claim": ["kubernetes.io", "namespace"], "exists": true, "one_of": ["a", 7.0, true],
            "prefix": "p", "not": {"equals": "x", "suffix": "s", "contains": -9e15},
        });
        let read = read(&written).unwrap();
        assert_eq!(read.path.names(), ["kubernetes.io", "namespace"]);
        assert_eq!(read.exists, Some(true));
        // Envoy's 7.0 is the token's 7.
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
    fn a_number_that_may_have_been_another_is_refused() {
        // What Envoy makes of 9007199254740993.
        for number in [9_007_199_254_740_992.0, -9_007_199_254_740_992.0] {
            assert_eq!(whole(&Number::from_f64(number).unwrap()), None, "{number}");
        }
        let largest = Number::from_f64(9_007_199_254_740_991.0).unwrap();
        assert_eq!(whole(&largest), Some(9_007_199_254_740_991));
    }
}
