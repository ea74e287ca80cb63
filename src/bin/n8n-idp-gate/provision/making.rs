//! Making what is missing.

use std::io::{self, Write};
use std::thread;
use std::time::Duration;

use n8n_idp_gate::n8n::accounts::MintedKey;
use n8n_idp_gate::secret::Secret;
use n8n_idp_gate::time::UnixSeconds;
use rustls::crypto::ring;

use super::account::is_new;
use super::key::{self, Key};
use super::output::Output;
use super::plan::{self, Known, Step};
use super::slots::Slot;
use super::{Desk, ResultArguments};
use crate::file::input::now;
use crate::n8n::session::Session;
use crate::n8n::{hex, say, shown};

pub(super) const NO_PLACE: &str =
    "where do the keys go? Give --env-file FILE, --kubernetes-secret NAME or --dry-run";

/// In which n8n writes the time into a key.
const ONE_SECOND: Duration = Duration::from_millis(1100);

/// A run that makes keys.
pub(super) struct Making<'d> {
    pub(super) desk: &'d Desk<'d>,
    pub(super) slots: Vec<Slot>,
    pub(super) output: Output,
    pub(super) dry_run: bool,
    expiry: Option<UnixSeconds>,
    /// How many keys this run has made.
    keys_made: u64,
}

/// A session, and what n8n has.
pub(super) struct Open<'c> {
    pub(super) session: Session<'c>,
    pub(super) keys: Vec<Key>,
    pub(super) grantable: Vec<String>,
}

impl<'c> Open<'c> {
    pub(super) fn of(session: Session<'c>) -> Result<Self, String> {
        let read = || Ok((key::all(&session)?, key::grantable(&session)?));
        match read() {
            Ok((keys, grantable)) => Ok(Self {
                session,
                keys,
                grantable,
            }),
            Err(problem) => {
                let _ = session.log_out();
                Err(problem)
            }
        }
    }
}

impl<'d> Making<'d> {
    pub(super) fn new(
        desk: &'d Desk<'d>,
        arguments: &ResultArguments,
        slots: Vec<Slot>,
    ) -> Result<Self, String> {
        let end = |life: Duration| now().0.saturating_div(1000).saturating_add(life.as_secs());
        let has_place = arguments.env_file.is_some() || arguments.kubernetes_secret.is_some();
        if !has_place && !arguments.dry_run {
            return Err(NO_PLACE.to_owned());
        }
        Ok(Self {
            desk,
            slots,
            output: Output::new(arguments)?,
            dry_run: arguments.dry_run,
            keys_made: 0,
            expiry: arguments.expires.0.map(|life| UnixSeconds(end(life))),
        })
    }

    /// Makes what is missing.
    pub(super) fn run(mut self, set_up_owner: bool, out: &mut dyn Write) -> Result<(), String> {
        let Desk {
            client,
            endpoints,
            account,
            ..
        } = self.desk;
        self.before()?;
        let session = if set_up_owner && is_new(client, endpoints)? {
            let email = shown(&account.email);
            if self.dry_run {
                self.tell(out, &format!("would add the owner {email}"))?;
                for slot in &self.slots {
                    self.tell(
                        out,
                        &format!("{}: would make the API key {}", slot.variable, slot.label),
                    )?;
                }
                return Ok(());
            }
            let session = account.set_up(client, endpoints)?;
            self.tell(out, &format!("added the owner {email}"))?;
            session
        } else {
            account.log_in(client, endpoints)?
        };
        self.within(session, out, Self::make_missing)
    }

    /// What is checked before n8n is called.
    pub(super) fn before(&self) -> Result<(), String> {
        if self.dry_run {
            return Ok(());
        }
        self.output.probe()?;
        if !self.output.is_secret() {
            return Ok(());
        }
        // With `kubectl apply`, a variable that is left out is deleted.
        let is_made = |slot: &&Slot| self.slots.iter().any(|own| own.variable == slot.variable);
        let others = self.desk.slots.iter().filter(|slot| !is_made(slot));
        let mut lost = others.filter(|slot| self.output.known(&slot.variable).is_none());
        match lost.next() {
            None => Ok(()),
            Some(slot) => Err(format!(
                "the Secret would be without {}: set it, or name the file that has it with --env-file. Nothing \
                 was made",
                slot.variable
            )),
        }
    }

