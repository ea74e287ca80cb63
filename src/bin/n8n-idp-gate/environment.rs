//! The environment of this process, from which secrets come.

use n8n_idp_gate::config::Environment;
use n8n_idp_gate::secret::Secret;

/// The environment of this process. Unless it is required, a variable that is not set has a stand-in:
/// where configurations are checked, the secrets should not be.
pub(crate) struct ProcessEnvironment {
    /// Whether every variable must be set.
    pub(crate) is_required: bool,
}

impl Environment for ProcessEnvironment {
    #[allow(
        clippy::disallowed_methods,
        reason = "this is the twin's reader of the environment"
    )]
    fn secret(&self, name: &str) -> Option<Secret> {
        let value = std::env::var(name).ok();
        // As long as any secret must be, and another one for each variable.
        let stand_in = || format!("the-value-of-this-variable-is-not-set-here:{name}");
        let stand_in = || (!self.is_required).then(stand_in);
        value.or_else(stand_in).map(Secret::new)
    }
}
