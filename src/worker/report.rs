//! What the fact store reports, in the log and the metrics.

use super::host::{Host, LogLevel};
use super::state::State;
use crate::crypto::skipped_in_words;
use crate::gate::Work;
use crate::observe::Metric;

impl State {
    /// Logs and counts what is no call.
    pub(super) fn report_work<H: Host>(&mut self, host: &H, work: &Work) {
        let Self { gate, metrics, .. } = self;
        match work {
            Work::Call(_) => {}
            Work::Refreshed(provider) => {
                let provider = gate.provider_name(*provider);
                metrics.count(host, &Metric::KeySetRefresh { provider });
            }
            Work::Skipped(provider, keys) => {
                let provider = gate.provider_name(*provider);
                if keys.is_empty() {
                    let line = format!("provider {provider}: no key of the key set is skipped now");
                    host.log(LogLevel::Info, &line);
                } else {
                    let keys = skipped_in_words(keys);
                    let line =
                        format!("provider {provider}: keys of the key set are skipped: {keys}");
                    host.log(LogLevel::Warn, &line);
                }
            }
            Work::Failed(provider, fault) => {
                let provider = gate.provider_name(*provider);
                let line = format!("provider {provider}: the keys could not be fetched: {fault}");
                host.log(LogLevel::Warn, &line);
                metrics.count(host, &Metric::KeySetFailure { provider, fault });
            }
            Work::Told(provider, active) => {
                let (provider, active) = (gate.provider_name(*provider), *active);
                metrics.count(host, &Metric::Introspection { provider, active });
            }
            Work::Untold(provider, fault) => {
                let provider = gate.provider_name(*provider);
                let line = format!("provider {provider}: introspection failed: {fault}");
                host.log(LogLevel::Warn, &line);
                metrics.count(host, &Metric::IntrospectionFailure { provider, fault });
            }
        }
    }
}
