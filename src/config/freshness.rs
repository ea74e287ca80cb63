//! How long the keys of a provider are fresh, and how long they are used.

use std::time::Duration;

use super::defaults::{self, KeysGrace, KeysMaxTtl, KeysMinTtl};
use super::duration::{Limits as _, Span};
use super::field::{Field, Reported};
use super::raw::RawKeys;
use crate::identity::Dialect;
use crate::policy::Freshness;

/// The durations. `None`: something is wrong, and was reported.
pub(super) fn freshness(raw: &RawKeys, dialect: Option<Dialect>) -> Option<Freshness> {
    let ttl = length(&raw.ttl)?;
    let max_stale = length(&raw.max_stale)?;
    // A default gives way to what the configuration has.
    let min_ttl = given_length(&raw.min_ttl)
        .ok()?
        .unwrap_or(KeysMinTtl::DEFAULT.min(ttl));
    let max_ttl = given_length(&raw.max_ttl)
        .ok()?
        .unwrap_or(KeysMaxTtl::DEFAULT.max(ttl).min(max_stale));
    let grace = given_length(&raw.grace).ok()?.unwrap_or(match dialect {
        Some(Dialect::Entra) => defaults::ENTRA_GRACE,
        _ => KeysGrace::DEFAULT,
    });
    let freshness = Freshness {
        ttl,
        min_ttl,
        max_ttl,
        max_stale,
        timeout: length(&raw.timeout)?,
        cooldown: length(&raw.cooldown)?,
        grace,
        discovery_ttl: length(&raw.discovery_ttl)?,
    };
    in_order(raw, &freshness).then_some(freshness)
}

/// Reports durations that contradict each other.
fn in_order(raw: &RawKeys, freshness: &Freshness) -> bool {
    let Freshness {
        ttl,
        min_ttl,
        max_ttl,
        max_stale,
        ..
    } = *freshness;
    let kept = "keys must last until they are due: make max_stale at least ";
    if max_stale < ttl {
        let path = if raw.max_stale.given {
            &raw.max_stale.path
        } else {
            &raw.ttl.path
        };
        path.error("max_stale is shorter than ttl", format!("{kept}ttl"));
    } else if max_stale < max_ttl {
        raw.max_ttl.error(
            "max_stale is shorter than max_ttl",
            format!("{kept}max_ttl"),
        );
    } else if ttl < min_ttl {
        raw.min_ttl.error(
            "ttl is shorter than min_ttl",
            "make min_ttl no more than ttl",
        );
    } else if max_ttl < ttl {
        raw.max_ttl
            .error("max_ttl is shorter than ttl", "make max_ttl at least ttl");
    } else {
        return true;
    }
    false
}

/// A duration that may be absent.
fn given_length<L>(field: &Field<Span<L>>) -> Result<Option<Duration>, Reported> {
    match (&field.value, field.given) {
        (None, true) => Err(Reported),
        (span, _) => Ok(span.as_ref().map(|span| span.0)),
    }
}

pub(super) fn length<L>(field: &Field<Span<L>>) -> Option<Duration> {
    field.value.as_ref().map(|span| span.0)
}
