//! Whether an application or a person calls.

use super::{ClaimRule, Identity};

/// What sort of caller a token stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An application that acts for itself (client credentials).
    App,
    /// A person, through some application.
    User,
    /// Nothing in the token tells, or its marks contradict each other. No rule for applications or
    /// for people speaks of such a caller.
    Unknown,
}

impl Kind {
    /// The word used in configuration, headers and audit.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::User => "user",
            Self::Unknown => "unknown",
        }
    }
}

/// The marks of an application and of a person in a token. A mark is something that only the
/// provider writes, and only into tokens of that kind: what a person or an application may choose
/// is none, and neither is the absence of the other mark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    pub(super) app: bool,
    pub(super) user: bool,
}

impl Marks {
    const fn kind(self) -> Kind {
        match (self.app, self.user) {
            (true, false) => Kind::App,
            (false, true) => Kind::User,
            _ => Kind::Unknown,
        }
    }
}

/// How an operator tells applications and people, in place of what the dialect knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KindRules {
    /// All of these hold for an application.
    pub app: Option<Vec<ClaimRule>>,
    /// All of these hold for a person.
    pub user: Option<Vec<ClaimRule>>,
}

impl KindRules {
    /// The kind of a caller in whose token the dialect found these marks.
    pub(super) fn kind(&self, identity: &Identity, found: Marks) -> Kind {
        let mut rules = [&self.app, &self.user].into_iter().flatten().flatten();
        // Whether the other rules hold says nothing then: this one might hold, too.
        if rules.any(|rule| rule.misses_groups(identity)) {
            return Kind::Unknown;
        }
        let holds = |rules: &Option<Vec<ClaimRule>>, found| match rules {
            Some(rules) => rules.iter().all(|rule| rule.holds(&identity.claims)),
            None => found,
        };
        let marks = Marks {
            app: holds(&self.app, found.app),
            user: holds(&self.user, found.user),
        };
        marks.kind()
    }
}
