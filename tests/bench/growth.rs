//! How the cost of a request and the memory grow with the number of principals, guarded webhooks,
//! providers, and roles in the token.

use crate::aims::mebi;
use crate::contestants::{chain, traffic, Contestant, Field, Requirement};
use crate::figures::{median, ratio, Sample, Turns};
use crate::memory::usage;
use crate::native;
use crate::policy;
use crate::report::{table, Section};
use crate::rounds::Rounds;
use crate::server::Chain;
use crate::settings::Settings;
use crate::support::http::Request;
use crate::support::Outcome;
use crate::tokens::Tokens;
use crate::verify::verify;
use crate::wrk::{Credential, PATH};

/// The name for `BENCH_ONLY`.
pub(crate) const NAME: &str = "growth";

/// What there is more and more of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Axis {
    Principals,
    Webhooks,
    Providers,
    Roles,
    /// Roles in the token, for Envoy's own filters.
    NativeRoles,
}

/// A number on an axis, and the name of the chain.
type Step = (Axis, usize, &'static str);

const STEPS: [Step; 13] = [
    (Axis::Principals, 10, "gate, 10 principals"),
    (Axis::Principals, 1_000, "gate, 1 000 principals"),
    (Axis::Principals, 10_000, "gate, 10 000 principals"),
    (Axis::Webhooks, 10, "gate, 10 guarded webhooks"),
    (Axis::Webhooks, 300, "gate, 300 guarded webhooks"),
    (Axis::Webhooks, 10_000, "gate, 10 000 guarded webhooks"),
    (Axis::Providers, 1, "gate, 1 provider"),
    (Axis::Providers, 10, "gate, 10 providers"),
    (Axis::Providers, 300, "gate, 300 providers"),
    (Axis::Roles, 10, "gate, 10 roles"),
    (Axis::Roles, 1_000, "gate, 1 000 roles"),
    (Axis::NativeRoles, 10, "native chain, token cache, 10 roles"),
    (
        Axis::NativeRoles,
        1_000,
        "native chain, token cache, 1 000 roles",
    ),
];

/// Enough KiB for the head of a request with 10 000 roles. Envoy's usual bound is 60.
const LARGEST_HEAD: u32 = 256;

/// Measures the cost of a request at each step.
pub(crate) fn measure(settings: &Settings, tokens: &Tokens) -> Outcome<Option<Section>> {
    if !settings.wants(NAME) {
        return Ok(None);
    }
    println!("==> growth");
    refuse_the_longest(settings, tokens)?;
    let settings = settings.at_most(3, 1);
    let mut field = Field {
        chains: Vec::new(),
        contestants: Vec::new(),
        left_out: Vec::new(),
    };
    for step in STEPS {
        field.chains.push(chain_of(step, tokens)?);
        field.contestants.extend(contestants(step, tokens)?);
    }
    let rounds = Rounds::open(&settings, &field)?;
    let turns = rounds.run(&settings)?;
    let mut rows = Vec::new();
    for step in STEPS {
        let linear = usage(rounds.envoy(step.2)?, 0)?.linear;
        rows.push(row(&turns, step, linear));
    }
    let columns = [
        "",
        "repeated, µs a request",
        "/ least",
        "unique, µs a request",
        "/ least",
        "linear memory, MiB",
    ];
    Ok(Some(Section {
        title: "Growth",
        text: format!("{ABOUT}\n{}", table(&columns, rows)),
    }))
}

fn chain_of((axis, number, name): Step, tokens: &Tokens) -> Outcome<Chain> {
    let keys = &tokens.keys;
    let gate = match axis {
        Axis::Principals => policy::gate(keys, number),
        Axis::Webhooks => policy::gate_of_webhooks(keys, number),
        Axis::Providers => policy::gate_of_providers(keys, number),
        Axis::Roles => policy::gate(keys, 10),
        Axis::NativeRoles => return Ok(native::chain(name, keys, true, native::Identity::Issuer)),
    };
    policy::chain(name, &gate)
}

fn contestants((axis, number, chain): Step, tokens: &Tokens) -> Outcome<Vec<Contestant>> {
    let kinds = [(traffic::REPEATED, "repeated"), (traffic::UNIQUE, "unique")];
    let contestant = |(traffic, kind)| {
        let file = match axis {
            Axis::Roles | Axis::NativeRoles => format!("roles-{number}-{kind}"),
            _ => format!("rs256-{kind}"),
        };
        let list = tokens.list(&file)?;
        let (credential, key) = match axis {
            // The workflow gets neither the token nor a key of n8n.
            Axis::Webhooks => (Credential::Hook(list), String::new()),
            _ => (Credential::Tokens(list), policy::expected_key()),
        };
        Ok(Contestant {
            chain,
            traffic,
            credential,
            requirement: Requirement::Swapped(key),
        })
    };
    kinds.into_iter().map(contestant).collect()
}

/// Verifies what the section says about a token with 10 000 roles. It is not timed: `wrk` sends no
/// head of more than 80 KB.
fn refuse_the_longest(settings: &Settings, tokens: &Tokens) -> Outcome<()> {
    let list = tokens.list("roles-10000-repeated")?;
    let token = list.samples.first().ok_or("there is no token")?.clone();
    let contestant = Contestant {
        chain: chain::GATE,
        traffic: traffic::REPEATED,
        credential: Credential::Tokens(list),
        requirement: Requirement::Refused("too_long"),
    };
    let mut chain = policy::chain(chain::GATE, &policy::gate(&tokens.keys, 10))?;
    let usual = chain.start(settings.envoy_core)?;
    let status = Request::get(PATH).bearer(&token).send(usual.port())?.status;
    if status != 431 {
        return Err(format!("Envoy's status for the longest head is {status}, not 431").into());
    }
    chain.largest_head = Some(LARGEST_HEAD);
    verify(&contestant, chain.start(settings.envoy_core)?.port())
}

fn row(turns: &Turns, (axis, _, name): Step, linear: f64) -> Vec<String> {
    let least = STEPS.iter().find(|(other, _, _)| *other == axis);
    let mut row = vec![name.to_owned()];
    for traffic in [traffic::REPEATED, traffic::UNIQUE] {
        let of = |chain: &str| format!("{chain}: {traffic}");
        let cost = |sample: &Sample| sample.processor.unwrap_or(f64::NAN);
        let grown = least.and_then(|(_, _, least)| {
            ratio(turns, &of(name), &of(least), |sample| sample.processor)
        });
        row.push(
            median(turns, &of(name), cost).map_or_else(String::new, |cost| format!("{cost:.1}")),
        );
        row.push(grown.map_or_else(String::new, |grown| format!("{:.2} ×", grown.median)));
    }
    row.push(if linear > 0.0 {
        format!("{:.2}", mebi(linear))
    } else {
        String::new()
    });
    row
}

const ABOUT: &str = "\
What the token needs is always the last in the configuration. Each webhook asks for a role of its own.
A token with 10 000 roles (of 8 letters) has 160 kB. Envoy refuses it with 431, unless
`max_request_headers_kb` is raised above the usual 60, as here. Then the gate refuses it as `too_long`: it
reads tokens of 16 KiB at most, which 1 000 such roles just fit into.
";
