//! From the text of a configuration to a [`Policy`], or to every error in it at once.

mod environment;

pub use environment::Environment;

use crate::policy::Policy;

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Where: `providers[0].audiences`.
    pub path: String,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub hint: String,
}

/// Reads a configuration (JSON, as the host hands it over).
pub fn load(_text: &[u8], _environment: &dyn Environment) -> Result<Policy, Vec<ConfigError>> {
    Err(Vec::new())
}
