//! The project's performance aims, and whether a run meets them.

mod pairs;

use self::pairs::{COSTS, RATES};
use crate::contestants::{chain, traffic};
use crate::deliveries::SIZES;
use crate::figures::{ratio, Spread, Turns};
use crate::flood::Flood;
use crate::memory::Memory;

/// A figure with an aim, or a figure for information only.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    /// What is compared.
    pub(crate) what: String,
    /// The figure, with its spread.
    pub(crate) figure: String,
    /// The aim; `None` if the figure is for information only.
    pub(crate) aim: Option<String>,
    /// Whether the aim is met.
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

/// All findings from the measurements.
pub(crate) fn findings(
    turns: &Turns,
    floods: &[Flood],
    memory: Option<&Memory>,
    wasm: u64,
) -> Vec<Finding> {
    let mut findings = of_rates(turns);
    findings.extend(of_peers(turns));
    findings.extend(of_deliveries(turns));
    findings.extend(of_floods(floods));
    findings.extend(memory.map(of_memory).unwrap_or_default());
    findings.push(Finding {
        what: "size of the module".to_owned(),
        figure: format!("{wasm} bytes"),
        aim: Some("≤ 1,100,000 bytes".to_owned()),
        is_met: Some(wasm <= 1_100_000),
    });
    findings
}

fn of_rates(turns: &Turns) -> Vec<Finding> {
    let name = |chain: &str, traffic: &str| format!("{chain}: {traffic}");
    let rates = RATES.into_iter().filter_map(|(what, one, other, aim)| {
        let (one, other) = (name(one.0, one.1), name(other.0, other.1));
        let spread = ratio(turns, &one, &other, |sample| Some(sample.rate))?;
        Some(compared(format!("rate, {what}"), spread, aim))
    });
    let costs = COSTS.into_iter().filter_map(|(what, one, other, aim)| {
        let [one, other] = [one, other].map(|chain| name(chain, traffic::REPEATED));
        let spread = ratio(turns, &one, &other, |sample| sample.processor)?;
        Some(compared(format!("cost, {what}"), spread, aim))
    });
    rates.chain(costs).collect()
}

/// The rate beside that of programs that Envoy asks.
fn of_peers(turns: &Turns) -> Vec<Finding> {
    let pairs = [chain::OAUTH2_PROXY, chain::OPA]
        .into_iter()
        .flat_map(|peer| [traffic::REPEATED, traffic::FORGED].map(|traffic| (peer, traffic)));
    let findings = pairs.filter_map(|(peer, traffic)| {
        let [gate, other] = [chain::GATE, peer].map(|chain| format!("{chain}: {traffic}"));
        let spread = ratio(turns, &gate, &other, |sample| Some(sample.rate))?;
        let what = format!("rate, {traffic}: gate / {peer}");
        let aim = (traffic == traffic::REPEATED).then_some(Aim::AtLeast(5.0));
        Some(compared(what, spread, aim))
    });
    findings.collect()
}

/// What signatures of deliveries cost beyond the same bodies without a check.
fn of_deliveries(turns: &Turns) -> Vec<Finding> {
    let finding = |(traffic, size): (&str, u32)| {
        let pairs =
            [chain::SIGNED, chain::OPEN].map(|chain| turns.get(&format!("{chain}: {traffic}")));
        let [Some(signed), Some(open)] = pairs else {
            return None;
        };
        let pairs = signed.iter().zip(open);
        let costs = pairs.filter_map(|(one, other)| Some(one.processor? - other.processor?));
        let cost = Spread::of(costs)?;
        // Bytes in a microsecond are megabytes in a second.
        let rate = f64::from(size) / cost.median;
        Some(Finding {
            what: format!("cost of the signature of a delivery, {traffic}"),
            figure: format!(
                "{:.1} µs ({:.1} to {:.1}), {rate:.0} MB/s",
                cost.median, cost.least, cost.greatest
            ),
            aim: None,
            is_met: None,
        })
    };
    SIZES.into_iter().filter_map(finding).collect()
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
            let mut finding = compared(what, flood.ratio, aim);
            if !flood.keeps_pace {
                // The times then depend on the length of the run and not on the responses.
                finding.figure.push_str(", too slow for its pace");
                finding.is_met = aim.map(|_| false);
            }
            finding
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
