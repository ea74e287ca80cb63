//! What one worker keeps between two events of its host.

use std::collections::BTreeMap;
use std::time::Duration;

use log::Level;

use super::current;
use super::host::Host;
use super::kept::Kept;
use super::metrics::Metrics;
use super::resumed::ResumedRequests;
use crate::decide::Need;
use crate::facts::{CallId, Fact, KeyCount};
use crate::gate::{Gate, Settled};
use crate::observe::Metric;
use crate::time::UnixMillis;

/// How often the remaining times of upstream API keys are reported: there may be thousands of keys.
const UPSTREAM_KEY_TIMES: Duration = Duration::from_secs(5);

/// How often a worker warns that n8n refused an upstream API key.
const WARNINGS: Duration = Duration::from_secs(60);

const NO_BODIES: &str = "Envoy did not hand over the body of a request; set \
    allow_on_headers_stop_iteration: true beside failure_policy in the plugin's config";

const NOT_SHOWN: &str =
    "bearer_in_description: n8n's description of its public API goes to clients \
    as n8n sends it, without the bearer tokens that the gate takes";

/// What one worker keeps between two events.
pub(super) struct State {
    pub(super) gate: Gate,
    pub(super) metrics: Metrics,
    /// The calls that are under way, by the number that the host has for each, and how much of the
    /// response to each is read.
    pub(super) calls: BTreeMap<u32, (CallId, usize)>,
    pub(super) resumed: ResumedRequests,
    tick: Duration,
    upstream_key_times_due: UnixMillis,
    warning_due: UnixMillis,
    /// The key counts that the host has.
    key_counts: Vec<KeyCount>,
}

impl State {
    pub(super) fn new(gate: Gate) -> Self {
        Self {
            gate,
            metrics: Metrics::default(),
            calls: BTreeMap::new(),
            resumed: ResumedRequests::default(),
            tick: Duration::ZERO,
            upstream_key_times_due: UnixMillis(0),
            warning_due: UnixMillis(0),
            key_counts: Vec::new(),
        }
    }

    /// Asks the host for ticks as often as the gate needs them.
    pub(super) fn adjust_tick<H: Host>(&mut self, host: &H) {
        let period = self.gate.tick_period();
        if period != self.tick && host.set_tick_period(period).is_ok() {
            self.tick = period;
        }
    }

    /// Counts a request that waits because its token names an unknown key.
    pub(super) fn count_wait<H: Host>(&mut self, host: &H, need: Option<&Need>) {
        if let Some(Need::Fact(Fact::NewerKeySet(provider, _))) = need {
            let provider = self.gate.provider_name(*provider);
            self.metrics.count(host, &Metric::KeyIdMiss { provider });
        }
    }

    /// Counts an upstream credential that n8n refused, and warns of it if n8n's response was replaced.
    pub(super) fn report_upstream_refusal<H: Host>(
        &mut self,
        host: &H,
        settled: &Settled,
        is_replaced: bool,
    ) {
        let Some((status, principal)) = settled.upstream_refusal() else {
            return;
        };
        let principal = &*principal;
        let credential = settled.refused_credential();
        let metric = Metric::UpstreamRefusal { status, principal };
        self.metrics.count(host, &metric);
        if is_replaced && self.may_warn(settled.now()) {
            host.log(
                Level::Warn,
                &format!("n8n refused the {credential} of principal {principal} ({status}); there may be more: see upstream_refusals"),
            );
        }
    }

    /// Reports the decision for the current request, whose address the host knows.
    pub(super) fn report_current<H: Host>(&mut self, host: &H, settled: &mut Settled) {
        if self.gate.logs_record(settled) {
            settled.set_source(|| current::source(host));
        }
        self.report(host, settled);
    }

    /// What the host is to keep of a request.
    pub(super) fn kept(&self, settled: &Settled) -> Kept {
        Kept {
            record: self.gate.keeps_record(settled),
            caller: self.gate.caller_properties(),
        }
    }

    /// Writes the audit record and counts the decision.
    pub(super) fn report<H: Host>(&mut self, host: &H, settled: &Settled) {
        if settled.lacks_body() && self.may_warn(settled.now()) {
            host.log(Level::Error, NO_BODIES);
        }
        if let Some(why) = &settled.decision.not_shown {
            if self.may_warn(settled.now()) {
                host.log(Level::Warn, &format!("{NOT_SHOWN}: {why}"));
            }
        }
        if self.gate.logs_record(settled) {
            host.log(Level::Info, &settled.audit());
        }
        self.metrics.tally.count(&settled.decision);
    }

    /// Reports what was counted, and the gauges.
    pub(super) fn report_metrics<H: Host>(&mut self, host: &H, now: UnixMillis) {
        let Self { gate, metrics, .. } = self;
        metrics.report(host);
        for (provider, age) in gate.key_set_ages(now) {
            metrics.record(host, &Metric::KeySetAge { provider }, age.as_secs());
        }
        if now >= self.upstream_key_times_due {
            self.upstream_key_times_due = now.saturating_add(UPSTREAM_KEY_TIMES);
            for (key, left) in gate.upstream_key_times(now) {
                let metric = Metric::UpstreamKeyTime {
                    principal: &key.principal,
                    number: key.number,
                };
                metrics.record(host, &metric, left);
            }
        }
        // These seldom change, and the host keeps the last value.
        let mut counts = Vec::new();
        for (provider, count) in gate.key_counts(now) {
            if self.key_counts.get(counts.len()) != Some(&count) {
                for (metric, number) in [
                    (Metric::Keys { provider }, count.usable),
                    (Metric::SkippedKeys { provider }, count.skipped),
                ] {
                    let number = u64::try_from(number).unwrap_or(u64::MAX);
                    metrics.record(host, &metric, number);
                }
            }
            counts.push(count);
        }
        self.key_counts = counts;
    }

    /// Whether the worker may warn again. Each refusal is in the audit records; the log at level
    /// `warning` must not be flooded by them.
    fn may_warn(&mut self, now: UnixMillis) -> bool {
        let may = now >= self.warning_due;
        if may {
            self.warning_due = now.saturating_add(WARNINGS);
        }
        may
    }
}
