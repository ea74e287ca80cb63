//! Counters and gauges. Envoy's metrics of modules have names and no labels, so a name is a chain
//! of `label.value` pairs, and `stats_tags` in Envoy's configuration make labels of them.

use super::decision_labels::DecisionLabels;
use crate::crypto::CryptoPath;
use crate::facts::{KeysFault, MintedKeyFault, TokenStatusFault};

/// One metric. Every value in a name comes from a closed set or from the configuration, so their
/// number is bounded.
#[derive(Clone, Copy, Debug)]
pub enum Metric<'m> {
    /// Counter: decisions.
    Decision(&'m DecisionLabels),
    /// Counter: requests that were judged by the policy in `shadow`, too: `same`, `different` or `unknown`.
    ShadowDecision(&'static str),
    /// Counter: what that policy would decide, where it is something else.
    ShadowDifference(&'m DecisionLabels),
    /// Counter: good signatures.
    Verification(CryptoPath),
    /// Counter: requests with a token that this worker had verified before.
    TokenCacheHit,
    /// Counter: key sets that were fetched.
    KeySetRefresh {
        /// The provider.
        provider: &'m str,
    },
    /// Counter: fetches that failed.
    KeySetFailure {
        /// The provider.
        provider: &'m str,
        /// Why.
        fault: &'m KeysFault,
    },
    /// Counter: introspection responses with a token status.
    Introspection {
        /// The provider.
        provider: &'m str,
        /// The token status.
        active: bool,
    },
    /// Counter: introspection calls without a token status.
    IntrospectionFailure {
        /// The provider.
        provider: &'m str,
        /// Why.
        fault: &'m TokenStatusFault,
    },
    /// Counter: API keys of n8n that the gate made.
    MintedKey {
        /// The instance.
        instance: &'m str,
    },
    /// Counter: sessions of users of n8n that the gate made for requests.
    Session {
        /// The instance.
        instance: &'m str,
    },
    /// Counter: API keys and sessions of n8n that the gate could not make.
    MintedKeyFailure {
        /// The instance.
        instance: &'m str,
        /// Why.
        fault: &'m MintedKeyFault,
    },
    /// Counter: requests that waited for a newer key set, because their token names an unknown key.
    KeyIdMiss {
        /// The provider.
        provider: &'m str,
    },
    /// Counter: forwarded requests whose upstream API key or session n8n did not accept (401) or found too
    /// narrow (403).
    UpstreamRefusal {
        /// n8n's status.
        status: u16,
        /// The principal of the key or session.
        principal: &'m str,
    },
    /// Gauge: seconds until the upstream API key of a principal expires.
    UpstreamKeyTime {
        /// The principal.
        principal: &'m str,
        /// The number of the key among those of the principal, from 1.
        number: usize,
    },
    /// Gauge: seconds since a provider's keys were fetched, or since they are missing.
    KeySetAge {
        /// The provider.
        provider: &'m str,
    },
    /// Gauge: how many keys of a provider may check tokens.
    Keys {
        /// The provider.
        provider: &'m str,
    },
    /// Gauge: how many keys of a provider's newest key set are skipped.
    SkippedKeys {
        /// The provider.
        provider: &'m str,
    },
}

const PREFIX: &str = "n8n_idp_gate";

impl Metric<'_> {
    /// The name that the host has for the metric.
    pub fn name(&self) -> String {
        match self {
            Self::Decision(labels) => format!(
                "{PREFIX}.decisions.surface.{}.outcome.{}.reason.{}.provider.{}",
                labels.surface,
                labels.outcome,
                labels.reason,
                labels.provider.as_deref().unwrap_or("none"),
            ),
            Self::ShadowDecision(outcome) => format!("{PREFIX}.shadow_decisions.outcome.{outcome}"),
            Self::ShadowDifference(labels) => format!(
                "{PREFIX}.shadow_differences.surface.{}.outcome.{}.reason.{}",
                labels.surface, labels.outcome, labels.reason,
            ),
            Self::TokenCacheHit => format!("{PREFIX}.memo_hits"),
            Self::Verification(path) => {
                format!("{PREFIX}.verifications.crypto.{}", path.as_str())
            }
            Self::KeySetRefresh { provider } => {
                format!("{PREFIX}.key_set_refreshes.provider.{provider}")
            }
            Self::KeySetFailure { provider, fault } => format!(
                "{PREFIX}.key_set_failures.fault.{}.provider.{provider}",
                fault.code().as_str()
            ),
            Self::Introspection { provider, active } => {
                let status = if *active { "active" } else { "inactive" };
                format!("{PREFIX}.introspections.outcome.{status}.provider.{provider}")
            }
            Self::IntrospectionFailure { provider, fault } => format!(
                "{PREFIX}.introspection_failures.fault.{}.provider.{provider}",
                fault.code().as_str()
            ),
            Self::MintedKey { instance } => format!("{PREFIX}.minted_keys.instance.{instance}"),
            Self::Session { instance } => format!("{PREFIX}.sessions.instance.{instance}"),
            Self::MintedKeyFailure { instance, fault } => format!(
                "{PREFIX}.minted_key_failures.fault.{}.instance.{instance}",
                fault.code().as_str()
            ),
            Self::KeyIdMiss { provider } => format!("{PREFIX}.key_id_misses.provider.{provider}"),
            // The name of a principal may hold dots: it stands last.
            Self::UpstreamRefusal { status, principal } => {
                format!("{PREFIX}.upstream_refusals.status.{status}.principal.{principal}")
            }
            Self::UpstreamKeyTime {
                principal,
                number: 1,
            } => format!("{PREFIX}.upstream_key_seconds_left.principal.{principal}"),
            Self::UpstreamKeyTime { principal, number } => {
                format!("{PREFIX}.upstream_key_seconds_left.key.{number}.principal.{principal}")
            }
            Self::KeySetAge { provider } => {
                format!("{PREFIX}.key_set_age_seconds.provider.{provider}")
            }
            Self::Keys { provider } => format!("{PREFIX}.keys.provider.{provider}"),
            Self::SkippedKeys { provider } => format!("{PREFIX}.skipped_keys.provider.{provider}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::CallFault;

    #[test]
    fn names_are_chains_of_labels_and_values() {
        let labels = DecisionLabels {
            surface: "public_api",
            outcome: "reject",
            reason: "no_principal",
            provider: Some("idp".into()),
        };
        let provider = "idp";
        let fault = &KeysFault::Call(CallFault::NoResponse);
        let names = [
            Metric::Decision(&labels),
            Metric::ShadowDecision("same"),
            Metric::ShadowDifference(&labels),
            Metric::Verification(CryptoPath::Guest),
            Metric::TokenCacheHit,
            Metric::KeySetRefresh { provider },
            Metric::KeySetFailure { provider, fault },
            Metric::Introspection {
                provider,
                active: true,
            },
            Metric::IntrospectionFailure {
                provider,
                fault: &TokenStatusFault::ClientRefused,
            },
            Metric::Session {
                instance: "default",
            },
            Metric::KeyIdMiss { provider },
            Metric::KeySetAge { provider },
            Metric::UpstreamRefusal {
                status: 401,
                principal: "prod.app-a",
            },
            Metric::UpstreamKeyTime {
                principal: "app-a",
                number: 1,
            },
            Metric::UpstreamKeyTime {
                principal: "app-a",
                number: 2,
            },
            Metric::Keys { provider },
            Metric::SkippedKeys { provider },
        ]
        .map(|metric| metric.name());
        assert_eq!(
            names,
            [
                "n8n_idp_gate.decisions.surface.public_api.outcome.reject.reason.no_principal.provider.idp",
                "n8n_idp_gate.shadow_decisions.outcome.same",
                "n8n_idp_gate.shadow_differences.surface.public_api.outcome.reject.reason.no_principal",
                "n8n_idp_gate.verifications.crypto.guest",
                "n8n_idp_gate.memo_hits",
                "n8n_idp_gate.key_set_refreshes.provider.idp",
                "n8n_idp_gate.key_set_failures.fault.no_response.provider.idp",
                "n8n_idp_gate.introspections.outcome.active.provider.idp",
                "n8n_idp_gate.introspection_failures.fault.client_refused.provider.idp",
                "n8n_idp_gate.sessions.instance.default",
                "n8n_idp_gate.key_id_misses.provider.idp",
                "n8n_idp_gate.key_set_age_seconds.provider.idp",
                "n8n_idp_gate.upstream_refusals.status.401.principal.prod.app-a",
                "n8n_idp_gate.upstream_key_seconds_left.principal.app-a",
                "n8n_idp_gate.upstream_key_seconds_left.key.2.principal.app-a",
                "n8n_idp_gate.keys.provider.idp",
                "n8n_idp_gate.skipped_keys.provider.idp",
            ]
        );
    }
}
