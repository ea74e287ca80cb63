//! Rules on single claims, as they are written.
//!
//! The tests of a rule stand in two places, in the rule and in its `not`. One reader serves both,
//! so its fields are not declared in `raw`.

use serde_json::{Number, Value};

use super::place::Place;
use super::read::{wrong_kind, At, List, Plain, Read, Text};
use super::report::quoted;
use super::section::{link, optional, required, FieldReference, Members, Section};
use crate::identity::{ClaimRule, ClaimTest};

const TITLE: &str = "claims[]";

/// Whole numbers beyond this are not exact any more when Envoy hands them on.
const LARGEST_EXACT: i64 = 1 << 53;

const FIELDS: [&str; 8] = [
    "claim", "equals", "one_of", "contains", "prefix", "suffix", "exists", "not",
];

impl Read for ClaimRule {
    fn shape() -> String {
        link(TITLE)
    }

    fn read(value: &Value, place: &Place) -> Option<Self> {
        let members = Members::open(value, place, &FIELDS)?;
        let hint = "name a claim, such as repository or realm_access.roles";
        let path = members.field::<ClaimPath>("claim", required(hint)).value;
        let exists = members.field::<bool>("exists", optional("")).said().ok();
        let all = tests(&members);
        let none = members.field::<Negated>("not", optional("")).said().ok();
        let (exists, all) = (exists?, all?);
        let none = none?.map(|negated| negated.0).unwrap_or_default();
        let tests_it = !all.is_empty() || !none.is_empty();
        match exists {
            Some(false) if tests_it => {
                let hint = "take out exists: false, or everything else";
                place.error("can never hold: what is absent has no value", hint);
                None
            }
            None if !tests_it && place.has_errors() => None,
            None if !tests_it => {
                let hint = "add equals, one_of, contains, prefix, suffix, exists or not";
                place.error("says nothing about the claim", hint);
                None
            }
            exists => Some(Self {
                path: path?.0,
                exists,
                all,
                none,
            }),
        }
    }
}

/// What must not hold.
struct Negated(Vec<ClaimTest>);

impl Read for Negated {
    fn shape() -> String {
        "map of `equals`, `one_of`, `contains`, `prefix`, `suffix`".to_owned()
    }

    fn read(value: &Value, place: &Place) -> Option<Self> {
        let known = FIELDS.get(1..6).unwrap_or_default();
        let tests = tests(&Members::open(value, place, known)?)?;
        if tests.is_empty() && !place.has_errors() {
            place.error("must not be an empty map", "say what must not hold");
        }
        (!tests.is_empty()).then_some(Self(tests))
    }
}

fn tests(members: &Members<'_>) -> Option<Vec<ClaimTest>> {
    let scalar = |name| members.field::<Scalar>(name, optional("")).said().ok();
    let text = |name| members.field::<Text>(name, optional("")).said().ok();
    let list = members.field::<List<Scalar>>("one_of", optional(""));
    let (equals, contains) = (scalar("equals"), scalar("contains"));
    let (prefix, suffix) = (text("prefix"), text("suffix"));
    let one_of = list.said().ok()?;
    let found = [
        equals?.map(|value| ClaimTest::OneOf(vec![value.0])),
        one_of.map(|list| ClaimTest::OneOf(list.0.into_iter().map(|value| value.0).collect())),
        contains?.map(|value| ClaimTest::Contains(value.0)),
        prefix?.map(|prefix| ClaimTest::Prefix(prefix.text)),
        suffix?.map(|suffix| ClaimTest::Suffix(suffix.text)),
    ];
    Some(found.into_iter().flatten().collect())
}

/// A value that a claim can be compared with exactly.
struct Scalar(Value);

impl Read for Scalar {
    fn shape() -> String {
        "string, number or boolean".to_owned()
    }

    fn read(value: &Value, place: &Place) -> Option<Self> {
        match value {
            Value::String(text) if text.is_empty() => {
                place.error("must not be an empty string", "give it a value");
                None
            }
            Value::String(_) | Value::Bool(_) => Some(Self(value.clone())),
            Value::Number(number) => {
                let whole = whole(number);
                if whole.is_none() {
                    let problem = "is no whole number, or one too large to be exact";
                    place.error(problem, "a string is compared exactly, whatever it holds");
                }
                whole.map(|whole| Self(whole.into()))
            }
            _ => {
                let hint = "write one value; contains looks into arrays";
                wrong_kind(value, place, "a string, a number or a boolean", hint);
                None
            }
        }
    }
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

/// The way to a claim: names joined by dots, or a list of names, in which dots are a part of them.
struct ClaimPath(Vec<String>);

impl Read for ClaimPath {
    fn shape() -> String {
        "path with dots, or list of names".to_owned()
    }

    fn read(value: &Value, place: &Place) -> Option<Self> {
        if matches!(value, Value::Array(_)) {
            let List(names) = List::<At<Text>>::read(value, place)?;
            return Some(Self(
                names.into_iter().map(|name| name.value.text).collect(),
            ));
        }
        let path = Text::<Plain>::read(value, place)?.text;
        // Names that are known to hold dots: cut at them, the rule would never find its claim.
        if path.contains("://") || path.starts_with("kubernetes.io") {
            let problem = format!("{} would be cut at its dots", quoted(&path));
            place.error(
                problem,
                "write a list of names, such as [kubernetes.io, namespace]",
            );
            return None;
        }
        let names: Vec<_> = path.split('.').map(str::to_owned).collect();
        if names.iter().any(String::is_empty) {
            let problem = format!("{} has an empty name in it", quoted(&path));
            place.error(problem, "write names with a dot between each two");
            return None;
        }
        Some(Self(names))
    }
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
            field("equals", Scalar::shape(), test, "It has this value."),
            field("one_of", List::<Scalar>::shape(), test, "It has one of these values."),
            field("contains", Scalar::shape(), test, "It is an array that has this value."),
            field("prefix", Text::<Plain>::shape(), test, "It is a string that begins so."),
            field("suffix", Text::<Plain>::shape(), test, "It is a string that ends so."),
            field("exists", bool::shape(), test, "`true`: it is there. `false`: it is not, and nothing else stands in the rule."),
            field("not", Negated::shape(), test, "It is there, can be compared, and none of these holds."),
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
        assert_eq!(read.path, ["kubernetes.io", "namespace"]);
        assert_eq!(read.exists, Some(true));
        // Envoy's 7.0 is the token's 7.
        let one_of = ClaimTest::OneOf(vec![json!("a"), json!(7), json!(true)]);
        assert_eq!(read.all, [one_of, ClaimTest::Prefix("p".to_owned())]);
        assert_eq!(
            read.none,
            [
                ClaimTest::OneOf(vec![json!("x")]),
                ClaimTest::Contains(json!(-9_000_000_000_000_000_i64)),
                ClaimTest::Suffix("s".to_owned()),
            ]
        );
    }

    #[test]
    fn dots_lead_further_in() {
        let rule = read(&json!({"claim": "realm_access.roles", "exists": false})).unwrap();
        assert_eq!(rule.path, ["realm_access", "roles"]);
        assert_eq!(rule.exists, Some(false));
    }
}
