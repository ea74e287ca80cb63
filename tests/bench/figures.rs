//! What was measured, round by round, and the medians of it.

use std::collections::BTreeMap;

/// One turn of a contestant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sample {
    /// Answers a second.
    pub(crate) rate: f64,
    /// Median time to the answer, in microseconds.
    pub(crate) p50: f64,
    /// Time within which 99 of 100 answers came, in microseconds.
    pub(crate) p99: f64,
    /// Processor time of Envoy for each answer, in microseconds.
    pub(crate) processor: Option<f64>,
}

/// All turns, by the name of the contestant; the n-th of each belongs to round n.
pub(crate) type Turns = BTreeMap<String, Vec<Sample>>;

/// A median with the least and the greatest value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    /// The least.
    pub(crate) least: f64,
    /// The median.
    pub(crate) median: f64,
    /// The greatest.
    pub(crate) greatest: f64,
}

impl Spread {
    /// Of these values; nothing of none.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let upper = *values.get(values.len() / 2)?;
        let lower = *values.get(values.len().saturating_sub(1) / 2)?;
        Some(Self {
            least: *values.first()?,
            median: f64::midpoint(lower, upper),
            greatest: *values.last()?,
        })
    }
}

/// The median of one figure of a contestant.
pub(crate) fn median(turns: &Turns, name: &str, figure: impl Fn(&Sample) -> f64) -> Option<f64> {
    Spread::of(turns.get(name)?.iter().map(figure)).map(|spread| spread.median)
}

/// One contestant's figure divided by another's, round by round.
pub(crate) fn ratio(
    turns: &Turns,
    one: &str,
    other: &str,
    figure: impl Fn(&Sample) -> Option<f64>,
) -> Option<Spread> {
    let pairs = turns.get(one)?.iter().zip(turns.get(other)?);
    Spread::of(pairs.filter_map(|(one, other)| Some(figure(one)? / figure(other)?)))
}