    /// Works within a session, prints the Secret, and ends the session.
    pub(super) fn within(
        &mut self,
        session: Session<'_>,
        out: &mut dyn Write,
        work: impl FnOnce(
            &mut Self,
            &Open<'_>,
            &mut Vec<MintedKey>,
            &mut dyn Write,
        ) -> Result<(), String>,
    ) -> Result<(), String> {
        let open = Open::of(session)?;
        let mut made = Vec::new();
        let worked = work(self, &open, &mut made, out);
        let done = if self.output.is_secret() && !self.dry_run {
            // Keys that are in no Secret are lost: they are deleted.
            worked
                .and_then(|()| self.print(out))
                .map_err(|problem| undo(&open.session, &made, problem))
        } else {
            worked
        };
        let ended = open.session.log_out();
        done.and(ended)
    }

    fn make_missing(
        &mut self,
        open: &Open<'_>,
        made: &mut Vec<MintedKey>,
        out: &mut dyn Write,
    ) -> Result<(), String> {
        let place = self.output.place();
        let known = Known {
            keys: &open.keys,
            user_id: &open.session.user_id,
            now: UnixSeconds(now().0.saturating_div(1000)),
            place: &place,
        };
        let slots = std::mem::take(&mut self.slots);
        let mut problems = Vec::new();
        let mut steps = Vec::new();
        for slot in &slots {
            let (scopes, missing) = plan::scopes(&slot.scopes, &open.grantable);
            self.tell_missing(slot, &missing, out)?;
            if scopes.is_empty() {
                problems.push(format!(
                    "{}: this user can give a key none of the scopes that {} needs",
                    slot.variable, slot.owner
                ));
                continue;
            }
            let value = self.output.known(&slot.variable);
            match known.step(slot, value.as_ref(), &scopes) {
                Step::Problem(problem) => problems.push(problem),
                step => steps.push((slot, scopes, step)),
            }
        }
        let is_spoilt = self.output.is_secret() && !problems.is_empty();
        for (slot, scopes, step) in steps {
            if !is_spoilt {
                self.take(open, &known, slot, &scopes, step, made, out)?;
            }
        }
        self.make_seed(is_spoilt, out)?;
        if problems.is_empty() {
            return Ok(());
        }
        let lines: Vec<_> = problems.iter().map(|one| format!("\n  {one}.")).collect();
        let nothing = if is_spoilt {
            " Nothing was made, so that the Secret has all of them."
        } else {
            ""
        };
        Err(format!(
            "{} of the keys could not be provided.{nothing}{}",
            problems.len(),
            lines.concat()
        ))
    }

    #[allow(clippy::too_many_arguments, reason = "one step of the only caller")]
    fn take(
        &mut self,
        open: &Open<'_>,
        known: &Known<'_>,
        slot: &Slot,
        scopes: &[String],
        step: Step,
        made: &mut Vec<MintedKey>,
        out: &mut dyn Write,
    ) -> Result<(), String> {
        let variable = &slot.variable;
        match step {
            Step::Problem(_) => Ok(()),
            Step::Nothing(key) => {
                let end = super::listing::end(key.expiry, known.now);
                self.tell(
                    out,
                    &format!(
                        "{variable}: is there, as {}, which {end}",
                        shown(&key.label)
                    ),
                )
            }
            Step::Scopes(key) => {
                let change = change(&key.scopes, scopes);
                let label = shown(&key.label);
                if self.dry_run {
                    return self.tell(
                        out,
                        &format!("{variable}: would change the scopes of {label}: {change}"),
                    );
                }
                key::narrow_or_widen(&open.session, &key, scopes)?;
                self.tell(
                    out,
                    &format!("{variable}: changed the scopes of {label}: {change}"),
                )
            }
            Step::Make { why } => {
                let newest = known
                    .generations(slot)
                    .first()
                    .map_or(0, |(newest, _)| *newest);
                let label = slot.label_of(newest.saturating_add(1));
                let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
                self.make(open, slot, &label, scopes, &why, made, out)
            }
        }
    }

