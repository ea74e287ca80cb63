//! `n8n-idp-gate replay`: what another configuration would decide about recorded requests.

mod judge;
mod lines;
mod nature;
mod old;
mod premises;
mod record;
mod report;
mod request;
mod rights;
mod seen;
mod sent;
mod summary;
#[cfg(test)]
mod tests;
mod truth;
mod worlds;

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use n8n_idp_gate::policy::Policy;

use crate::file::input;
use crate::file::output::print;
use crate::judge::policy;
use judge::{one, Judge, Verdict, ANOTHER_MADE_IT};
use lines::Line;
use record::Record;
use summary::Summary;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Files with audit records: Envoy's log, or the file of an access logger; `-` reads standard input.
    #[arg(required = true, value_name = "AUDITFILE")]
    files: Vec<PathBuf>,
    /// The configuration that would decide, or a manifest with one inside.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Which configuration, if a file has several: the name of its filter or plugin, or its number.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The configuration that made the records. With it, fewer decisions are unknown, because it says for
    /// what a principal has matched.
    #[arg(long, value_name = "FILE")]
    old: Option<PathBuf>,
    /// Only records from this time on, as they have it: 2026-11-29T08:00:00Z, or its beginning.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only records before this time.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Write one JSON document.
    #[arg(long)]
    json: bool,
    /// End with the status 3 if something would be decided otherwise, and with 4 if that is unknown.
    #[arg(long)]
    exit_code: bool,
}

pub(crate) fn run(arguments: &Arguments, out: &mut impl Write) -> Result<ExitCode, String> {
    let new = policy(&arguments.config, arguments.name.as_deref())?;
    let old = arguments.old.as_deref();
    let old = old.map(|path| policy(path, arguments.name.as_deref()));
    let old = old.transpose()?;
    let mut replay = Replay::of(&new, old.as_ref());
    let mut summary = Summary::default();
    for path in &arguments.files {
        let say = |problem: String| format!("{}: {problem}", input::shown(path));
        let mut source = open(path).map_err(|error| say(error.to_string()))?;
        replay
            .file(arguments, path, &mut source, &mut summary)
            .map_err(say)?;
    }
    let has_old = old.is_some();
    if arguments.json {
        let json = report::json(&summary, has_old);
        let json = serde_json::to_string_pretty(&json).unwrap_or_default();
        print(out, &format!("{json}\n"))?;
    } else {
        print(out, &report::text(&summary, has_old))?;
    }
    Ok(match arguments.exit_code {
        true if !summary.changed.is_empty() => ExitCode::from(3),
        true if summary.unknown > 0 || summary.bad > 0 => ExitCode::from(4),
        _ => ExitCode::SUCCESS,
    })
}

/// Replays records.
struct Replay<'p> {
    new: Judge<'p>,
    /// Finds records that another configuration made.
    old: Option<Judge<'p>>,
    /// Verdicts about records that differ in time and request alone.
    known: HashMap<String, Verdict>,
}

/// How many verdicts are kept.
const MAX_KNOWN: usize = 10_000;

impl<'p> Replay<'p> {
    fn of(new: &'p Policy, old: Option<&'p Policy>) -> Self {
        let now = input::now();
        Self {
            new: Judge::of(new, old, now),
            old: old.map(|old| Judge::of(old, Some(old), now)),
            known: HashMap::new(),
        }
    }

    fn file(
        &mut self,
        arguments: &Arguments,
        path: &Path,
        source: &mut impl BufRead,
        summary: &mut Summary,
    ) -> Result<(), String> {
        let mut number = 0_u64;
        while let Some(line) = lines::next(source)? {
            number = number.saturating_add(1);
            summary.lines = summary.lines.saturating_add(1);
            let place = || format!("{}:{number}", input::shown(path));
            let record = match line {
                Line::Other => {
                    summary.others = summary.others.saturating_add(1);
                    continue;
                }
                Line::Bad(problem) => {
                    summary.bad(&place(), problem);
                    continue;
                }
                Line::Record(json) => Record::of(&json),
            };
            match record {
                Err(problem) => summary.bad(&place(), &problem),
                Ok(record) if arguments.leaves_out(&record) => {
                    summary.add(&record, Verdict::Skipped("outside of --since and --until"));
                }
                Ok(record) => {
                    let verdict = self.verdict(&record);
                    summary.add(&record, verdict);
                }
            }
        }
        Ok(())
    }

    fn verdict(&mut self, record: &Record) -> Verdict {
        let key = record.key();
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let verdict = self.judge(record);
        if self.known.len() >= MAX_KNOWN {
            self.known.clear();
        }
        self.known.insert(key, verdict.clone());
        verdict
    }

    fn judge(&mut self, record: &Record) -> Verdict {
        let by_old = self.old.as_mut().map(|old| old.verdict(record));
        if let Some(Verdict::Changed(..)) = by_old {
            return Verdict::Unknown(one(ANOTHER_MADE_IT));
        }
        self.new.verdict(record)
    }
}

impl Arguments {
    /// Records have times of one form, so that their order is that of the texts.
    fn leaves_out(&self, record: &Record) -> bool {
        let [since, until] = [&self.since, &self.until].map(|time| time.as_deref());
        let plain = |time: &str| time.trim_end_matches('Z').to_owned();
        since.is_some_and(|since| *record.time < *plain(since))
            || until.is_some_and(|until| *record.time >= *plain(until))
    }
}

fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    Ok(Box::new(BufReader::new(File::open(path)?)))
}
