//! How a flood of forged tokens affects a good caller on the same worker.
//!
//! The good caller sends at a fixed pace over one connection. If a slow response delays the next
//! request, the time of that request counts from when it was due. The flood sends as fast as it is
//! refused.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::contestants::{chain, Field};
use crate::figures::{percentile, Spread};
use crate::response::is_whole;
use crate::server::Server;
use crate::settings::Settings;
use crate::support::process::go_on;
use crate::support::Outcome;
use crate::tokens::Tokens;
use crate::wrk::{check, Credential, Load, Run, PATH};

/// The name for `BENCH_ONLY`.
pub(crate) const NAME: &str = "flood of forged tokens";

/// Connections of the flood: they keep one worker busy without a break.
pub(crate) const CONNECTIONS: usize = 4;

/// The pace of the good caller.
pub(crate) const CALLS_A_SECOND: u64 = 500;

/// The time between two of its requests.
const PACE: Duration = Duration::from_micros(1_000_000 / CALLS_A_SECOND);

/// The longest time that a response may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The figures of the good caller, and the rate at which the flood is refused.
#[derive(Clone, Debug)]
pub(crate) struct Flood {
    /// The name of the chain.
    pub(crate) chain: &'static str,
    /// The good caller's 99th percentile without the flood, in microseconds.
    pub(crate) quiet: Spread,
    /// The same during the flood.
    pub(crate) flooded: Spread,
    /// The ratio of the two, round by round.
    pub(crate) ratio: Spread,
    /// Whether the good caller could keep its pace, also during the flood.
    pub(crate) keeps_pace: bool,
    /// Forged tokens refused a second, beside the good caller.
    pub(crate) refused: Spread,
}

/// Measures the gate and the native chain in turn. Both may cache the good caller's token.
pub(crate) fn measure(settings: &Settings, tokens: &Tokens) -> Outcome<Vec<Flood>> {
    if !settings.wants(NAME) {
        return Ok(Vec::new());
    }
    println!("==> a good caller, without and with a flood of forged tokens");
    let mut chains = Vec::new();
    for chain in Field::chains(tokens)? {
        if [chain::GATE, chain::NATIVE_CACHED].contains(&chain.name) {
            chains.push((chain, Vec::new()));
        }
    }
    let good = tokens.list("rs256-repeated")?;
    let good = good.samples.first().ok_or("there is no token")?;
    let forged = Credential::Tokens(tokens.list("rs256-forged")?);
    let seconds = settings.seconds.saturating_mul(2);
    for _ in 0..settings.rounds.min(3) {
        for (chain, rounds) in &mut chains {
            // A new one for each round, as for the rates.
            let server = chain.start(settings.envoy_core)?;
            rounds.push(round(&server, good, &forged, seconds)?);
        }
    }
    let of = |rounds: &[Round], figure: fn(&Round) -> f64| Spread::of(rounds.iter().map(figure));
    chains
        .iter()
        .map(|(chain, rounds)| {
            let flood = || {
                Some(Flood {
                    chain: chain.name,
                    quiet: of(rounds, |round| round.quiet)?,
                    flooded: of(rounds, |round| round.flooded)?,
                    ratio: of(rounds, |round| round.flooded / round.quiet)?,
                    keeps_pace: rounds.iter().all(|round| round.keeps_pace),
                    refused: of(rounds, |round| round.refused)?,
                })
            };
            flood().ok_or_else(|| "nothing was measured".into())
        })
        .collect()
}

struct Round {
    quiet: f64,
    flooded: f64,
    keeps_pace: bool,
    refused: f64,
}

fn round(server: &Server, good: &str, forged: &Credential, seconds: u64) -> Outcome<Round> {
    go_on()?;
    let duration = Duration::from_secs(seconds);
    let mut caller = GoodCaller::connect(server.port(), good)?;
    // The first second warms up.
    caller.call_for(Duration::from_secs(1))?;
    let quiet = caller.call_for(duration)?;
    let (flooded, load) = thread::scope(|scope| -> Outcome<(Calls, Load)> {
        let flood = scope.spawn(|| {
            let run = Run {
                port: server.port(),
                credential: forged,
                first: 0,
                connections: CONNECTIONS,
                seconds: seconds.saturating_add(1),
                is_polite: true,
            };
            run.load().map_err(|error| error.to_string())
        });
        thread::sleep(Duration::from_millis(500));
        let flooded = caller.call_for(duration);
        let load = flood.join().map_err(|_| "the flood's thread is gone")??;
        Ok((flooded?, load))
    })?;
    check(load, true).map_err(|fault| format!("{}: the flood: {fault}", server.name))?;
    Ok(Round {
        quiet: quiet.p99,
        flooded: flooded.p99,
        keeps_pace: quiet.keeps_pace && flooded.keeps_pace,
        refused: load.rate(),
    })
}

/// The figures of the good caller.
struct Calls {
    /// The 99th percentile in microseconds.
    p99: f64,
    /// Whether at most one in twenty calls was not yet made at the end.
    keeps_pace: bool,
}

struct GoodCaller {
    stream: TcpStream,
    request: Vec<u8>,
}

impl GoodCaller {
    fn connect(port: u16, token: &str) -> Outcome<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let request = format!(
            "GET {PATH} HTTP/1.1\r\nHost: n8n.example.test\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        Ok(Self {
            stream,
            request: request.into_bytes(),
        })
    }

    /// Makes calls at the fixed pace.
    fn call_for(&mut self, duration: Duration) -> Outcome<Calls> {
        let mut times = Vec::new();
        let started = Instant::now();
        let mut due = started;
        while started.elapsed() < duration {
            let early = due.saturating_duration_since(Instant::now());
            let sent = if early.is_zero() {
                due
            } else {
                thread::sleep(early);
                Instant::now()
            };
            self.call()?;
            times.push(sent.elapsed().as_secs_f64() * 1e6);
            due = due.checked_add(PACE).unwrap_or(due);
        }
        times.sort_by(f64::total_cmp);
        let p99 = percentile(&times, 990).ok_or("not one call was made")?;
        let behind = started
            .elapsed()
            .saturating_sub(due.duration_since(started));
        Ok(Calls {
            p99,
            keeps_pace: behind.saturating_mul(20) <= duration,
        })
    }

    fn call(&mut self) -> Outcome<()> {
        self.stream.write_all(&self.request)?;
        let mut received = Vec::with_capacity(1024);
        let mut buffer = [0; 1024];
        loop {
            let count = self.stream.read(&mut buffer)?;
            received.extend_from_slice(buffer.get(..count).unwrap_or_default());
            if is_whole(&received)? {
                return Ok(());
            }
            if count == 0 {
                return Err("the connection of the good caller ended".into());
            }
        }
    }
}
