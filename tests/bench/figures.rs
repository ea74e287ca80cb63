//! The measurements of each round, and their medians.

use std::collections::BTreeMap;

/// One turn of a contestant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sample {
    /// Responses a second.
    pub(crate) rate: f64,
    /// Median time to the response, in microseconds.
    pub(crate) p50: f64,
    /// Time within which 99 of 100 responses came, in microseconds.
    pub(crate) p99: f64,
    /// Processor time of Envoy for each response, in microseconds.
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
    /// The spread of these values; `None` if there are none.
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

/// The value that so many of a thousand sorted values do not exceed.
pub(crate) fn percentile(sorted: &[f64], of_a_thousand: usize) -> Option<f64> {
    let count = sorted.len().saturating_mul(of_a_thousand).div_ceil(1000);
    sorted.get(count.saturating_sub(1)).copied()
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

#[cfg(test)]
mod tests {
    use super::{percentile, ratio, Sample, Spread, Turns};

    #[test]
    fn a_median_is_the_middle_value() {
        let spread = |least, median, greatest| {
            Some(Spread {
                least,
                median,
                greatest,
            })
        };
        assert_eq!(Spread::of([]), None);
        assert_eq!(Spread::of([3.0, 1.0, 8.0]), spread(1.0, 3.0, 8.0));
        assert_eq!(Spread::of([4.0, 1.0, 2.0, 9.0]), spread(1.0, 3.0, 9.0));
    }

    #[test]
    fn a_percentile_is_the_value_that_so_many_do_not_exceed() {
        let thousand: Vec<f64> = (1..=1000).map(f64::from).collect();
        assert_eq!(percentile(&thousand, 500), Some(500.0));
        assert_eq!(percentile(&thousand, 999), Some(999.0));
        // One in ten is slow: the 99th percentile has to show it.
        assert_eq!(
            percentile(&[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 9.0], 990),
            Some(9.0)
        );
        assert_eq!(percentile(&[], 990), None);
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        let turns = |rates: [f64; 3]| {
            rates
                .map(|rate| Sample {
                    rate,
                    p50: 0.0,
                    p99: 0.0,
                    processor: None,
                })
                .to_vec()
        };
        // A disturbance in the second round affects both figures, so the ratio stays the same.
        let all = Turns::from([
            ("one".to_owned(), turns([20.0, 2.0, 30.0])),
            ("other".to_owned(), turns([10.0, 1.0, 10.0])),
        ]);
        let found = ratio(&all, "one", "other", |sample| Some(sample.rate));
        let expected = Spread {
            least: 2.0,
            median: 2.0,
            greatest: 3.0,
        };
        assert_eq!(found, Some(expected));
        assert_eq!(
            ratio(&all, "one", "missing", |sample| Some(sample.rate)),
            None
        );
    }
}
