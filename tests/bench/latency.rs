//! The latency at a fixed rate: half of what the server can do, so that requests seldom wait for
//! each other. At saturation, the latency says only how many connections there are.

use std::collections::BTreeMap;
use std::fs;
use std::iter::{Cycle, Skip};
use std::str::Lines;
use std::time::Duration;

use crate::contestants::{chain, traffic, Contestant, Field};
use crate::figures::{percentile, Spread};
use crate::open_loop::Client;
use crate::report::{spread, table, whole, Section};
use crate::settings::Settings;
use crate::support::process::go_on;
use crate::support::Outcome;
use crate::tokens::Tokens;
use crate::verify::verify;
use crate::wrk::{check, Load, Run};

/// The name for `BENCH_ONLY`.
pub(crate) const NAME: &str = "latency";

const CHAINS: [&str; 4] = [
    chain::NONE,
    chain::NOTHING,
    chain::GATE,
    chain::NATIVE_CACHED,
];

const TRAFFICS: [(&str, &str); 2] = [
    (traffic::REPEATED, "rs256-repeated"),
    (traffic::UNIQUE, "rs256-unique"),
];

/// Connections, also of the generator that finds out the capacity.
const CONNECTIONS: usize = 32;

/// A chain with one kind of tokens.
struct Line<'f> {
    contestant: &'f Contestant,
    client: Client<Skip<Cycle<Lines<'f>>>>,
    /// Requests a second at saturation.
    capacity: f64,
    /// The figures at half of this capacity, round by round.
    at_own: Vec<Figures>,
    /// The figures at half of the gate's capacity.
    at_gates: Vec<Figures>,
}

/// The median, the 99th and the 99.9th percentile in microseconds.
type Figures = [f64; 3];

/// Measures every chain at half of its own capacity and at half of the gate's.
pub(crate) fn measure(settings: &Settings, tokens: &Tokens) -> Outcome<Option<Section>> {
    if !settings.wants(NAME) {
        return Ok(None);
    }
    println!("==> latency at half of the capacity");
    let settings = settings.at_most(3, 2);
    let field = Field::of(tokens, &CHAINS, &TRAFFICS)?;
    let mut servers = BTreeMap::new();
    for chain in &field.chains {
        servers.insert(chain.name, chain.start(settings.envoy_core)?);
    }
    let mut texts = BTreeMap::new();
    for (traffic, file) in TRAFFICS {
        texts.insert(traffic, fs::read_to_string(tokens.list(file)?.file)?);
    }
    let mut lines = Vec::new();
    for contestant in &field.contestants {
        let server = servers
            .get(contestant.chain)
            .ok_or("a chain has no server")?;
        let text = texts.get(contestant.traffic).ok_or("there are no tokens")?;
        verify(contestant, server.port())?;
        lines.push(line(contestant, server.port(), text, settings.seconds)?);
    }
    let gates: BTreeMap<&str, f64> = lines
        .iter()
        .filter(|line| line.contestant.chain == chain::GATE)
        .map(|line| (line.contestant.traffic, line.capacity))
        .collect();
    for _ in 0..settings.rounds {
        for line in &mut lines {
            let gates = gates.get(line.contestant.traffic).ok_or("no gate")?;
            round(line, *gates, settings.seconds)?;
        }
    }
    Ok(Some(section(&lines, &gates)))
}

/// Finds out the capacity, and connects a client whose tokens follow those that were sent.
fn line<'f>(
    contestant: &'f Contestant,
    port: u16,
    text: &'f str,
    seconds: u64,
) -> Outcome<Line<'f>> {
    let run = |first, seconds| -> Outcome<Load> {
        go_on()?;
        let run = Run {
            port,
            credential: &contestant.credential,
            first,
            connections: CONNECTIONS,
            seconds,
            is_polite: false,
        };
        let load = run.load()?;
        check(load, false).map_err(|fault| format!("{}: {fault}", contestant.name()))?;
        Ok(load)
    };
    // The first second warms up.
    let warm = run(0, 1)?.count();
    let load = run(warm, seconds)?;
    let sent = warm.saturating_add(load.count());
    Ok(Line {
        contestant,
        client: Client::connect(port, CONNECTIONS, text.lines().cycle().skip(sent))?,
        capacity: load.rate(),
        at_own: Vec::new(),
        at_gates: Vec::new(),
    })
}

fn round(line: &mut Line<'_>, gates: f64, seconds: u64) -> Outcome<()> {
    let name = line.contestant.name();
    let mut figures = |capacity: f64| -> Outcome<Figures> {
        let duration = Duration::from_secs(seconds);
        let latencies = line
            .client
            .run(capacity / 2.0, duration)
            .map_err(|fault| format!("{name}: {fault}"))?;
        let of = |share| percentile(&latencies, share).ok_or("no request was sent");
        Ok([of(500)?, of(990)?, of(999)?])
    };
    line.at_own.push(figures(line.capacity)?);
    if line.contestant.chain != chain::GATE {
        line.at_gates.push(figures(gates)?);
    }
    Ok(())
}

fn section(lines: &[Line<'_>], gates: &BTreeMap<&str, f64>) -> Section {
    let mut rows = Vec::new();
    for (traffic, _) in TRAFFICS {
        let lines = lines
            .iter()
            .filter(|line| line.contestant.traffic == traffic);
        for line in lines {
            let gates = gates.get(traffic).copied().unwrap_or(f64::NAN);
            rows.extend(row(line, line.capacity, "its own", &line.at_own));
            rows.extend(row(line, gates, "the gate's", &line.at_gates));
        }
    }
    let columns = [
        "",
        "sent",
        "requests/s",
        "half of",
        "p50, µs",
        "p99, µs",
        "p99.9, µs",
    ];
    Section {
        title: "Latency at a fixed rate",
        text: format!("{ABOUT}\n{}", table(&columns, rows)),
    }
}

fn row(line: &Line<'_>, capacity: f64, whose: &str, rounds: &[Figures]) -> Option<Vec<String>> {
    let mut row = vec![
        line.contestant.chain.to_owned(),
        line.contestant.traffic.to_owned(),
        whole(capacity / 2.0),
        whose.to_owned(),
    ];
    for at in 0..3 {
        let figures = rounds.iter().filter_map(|figures| figures.get(at).copied());
        row.push(spread(Spread::of(figures)?));
    }
    Some(row)
}

const ABOUT: &str = "\
Requests are sent at even distances over 32 connections, at half of the rate that was measured before:
that of the chain itself, and that of the gate. A latency counts from when its request was due, also
if the request could not be sent then. What the machine itself adds is in all lines, also in that without
a filter. Median of the rounds (least to greatest).
";
