//! What operators learn of facts, in the log and the metrics.

use log::Level;

use super::host::Host;
use super::state::State;
use crate::crypto::skipped_in_words;
use crate::facts::Event;
use crate::observe::Metric;

impl State {
    /// Logs and counts an event.
    pub(super) fn report_fact<H: Host>(&mut self, host: &H, event: &Event) {
        let Self { gate, metrics, .. } = self;
        let name = |provider| gate.provider_name(provider);
        let metric = match event {
            Event::KeysFetched(provider) => Metric::KeySetRefresh {
                provider: name(*provider),
            },
            Event::KeysSkipped(provider, keys) => {
                let provider = name(*provider);
                if keys.is_empty() {
                    let line = format!("provider {provider}: no key of the key set is skipped now");
                    host.log(Level::Info, &line);
                } else {
                    let keys = skipped_in_words(keys);
                    let line =
                        format!("provider {provider}: keys of the key set are skipped: {keys}");
                    host.log(Level::Warn, &line);
                }
                return;
            }
            Event::KeysFailed(provider, fault) => {
                let provider = name(*provider);
                let line = format!("provider {provider}: the keys could not be fetched: {fault}");
                host.log(Level::Warn, &line);
                Metric::KeySetFailure { provider, fault }
            }
            Event::KeyMinted(instance) => Metric::MintedKey {
                instance: gate.instance_name(*instance),
            },
            Event::LoggedIn(instance) => Metric::Session {
                instance: gate.instance_name(*instance),
            },
            Event::KeyFailed(instance, user, fault) => {
                let instance = gate.instance_name(*instance);
                let line = format!("instance {instance}, user {user}: {fault}");
                host.log(Level::Warn, &line);
                Metric::MintedKeyFailure { instance, fault }
            }
            Event::TokenStatusReceived(provider, active) => Metric::Introspection {
                provider: name(*provider),
                active: *active,
            },
            Event::TokenStatusFailed(provider, fault) => {
                let provider = name(*provider);
                let line = format!("provider {provider}: introspection failed: {fault}");
                host.log(Level::Warn, &line);
                Metric::IntrospectionFailure { provider, fault }
            }
        };
        metrics.count(host, &metric);
    }
}
