//! The documents of a file.

use serde_json::Value;

use super::scalar::Form;

/// A document of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// Its content.
    pub value: Value,
    /// What in it must not be in a configuration.
    pub odd: Vec<Odd>,
}

/// A scalar or name that must not be in a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Odd {
    /// Where it is in the document, as a JSON pointer.
    pub pointer: String,
    /// The line that it is on.
    pub line: usize,
    /// What is odd about it.
    pub form: Form,
}

/// The step of a JSON pointer to a member or item.
pub fn step(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}
