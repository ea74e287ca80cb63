//! The page of figures: `docs/benchmark.md`, and the same on the terminal.

use std::fmt::Write as _;

use crate::aims::{mebi, Finding};
use crate::contestants::Contestant;
use crate::figures::{median, Spread, Turns};
use crate::flood::{self, Flood};
use crate::memory::{Memory, Usage};
use crate::real_n8n;

/// All results of a run.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// The machine and the programs.
    pub(crate) facts: Vec<String>,
    /// The lines of the first table, in its order.
    pub(crate) contestants: Vec<Contestant>,
    /// What was left out, and why.
    pub(crate) left_out: Vec<String>,
    /// The measurements.
    pub(crate) turns: Turns,
    /// Figures with aims.
    pub(crate) findings: Vec<Finding>,
    /// The effect of floods.
    pub(crate) floods: Vec<Flood>,
    /// The memory that a worker needs.
    pub(crate) memory: Option<Memory>,
    /// A real n8n.
    pub(crate) n8n: Turns,
    /// Parts that write their sections themselves.
    pub(crate) sections: Vec<Section>,
}

/// A section of the page.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    /// Its title.
    pub(crate) title: &'static str,
    /// What is below the title.
    pub(crate) text: String,
}

impl Report {
    /// The tables alone, for the terminal.
    pub(crate) fn tables(&self) -> String {
        let mut text = String::new();
        let mut part = |title: &str, content: String| {
            if !content.is_empty() {
                let _ = write!(text, "## {title}\n\n{content}\n");
            }
        };
        part("Aims", self.aims());
        part("Requests", self.requests());
        part("A flood of forged tokens", self.flood());
        part("Memory", self.memory());
        for section in &self.sections {
            part(section.title, section.text.clone());
        }
        part("A real n8n", self.real_n8n());
        text
    }

    /// The whole page.
    pub(crate) fn page(&self) -> String {
        let facts: String = self.facts.iter().fold(String::new(), |mut text, fact| {
            let _ = writeln!(text, "- {fact}");
            text
        });
        format!("{HEAD}\n{facts}\n{}{TAIL}", self.tables())
    }

    fn aims(&self) -> String {
        let rows = self.findings.iter().map(|finding| {
            let outcome = match finding.is_met {
                Some(true) => "met",
                Some(false) => "**missed**",
                None => "",
            };
            vec![
                finding.what.clone(),
                finding.figure.clone(),
                finding.aim.clone().unwrap_or_default(),
                outcome.to_owned(),
            ]
        });
        let table = table(&["", "median (least to greatest)", "aim", ""], rows);
        format!("{table}\n{ABOUT_AIMS}")
    }

    fn requests(&self) -> String {
        let rows: Vec<Vec<String>> = self
            .contestants
            .iter()
            .filter_map(|contestant| line(&self.turns, contestant.chain, contestant.traffic))
            .collect();
        if rows.is_empty() {
            return String::new();
        }
        let mut text = table(&COLUMNS, rows);
        for reason in &self.left_out {
            let _ = write!(text, "\nLeft out: {reason}\n");
        }
        text
    }

    fn flood(&self) -> String {
        if self.floods.is_empty() {
            return String::new();
        }
        let rows = self.floods.iter().map(|flood| {
            vec![
                flood.chain.to_owned(),
                spread(flood.quiet),
                spread(flood.flooded),
                spread(flood.refused),
            ]
        });
        let columns = [
            "",
            "p99 quiet, µs",
            "p99 in the flood, µs",
            "refused a second",
        ];
        format!("One caller with a good token makes {} requests a second over one connection; {} connections send\nforged tokens as fast as they are refused. Median (least to greatest).\n\n{}", flood::CALLS_A_SECOND, flood::CONNECTIONS, table(&columns, rows))
    }

    fn memory(&self) -> String {
        let Some(memory) = &self.memory else {
            return String::new();
        };
        let step = (memory.distinct.len() / 6).max(1);
        let mut some: Vec<&Usage> = memory.distinct.iter().step_by(step).collect();
        some.extend(memory.distinct.last());
        some.dedup_by_key(|usage| usage.requests);
        let some = some
            .into_iter()
            .map(|usage| usage_row("gate, distinct RS256 tokens", usage));
        let rows = [usage_row("WebAssembly that does nothing", &memory.nothing)]
            .into_iter()
            .chain(some)
            .chain([usage_row(
                "gate, 10 providers with 20 keys each",
                &memory.many,
            )]);
        let columns = [
            "",
            "requests so far",
            "linear memory, MiB",
            "Envoy allocated, MiB",
            "resident, MiB",
        ];
        format!("{}\nLinear memory is that of the worker's WebAssembly machine: all memory of the filter itself. The rest\nis all of Envoy, with the compiled code.\n", table(&columns, rows))
    }

    fn real_n8n(&self) -> String {
        let rows: Vec<Vec<String>> = [
            (real_n8n::DIRECT, real_n8n::KEY),
            (real_n8n::THROUGH, real_n8n::TOKEN),
        ]
        .iter()
        .filter_map(|(chain, traffic)| line(&self.n8n, chain, traffic))
        .collect();
        if rows.is_empty() {
            return String::new();
        }
        format!("`GET /api/v1/workflows` of an n8n with two workflows, on the load generator's core.\n\n{}", table(&COLUMNS, rows))
    }
}

const ABOUT_AIMS: &str = "\
Ratios are taken within each round; the median is that of the rounds. A rate is requests a second; a
cost is processor time of Envoy for each request.
";

