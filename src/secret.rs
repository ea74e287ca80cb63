//! A value that must never be printed.

use std::fmt;
use std::sync::Arc;

/// A secret from the environment of the virtual machine. `Debug` shows only that it is there.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Wraps a value that was read from where secrets come from.
    pub fn new(value: String) -> Self {
        Self(value.into())
    }

    /// The value itself, for the code that sends or checks it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(redacted)")
    }
}
