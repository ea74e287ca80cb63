//! The metrics of a worker, each made known to the host when it is first needed.

use std::collections::BTreeMap;

use super::host::{Host, MetricKind};
use crate::observe::{Metric, Tally};

/// The metrics of this worker.
#[derive(Default)]
pub(super) struct Metrics {
    /// What requests counted since the last report.
    pub(super) tally: Tally,
    numbers: Numbers,
}

/// The numbers that the host has for them.
#[derive(Default)]
struct Numbers {
    by_name: BTreeMap<String, u32>,
}

impl Metrics {
    /// Adds one to a counter.
    pub(super) fn count<H: Host>(&mut self, host: &H, metric: &Metric<'_>) {
        self.numbers.add(host, metric, 1);
    }

    /// Gives the host what requests counted.
    pub(super) fn report<H: Host>(&mut self, host: &H) {
        let numbers = &mut self.numbers;
        self.tally
            .take(|metric, count| numbers.add(host, metric, count));
    }

    /// Sets a gauge.
    pub(super) fn record<H: Host>(&mut self, host: &H, metric: &Metric<'_>, value: u64) {
        if let Some(number) = self.numbers.of(host, metric, MetricKind::Gauge) {
            host.set_metric(number, value);
        }
    }
}

impl Numbers {
    fn add<H: Host>(&mut self, host: &H, metric: &Metric<'_>, count: u64) {
        if let Some(number) = self.of(host, metric, MetricKind::Counter) {
            host.add_to_metric(number, count);
        }
    }

    /// A metric that the host does not define is not counted. That is never a reason to treat a
    /// request differently.
    fn of<H: Host>(&mut self, host: &H, metric: &Metric<'_>, kind: MetricKind) -> Option<u32> {
        let name = metric.name();
        if let Some(number) = self.by_name.get(&name) {
            return Some(*number);
        }
        let number = host.define_metric(kind, &name)?;
        self.by_name.insert(name, number);
        Some(number)
    }
}
