//! Objects with known fields. `section!` declares the fields of one once: the reader and the
//! reference documentation both come from that declaration.

use serde_json::{Map, Value};

use super::duration::{format_duration, Limits, Span};
use super::field_path::FieldPath;
use super::read::{read_present, wrong_kind, Choice, OneOf, Read};
use super::suggest::nearest;

/// A field as it was found.
pub(super) struct Field<T> {
    /// Where it is or would be.
    pub(super) path: FieldPath,
    /// Whether the configuration has it, rightly or wrongly.
    pub(super) given: bool,
    /// What it says, or its default. `None`: absent, or wrong and reported.
    pub(super) value: Option<T>,
}

/// Something is wrong, and was reported where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reported;

impl<T> Field<T> {
    /// What the field says, if it is there. What is wrong is never taken for absent, which may
    /// mean more than what was written.
    pub(super) fn value_or_error(self) -> Result<Option<T>, Reported> {
        match (self.given, self.value) {
            (true, None) => Err(Reported),
            (_, value) => Ok(value),
        }
    }
}

/// What the absence of a field means.
pub(super) struct Rule<T> {
    absence: Absence<T>,
    said: String,
}

enum Absence<T> {
    Error(&'static str),
    Nothing,
    Value(T),
    Empty,
}

/// The field must be there; `hint` says what to write.
pub(super) fn required<T>(hint: &'static str) -> Rule<T> {
    rule(Absence::Error(hint), || "**required**".to_owned())
}

/// The field may be absent, and `said` is what that means.
pub(super) fn optional<T>(said: &'static str) -> Rule<T> {
    optional_as(|| said.to_owned())
}

/// The field may be absent, and what `said` returns is what that means.
pub(super) fn optional_as<T>(said: impl FnOnce() -> String) -> Rule<T> {
    rule(Absence::Nothing, said)
}

/// The field may be absent, and then says `word`.
pub(super) fn default_word<T: Choice + PartialEq>(word: T) -> Rule<OneOf<T>> {
    let written = || {
        let words = T::all();
        let written = words.iter().find(|(_, choice)| *choice == word);
        format!("`{}`", written.map_or("", |(written, _)| written))
    };
    rule(Absence::Value(OneOf(word)), written)
}

/// The field may be absent, and then says `flag`.
pub(super) fn default_flag(flag: bool) -> Rule<bool> {
    rule(Absence::Value(flag), || format!("`{flag}`"))
}

/// The field may be absent, and then is the default of its limits.
pub(super) fn default_span<L: Limits>() -> Rule<Span<L>> {
    let said = || format!("`{}`", format_duration(L::DEFAULT));
    rule(Absence::Value(Span::default()), said)
}

/// The field is an object, and absent is the same as one that leaves out all of its fields.
pub(super) fn fields_have_defaults<T>() -> Rule<T> {
    rule(Absence::Empty, || "see its fields".to_owned())
}

/// The module in Envoy writes no documentation, and is smaller without its words.
fn rule<T>(absence: Absence<T>, said: impl FnOnce() -> String) -> Rule<T> {
    let said = if cfg!(target_arch = "wasm32") {
        String::new()
    } else {
        said()
    };
    Rule { absence, said }
}

/// The members of an object that is being read.
pub(super) struct Members<'v> {
    members: &'v Map<String, Value>,
    path: &'v FieldPath,
}

impl<'v> Members<'v> {
    /// Takes the object apart, and reports members that are none of `known`.
    pub(super) fn open(
        value: &'v Value,
        path: &'v FieldPath,
        known: &[&'static str],
    ) -> Option<Self> {
        let Value::Object(members) = value else {
            let hint = format!("write a map with the fields {}", known.join(", "));
            wrong_kind(value, path, "a map", &hint);
            return None;
        };
        let unknown = members
            .keys()
            .filter(|name| !known.contains(&name.as_str()));
        for name in unknown {
            if !is_like_a_field(name) {
                // `{ s3cret }` is a map in YAML.
                let hint = format!("known here: {}", known.join(", "));
                path.error("has a field of another name than any", hint);
                continue;
            }
            let absent = known
                .iter()
                .copied()
                .filter(|known| !members.contains_key(*known));
            let hint = match nearest(name, absent) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("known here: {}", known.join(", ")),
            };
            path.member(name).error("there is no such field", hint);
        }
        Some(Self { members, path })
    }

