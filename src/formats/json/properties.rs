//! What is read is what `serde_json` reads, and two members of one name or too many levels are refused.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const DEPTH: usize = 4;

/// Names that begin alike, that differ in their length alone, and that are written in two ways.
const NAMES: [&str; 12] = [
    "",
    "a",
    "b",
    "a\0",
    "\0a",
    "abcdefg",
    "abcdefgh",
    "abcdefgi",
    "bbcdefgh",
    "abcdefghi",
    "é",
    "\u{1f600}abcd",
];

#[derive(Clone, Debug)]
enum Model {
    /// As it is written.
    Scalar(&'static str),
    Array(Vec<Model>),
    /// Names, and whether they are written with escapes.
    Object(Vec<(&'static str, bool, Model)>),
}

impl Model {
    fn text(&self) -> String {
        match self {
            Self::Scalar(text) => (*text).to_owned(),
            Self::Array(items) => {
                let items: Vec<String> = items.iter().map(Self::text).collect();
                format!("[{}]", items.join(" ,"))
            }
            Self::Object(members) => {
                let members = members.iter().map(|(name, is_escaped, value)| {
                    let name = if *is_escaped {
                        let units = name.encode_utf16();
                        let units: Vec<String> =
                            units.map(|unit| format!("\\u{unit:04x}")).collect();
                        format!("\"{}\"", units.concat())
                    } else {
                        serde_json::to_string(name).unwrap()
                    };
                    format!("{name}: {}", value.text())
                });
                format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
            }
        }
    }

    fn values(&self) -> Vec<&Self> {
        match self {
            Self::Scalar(_) => Vec::new(),
            Self::Array(items) => items.iter().collect(),
            Self::Object(members) => members.iter().map(|(.., value)| value).collect(),
        }
    }

    fn levels(&self) -> usize {
        let below = self.values().into_iter().map(Self::levels).max();
        let own = usize::from(!matches!(self, Self::Scalar(_)));
        below.unwrap_or_default().saturating_add(own)
    }

    fn has_duplicate(&self) -> bool {
        let own = match self {
            Self::Object(members) => {
                let mut names: Vec<_> = members.iter().map(|(name, ..)| *name).collect();
                names.sort_unstable();
                names.windows(2).any(|pair| pair.first() == pair.last())
            }
            _ => false,
        };
        own || self.values().into_iter().any(Self::has_duplicate)
    }
}

fn scalar() -> impl Strategy<Value = Model> {
    prop::sample::select(vec![
        "null",
        "true",
        "false",
        "0",
        "-0",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775808",
        "1.5e3",
        r#""""#,
        r#""text""#,
        r#""\ud83d\ude00\n\"é""#,
    ])
    .prop_map(Model::Scalar)
}

fn value() -> impl Strategy<Value = Model> {
    scalar().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Model::Array),
            object(inner)
        ]
    })
}

fn object(value: impl Strategy<Value = Model>) -> impl Strategy<Value = Model> {
    let member = (prop::sample::select(&NAMES[..]), any::<bool>(), value);
    vec(member, 0..5).prop_map(Model::Object)
}

/// Whether the two have the same members, found in every way in which they can be.
fn is_same(value: Value<'_>, other: &serde_json::Value) -> bool {
    let serde_json::Value::Object(members) = other else {
        return value.to_value() == *other;
    };
    let Some(object) = value.as_object() else {
        return false;
    };
    let found = |name: &str| object.get(name);
    NAMES.iter().all(|name| match members.get(*name) {
        Some(member) => found(name).is_some_and(|found| is_same(found, member)),
        None => found(name).is_none() && !object.contains_key(name),
    }) && object.to_map() == *members
}

proptest! {
    #[test]
    fn an_object_is_read_as_serde_json_reads_it(model in object(value())) {
        let text = model.text();
        let read = Document::read(text.as_bytes(), DEPTH);
        match (read, model.has_duplicate(), model.levels() > DEPTH) {
            (Ok(document), false, false) => {
                let other = serde_json::from_str(&text).unwrap();
                prop_assert!(is_same(Value::Object(document.object()), &other), "{text}");
            }
            (Err(JsonFault::DuplicateMember), true, _) | (Err(JsonFault::TooDeep), _, true) => {}
            (other, ..) => prop_assert!(false, "{text}: {other:?}"),
        }
    }

    #[test]
    fn a_text_with_a_changed_byte_is_no_other_document(
        model in object(value()), at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let mut text = model.text().into_bytes();
        let at = at.index(text.len());
        text[at] = byte;
        let other = serde_json::from_slice::<serde_json::Value>(&text);
        match (Document::read(text, DEPTH), other) {
            (Ok(document), other) => {
                let other = other.ok();
                prop_assert_eq!(Some(document.object().to_map().into()), other);
            }
            (Err(fault), Err(_)) => prop_assert_ne!(fault, JsonFault::NotAnObject),
            (Err(fault), Ok(_)) => prop_assert_ne!(fault, JsonFault::NotJson),
        }
    }
}
