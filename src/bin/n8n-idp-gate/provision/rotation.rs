//! A new key beside the old one, and then the end of the old one.

use std::io::Write;

use n8n_idp_gate::time::UnixSeconds;

use super::key::LastUse;
use super::making::{Making, Open};
use super::output::Output;
use super::plan::{self, Known};
use super::slots::Slot;
use super::{Desk, ResultArguments};
use crate::file::input::now;
use crate::n8n::{say, shown};

/// Makes a new key beside each old one.
pub(super) fn begin(
    mut making: Making<'_>,
    principal: &str,
    out: &mut dyn Write,
) -> Result<(), String> {
    making.before()?;
    let session = making
        .desk
        .account
        .log_in(&making.desk.client, making.desk.endpoints)?;
    making.within(session, out, |making, open, made, out| {
        let place = making.output.place();
        let known = known(open, &place);
        let slots = std::mem::take(&mut making.slots);
        for slot in &slots {
            let generations = known.generations(slot);
            let good = generations.iter().filter(|(_, key)| !key.has_expired(known.now));
            let good: Vec<_> = good.collect();
            if let [(_, newest), (_, older), ..] = &*good {
                return Err(format!(
                    "{} replaces {} already. When Envoy has it: provision rotate CONFIG {principal} --finish. \
                     Nothing more was made",
                    shown(&newest.label),
                    shown(&older.label)
                ));
            }
            let value = making.output.known(&slot.variable);
            if good.is_empty() && value.is_none() {
                return Err(format!(
                    "{principal} has no key that can be replaced: make one with provision add CONFIG {principal}"
                ));
            }
            let (scopes, missing) = plan::scopes(&slot.scopes, &open.grantable);
            making.tell_missing(slot, &missing, out)?;
            let newest = generations.first().map_or(0, |(newest, _)| *newest);
            let label = slot.label_of(newest.saturating_add(1));
            making.make(open, slot, &label, &scopes, "", made, out)?;
            let of_a_person = value.and_then(|value| known.find(&value));
            let of_a_person = of_a_person.filter(|key| slot.generation(&key.label).is_none());
            if let Some(key) = of_a_person {
                let line = format!(
                    "note: the old key {} was not made by this program: delete it in n8n under Settings, n8n \
                     API, after Envoy has the new one",
                    shown(&key.label)
                );
                making.tell(out, &line)?;
            }
        }
        let line = format!(
            "the old keys stay good. Restart Envoy with the new values, and then run: provision rotate CONFIG \
             {principal} --finish"
        );
        making.tell(out, &line)
    })
}

/// Deletes the keys that newer ones have replaced.
pub(super) fn finish(
    desk: &Desk<'_>,
    arguments: &ResultArguments,
    slots: &[Slot],
    unused: bool,
    out: &mut dyn Write,
) -> Result<(), String> {
    let output = Output::new(arguments)?;
    let open = Open::of(desk.account.log_in(&desk.client, desk.endpoints)?)?;
    let mut done = Ok(());
    for slot in slots {
        done = done.and_then(|()| end_old(&open, &output, slot, unused, arguments.dry_run, out));
    }
    let ended = open.session.log_out();
    done.and(ended)
}

fn end_old(
    open: &Open<'_>,
    output: &Output,
    slot: &Slot,
    unused: bool,
    dry_run: bool,
    out: &mut dyn Write,
) -> Result<(), String> {
    let variable = &slot.variable;
    let place = output.place();
    let known = known(open, &place);
    let generations = known.generations(slot);
    let Some(((_, newest), old)) = generations.split_first().filter(|(_, old)| !old.is_empty())
    else {
        return say(out, &format!("{variable}: there is no old key"));
    };
    let label = shown(&newest.label);
    if newest.has_expired(known.now) {
        return Err(format!(
            "{label} has ended: make a new one before the old ones are deleted"
        ));
    }
    let holds_other = |value| known.find(&value).is_none_or(|key| key.id != newest.id);
    if output.known(variable).is_some_and(holds_other) {
        return Err(format!(
            "{variable} is not the key {label} in {place}: the old key may still be in use. Nothing was deleted"
        ));
    }
    if newest.last_used == LastUse::Never && !unused {
        return Err(format!(
            "n8n has not seen {label} used: does every Envoy have it? Let a caller call once, or give --unused. \
             Nothing was deleted"
        ));
    }
    for (_, key) in old {
        let label = shown(&key.label);
        if dry_run {
            say(
                out,
                &format!("{variable}: would delete the API key {label}"),
            )?;
        } else {
            open.session.delete(&key.id)?;
            say(out, &format!("{variable}: deleted the API key {label}"))?;
        }
    }
    Ok(())
}

fn known<'k>(open: &'k Open<'_>, place: &'k str) -> Known<'k> {
    Known {
        keys: &open.keys,
        user_id: &open.session.user_id,
        now: UnixSeconds(now().0.saturating_div(1000)),
        place,
    }
}
