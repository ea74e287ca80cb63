//! One, two and four workers of one Envoy: how the cost of a request and the memory grow.

use crate::aims::mebi;
use crate::contestants::{chain, traffic, Contestant, Field};
use crate::figures::{median, Sample, Turns};
use crate::memory::{usage, Usage};
use crate::report::{table, whole, Section};
use crate::rounds::Rounds;
use crate::settings::Settings;
use crate::support::Outcome;
use crate::tokens::Tokens;

/// The name for `BENCH_ONLY`.
pub(crate) const NAME: &str = "workers";

/// A chain, and its names with one, two and four workers.
const CHAINS: [(&str, [(&str, usize); 3]); 2] = [
    (
        chain::GATE,
        [
            ("gate, 1 worker", 1),
            ("gate, 2 workers", 2),
            ("gate, 4 workers", 4),
        ],
    ),
    (
        chain::NATIVE_CACHED,
        [
            ("native chain, token cache, 1 worker", 1),
            ("native chain, token cache, 2 workers", 2),
            ("native chain, token cache, 4 workers", 4),
        ],
    ),
];

const TRAFFICS: [(&str, &str); 2] = [
    (traffic::REPEATED, "rs256-repeated"),
    (traffic::UNIQUE, "rs256-unique"),
];

/// Measures both chains with each number of workers.
pub(crate) fn measure(settings: &Settings, tokens: &Tokens) -> Outcome<Option<Section>> {
    if !settings.wants(NAME) {
        return Ok(None);
    }
    println!("==> 1, 2 and 4 workers");
    let settings = settings.at_most(3, 1);
    let field = field(tokens)?;
    let rounds = Rounds::open(&settings, &field)?;
    let turns = rounds.run(&settings)?;
    let mut rows = Vec::new();
    for chain in &field.chains {
        // The number of requests is not shown.
        let usage = usage(rounds.envoy(chain.name)?, 0)?;
        rows.push(row(&turns, chain.name, &usage));
    }
    let columns = [
        "",
        "repeated, requests/s",
        "repeated, µs a request",
        "unique, requests/s",
        "unique, µs a request",
        "linear memory of a worker, MiB",
        "of all, MiB",
        "resident, MiB",
    ];
    Ok(Some(Section {
        title: "Workers",
        text: format!("{ABOUT}\n{}", table(&columns, rows)),
    }))
}

fn field(tokens: &Tokens) -> Outcome<Field> {
    let chains = CHAINS.map(|(chain, _)| chain);
    let once = Field::of(tokens, &chains, &TRAFFICS)?;
    let mut field = Field {
        chains: Vec::new(),
        contestants: Vec::new(),
        left_out: Vec::new(),
    };
    for (of, names) in CHAINS {
        for (name, workers) in names {
            let chains = once.chains.iter().filter(|chain| chain.name == of);
            field.chains.extend(chains.cloned().map(|mut chain| {
                (chain.name, chain.workers) = (name, workers);
                chain
            }));
            let contestants = once.contestants.iter().filter(|other| other.chain == of);
            field
                .contestants
                .extend(contestants.cloned().map(|other| Contestant {
                    chain: name,
                    ..other
                }));
        }
    }
    Ok(field)
}

fn row(turns: &Turns, chain: &str, usage: &Usage) -> Vec<String> {
    let mut row = vec![chain.to_owned()];
    for (traffic, _) in TRAFFICS {
        let name = format!("{chain}: {traffic}");
        let of = |figure: fn(&Sample) -> f64| median(turns, &name, figure).unwrap_or(f64::NAN);
        let processor = of(|sample| sample.processor.unwrap_or(f64::NAN));
        row.push(whole(of(|sample| sample.rate)));
        row.push(format!("{processor:.1}"));
    }
    for linear in [usage.linear, usage.all_linear] {
        row.push(if linear > 0.0 {
            format!("{:.2}", mebi(linear))
        } else {
            String::new()
        });
    }
    row.push(format!("{:.1}", mebi(usage.resident)));
    row
}

const ABOUT: &str = "\
One worker has its own core, as above. Two and four workers have both cores, and share one of them with
the load generator: their rates say what this machine can do, and not what a larger one could. The cost
of a request, Envoy's processor time, can be compared. Memory is measured at the end. All linear memory
is that of the workers and of Envoy's main thread, which also holds the configuration.
";
