//! What a policy would decide about the request of a record.

use std::collections::BTreeSet;

use n8n_idp_gate::decide::{Comparison, Decision, OtherDecision};
use n8n_idp_gate::n8n::{Location, Prefix, Route, Surface};
use n8n_idp_gate::policy::{DpopUse, Policy};
use n8n_idp_gate::time::UnixMillis;

use super::old::{is_same_upstream, Facts, Old};
use super::record::Record;
use super::request::{decide, head};
use super::seen::{by_sender, seen};
use super::sent::{Quality, Sent};
use super::worlds::{World, Worlds};
use crate::explain::place::Place;
use crate::judge::known::Known;

/// What would have to be known.
pub(crate) type Needs = BTreeSet<String>;

/// The record does not follow from the old configuration.
pub(crate) const ANOTHER_MADE_IT: &str =
    "the configuration that made the record: it is not that of --old";

/// What a replay of a record finds.
#[derive(Clone)]
pub(crate) enum Verdict {
    /// The policy would decide as it was decided.
    Same,
    /// It would decide this in place of that.
    Changed(OtherDecision, OtherDecision),
    /// It depends on what the record does not have.
    Unknown(Needs),
    /// No policy decides about it.
    Skipped(&'static str),
}

/// Decides about the requests of records.
pub(crate) struct Judge<'p> {
    pub(super) new: &'p Policy,
    pub(super) old: Option<Old<'p>>,
    worlds: Worlds<'p>,
    known: Known,
    pub(super) now: UnixMillis,
}

impl<'p> Judge<'p> {
    /// Judges by this policy. `old`: the one that made the records.
    pub(crate) fn of(new: &'p Policy, old: Option<&'p Policy>, now: UnixMillis) -> Self {
        Self {
            new,
            old: old.map(|old| Old::of(old, new)),
            worlds: Worlds::of(new),
            known: Known::stand_in(new),
            now,
        }
    }

    /// What the policy would decide about the request of a record.
    pub(crate) fn verdict(&mut self, record: &Record) -> Verdict {
        if let Some(why) = record.skipped() {
            return Verdict::Skipped(why);
        }
        let Some(before) = record.decided().filter(|_| record.is_whole()) else {
            return unknown("a text that the record cuts or escapes");
        };
        let plain = head(record, None, false);
        let place = Place::of(self.new, &plain);
        let old = self.old.as_ref();
        if old.is_some_and(|old| !old.explains(record, &plain)) {
            return unknown(ANOTHER_MADE_IT);
        }
        let facts = old.and_then(|old| old.facts(record, &plain));
        match self.decide(record, &place, facts.as_ref()) {
            Err(needs) => Verdict::Unknown(needs),
            Ok(after) => {
                let is_same_credential = before.reason.is_some()
                    || after.reason.is_some()
                    || has_same_credential(&place, facts.as_ref(), &after);
                match after.beside(&before, is_same_credential) {
                    Comparison::Different(after) => Verdict::Changed(before, *after),
                    Comparison::Same => Verdict::Same,
                    Comparison::Unknown => Verdict::Unknown(Needs::new()),
                }
            }
        }
    }

    fn decide(
        &mut self,
        record: &Record,
        place: &Place<'p, '_>,
        facts: Option<&Facts<'p>>,
    ) -> Result<OtherDecision, Needs> {
        self.check_recorded(place, record)?;
        if let Some(by_sender) = by_sender(record, place, facts)? {
            return Ok(by_sender);
        }
        let mut needs = Needs::new();
        let sent = self.sent(record, place, facts, &mut needs);
        let preflights: &[bool] = if record.method == "OPTIONS" {
            &[false, true]
        } else {
            &[false]
        };
        let mut first: Option<(Decision, OtherDecision)> = None;
        let mut differs = false;
        for sent in &sent {
            for world in World::BOTH {
                let mut premises = self.premises(world, record, place, facts, &mut needs);
                if let Sent::Token(_, _, Quality::Unusable) = sent {
                    premises.dpop = Some(DpopUse::Required);
                }
                let policy = self.worlds.policy(world, premises);
                for is_preflight in preflights {
                    let now = self.now;
                    let decision = decide(policy, &self.known, record, sent, *is_preflight, now);
                    let seen = seen(record, sent, &decision).map_err(one)?;
                    match &first {
                        None => first = Some((decision, seen)),
                        Some((one, of_one)) => {
                            let is_same_credential = of_one.reason.is_some()
                                || Comparison::of(one, &decision) == Comparison::Same;
                            differs |= seen != *of_one || !is_same_credential;
                        }
                    }
                }
            }
        }
        match first {
            Some((_, seen)) if !differs => Ok(seen),
            _ => {
                if preflights.len() > 1 {
                    needs.insert("whether it is a CORS preflight".to_owned());
                }
                Err(needs)
            }
        }
    }

    /// What a record never has, where the policy decides by it.
    fn check_recorded(&self, place: &Place<'p, '_>, record: &Record) -> Result<(), Needs> {
        let path = record.path.as_bytes();
        let inside = place.instance.map(|instance| instance.locate(path));
        if let Some(Ok(Location::Inside(inside))) = inside {
            let mut pushes = self.new.providers.iter().flat_map(|one| &one.pushes);
            if pushes.any(|push| push.path.as_bytes() == inside) {
                return Err(one("the event of a provider"));
            }
        }
        // The path within a waiting execution may be in its query.
        let is_waiting = |prefix: Prefix| prefix.is_waiting();
        let route = place.route.as_ref();
        let trigger = route.and_then(Route::trigger);
        let has_rules = place
            .instance
            .is_some_and(|instance| instance.webhooks.iter().next().is_some());
        let is_short = route.is_some_and(|route| route.below_prefix().len() == 1);
        if trigger.is_some_and(is_waiting) && has_rules && is_short {
            return Err(one("the query"));
        }
        Ok(())
    }
}

/// Whether n8n would get the same API key, or one of the same user, as far as that is known.
fn has_same_credential(
    place: &Place<'_, '_>,
    facts: Option<&Facts<'_>>,
    after: &OtherDecision,
) -> bool {
    let surface = place.route.as_ref().map(|route| route.surface);
    // A workflow gets none.
    if !matches!(surface, Some(Surface::PublicApi | Surface::Rest)) {
        return true;
    }
    let instance = place.instance.into_iter();
    let mut principals = instance.flat_map(|instance| instance.principals.iter());
    let name = after.principal.as_deref();
    let new = principals.find(|principal| Some(&*principal.name) == name);
    let old = facts.and_then(|facts| facts.principal);
    let both = old.zip(new);
    both.is_none_or(|(old, new)| is_same_upstream(&old.upstream, &new.upstream))
}

fn unknown(need: &str) -> Verdict {
    Verdict::Unknown(one(need))
}

pub(super) fn one(need: &str) -> Needs {
    Needs::from([need.to_owned()])
}
