//! The host's metrics, defined when they are first needed.

use std::collections::BTreeMap;

use proxy_wasm::hostcalls;
use proxy_wasm::types::MetricType;

use crate::observe::Metric;

/// The numbers under which the host knows the metrics of this worker.
#[derive(Default)]
pub(super) struct Metrics {
    numbers: BTreeMap<String, u32>,
}

impl Metrics {
    /// Adds one to a counter.
    pub(super) fn count(&mut self, metric: &Metric<'_>) {
        if let Some(number) = self.number(metric, MetricType::Counter) {
            let _ = hostcalls::increment_metric(number, 1);
        }
    }

    /// Sets a gauge.
    pub(super) fn record(&mut self, metric: &Metric<'_>, value: u64) {
        if let Some(number) = self.number(metric, MetricType::Gauge) {
            let _ = hostcalls::record_metric(number, value);
        }
    }

    /// A metric that the host will not define is one that is not counted: never a reason to treat
    /// a request differently.
    fn number(&mut self, metric: &Metric<'_>, kind: MetricType) -> Option<u32> {
        let name = metric.name();
        if let Some(number) = self.numbers.get(&name) {
            return Some(*number);
        }
        let number = hostcalls::define_metric(kind, &name).ok()?;
        self.numbers.insert(name, number);
        Some(number)
    }
}
