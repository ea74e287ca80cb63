//! Objects with known fields. `section!` declares the fields of one once: the reader, the reference
//! documentation and the schema come from that declaration.

use serde_json::{Map, Value};

use super::field::{Absence, Field};
use super::field_path::FieldPath;
use super::read::{read_present, wrong_kind, Read};
use super::rules::{self, Rule};
use super::shape::Shape;
use super::suggest::nearest;

/// The names of fields: those of an object, part by part.
pub(super) type Names = &'static [&'static [&'static str]];

/// An object of the configuration.
pub(super) trait Section: Sized {
    /// Where it is, such as `providers[]`.
    const TITLE: &'static str;

    /// What it is.
    const ABOUT: &'static str;

    /// The names of its fields that it shares with no other section.
    const OWN_NAMES: &'static [&'static str];

    /// The names of all of its fields.
    const NAMES: Names;

    /// Which of its fields go together, apart from those that it shares.
    const OWN_RULES: &'static [Rule];

    /// Which of its fields go together, part by part.
    const RULES: &'static [&'static [Rule]];

    /// Reads its fields.
    fn read_fields(members: &Members<'_>) -> Self;

    /// Its fields, in the order of their declaration.
    fn fields() -> Vec<FieldReference>;

    /// Reads it, reports unknown fields and the rules that it breaks.
    fn read_section(value: &Value, path: &FieldPath) -> Option<Self> {
        let members = Members::open(value, path, Self::NAMES)?;
        let section = Self::read_fields(&members);
        members.check(Self::RULES);
        Some(section)
    }
}

/// The members of an object that is being read.
pub(super) struct Members<'v> {
    members: &'v Map<String, Value>,
    path: &'v FieldPath,
}

impl<'v> Members<'v> {
    /// Opens the object, and reports members that are none of `names`.
    fn open(value: &'v Value, path: &'v FieldPath, names: Names) -> Option<Self> {
        let Value::Object(members) = value else {
            let hint = format!("write a map with the fields {}", names.concat().join(", "));
            wrong_kind(value, path, "a map", &hint);
            return None;
        };
        check_names(members, path, names);
        Some(Self { members, path })
    }

