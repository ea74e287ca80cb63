//! The host's metrics, defined when they are first needed.

use std::collections::BTreeMap;

use proxy_wasm::hostcalls;
use proxy_wasm::types::MetricType;

use crate::observe::{Metric, Tally};

/// The metrics of this worker.
#[derive(Default)]
pub(super) struct Metrics {
    /// What requests counted for since the last report.
    pub(super) tally: Tally,
    numbers: Numbers,
}

/// The numbers under which the host knows them.
#[derive(Default)]
struct Numbers {
    by_name: BTreeMap<String, u32>,
}

impl Metrics {
    /// Adds one to a counter.
    pub(super) fn count(&mut self, metric: &Metric<'_>) {
        self.numbers.add(metric, 1);
    }

    /// Hands over what requests counted for.
    pub(super) fn report(&mut self) {
        let numbers = &mut self.numbers;
        self.tally.take(|metric, count| numbers.add(metric, count));
    }

    /// Sets a gauge.
    pub(super) fn record(&mut self, metric: &Metric<'_>, value: u64) {
        if let Some(number) = self.numbers.of(metric, MetricType::Gauge) {
            let _ = hostcalls::record_metric(number, value);
        }
    }
}

impl Numbers {
    fn add(&mut self, metric: &Metric<'_>, count: u64) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        if let Some(number) = self.of(metric, MetricType::Counter) {
            let _ = hostcalls::increment_metric(number, count);
        }
    }

    /// A metric that the host will not define is one that is not counted: never a reason to treat
    /// a request differently.
    fn of(&mut self, metric: &Metric<'_>, kind: MetricType) -> Option<u32> {
        let name = metric.name();
        if let Some(number) = self.by_name.get(&name) {
            return Some(*number);
        }
        let number = hostcalls::define_metric(kind, &name).ok()?;
        self.by_name.insert(name, number);
        Some(number)
    }
}
