//! How long it takes from a configuration to the first decision by it: when Envoy starts, and when
//! the configuration of a running Envoy changes.

use std::net::{Ipv4Addr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::aims::mebi;
use crate::contestants::{chain, Field};
use crate::figures::Spread;
use crate::memory::usage;
use crate::policy;
use crate::report::{spread, table, Section};
use crate::server::{Chain, Server, ECHO};
use crate::settings::Settings;
use crate::support::http::Request;
use crate::support::process::go_on;
use crate::support::Outcome;
use crate::tokens::Tokens;
use crate::wrk::PATH;

/// The name for `BENCH_ONLY`.
pub(crate) const NAME: &str = "start";

/// The chains, and how many principals those of the gate have.
const CHAINS: [(&str, Option<usize>); 4] = [
    (chain::NONE, None),
    (chain::NOTHING, None),
    (chain::GATE, Some(10)),
    (chain::GATE_10000, Some(10_000)),
];

/// The longest time for either.
const PATIENCE: Duration = Duration::from_secs(60);

/// The figures of a chain, round by round.
#[derive(Default)]
struct Figures {
    /// From the start of Envoy to the first decision, in milliseconds.
    start: Vec<f64>,
    /// The processor time of Envoy up to then, in milliseconds.
    processor: Vec<f64>,
    /// From the change to the first decision by the new configuration, in milliseconds.
    change: Vec<f64>,
    /// Linear memory of a worker and resident memory after the start, in MiB.
    memory: Vec<[f64; 2]>,
    /// The same after the change.
    changed_memory: Vec<[f64; 2]>,
}

/// Measures both, with a new Envoy in each round.
pub(crate) fn measure(settings: &Settings, tokens: &Tokens) -> Outcome<Option<Section>> {
    if !settings.wants(NAME) {
        return Ok(None);
    }
    println!("==> start, and change of the configuration");
    let settings = settings.at_most(3, 1);
    let chains = Field::chains(tokens)?;
    let list = tokens.list("rs256-repeated")?;
    let token = list.samples.first().ok_or("there is no token")?;
    let mut all: Vec<Figures> = CHAINS.iter().map(|_| Figures::default()).collect();
    for _ in 0..settings.rounds {
        for ((name, principals), figures) in CHAINS.iter().zip(&mut all) {
            let mut chains = chains.iter();
            let chain = chains
                .find(|chain| chain.name == *name)
                .ok_or("no such chain")?;
            let changed = principals
                .map(|principals| changed(name, tokens, principals))
                .transpose()?;
            round(&settings, token, chain, changed.as_ref(), figures)?;
        }
    }
    Ok(Some(section(&all)))
}

/// The gate after a change: the caller gets another key of n8n.
fn changed(name: &'static str, tokens: &Tokens, principals: usize) -> Outcome<Chain> {
    let mut gate = policy::gate(&tokens.keys, principals);
    let last = gate["principals"]
        .as_array_mut()
        .and_then(|all| all.last_mut());
    last.ok_or("there is no principal")?["api_key"] = json!({ "env": policy::variable(0) });
    policy::chain(name, &gate)
}

fn round(
    settings: &Settings,
    token: &str,
    chain: &Chain,
    changed: Option<&Chain>,
    figures: &mut Figures,
) -> Outcome<()> {
    let (old, new) = (policy::expected_key(), policy::api_key(0));
    let is_gate = changed.is_some();
    let started = Instant::now();
    let server = chain.launch(&settings.cores(chain.workers))?;
    let took = wait(started, || {
        if TcpStream::connect((Ipv4Addr::LOCALHOST, server.port())).is_err() {
            return Ok(false);
        }
        match call(&server, token)? {
            key if !is_gate || key == old => Ok(true),
            key => Err(format!("{}: n8n got the key {key:?}", chain.name).into()),
        }
    })?;
    figures.start.push(took);
    figures.processor.push(server.processor_seconds()? * 1e3);
    figures.memory.push(memory(&server)?);
    let Some(changed) = changed else {
        return Ok(());
    };
    let started = Instant::now();
    server.update(changed)?;
    let took = wait(started, || match call(&server, token)? {
        key if key == old => Ok(false),
        key if key == new => Ok(true),
        key => Err(format!("{}: n8n got the key {key:?}", chain.name).into()),
    })?;
    figures.change.push(took);
    figures.changed_memory.push(memory(&server)?);
    Ok(())
}

/// Asks again and again. Returns the milliseconds since the start.
fn wait(started: Instant, mut is_so: impl FnMut() -> Outcome<bool>) -> Outcome<f64> {
    while !is_so()? {
        go_on()?;
        if started.elapsed() > PATIENCE {
            return Err(format!("nothing was decided within {PATIENCE:?}").into());
        }
        thread::sleep(Duration::from_millis(1));
    }
    Ok(started.elapsed().as_secs_f64() * 1e3)
}

/// The key that n8n gets for the token. Any status but 200 is an error.
fn call(server: &Server, token: &str) -> Outcome<String> {
    let request = Request::get(PATH).bearer(token).header(ECHO, "yes");
    let response = request.send(server.port())?;
    if response.status != 200 {
        return Err(format!("the status is {}: {}", response.status, response.text()).into());
    }
    Ok(response.header("x-echo-x-n8n-api-key").unwrap_or_default())
}

/// Linear memory of a worker and resident memory, in MiB.
fn memory(server: &Server) -> Outcome<[f64; 2]> {
    let usage = usage(server, 0)?;
    Ok([mebi(usage.linear), mebi(usage.resident)])
}

fn section(all: &[Figures]) -> Section {
    let chains = || CHAINS.iter().map(|(name, _)| *name).zip(all);
    let none = all
        .first()
        .map(|figures| figures.start.as_slice())
        .unwrap_or_default();
    let starts = chains().map(|(name, figures)| {
        let beyond = figures
            .start
            .iter()
            .zip(none)
            .map(|(some, none)| some - none);
        let mut row = vec![
            name.to_owned(),
            text(&figures.start),
            text(&beyond.collect::<Vec<f64>>()),
            text(&figures.processor),
        ];
        row.extend(memory_cells(&figures.memory));
        row
    });
    let changes = chains()
        .filter(|(_, figures)| !figures.change.is_empty())
        .map(|(name, figures)| {
            let mut row = vec![name.to_owned(), text(&figures.change)];
            row.extend(memory_cells(&figures.changed_memory));
            row
        });
    let start_columns = [
        "",
        "first decision after, ms",
        "more than no filter, ms",
        "Envoy's processor, ms",
        "linear memory, MiB",
        "resident, MiB",
    ];
    let change_columns = [
        "",
        "decides anew after, ms",
        "linear memory, MiB",
        "resident, MiB",
    ];
    Section {
        title: "Start and change",
        text: format!(
            "{ABOUT_START}\n{}\n{ABOUT_CHANGE}\n{}",
            table(&start_columns, starts),
            table(&change_columns, changes)
        ),
    }
}

fn text(values: &[f64]) -> String {
    Spread::of(values.iter().copied()).map_or_else(String::new, spread)
}

/// Medians; no linear memory is left out.
fn memory_cells(rounds: &[[f64; 2]]) -> Vec<String> {
    let median = |pick: fn(&[f64; 2]) -> f64| Spread::of(rounds.iter().map(pick));
    let cells = [
        median(|[linear, _]| *linear),
        median(|[_, resident]| *resident),
    ];
    cells
        .into_iter()
        .map(|spread| match spread {
            Some(spread) if spread.median > 0.0 => format!("{:.2}", spread.median),
            _ => String::new(),
        })
        .collect()
}

const ABOUT_START: &str = "\
From the start of the process to the response to the first request, with Envoy on its core. \"No filter\" is
Envoy's own start. What the filter that does nothing takes beyond it is a WebAssembly machine with next to
no code; what the gate with ten principals takes beyond that is to compile the module, once for all
workers; and what 10 000 principals take beyond ten is to read them, in the main thread and in the worker.
";

const ABOUT_CHANGE: &str = "\
From a new file of listeners (LDS) that gives the caller another key of n8n to the first request with that
key. Envoy keeps the compiled module. Until then, every request is decided by the old configuration.
Linear memory then has both configurations, and never shrinks.
";
