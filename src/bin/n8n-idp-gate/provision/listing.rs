//! Which API keys n8n has, and whose they are.

use std::io::Write;
use std::path::{Path, PathBuf};

use n8n_idp_gate::n8n::accounts::LABEL;
use n8n_idp_gate::secret::Secret;
use n8n_idp_gate::time::{rfc3339, UnixSeconds};
use n8n_idp_gate::token::ApiKeyForm;

use super::audit::{self, Seen};
use super::env_file::EnvFile;
use super::key::{self, Key, LastUse};
use super::slots::Slot;
use super::{Desk, SECONDS_OF_A_DAY};
use crate::file::environment::variable;
use crate::file::input::now;
use crate::n8n::{say, shown};

/// Lists all keys, and those that audit records have seen.
pub(super) fn list(
    desk: &Desk<'_>,
    audits: &[PathBuf],
    env_file: Option<&Path>,
    out: &mut dyn Write,
) -> Result<(), String> {
    let env_file = env_file.map(EnvFile::read).transpose()?;
    let seen = audit::read(audits)?;
    let session = desk.account.log_in(&desk.client, desk.endpoints)?;
    let listed = key::all(&session);
    let ended = session.log_out();
    let mut keys = listed?;
    ended?;
    keys.sort_by(|one, other| (&one.email, &one.label).cmp(&(&other.email, &other.label)));
    let now = UnixSeconds(now().0.saturating_div(1000));
    let values = desk.slots.iter().filter_map(|slot| {
        let in_file = env_file.as_ref().and_then(|file| file.get(&slot.variable));
        Some((slot, in_file.or_else(|| variable(&slot.variable))?))
    });
    let values: Vec<_> = values.collect();
    for key in &keys {
        say(out, &line(key, &desk.slots, &values, now))?;
    }
    if keys.is_empty() {
        say(out, "n8n has no API key that this user sees")?;
    }
    if !audits.is_empty() {
        report(&seen, &keys, &values, out)?;
    }
    Ok(())
}

fn line(key: &Key, slots: &[Slot], values: &[(&Slot, Secret)], now: UnixSeconds) -> String {
    let owner = shown(key.email.as_ref().unwrap_or(&key.user_id));
    let made = key.created.as_deref().and_then(rfc3339::read);
    let made = made.map_or_else(String::new, |made| format!(", made {}", ago(made, now)));
    let used = match &key.last_used {
        LastUse::Unknown => String::new(),
        LastUse::Never => ", never used".to_owned(),
        LastUse::At(time) => {
            let used = rfc3339::read(time).map_or_else(|| shown(time), |time| ago(time, now));
            format!(", last used {used}")
        }
    };
    format!(
        "{}, of {owner}{made}, {}{used}: {}",
        shown(&key.label),
        end(key.expiry, now),
        whose(key, slots, values)
    )
}

/// For what a key is.
fn whose(key: &Key, slots: &[Slot], values: &[(&Slot, Secret)]) -> String {
    let is_in = |(_, value): &&(&Slot, Secret)| is_value(key, value);
    if let Some((slot, _)) = values.iter().find(is_in) {
        return format!("{}, in {}", slot.owner, slot.variable);
    }
    if let Some(slot) = slots
        .iter()
        .find(|slot| slot.generation(&key.label).is_some())
    {
        return format!(
            "made for {}; {} does not have it here",
            slot.owner, slot.variable
        );
    }
    if key.label.starts_with(LABEL) {
        return "minted by the gate".to_owned();
    }
    if key.label.starts_with(LABEL.trim_end()) {
        return "made for something that this configuration does not have".to_owned();
    }
    "a static key that is not the gate's".to_owned()
}

fn is_value(key: &Key, value: &Secret) -> bool {
    match ApiKeyForm::of(value.expose()) {
        ApiKeyForm::Key(claims) => key.is_of(value.expose(), &claims),
        _ => false,
    }
}

fn report(
    seen: &[Seen],
    keys: &[Key],
    values: &[(&Slot, Secret)],
    out: &mut dyn Write,
) -> Result<(), String> {
    if seen.is_empty() {
        return say(out, "the audit records have no call with a static API key");
    }
    say(
        out,
        "calls with static API keys in the audit records, by what the keys claim:",
    )?;
    for one in seen {
        let owner = keys.iter().find(|key| key.user_id == one.subject);
        let email = owner.and_then(|key| key.email.as_deref());
        let user = email.map_or_else(|| format!("user {}", shown(&one.subject)), shown);
        let is_it = |(_, value): &&(&Slot, Secret)| match ApiKeyForm::of(value.expose()) {
            ApiKeyForm::Key(claims) => claims.id.as_ref() == Some(&one.id),
            _ => false,
        };
        let of_gate = values.iter().find(is_it);
        let of_gate = of_gate.map_or_else(String::new, |(slot, _)| {
            format!(
                ": the key in {}, which only the gate should have",
                slot.variable
            )
        });
        let requests = if one.count == 1 {
            "request"
        } else {
            "requests"
        };
        say(
            out,
            &format!(
                "  {user}, key {}: {} {requests}, the last at {}{of_gate}",
                shown(&one.id),
                one.count,
                shown(&one.last)
            ),
        )?;
    }
    Ok(())
}

/// When a key ends.
pub(super) fn end(expiry: Option<UnixSeconds>, now: UnixSeconds) -> String {
    match expiry {
        None => "never ends".to_owned(),
        Some(end) if end <= now => format!("ended {}", ago(end, now)),
        Some(end) => match days(now, end) {
            0 => "ends within a day".to_owned(),
            1 => "ends in 1 day".to_owned(),
            days => format!("ends in {days} days"),
        },
    }
}

fn ago(moment: UnixSeconds, now: UnixSeconds) -> String {
    match days(moment, now) {
        0 => "within a day".to_owned(),
        1 => "1 day ago".to_owned(),
        days => format!("{days} days ago"),
    }
}

const fn days(from: UnixSeconds, to: UnixSeconds) -> u64 {
    to.0.saturating_sub(from.0) / SECONDS_OF_A_DAY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_n8n_are_read() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00.000Z", 0),
            ("2000-02-29T23:59:59.999Z", 951_868_799),
            ("2026-11-29T18:00:00.000Z", 1_795_975_200),
        ] {
            assert_eq!(rfc3339::read(text), Some(UnixSeconds(seconds)), "{text}");
        }
        for text in [
            "",
            "2026-11-29",
            "2026-13-01T00:00:00Z",
            "2026-11-29T18:00:00+01:00",
        ] {
            assert_eq!(rfc3339::read(text), None, "{text}");
        }
    }

    #[test]
    fn ends_are_told_in_days() {
        let now = UnixSeconds(1_795_975_200);
        let day = |days: u64| Some(UnixSeconds(now.0 + days * SECONDS_OF_A_DAY));
        assert_eq!(end(None, now), "never ends");
        assert_eq!(end(day(90), now), "ends in 90 days");
        assert_eq!(
            end(Some(UnixSeconds(now.0 - 100_000)), now),
            "ended 1 day ago"
        );
    }
}
