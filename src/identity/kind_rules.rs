//! Rules of the operator for the kind of a caller.

use super::kind::{Kind, Marks};
use super::{ClaimRule, Identity};

/// The operator's rules for applications and people, instead of the marks of the dialect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KindRules {
    /// All of these hold for an application.
    pub app: Option<Vec<ClaimRule>>,
    /// All of these hold for a person.
    pub user: Option<Vec<ClaimRule>>,
}

impl KindRules {
    /// The kind of a caller. The dialect found these marks in its token.
    pub(super) fn kind(&self, identity: &Identity, found: Marks) -> Kind {
        let mut rules = [&self.app, &self.user].into_iter().flatten().flatten();
        // Such a rule might hold, so that the other rules say nothing.
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
