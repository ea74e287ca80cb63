//! Where secrets come from.

use crate::secret::Secret;

/// The environment of the virtual machine. A configuration names secrets and never holds them,
/// because Envoy's admin interface shows configurations.
pub trait Environment {
    /// The value of the variable `name`, if it is set.
    fn secret(&self, name: &str) -> Option<Secret>;
}

/// What tests have whose configurations name none.
#[cfg(test)]
pub(super) struct NoSecrets;

#[cfg(test)]
impl Environment for NoSecrets {
    fn secret(&self, _: &str) -> Option<Secret> {
        None
    }
}
