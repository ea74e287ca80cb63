//! Secrets: a configuration names them, and the environment holds them.

use serde_json::Value;

use super::environment::Environment;
use super::field_path::FieldPath;
use super::read::Read;
use super::shape::Shape;
use crate::secret::Secret;

/// The name of an environment variable that holds a secret: `{ env: NAME }`.
pub(super) struct SecretName(String);

const NAME_IT: &str =
    "a secret is never in the configuration: write { env: NAME } and pass the variable NAME to the VM";

impl Read for SecretName {
    fn shape() -> Shape {
        Shape::Secret
    }

    /// The value may be the secret itself, by mistake. So no message repeats any of it, names of
    /// members included, before it is known to be the name of a variable.
    fn read(value: &Value, path: &FieldPath) -> Option<Self> {
        let env = match value {
            Value::Object(members) if members.len() == 1 => members.get("env"),
            _ => None,
        };
        let Some(env) = env else {
            path.error(
                "must name an environment variable, and nothing else",
                NAME_IT,
            );
            return None;
        };
        let name = env.as_str().filter(|name| is_variable(name));
        if name.is_none() {
            let path = path.member("env");
            path.error("is not the name of an environment variable", NAME_IT);
        }
        name.map(|name| Self(name.to_owned()))
    }
}

impl SecretName {
    /// The name of the variable.
    pub(super) fn variable(&self) -> &str {
        &self.0
    }

    /// The name as a message may show it.
    pub(super) fn shown(&self) -> &str {
        let name = self.variable();
        if is_conventional(name) {
            name
        } else {
            "of that name"
        }
    }

    /// Looks the secret up and reports one that could not be sent as a header.
    pub(super) fn look_up(
        &self,
        environment: &dyn Environment,
        path: &FieldPath,
    ) -> Option<Secret> {
        // Anything else is a pasted line break or blank, and would split or spoil the header.
        self.look_up_with(
            environment,
            path,
            "blanks, line breaks or bytes beyond ASCII",
            |text| text.bytes().all(|byte| byte.is_ascii_graphic()),
        )
    }

    /// Looks up a secret that is never sent, and that a person may have chosen: it can have blanks
    /// between words.
    pub(super) fn look_up_text(
        &self,
        environment: &dyn Environment,
        path: &FieldPath,
    ) -> Option<Secret> {
        self.look_up_with(
            environment,
            path,
            "blanks at an end or line breaks",
            |text| text.trim() == text && !text.chars().any(char::is_control),
        )
    }

    fn look_up_with(
        &self,
        environment: &dyn Environment,
        path: &FieldPath,
        stray: &str,
        is_clean: fn(&str) -> bool,
    ) -> Option<Secret> {
        let path = path.member("env");
        let name = self.variable();
        let shown = self.shown();
        let pass_it =
            "pass it to the VM: vm_config.environment_variables of Envoy, vmConfig.env of Istio";
        let Some(secret) = environment.secret(name) else {
            path.error(
                format!("the environment variable {shown} is not set"),
                pass_it,
            );
            return None;
        };
        if secret.expose().is_empty() {
            path.error(
                format!("the environment variable {shown} is empty"),
                pass_it,
            );
            return None;
        }
        if !is_clean(secret.expose()) {
            let problem = format!("the environment variable {shown} holds {stray}");
            path.error(
                problem,
                "set it to the secret itself, with nothing around it",
            );
            return None;
        }
        Some(secret)
    }
}

/// A POSIX name. One that begins like the API keys of older n8n versions is the key itself.
fn is_variable(name: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let begins = name
        .bytes()
        .next()
        .is_some_and(|byte| !byte.is_ascii_digit());
    begins && name.len() <= 128 && name.bytes().all(word) && !name.starts_with("n8n_api_")
}

/// Whether a name is in capitals and underscores, as most variables are. Any other may be the secret
/// itself, written instead of its name, and is not repeated.
fn is_conventional(name: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    name.contains('_') && name.bytes().all(word)
}