    /// Reads the member `name`.
    pub(super) fn field<T: Read>(&self, name: &str, absence: Absence<T>) -> Field<T> {
        let (path, found) = self.member(name);
        let value = match (found, absence) {
            (Some(value), _) => read_present(value, &path),
            (None, Absence::Default(value)) => Some(value),
            (None, Absence::FieldsHaveDefaults) => T::read(&Value::Object(Map::new()), &path),
            (None, Absence::Optional(_)) => None,
            (None, Absence::Required(hint)) => {
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

    fn check(&self, rules: &[&'static [Rule]]) {
        rules::check(self.members, self.path, rules);
    }

    // Apart, because it is the same for every type and need not be in the module for each.
    fn member(&self, name: &str) -> (FieldPath, Option<&'v Value>) {
        (self.path.member(name), self.members.get(name))
    }
}

/// Reports members that are none of `names`.
pub(super) fn check_names(members: &Map<String, Value>, path: &FieldPath, names: Names) {
    let listed = || names.concat().join(", ");
    let known = || names.iter().copied().flatten().copied();
    for name in members.keys() {
        if known().any(|known| known == name) {
            continue;
        }
        if !is_like_a_field(name) {
            // `{ s3cret }` is a map in YAML.
            let hint = format!("known here: {}", listed());
            path.error("has an unknown field, whose name is not shown", hint);
            continue;
        }
        let absent = known().filter(|known| !members.contains_key(*known));
        let hint = match nearest(name, absent) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("known here: {}", listed()),
        };
        path.member(name).error("there is no such field", hint);
    }
}

/// Whether a name may have been meant as that of a field, and is no value in the wrong position.
fn is_like_a_field(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-');
    name.len() <= 32 && name.bytes().all(letter)
}

fn report_missing(path: &FieldPath, hint: &'static str) {
    path.error("is required", hint);
}

/// What the reference documentation and the schema say of a field.
pub(super) struct FieldReference {
    /// Its name.
    pub(super) name: &'static str,
    /// What values it can have.
    pub(super) shape: Shape,
    /// What its absence means.
    pub(super) absence: AbsenceReference,
    /// What it means.
    pub(super) meaning: &'static str,
    /// The title of the section that declares it, if that is shared with others.
    pub(super) part: Option<&'static str>,
}

/// What the absence of a field means, with the default as JSON has it.
pub(super) enum AbsenceReference {
    /// It is an error.
    Required,
    /// This.
    Means(&'static str),
    /// The field has this value then.
    Default(Value),
    /// Its fields have defaults of their own.
    FieldsHaveDefaults,
}

impl FieldReference {
    /// A field as a section declares it.
    pub(super) fn new<T: Read>(
        name: &'static str,
        absence: &Absence<T>,
        meaning: &'static str,
    ) -> Self {
        Self {
            name,
            shape: T::shape(),
            absence: match absence {
                Absence::Required(_) => AbsenceReference::Required,
                Absence::Optional(meaning) => AbsenceReference::Means(meaning),
                Absence::Default(value) => {
                    AbsenceReference::Default(value.written().unwrap_or_default())
                }
                Absence::FieldsHaveDefaults => AbsenceReference::FieldsHaveDefaults,
            },
            meaning: meaning.trim(),
            part: None,
        }
    }
}

/// The name of a field, whose identifier is raw where the name is a keyword of Rust.
pub(super) const fn field_name(identifier: &'static str) -> &'static str {
    match identifier.as_bytes() {
        [b'r', b'#', name @ ..] => match std::str::from_utf8(name) {
            Ok(name) => name,
            Err(_) => identifier,
        },
        _ => identifier,
    }
}

/// Declares an object of the configuration: a struct of [`Field`]s that is [`Read`], its page of the
/// reference documentation, and its part of the schema.
///
/// `..part: Part` puts the fields of another section among its own. `rules` says which fields go
/// together.
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        $section:ident at $title:literal {
            $( $(#[doc = $meaning:literal])+ $field:ident: $type:ty = $absence:expr, )*
            $( ..$part:ident: $part_type:ty,
                $( $(#[doc = $more_meaning:literal])+ $more:ident: $more_type:ty = $more_absence:expr, )*
            )?
        }
        $( rules { $($rule:expr,)+ } )?
    ) => {
        $(#[doc = $about])+
        pub(in $crate::config) struct $section {
            $( $(#[doc = $meaning])+ pub(in $crate::config) $field: $crate::config::field::Field<$type>, )*
            $( /// The fields that it shares with other sections.
                pub(in $crate::config) $part: $part_type,
                $( $(#[doc = $more_meaning])+ pub(in $crate::config) $more: $crate::config::field::Field<$more_type>, )*
            )?
        }

        impl $crate::config::read::Read for $section {
            fn shape() -> $crate::config::shape::Shape {
                $crate::config::shape::Shape::Section($title)
            }

            fn read(
                value: &serde_json::Value,
                path: &$crate::config::field_path::FieldPath,
            ) -> Option<Self> {
                <Self as $crate::config::section::Section>::read_section(value, path)
            }
        }

        impl $crate::config::section::Section for $section {
            const TITLE: &'static str = $title;
            const ABOUT: &'static str = concat!($($about),+);
            const OWN_NAMES: &'static [&'static str] =
                &[$($crate::config::section::field_name(stringify!($field))),*];
            const NAMES: $crate::config::section::Names = &[
                Self::OWN_NAMES,
                $( <$part_type as $crate::config::section::Section>::OWN_NAMES,
                    &[$($crate::config::section::field_name(stringify!($more))),*], )?
            ];
            const OWN_RULES: &'static [$crate::config::rules::Rule] = &[$( $($rule),+ )?];
            const RULES: &'static [&'static [$crate::config::rules::Rule]] = &[
                Self::OWN_RULES,
                $( <$part_type as $crate::config::section::Section>::OWN_RULES, )?
            ];

            fn read_fields(members: &$crate::config::section::Members<'_>) -> Self {
                Self {
                    $($field: members.field($crate::config::section::field_name(stringify!($field)), $absence),)*
                    $( $part: <$part_type as $crate::config::section::Section>::read_fields(members),
                        $($more: members.field($crate::config::section::field_name(stringify!($more)), $more_absence),)*
                    )?
                }
            }

            #[allow(clippy::vec_init_then_push, reason = "a section may have a part in the middle")]
            fn fields() -> Vec<$crate::config::section::FieldReference> {
                let mut fields = Vec::new();
                $({
                    let absence: $crate::config::field::Absence<$type> = $absence;
                    let name = $crate::config::section::field_name(stringify!($field));
                    let meaning = concat!($($meaning),+);
                    fields.push($crate::config::section::FieldReference::new(name, &absence, meaning));
                })*
                $(
                    fields.extend($crate::config::section::shared_fields::<$part_type>());
                    $({
                        let absence: $crate::config::field::Absence<$more_type> = $more_absence;
                        let name = $crate::config::section::field_name(stringify!($more));
                        let meaning = concat!($($more_meaning),+);
                        fields.push($crate::config::section::FieldReference::new(name, &absence, meaning));
                    })*
                )?
                fields
            }
        }
    };
}

/// The fields of a section as others share them.
pub(super) fn shared_fields<S: Section>() -> impl Iterator<Item = FieldReference> {
    S::fields().into_iter().map(|field| FieldReference {
        part: Some(S::TITLE),
        ..field
    })
}

pub(super) use section;
