//! What a caller is granted, of whose roles and scopes a record has none.

use n8n_idp_gate::n8n::{Operation, ScopeSet, REST_SCOPE};
use n8n_idp_gate::policy::{Instance, Principal};

/// What a decision asks of the scopes of a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// Whether this one is among them.
    Scope(&'static str),
    /// Whether there is one.
    Any,
    /// Whether they are `*`.
    All,
}

impl Question {
    /// The questions of a call of the public API.
    pub(crate) fn of_call(operation: Option<&Operation>) -> Vec<Self> {
        match operation.map(|operation| operation.scopes) {
            None => vec![Self::All],
            Some([]) => vec![Self::Any],
            Some(scopes) => {
                let names = scopes.iter().map(|scope| scope.name());
                names.map(Self::Scope).collect()
            }
        }
    }

    /// The question of a call of the internal API.
    pub(crate) const REST: Self = Self::Scope(REST_SCOPE);

    /// Whether the answer is yes. What several sets give is what one of them gives.
    fn is_yes(self, set: &ScopeSet, allow: Option<&ScopeSet>) -> bool {
        let within = allow.map(|allow| set.intersection(allow));
        let set = within.as_ref().unwrap_or(set);
        match self {
            Self::Scope(scope) => set.contains(scope),
            Self::Any => !set.is_empty(),
            Self::All => set.is_all(),
        }
    }
}

/// What a record says about a question.
pub(crate) enum Granted {
    /// The answers were yes.
    All,
    /// The answers were yes, but for these scopes. None: the caller has no scope at all.
    AllBut(Vec<&'static str>),
    /// The scopes were not `*`.
    NotAll,
}

impl Granted {
    fn is_yes(&self, question: Question) -> Option<bool> {
        match (self, question) {
            (Self::All, _) => Some(true),
            (Self::AllBut(missing), Question::Scope(scope)) if !missing.is_empty() => {
                Some(!missing.contains(&scope))
            }
            (Self::AllBut(missing), Question::Any) if missing.is_empty() => Some(false),
            (Self::NotAll, Question::All) => Some(false),
            _ => None,
        }
    }
}

/// A principal of an instance.
#[derive(Clone, Copy)]
pub(crate) struct Rights<'p> {
    pub(crate) instance: &'p Instance,
    pub(crate) principal: &'p Principal,
}

impl Rights<'_> {
    fn is_yes(&self, question: Question, set: &ScopeSet) -> bool {
        question.is_yes(set, self.principal.allow.as_ref())
    }

    fn role(&self, question: Question, role: &str) -> bool {
        let scopes = self.instance.grants.get(role);
        scopes.is_some_and(|scopes| self.is_yes(question, scopes))
    }

    /// The answers for every caller of the principal, and for one with all roles. `old`: what was granted to
    /// the same caller before, with the same roles.
    pub(crate) fn answer(
        &self,
        question: Question,
        old: Option<(&Rights<'_>, &Granted)>,
    ) -> (bool, bool) {
        if self.is_yes(question, &self.principal.grant) {
            return (true, true);
        }
        let was = old.and_then(|(rights, granted)| Some((rights, granted.is_yes(question)?)));
        // The caller has one of the roles that granted it.
        let is_certain = was.is_some_and(|(old, was_yes)| {
            let mut granting = old.instance.grants.keys();
            was_yes
                && !old.is_yes(question, &old.principal.grant)
                && granting.all(|role| !old.role(question, role) || self.role(question, role))
        });
        // The caller has none of the roles that would have granted it.
        let excluded =
            |role: &str| was.is_some_and(|(old, was_yes)| !was_yes && old.role(question, role));
        let mut roles = self.instance.grants.keys();
        let is_possible = roles.any(|role| self.role(question, role) && !excluded(role));
        (is_certain && is_possible, is_possible)
    }
}

/// Scopes for which the answers are these.
pub(crate) fn scopes(answers: impl IntoIterator<Item = (Question, bool)>) -> ScopeSet {
    let mut set = ScopeSet::default();
    for (question, _) in answers.into_iter().filter(|(_, is_yes)| *is_yes) {
        let scope = match question {
            Question::Scope(scope) => scope,
            // Any one of them.
            Question::Any => "tag:list",
            Question::All => "*",
        };
        // Each is a scope of the table.
        let _ = set.insert(scope);
    }
    set
}
