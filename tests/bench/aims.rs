//! What the project wants to reach, and whether it did.

use crate::contestants::{chain, traffic};
use crate::figures::{ratio, Spread, Turns};
use crate::flood::Flood;
use crate::memory::Memory;

/// A figure that there is an aim for, or that tells something by itself.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    /// What is compared.
    pub(crate) what: String,
    /// The figure, with its spread.
    pub(crate) figure: String,
    /// What it shall be; nothing where it only informs.
    pub(crate) aim: Option<String>,
    /// Whether it is.
    pub(crate) is_met: Option<bool>,
}

/// An upper or a lower bound.
#[derive(Clone, Copy, Debug)]
enum Aim {
    AtLeast(f64),
    AtMost(f64),
    Below(f64),
}

impl Aim {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
            Self::Below(bound) => value < bound,
        }
    }

    fn text(self) -> String {
        match self {
            Self::AtLeast(least) => format!("≥ {least} ×"),
            Self::AtMost(most) => format!("≤ {most} ×"),
            Self::Below(bound) => format!("< {bound} ×"),
        }
    }
}

/// Everything that can be found out of what was measured.
pub(crate) fn findings(
    turns: &Turns,
    floods: &[Flood],
    memory: Option<&Memory>,
    wasm: u64,
) -> Vec<Finding> {
    let mut findings = of_rates(turns);
    findings.extend(of_floods(floods));
    findings.extend(memory.map(of_memory).unwrap_or_default());
    findings.push(Finding {
        what: "size of the module".to_owned(),
        figure: format!("{wasm} bytes"),
        aim: Some("≤ 1,048,576 bytes".to_owned()),
        is_met: Some(wasm <= 1 << 20),
    });
    findings
}

fn of_rates(turns: &Turns) -> Vec<Finding> {
    use traffic::{FORGED, FORGED_ES, REPEATED, UNIQUE, UNIQUE_ES};
    let at_least = |bound| Some(Aim::AtLeast(bound));
    // The first is divided by the second.
    let rates = [
        (
            "repeated tokens, rate: gate / native chain with token cache",
            (chain::GATE, REPEATED),
            (chain::NATIVE_CACHED, REPEATED),
            at_least(1.2),
        ),
        (
            "unique tokens, rate: gate / native chain",
            (chain::GATE, UNIQUE),
            (chain::NATIVE, UNIQUE),
            at_least(1.1),
        ),
        (
            "forged tokens, rate of refusals: gate / native chain (`jwt_authn` refuses)",
            (chain::GATE, FORGED),
            (chain::NATIVE, FORGED),
            at_least(1.0),
        ),
        (
            "repeated tokens, cost of a request: gate / WebAssembly that does nothing",
            (chain::NOTHING, REPEATED),
            (chain::GATE, REPEATED),
            Some(Aim::AtMost(1.35)),
        ),
        (
            "repeated tokens, cost of a request: gate / WebAssembly, 2 reads and 2 writes",
            (chain::TRIVIAL, REPEATED),
            (chain::GATE, REPEATED),
            None,
        ),
        (
            "repeated tokens, cost of a request: 10 000 principals / 10",
            (chain::GATE, REPEATED),
            (chain::GATE_10000, REPEATED),
            Some(Aim::AtMost(1.05)),
        ),
        (
            "repeated tokens, cost of a request: audit to a file / no audit",
            (chain::GATE, REPEATED),
            (chain::GATE_AUDIT, REPEATED),
            None,
        ),
        (
            "unique tokens, rate: `crypto: auto` / `crypto: guest`",
            (chain::GATE, UNIQUE),
            (chain::GATE_GUEST, UNIQUE),
            None,
        ),
        (
            "unique ES256 tokens, rate: gate / native chain",
            (chain::GATE, UNIQUE_ES),
            (chain::NATIVE, UNIQUE_ES),
            None,
        ),
        (
            "forged ES256 tokens, rate of refusals: gate / native chain",
            (chain::GATE, FORGED_ES),
            (chain::NATIVE, FORGED_ES),
            None,
        ),
        (
            "cost of a request: WebAssembly that does nothing / no filter",
            (chain::NONE, REPEATED),
            (chain::NOTHING, REPEATED),
            None,
        ),
    ];
    rates
        .into_iter()
        .filter_map(|(what, one, other, aim)| {
            let name = |(chain, traffic): (&str, &str)| format!("{chain}: {traffic}");
            let spread = ratio(turns, &name(one), &name(other))?;
            Some(compared(what.to_owned(), spread, aim))
        })
        .collect()
}

fn of_floods(floods: &[Flood]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = floods
        .iter()
        .map(|flood| {
            let aim = (flood.chain == chain::GATE).then_some(Aim::Below(2.0));
            let what = format!(
                "p99 of a good caller during a flood of forged tokens / quiet: {}",
                flood.chain
            );
            compared(what, flood.ratio, aim)
        })
        .collect();
    let refused = |name| floods.iter().find(|flood| flood.chain == name);
    if let (Some(gate), Some(native)) = (refused(chain::GATE), refused(chain::NATIVE_CACHED)) {
        findings.push(Finding {
            what: "flood refused beside a good caller: gate / native chain (medians)".to_owned(),
            figure: format!("{:.2} ×", gate.refused.median / native.refused.median),
            aim: Some(Aim::AtLeast(1.0).text()),
            is_met: Some(gate.refused.median >= native.refused.median),
        });
    }
    findings
}

fn of_memory(memory: &Memory) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let (Some(first), Some(last), Some(is_flat)) = (
        memory.distinct.first(),
        memory.distinct.last(),
        memory.is_flat(),
    ) {
        findings.push(Finding {
            what: format!(
                "linear memory of a worker over {} requests with distinct tokens",
                last.requests
            ),
            figure: format!("{:.2} to {:.2} MiB", mebi(first.linear), mebi(last.linear)),
            aim: Some("flat in the second half".to_owned()),
            is_met: Some(is_flat),
        });
    }
    findings.push(Finding {
        what: format!(
            "linear memory of a worker: 10 providers, 200 keys, {} different tokens seen",
            memory.many.requests.min(memory.many_tokens)
        ),
        figure: format!("{:.2} MiB", mebi(memory.many.linear)),
        aim: Some("≤ 8 MB".to_owned()),
        is_met: Some(memory.many.linear <= 8e6),
    });
    findings
}

fn compared(what: String, spread: Spread, aim: Option<Aim>) -> Finding {
    let Spread {
        least,
        median,
        greatest,
    } = spread;
    Finding {
        what,
        figure: format!("{median:.2} × ({least:.2} to {greatest:.2})"),
        aim: aim.map(Aim::text),
        is_met: aim.map(|aim| aim.is_met(median)),
    }
}

/// Bytes in MiB.
pub(crate) fn mebi(bytes: f64) -> f64 {
    bytes / 1_048_576.0
}
