//! Counters of requests, added up in the module: one function of the host for each counter and tick
//! costs less than one for each request.

use super::decision_labels::DecisionLabels;
use super::metrics::Metric;
use crate::crypto::CryptoPath;
use crate::decide::{CacheOutcome, Comparison, Decision};

/// Counters of requests since they were last taken.
#[derive(Debug, Default)]
pub struct Tally {
    decisions: Counters,
    verifications: [u64; 2],
    cache_hits: u64,
    shadow_decisions: [u64; 3],
    shadow_differences: Counters,
}

/// One counter for each set of labels that occurred. No client adds to the values of a label, so their
/// number is bounded. Few of them occur, so they are not sorted.
type Counters = Vec<(DecisionLabels, u64)>;

impl Tally {
    /// Counts a decision and what is in its record.
    pub fn count(&mut self, decision: &Decision) {
        add_one_to(&mut self.decisions, DecisionLabels::of(decision));
        let record = &decision.record;
        if let Some(path) = record.crypto_path {
            let [guest, host] = &mut self.verifications;
            add_one(match path {
                CryptoPath::Guest => guest,
                CryptoPath::Host => host,
            });
        }
        if matches!(record.cache, Some(CacheOutcome::Hit)) {
            add_one(&mut self.cache_hits);
        }
        if let Some(comparison) = &record.shadow {
            self.count_shadow(decision, comparison);
        }
    }

    fn count_shadow(&mut self, decision: &Decision, comparison: &Comparison) {
        let [same, different, unknown] = &mut self.shadow_decisions;
        add_one(match comparison {
            Comparison::Same => same,
            Comparison::Different(_) => different,
            Comparison::Unknown => unknown,
        });
        if let Some(other) = comparison.difference() {
            let labels = DecisionLabels::of_other(decision, other);
            add_one_to(&mut self.shadow_differences, labels);
        }
    }

    /// Gives each counter that grew since the last time, and by how much.
    pub fn take(&mut self, mut each: impl FnMut(&Metric<'_>, u64)) {
        // The labels stay, so that no later request allocates them again.
        for (labels, count) in &mut self.decisions {
            hand_over(count, |count| each(&Metric::Decision(labels), count));
        }
        let paths = [CryptoPath::Guest, CryptoPath::Host];
        for (path, count) in paths.into_iter().zip(&mut self.verifications) {
            hand_over(count, |count| each(&Metric::Verification(path), count));
        }
        hand_over(&mut self.cache_hits, |count| {
            each(&Metric::TokenCacheHit, count);
        });
        let outcomes = ["same", "different", "unknown"];
        for (name, count) in outcomes.iter().zip(&mut self.shadow_decisions) {
            hand_over(count, |count| each(&Metric::ShadowDecision(name), count));
        }
        for (labels, count) in &mut self.shadow_differences {
            hand_over(count, |count| {
                each(&Metric::ShadowDifference(labels), count);
            });
        }
    }
}

fn add_one_to(counters: &mut Counters, labels: DecisionLabels) {
    let Some(place) = counters.iter().position(|(known, _)| *known == labels) else {
        counters.push((labels, 1));
        return;
    };
    if let Some((_, count)) = counters.get_mut(place) {
        add_one(count);
    }
    // What occurs often comes to the front: refusals of all kinds must not slow down good callers.
    if let Some(earlier) = place.checked_sub(1) {
        counters.swap(earlier, place);
    }
}

fn add_one(count: &mut u64) {
    *count = count.saturating_add(1);
}

fn hand_over(count: &mut u64, to: impl FnOnce(u64)) {
    let taken = std::mem::take(count);
    if taken > 0 {
        to(taken);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::{DecisionRecord, Outcome};
    use crate::n8n::Surface;
    use crate::reply::Reason;

    fn refused(reason: Reason) -> Decision {
        Decision {
            outcome: Outcome::Reject(reason),
            record: Box::new(DecisionRecord {
                surface: Some(Surface::PublicApi),
                provider: Some("idp".into()),
                crypto_path: Some(CryptoPath::Guest),
                ..DecisionRecord::default()
            }),
            remember: None,
            asked_about: None,
            embed: None,
            otherwise: None,
            not_shown: None,
            use_once: None,
            revocation: None,
        }
    }

    fn taken(tally: &mut Tally) -> Vec<(String, u64)> {
        let mut taken = Vec::new();
        tally.take(|metric, count| taken.push((metric.name(), count)));
        taken
    }

    #[test]
    fn what_occurs_often_is_found_first() {
        let mut tally = Tally::default();
        for reason in Reason::examples() {
            tally.count(&refused(reason));
        }
        for _ in 0..Reason::examples().len() {
            tally.count(&refused(Reason::NoPrincipal));
        }
        let (labels, count) = &tally.decisions[0];
        assert_eq!(labels.reason, "no_principal");
        assert!(*count >= u64::try_from(Reason::examples().len()).unwrap());
    }

    #[test]
    fn each_count_is_taken_once() {
        let mut tally = Tally::default();
        tally.count(&refused(Reason::NoPrincipal));
        tally.count(&refused(Reason::NoPrincipal));
        let mut recalled = refused(Reason::UnknownIssuer);
        recalled.record.crypto_path = None;
        recalled.record.cache = Some(CacheOutcome::Hit);
        tally.count(&recalled);
        let name = |reason| {
            format!("n8n_idp_gate.decisions.surface.public_api.outcome.reject.reason.{reason}.provider.idp")
        };
        assert_eq!(
            taken(&mut tally),
            [
                (name("no_principal"), 2),
                (name("unknown_issuer"), 1),
                ("n8n_idp_gate.verifications.crypto.guest".to_owned(), 2),
                ("n8n_idp_gate.memo_hits".to_owned(), 1),
            ]
        );
        assert_eq!(taken(&mut tally), []);
    }
}