const COLUMNS: [&str; 6] = [
    "",
    "sent",
    "requests/s",
    "Envoy's processor, µs a request",
    "p50, µs",
    "p99, µs",
];

/// A line of medians.
fn line(turns: &Turns, chain: &str, traffic: &str) -> Option<Vec<String>> {
    let name = format!("{chain}: {traffic}");
    let of = |figure: fn(&crate::figures::Sample) -> f64| median(turns, &name, figure);
    let processor = of(|sample| sample.processor.unwrap_or(f64::NAN))?;
    Some(vec![
        chain.to_owned(),
        traffic.to_owned(),
        whole(of(|sample| sample.rate)?),
        if processor.is_finite() {
            format!("{processor:.1}")
        } else {
            String::new()
        },
        whole(of(|sample| sample.p50)?),
        whole(of(|sample| sample.p99)?),
    ])
}

fn usage_row(name: &str, usage: &Usage) -> Vec<String> {
    vec![
        name.to_owned(),
        usage.requests.to_string(),
        format!("{:.2}", mebi(usage.linear)),
        format!("{:.1}", mebi(usage.allocated)),
        format!("{:.1}", mebi(usage.resident)),
    ]
}

/// A median, and the least and the greatest value.
pub(crate) fn spread(spread: Spread) -> String {
    format!(
        "{} ({} to {})",
        whole(spread.median),
        whole(spread.least),
        whole(spread.greatest)
    )
}

/// Without decimals.
pub(crate) fn whole(number: f64) -> String {
    format!("{number:.0}")
}

/// A table of Markdown whose columns also line up on a terminal.
pub(crate) fn table(columns: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let head: Vec<String> = columns.iter().map(|&column| column.to_owned()).collect();
    let rows: Vec<Vec<String>> = [head].into_iter().chain(rows).collect();
    let widths: Vec<usize> = (0..columns.len())
        .map(|at| {
            let cells = rows.iter().filter_map(|row| row.get(at));
            cells
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
                .max(1)
        })
        .collect();
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(text, "| {cell:width$} ");
        }
        text.push_str("|\n");
        if number == 0 {
            for width in &widths {
                let _ = write!(text, "|{}", "-".repeat(width.saturating_add(2)));
            }
            text.push_str("|\n");
        }
    }
    text
}

const HEAD: &str = "# Benchmark

<!-- Written by `make bench`. -->

![Requests a second on one core](benchmark.svg)

The gate beside no filter, beside WebAssembly filters that do nothing or almost nothing, beside Envoy's
own filters with the same task, and beside programs that Envoy asks about each request. Compare the
figures of one run only with each other, not with those of another machine.
";

const TAIL: &str = "
## What is measured

- Each chain is a separate Envoy with one worker, pinned to a core. For figures with an aim it is a new one in
  each round: of the same program, one process is faster than another for as long as it runs. The load
  generator and all other programs are pinned to another core. 32 connections keep the worker busy. Envoy makes the responses
  itself (`direct_response`), so that only the filters differ.
- Before the timing, every contestant is verified: it sets the n8n API key in place of the token and
  the identity headers that its line says, removes made-up ones, and refuses forged tokens with 401.
  During a turn every response must have the right status, and no connection may break. Otherwise
  the run fails.
- Tokens have about 900 bytes with RS256 (2048 bits) and 600 with ES256, and are made before the run.
  *Repeated* is one token; *unique* are 60 000 tokens (ES256: 15 000) in turn, many more than the
  gate or `jwt_authn` caches (4096 each); *forged* have a known key id and the signature of another
  token.
- The *native chain* is `jwt_authn` (keys in the configuration, with or without its token cache), RBAC
  on the token's roles by method and path, and Lua. Lua finds the caller's n8n API key, removes
  made-up identity headers and n8n's session cookie. The gate sends n8n one identity header on the public
  API by default, the issuer, and so does the chain. In the lines that name the caller, both send all of
  them, and the gate sets the properties that access logs read, too. The chain does less than the gate: it knows two operations of n8n, has no audit and no metrics by reason, and the API
  keys are in its configuration.
- *oauth2-proxy* and *OPA* are programs of their own that Envoy asks about each request (`ext_authz`), over
  HTTP and over gRPC. They share Envoy's core, as they would share the machine, and their processor time
  is part of \"Envoy's processor\". They write no log. oauth2-proxy verifies the token and asks for
  one role on all paths. It knows no keys of callers, so that Envoy sets one key for all, and no
  identity headers. OPA has a policy that maps the client to its key, sets the identity headers, and
  knows two operations. It caches the key set and as many verified tokens as the gate.
- The gate has ten principals, and the token matches the last one. Its audit is off (Envoy's log at
  `warning`), except in the lines with \"audit\": to Envoy's log, which is written for each record, and
  to the file of an access log, which Envoy writes in large pieces.
- *The gate's calls alone* is a filter that asks Envoy for the same things in the same order as the gate
  does for such a request, with fixed values, and does nothing else: it reads no token and decides nothing.
  No gate with these calls can be faster.

## How to repeat it

```sh
make bench                                            # about 20 minutes; writes this page
BENCH_ROUNDS=1 BENCH_SECONDS=1 make bench             # a short run; writes nothing
BENCH_ONLY='gate: repeated,native' make bench         # only these; prints the process to profile
BENCH_ONLY=flood,memory,n8n make bench
BENCH_ONLY=latency,http2,workers,growth,start,counts make bench
```

It needs Linux with two idle cores, `taskset`, and the programs that `make preflight` checks. Times
are never asserted: the exit status says whether all responses were right.
";
