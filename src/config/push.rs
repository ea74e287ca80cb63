//! Where providers send events.

use super::field::{Field, Reported};
use super::field_path::FieldPath;
use super::raw::{RawProvider, RawPush};
use super::syntax::{ShortName, Text};
use crate::policy::{Policy, Push};
use crate::token::{EventKind, EventRules};

/// The endpoint for the events of a provider. `Err`: something is wrong, and was reported.
pub(super) fn push(
    field: Field<RawPush>,
    kind: EventKind,
    (provider, has_no_keys): (Option<&Text<ShortName>>, bool),
) -> Result<Option<Push>, Reported> {
    if has_no_keys {
        field.refuse(
            "needs the keys of the provider: what it sends is signed",
            "write cluster, so that they are fetched",
        );
    }
    let Some(raw) = field.value_or_error()? else {
        return Ok(None);
    };
    let path = match (raw.path.value_or_error()?, kind) {
        (Some(path), _) => format!("/{}", path.text.trim_matches('/')),
        (None, EventKind::Logout) => default_path("logout", provider),
        (None, EventKind::Security) => default_path("events", provider),
    };
    Ok(Some(Push {
        path,
        rules: EventRules {
            kind,
            audiences: raw.audience.value.ok_or(Reported)?.into_set(),
            keep: raw.keep.value.ok_or(Reported)?.0,
        },
    }))
}

fn default_path(kind: &str, provider: Option<&Text<ShortName>>) -> String {
    let name = provider.map_or("", |name| name.text.as_str());
    format!("/n8n-idp-gate/{kind}/{name}")
}

/// The fields with which a provider sends events.
pub(super) fn fields(providers: &[RawProvider]) -> Vec<FieldPath> {
    let fields = providers.iter().flat_map(|raw| [&raw.logout, &raw.events]);
    let given = fields.filter(|field| field.given);
    given.map(|field| field.path.clone()).collect()
}

/// What an event revokes must reach every worker, also after an API key of n8n was replaced. And one path
/// cannot be for two providers.
pub(super) fn check(fields: &[FieldPath], has_secret: bool, policy: &Policy) {
    let mut paths: Vec<&str> = Vec::new();
    let pushes = policy
        .providers
        .iter()
        .flat_map(|provider| &provider.pushes);
    for (push, field) in pushes.zip(fields) {
        if !has_secret {
            field.error(
                "needs sharing_secret: a log-out would reach one worker alone",
                "write sharing_secret: { env: NAME } at the top; make the secret with: openssl rand -hex 32",
            );
        }
        if paths.contains(&push.path.as_str()) {
            field.error(
                "has the path of another endpoint",
                "give each a path of its own",
            );
        }
        paths.push(&push.path);
    }
}
