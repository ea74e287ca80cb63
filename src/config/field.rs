//! A field as it was found in a configuration, and what its absence means.

use super::duration::{Limits, Span};
use super::field_path::FieldPath;
use super::read::{Choice, OneOf};
use super::syntax::Text;

/// A field as it was found.
pub(super) struct Field<T> {
    /// Where it is or would be.
    pub(super) path: FieldPath,
    /// Whether the configuration has it, correct or not.
    pub(super) given: bool,
    /// Its value or its default. `None`: absent, or wrong and reported.
    pub(super) value: Option<T>,
}

/// Something is wrong, and was reported at its path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reported;

impl<T> Field<T> {
    /// The value of the field, if the configuration has it. A wrong value is never taken for absent:
    /// absence may allow more than what was written.
    pub(super) fn value_or_error(self) -> Result<Option<T>, Reported> {
        match (self.given, self.value) {
            (true, None) => Err(Reported),
            (_, value) => Ok(value),
        }
    }

    /// Reports an error at the field.
    pub(super) fn error(&self, problem: impl Into<String>, hint: impl Into<String>) {
        self.path.error(problem, hint);
    }

    /// Reports a warning at the field.
    pub(super) fn warn(&self, problem: impl Into<String>, hint: impl Into<String>) {
        self.path.warn(problem, hint);
    }

    /// Refuses the field if the configuration has it: it would be ignored, and its author expects an
    /// effect.
    pub(super) fn refuse(&self, problem: &str, hint: &str) {
        if self.given {
            self.error(problem, hint);
        }
    }

    /// Warns of the field if the configuration has it: it has no effect, and does no harm.
    pub(super) fn warn_if_given(&self, problem: &str, hint: &str) {
        if self.given {
            self.warn(problem, hint);
        }
    }
}

/// What the absence of a field means.
pub(super) enum Absence<T> {
    /// It is an error. The text is the hint.
    Required(&'static str),
    /// The field has no value then. The text says what that means; the reference documentation has
    /// it, the module in Envoy does not.
    Optional(&'static str),
    /// The field has this value then.
    Default(T),
    /// The field is an object, and absent is the same as one without fields.
    FieldsHaveDefaults,
}

/// The field must be there; `hint` says what to write.
pub(super) const fn required<T>(hint: &'static str) -> Absence<T> {
    Absence::Required(hint)
}

/// The field may be absent, and `meaning` says what that means.
pub(super) const fn optional<T>(meaning: &'static str) -> Absence<T> {
    // Without the texts, the module is smaller.
    Absence::Optional(if cfg!(target_arch = "wasm32") {
        ""
    } else {
        meaning
    })
}

/// The field may be absent, and then has this word.
pub(super) const fn default_word<T: Choice>(word: T) -> Absence<OneOf<T>> {
    Absence::Default(OneOf(word))
}

/// The field may be absent, and then has this text.
pub(super) fn default_text<S>(text: String) -> Absence<Text<S>> {
    Absence::Default(Text::known(text))
}

/// The field may be absent, and then is `flag`.
pub(super) const fn default_flag(flag: bool) -> Absence<bool> {
    Absence::Default(flag)
}

/// The field may be absent, and then is the default of its limits.
pub(super) fn default_span<L: Limits>() -> Absence<Span<L>> {
    Absence::Default(Span::default())
}

/// The field is an object, and absent is the same as one without fields.
pub(super) const fn fields_have_defaults<T>() -> Absence<T> {
    Absence::FieldsHaveDefaults
}
