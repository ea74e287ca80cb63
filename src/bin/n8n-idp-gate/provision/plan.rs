//! What is to be done about one key.

use n8n_idp_gate::n8n::ScopeSet;
use n8n_idp_gate::secret::Secret;
use n8n_idp_gate::time::UnixSeconds;
use n8n_idp_gate::token::ApiKeyForm;

use super::key::Key;
use super::slots::Slot;
use crate::n8n::shown;

/// The scope of an operation that the gate itself carries out, in a session. No key has it.
const OF_THE_GATE: &str = "workflow:execute";

/// What is to be done about one key.
pub(super) enum Step {
    /// It is there and good.
    Nothing(Key),
    /// It is there, with other scopes.
    Scopes(Key),
    /// It must be made.
    Make {
        /// What became of the one of before.
        why: Option<&'static str>,
    },
    /// A person must decide.
    Problem(String),
}

/// What is known of n8n.
pub(super) struct Known<'k> {
    pub(super) keys: &'k [Key],
    /// The session's user.
    pub(super) user_id: &'k str,
    pub(super) now: UnixSeconds,
    /// Where values of variables are looked for.
    pub(super) place: &'k str,
}

/// The scopes that a key gets, and those that this user cannot give.
pub(super) fn scopes(wanted: &ScopeSet, grantable: &[String]) -> (Vec<String>, Vec<&'static str>) {
    let mut given: Vec<_> = grantable
        .iter()
        .filter(|scope| wanted.contains(scope))
        .cloned()
        .collect();
    given.sort_unstable();
    let missing = wanted.iter().filter(|scope| {
        !wanted.is_all() && *scope != OF_THE_GATE && !grantable.iter().any(|one| one == scope)
    });
    (given, missing.collect())
}

impl Known<'_> {
    /// The keys of the session's user that are generations of this key, the newest first.
    pub(super) fn generations(&self, slot: &Slot) -> Vec<(u32, &Key)> {
        let own = self.keys.iter().filter(|key| key.user_id == self.user_id);
        let own = own.filter_map(|key| Some((slot.generation(&key.label)?, key)));
        let mut own: Vec<_> = own.collect();
        own.sort_by(|(one, _), (other, _)| other.cmp(one));
        own
    }

    /// The key that a variable holds, if n8n lists it.
    pub(super) fn find(&self, value: &Secret) -> Option<&Key> {
        let ApiKeyForm::Key(claims) = ApiKeyForm::of(value.expose()) else {
            return None;
        };
        self.keys
            .iter()
            .find(|key| key.is_of(value.expose(), &claims))
    }

    /// What is to be done.
    pub(super) fn step(&self, slot: &Slot, value: Option<&Secret>, wanted: &[String]) -> Step {
        let variable = &slot.variable;
        let Some(value) = value else {
            let generations = self.generations(slot);
            let mut good = generations
                .iter()
                .filter(|(_, key)| !key.has_expired(self.now));
            return match good.next() {
                None => Step::Make { why: None },
                Some((_, key)) => Step::Problem(format!(
                    "n8n has the key {}, and {variable} is not in {}. n8n shows a key once: to have another \
                     one, run: provision rotate CONFIG {}",
                    shown(&key.label),
                    self.place,
                    slot.owner
                )),
            };
        };
        if let Some(key) = self.find(value) {
            if key.has_expired(self.now) {
                return Step::Make {
                    why: Some("the one of before has ended"),
                };
            }
            let mut has = key.scopes.clone();
            has.sort_unstable();
            let is_ours = key.user_id == self.user_id && slot.generation(&key.label).is_some();
            return if is_ours && has != wanted {
                Step::Scopes(key.clone())
            } else {
                Step::Nothing(key.clone())
            };
        }
        match ApiKeyForm::of(value.expose()) {
            ApiKeyForm::Key(claims) if claims.subject.as_deref() == Some(self.user_id) => Step::Make {
                why: Some("n8n does not have the one of before any more"),
            },
            _ => Step::Problem(format!(
                "{variable} holds a value that is no key which n8n lists for this user: of another user or \
                 another n8n, or deleted. To have a new key of this user, take it out of {}",
                self.place
            )),
        }
    }
}
