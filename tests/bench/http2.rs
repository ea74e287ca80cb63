//! HTTP/2 between the client and Envoy, beside HTTP/1.1 from the same load generator.

use std::collections::BTreeMap;

use crate::contestants::{chain, traffic, Field};
use crate::figures::Spread;
use crate::h2load::{Protocol, Run};
use crate::report::{table, whole, Section};
use crate::server::Server;
use crate::settings::Settings;
use crate::support::process::go_on;
use crate::support::Outcome;
use crate::tokens::Tokens;
use crate::verify::verify;

/// The name for `BENCH_ONLY`.
pub(crate) const NAME: &str = "http2";

const CHAINS: [&str; 3] = [chain::NONE, chain::GATE, chain::NATIVE_CACHED];

const PROTOCOLS: [Protocol; 2] = [Protocol::Http1, Protocol::Http2];

/// A chain with a version of HTTP.
type Line = (&'static str, Protocol);

/// Requests a second, and Envoy's processor time for each in microseconds.
type Figures = [f64; 2];

/// Measures each chain with both versions of HTTP.
pub(crate) fn measure(settings: &Settings, tokens: &Tokens) -> Outcome<Option<Section>> {
    if !settings.wants(NAME) {
        return Ok(None);
    }
    println!("==> HTTP/2");
    let settings = settings.at_most(3, 1);
    let field = Field::of(tokens, &CHAINS, &[(traffic::REPEATED, "rs256-repeated")])?;
    let list = tokens.list("rs256-repeated")?;
    let token = list.samples.first().ok_or("there is no token")?;
    let mut servers = Vec::new();
    for (chain, contestant) in field.chains.iter().zip(&field.contestants) {
        let server = chain.start(settings.envoy_core)?;
        verify(contestant, server.port())?;
        servers.push(server);
    }
    let mut turns: BTreeMap<Line, Vec<Figures>> = BTreeMap::new();
    // The first round warms up.
    for round in 0..=settings.rounds {
        for server in &servers {
            for protocol in PROTOCOLS {
                let figures = turn(server, token, protocol, settings.seconds)?;
                if round > 0 {
                    let line = (server.name, protocol);
                    turns.entry(line).or_default().push(figures);
                }
            }
        }
    }
    Ok(Some(section(&turns)))
}

fn turn(server: &Server, token: &str, protocol: Protocol, seconds: u64) -> Outcome<Figures> {
    go_on()?;
    let (port, used) = (server.port(), server.processor_seconds()?);
    let failures = server.failures()?;
    let load = Run {
        port,
        token,
        protocol,
        seconds,
    }
    .load()?;
    if server.failures()? > failures {
        return Err(format!("{}: a status of 500 or above", server.name).into());
    }
    let used = server.processor_seconds()? - used;
    Ok([load.rate, used * 1e6 / load.requests])
}

fn section(turns: &BTreeMap<Line, Vec<Figures>>) -> Section {
    let mut rows = Vec::new();
    for chain in CHAINS {
        for protocol in PROTOCOLS {
            let rounds = turns.get(&(chain, protocol)).map_or(&[][..], Vec::as_slice);
            let median = |of: fn(&Figures) -> f64| {
                Spread::of(rounds.iter().map(of)).map_or(f64::NAN, |spread| spread.median)
            };
            rows.push(vec![
                chain.to_owned(),
                protocol.text(),
                whole(median(|[rate, _]| *rate)),
                format!("{:.1}", median(|[_, processor]| *processor)),
            ]);
        }
    }
    let columns = [
        "",
        "protocol",
        "requests/s",
        "Envoy's processor, µs a request",
    ];
    Section {
        title: "HTTP/2",
        text: format!("{ABOUT}\n{}", table(&columns, rows)),
    }
}

const ABOUT: &str = "\
The same token again and again, from h2load with one thread, without TLS. Over HTTP/2 the token is
sent once for each connection, and then named by its number (HPACK).
";
