//! Where keys go, and where those of before are.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::IsTerminal as _;

use n8n_idp_gate::secret::Secret;

use super::env_file::EnvFile;
use super::ResultArguments;
use crate::file::environment::variable;

/// Where keys go.
pub(super) struct Output {
    env_file: Option<EnvFile>,
    secret: Option<Manifest>,
    /// What was made in this run.
    made: BTreeMap<String, Secret>,
}

/// A Secret of Kubernetes.
struct Manifest {
    name: String,
    namespace: Option<String>,
}

impl Output {
    pub(super) fn new(arguments: &ResultArguments) -> Result<Self, String> {
        let secret = arguments.kubernetes_secret.as_ref().map(|name| Manifest {
            name: name.clone(),
            namespace: arguments.namespace.clone(),
        });
        if let Some(Manifest { name, namespace }) = &secret {
            for name in [Some(name), namespace.as_ref()].into_iter().flatten() {
                if !is_name(name) {
                    return Err(
                        "a name of Kubernetes has small letters, digits, - and . alone".to_owned(),
                    );
                }
            }
            if std::io::stdout().is_terminal() && !arguments.show_secrets && !arguments.dry_run {
                return Err(
                    "the keys would be shown on the terminal: send the Secret on, as with | kubectl apply -f -, \
                     or give --show-secrets"
                        .to_owned(),
                );
            }
        }
        let env_file = arguments
            .env_file
            .as_deref()
            .map(EnvFile::read)
            .transpose()?;
        Ok(Self {
            env_file,
            secret,
            made: BTreeMap::new(),
        })
    }

    /// Whether standard output is for the Secret alone.
    pub(super) const fn is_secret(&self) -> bool {
        self.secret.is_some()
    }

    /// Whether what will be made can be kept.
    pub(super) fn probe(&self) -> Result<(), String> {
        self.env_file.as_ref().map_or(Ok(()), EnvFile::probe)
    }

    /// The value of a variable: in the file, or in the environment of this process.
    pub(super) fn known(&self, name: &str) -> Option<Secret> {
        let made = self.made.get(name).cloned();
        let in_file = || self.env_file.as_ref()?.get(name);
        let in_environment = || variable(name).filter(|value| !value.expose().is_empty());
        made.or_else(in_file).or_else(in_environment)
    }

    /// Where a value would have to be.
    pub(super) fn place(&self) -> String {
        match &self.env_file {
            Some(file) => format!("{} and the environment", file.shown()),
            None => "the environment".to_owned(),
        }
    }

    /// Keeps a value, in the file at once.
    pub(super) fn put(&mut self, name: &str, value: Secret) -> Result<(), String> {
        if let Some(file) = &mut self.env_file {
            file.set(name, &value);
            file.save()?;
        }
        self.made.insert(name.to_owned(), value);
        Ok(())
    }

    /// The Secret with all these variables, if there is to be one.
    pub(super) fn manifest<'n>(&self, names: impl Iterator<Item = &'n str>) -> Option<String> {
        let Manifest { name, namespace } = self.secret.as_ref()?;
        let mut text = format!("apiVersion: v1\nkind: Secret\nmetadata:\n  name: {name}\n");
        if let Some(namespace) = namespace {
            let _ = writeln!(text, "  namespace: {namespace}");
        }
        text.push_str("type: Opaque\nstringData:\n");
        for name in names {
            let value = self.known(name)?;
            // A JSON string is one of YAML, too.
            let value = serde_json::to_string(value.expose()).ok()?;
            let _ = writeln!(text, "  {name}: {value}");
        }
        Some(text)
    }
}

fn is_name(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = [name.bytes().next(), name.bytes().last()];
    ends.into_iter().all(|end| end.is_some_and(is_part))
        && name
            .bytes()
            .all(|byte| is_part(byte) || matches!(byte, b'-' | b'.'))
}