    /// Makes a key and keeps it. One that cannot be kept is deleted.
    #[allow(clippy::too_many_arguments, reason = "what a key is made of")]
    pub(super) fn make(
        &mut self,
        open: &Open<'_>,
        slot: &Slot,
        label: &str,
        scopes: &[String],
        why: &str,
        made: &mut Vec<MintedKey>,
        out: &mut dyn Write,
    ) -> Result<(), String> {
        let variable = &slot.variable;
        let can = scopes.join(" ");
        if self.dry_run {
            return self.tell(
                out,
                &format!("{variable}: would make the API key {label}{why}: {can}"),
            );
        }
        // In n8n 1, keys of one user that are made in the same second and have the same end are the same
        // key, which it refuses.
        let expiry = self
            .expiry
            .map(|end| UnixSeconds(end.0.saturating_add(self.keys_made)));
        if expiry.is_none() && self.keys_made > 0 {
            thread::sleep(ONE_SECOND);
        }
        self.keys_made = self.keys_made.saturating_add(1);
        let new = key::make(&open.session, label, scopes, expiry)?;
        if let Err(problem) = self.output.put(variable, new.key.clone()) {
            return Err(undo(&open.session, &[new], problem));
        }
        made.push(new);
        self.tell(
            out,
            &format!("{variable}: made the API key {label}{why}: {can}"),
        )
    }

    /// The secret from which passwords follow. It is made once: with another one, the gate cannot log in
    /// as the users of before.
    fn make_seed(&mut self, is_spoilt: bool, out: &mut dyn Write) -> Result<(), String> {
        let Some(variable) = self.desk.seed.clone().filter(|_| !is_spoilt) else {
            return Ok(());
        };
        if self.output.known(&variable).is_some() {
            return self.tell(out, &format!("{variable}: is there"));
        }
        if self.dry_run {
            return self.tell(out, &format!("{variable}: would make a seed"));
        }
        let mut bytes = [0; 32];
        let random = ring::default_provider().secure_random;
        random
            .fill(&mut bytes)
            .map_err(|_| "no random numbers".to_owned())?;
        let seed = hex(&bytes);
        self.output.put(&variable, Secret::new(seed))?;
        self.tell(out, &format!("{variable}: made a seed: keep a copy"))
    }

    pub(super) fn tell_missing(
        &self,
        slot: &Slot,
        missing: &[&str],
        out: &mut dyn Write,
    ) -> Result<(), String> {
        if missing.is_empty() {
            return Ok(());
        }
        let line = format!(
            "note: {} can be granted what this user can give to no key of this n8n, by role, licence or version: \
             {}. n8n will respond with 403 to it",
            slot.owner,
            missing.join(" ")
        );
        self.tell(out, &line)
    }

    fn print(&self, out: &mut dyn Write) -> Result<(), String> {
        let slots = self.desk.slots.iter().map(|slot| &*slot.variable);
        let names = slots.chain(self.desk.seed.as_deref());
        let Some(text) = self.output.manifest(names) else {
            return Err("a variable of the Secret has no value".to_owned());
        };
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        written.map_err(|error| format!("the Secret could not be written: {error}"))
    }

    /// Standard output is for the Secret, if there is one.
    pub(super) fn tell(&self, out: &mut dyn Write, line: &str) -> Result<(), String> {
        if self.output.is_secret() {
            return say(&mut io::stderr(), line);
        }
        say(out, line)
    }
}

/// Deletes keys that were made and could not be kept.
fn undo(session: &Session<'_>, made: &[MintedKey], problem: String) -> String {
    let mut lines = vec![problem];
    for key in made {
        let id = shown(&key.id);
        lines.push(match session.delete(&key.id) {
            Ok(()) => format!("  the API key {id} could not be kept, and was deleted again"),
            Err(fault) => format!(
                "  the API key {id} could not be kept, and is still in n8n: delete it under Settings, n8n API \
                 ({fault})"
            ),
        });
    }
    lines.join("\n")
}

/// What a key gets and loses.
fn change(has: &[String], wanted: &[String]) -> String {
    let gets = wanted.iter().filter(|scope| !has.contains(scope));
    let loses = has.iter().filter(|scope| !wanted.contains(scope));
    let gets = gets.map(|scope| format!("+{scope}"));
    let all: Vec<_> = gets
        .chain(loses.map(|scope| format!("-{}", shown(scope))))
        .collect();
    all.join(" ")
}