    /// Reads the member `name`.
    pub(super) fn field<T: Read>(&self, name: &str, rule: Rule<T>) -> Field<T> {
        let (path, found) = self.member(name);
        let value = match (found, rule.absence) {
            (Some(value), _) => read_present(value, &path),
            (None, Absence::Value(value)) => Some(value),
            (None, Absence::Empty) => T::read(&Value::Object(Map::new()), &path),
            (None, Absence::Nothing) => None,
            (None, Absence::Error(hint)) => {
                report_missing(&path, hint);
                None
            }
        };
        Field {
            path,
            given: found.is_some(),
            value,
        }
    }

    // Apart, because it is the same for every type and need not stand in the module for each.
    fn member(&self, name: &str) -> (FieldPath, Option<&'v Value>) {
        (self.path.member(name), self.members.get(name))
    }
}

/// Whether a name may have been meant for that of a field, and not be a value in the wrong place.
fn is_like_a_field(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-');
    name.len() <= 32 && name.bytes().all(letter)
}

fn report_missing(path: &FieldPath, hint: &'static str) {
    path.error("is required", hint);
}

/// What the reference documentation says of an object.
pub(super) trait Section {
    /// Where it stands, such as `providers[]`.
    const TITLE: &'static str;

    /// What it is.
    const ABOUT: &'static str;

    /// Its fields, in the order of their declaration.
    fn fields() -> Vec<FieldReference>;
}

/// What the reference documentation says of a field.
pub(super) struct FieldReference {
    pub(super) name: &'static str,
    pub(super) shape: String,
    pub(super) absence: String,
    pub(super) meaning: &'static str,
}

impl FieldReference {
    pub(super) fn new<T: Read>(name: &'static str, rule: &Rule<T>, meaning: &'static str) -> Self {
        Self {
            name,
            shape: T::shape(),
            absence: rule.said.clone(),
            meaning,
        }
    }
}

/// The link to a section of the reference documentation, by the rules of GitHub's anchors.
pub(super) fn link(title: &str) -> String {
    format!("[{title}](#{})", anchor(title))
}

fn anchor(title: &str) -> String {
    let lower = title.to_ascii_lowercase().replace(' ', "-");
    let kept = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    lower.chars().filter(kept).collect()
}

/// The name of a field, whose identifier is raw where the name is a keyword of Rust.
pub(super) fn field_name(identifier: &'static str) -> &'static str {
    identifier.strip_prefix("r#").unwrap_or(identifier)
}

/// Declares an object of the configuration: a struct of [`Field`]s that is [`Read`], and its
/// page of the reference documentation.
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        $section:ident at $title:literal {
            $(
                $(#[doc = $meaning:literal])+
                $field:ident: $type:ty = $rule:expr,
            )+
        }
    ) => {
        $(#[doc = $about])+
        pub(super) struct $section {
            $( $(#[doc = $meaning])+ pub(super) $field: $crate::config::section::Field<$type>, )+
        }

        impl $crate::config::read::Read for $section {
            fn shape() -> String {
                $crate::config::section::link($title)
            }

            fn read(
                value: &serde_json::Value,
                path: &$crate::config::field_path::FieldPath,
            ) -> Option<Self> {
                use $crate::config::section::{field_name, Members};
                let known = [$(field_name(stringify!($field))),+];
                let members = Members::open(value, path, &known)?;
                Some(Self {
                    $($field: members.field(field_name(stringify!($field)), $rule),)+
                })
            }
        }

        impl $crate::config::section::Section for $section {
            const TITLE: &'static str = $title;
            const ABOUT: &'static str = concat!($($about),+);

            fn fields() -> Vec<$crate::config::section::FieldReference> {
                use $crate::config::section::{field_name, FieldReference, Rule};
                vec![$({
                    let rule: Rule<$type> = $rule;
                    let name = field_name(stringify!($field));
                    FieldReference::new(name, &rule, concat!($($meaning),+))
                }),+]
            }
        }
    };
}

pub(super) use section;
