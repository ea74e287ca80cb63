//! What the gate tells about itself, for metrics and logs.

use std::time::Duration;

use super::{Gate, Settled};
use crate::facts::KeyCount;
use crate::policy::{AuditTo, CallerProperties, InstanceId, KeyOf, ProviderId};
use crate::time::UnixMillis;

impl Gate {
    /// The age of each provider's key set.
    pub fn key_set_ages(&self, now: UnixMillis) -> impl Iterator<Item = (&str, Duration)> {
        let providers = self.policy.providers.iter().enumerate();
        providers.filter_map(move |(index, provider)| {
            let age = self.store.key_set_age(ProviderId(index), now)?;
            Some((&*provider.name, age))
        })
    }

    /// What the host learns about a verified caller.
    pub fn caller_properties(&self) -> CallerProperties {
        self.policy.caller_properties
    }

    /// Notes whether the host writes audit records to its log, which an operator may change at any time.
    pub fn set_logs_records(&mut self, logs: bool) {
        self.logs_records = logs;
    }

    /// Whether decisions leave audit records at all.
    pub(super) fn leaves_records(&self) -> bool {
        self.logs_records || self.policy.audit.to != AuditTo::Log
    }

    /// Whether the host is to keep the audit record of a decision for its access logs.
    pub fn keeps_record(&self, settled: &Settled) -> bool {
        self.policy.audit.to != AuditTo::Log && self.policy.audit.record(&settled.decision)
    }

    /// Whether the audit record goes to the log: also one that no access log gets, because the host did not
    /// keep it or the request has ended.
    pub fn logs_record(&self, settled: &Settled) -> bool {
        let is_for_log = self.policy.audit.to != AuditTo::AccessLog || !settled.is_kept;
        self.logs_records && is_for_log && self.policy.audit.record(&settled.decision)
    }

    /// How many seconds are left until each upstream API key expires.
    pub fn upstream_key_times(&self, now: UnixMillis) -> impl Iterator<Item = (KeyOf, u64)> + '_ {
        let now = now.to_seconds();
        let expiries = self.policy.key_expiries();
        expiries.map(move |(key, expiry)| (key, expiry.0.saturating_sub(now.0)))
    }

    /// The number of keys of each provider.
    pub fn key_counts(&self, now: UnixMillis) -> impl Iterator<Item = (&str, KeyCount)> {
        let providers = self.policy.providers.iter().enumerate();
        providers.filter_map(move |(index, provider)| {
            let count = self.store.key_count(ProviderId(index), now)?;
            Some((&*provider.name, count))
        })
    }

    /// The name of an instance; `default` if it has none.
    pub fn instance_name(&self, id: InstanceId) -> &str {
        let mut instances = self.policy.instances.iter();
        let instance = instances.find(|instance| instance.id == id);
        let name = instance.and_then(|instance| instance.name.as_deref());
        name.unwrap_or("default")
    }

    /// The name of a provider.
    pub fn provider_name(&self, id: ProviderId) -> &str {
        self.policy
            .providers
            .get(id.0)
            .map_or("none", |provider| &*provider.name)
    }
}
