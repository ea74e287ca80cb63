//! What values a field can have, as data: the reference documentation and the schema are made of it.

use std::time::Duration;

/// The values that a field can have.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    /// `true` or `false`.
    Boolean,
    /// `true` alone.
    True,
    /// A text with a syntax.
    Text(Description),
    /// One of these words.
    Choice(Vec<&'static str>),
    /// A duration from the one to the other.
    Duration {
        /// The shortest.
        min: Duration,
        /// The longest.
        max: Duration,
    },
    /// A number of bytes from the one to the other.
    Size {
        /// The smallest.
        min: usize,
        /// The largest.
        max: usize,
    },
    /// A value that a claim can be compared with exactly.
    Scalar,
    /// The path of a claim.
    ClaimPath,
    /// A scope of n8n.
    Scope,
    /// The name of a variable that holds a secret.
    Secret,
    /// A JWK set.
    KeySet,
    /// One, or a list of at least one.
    OneOrMany(Box<Self>),
    /// A list.
    List {
        /// What is in it.
        item: Box<Self>,
        /// Whether it may be empty.
        may_be_empty: bool,
    },
    /// A map from names that the operator chooses.
    Map(Box<Self>),
    /// An object with a section of its own in the reference documentation, by its title.
    Section(&'static str),
    /// Some fields of an object with a section of its own, by its title, in any combination.
    Part {
        /// The title.
        of: &'static str,
        /// The field that is not among them.
        without: &'static str,
    },
    /// One of several shapes.
    Either(Box<Self>, Box<Self>),
}

/// How a kind of text is described in the reference documentation and in the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Description {
    /// Its name.
    pub(super) name: &'static str,
    /// Its rules.
    pub(super) rules: &'static str,
    /// The rules as a regular expression (ECMA-262). What the filter accepts matches it; the filter
    /// may refuse more.
    pub(super) pattern: Option<&'static str>,
    /// A text that keeps the rules.
    pub(super) example: &'static str,
}
