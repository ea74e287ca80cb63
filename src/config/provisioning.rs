//! How the gate itself calls n8n.

use std::sync::Arc;

use super::api_key::api_key;
use super::environment::Environment;
use super::field::{Field, Reported};
use super::field_path::FieldPath;
use super::raw::RawProvisioning;
use crate::http::Address;
use crate::n8n::accounts::AccountPaths;
use crate::n8n::Endpoints;
use crate::policy::{Principals, Provisioning, Upstream};

/// The least length of a secret from which passwords are derived, in characters.
const MIN_SEED: usize = 16;

/// How the gate itself calls n8n, if it does. `endpoints`: `None` if they are wrong, which was
/// reported.
pub(super) fn provisioning(
    field: Field<RawProvisioning>,
    endpoints: Option<&Endpoints>,
    environment: &dyn Environment,
) -> Result<Option<Provisioning>, Reported> {
    let Some(raw) = field.value_or_error()? else {
        return Ok(None);
    };
    let made = made(raw, endpoints, environment);
    made.map(Some).ok_or(Reported)
}

fn made(
    raw: RawProvisioning,
    endpoints: Option<&Endpoints>,
    environment: &dyn Environment,
) -> Option<Provisioning> {
    let key = raw.api_key.value.as_ref();
    let key = key.and_then(|name| api_key(name, environment, &raw.api_key.path));
    let seed = raw.seed.value.as_ref();
    let seed = seed.and_then(|name| name.look_up(environment, &raw.seed.path));
    if let Some(short) = &seed {
        if short.expose().len() < MIN_SEED {
            // A member of n8n could try the passwords of other users.
            let problem = format!("is shorter than {MIN_SEED} characters");
            raw.seed
                .error(problem, "make one with: openssl rand -hex 32");
        }
    }
    let cluster = raw.cluster.value?.text;
    let uri = raw.uri.value?.text;
    let mut server = Address::parse(&uri).ok()?.endpoint(&cluster, "");
    server.path.clear();
    Some(Provisioning {
        server,
        paths: AccountPaths::of(endpoints?),
        api_key: key?.key,
        seed: seed?,
        email_domain: raw.email_domain.value?.text.to_lowercase(),
        key_ttl: raw.key_ttl.value?.0,
        timeout: raw.timeout.value?.0,
    })
}

/// The seeds of the instances so far.
#[derive(Default)]
pub(super) struct Seeds(Vec<(FieldPath, Arc<Provisioning>)>);

impl Seeds {
    /// Reports a seed that another n8n has. A user would have one password in both, and the operators
    /// of one of them see it at the log-in.
    pub(super) fn add(&mut self, path: FieldPath, provisioning: Arc<Provisioning>) {
        let mut earlier = self.0.iter();
        let same = earlier.find(|(_, other)| {
            other.seed == provisioning.seed && other.server != provisioning.server
        });
        if let Some((first, _)) = same {
            path.error(
                format!("is also the seed at {first}, of another n8n"),
                "give each n8n a seed of its own: its operators see the passwords that are derived from it",
            );
        }
        self.0.push((path, provisioning));
    }
}

/// Warns if no principal has a user.
pub(super) fn warn_if_idle(principals: &Principals, path: &FieldPath) {
    let has_user = |upstream: &Upstream| matches!(upstream, Upstream::User(_));
    if !principals
        .iter()
        .any(|principal| has_user(&principal.upstream))
    {
        path.warn(
            "has no effect: no principal has a user",
            "give a principal user instead of api_key, or remove it",
        );
    }
}
