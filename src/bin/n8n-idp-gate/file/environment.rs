//! The environment of this process, from which secrets come.

use n8n_idp_gate::config::Environment;
use n8n_idp_gate::secret::Secret;

/// How the value begins of a variable that is not set. It is as long as any secret must be, and of the
/// alphabet of base64, in which some secrets are written.
const STAND_IN: &str = "the/value/of/this/variable/is/not/set/here//";

/// The environment of this process. Unless it is required, a variable that is not set has a stand-in:
/// where configurations are checked, the secrets should not be.
pub(crate) struct ProcessEnvironment {
    /// Whether every variable must be set.
    pub(crate) is_required: bool,
}

impl Environment for ProcessEnvironment {
    fn secret(&self, name: &str) -> Option<Secret> {
        // Another one for each variable: two instances must not have one seed.
        let stand_in = || {
            let name = name.replace('_', "/");
            let filled = name.len().next_multiple_of(4);
            Secret::new(format!("{STAND_IN}{name:+<filled$}"))
        };
        let stand_in = || (!self.is_required).then(stand_in);
        variable(name).or_else(stand_in)
    }
}

/// The value of a variable of this process.
#[allow(
    clippy::disallowed_methods,
    reason = "this is the twin's reader of the environment"
)]
pub(crate) fn variable(name: &str) -> Option<Secret> {
    std::env::var(name).ok().map(Secret::new)
}

/// Whether the variable of a secret is set here.
pub(crate) fn is_set(secret: &Secret) -> bool {
    !secret.expose().starts_with(STAND_IN)
}
