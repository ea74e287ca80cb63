//! The field of a condition that does not match a caller, in words.

use n8n_idp_gate::identity::{ClaimRule, ClaimTest, Identity};
use n8n_idp_gate::policy::{Condition, Mismatch};
use serde_json::Value;

/// The field, what it asks for, and what the caller has.
pub(crate) struct Field {
    /// Its name in the configuration.
    pub(crate) name: String,
    /// What it asks for.
    pub(crate) expected: Vec<String>,
    /// What the caller has.
    pub(crate) found: Vec<String>,
}

impl Field {
    /// The field of `condition` that does not match.
    pub(crate) fn of(condition: &Condition, mismatch: Mismatch<'_>, identity: &Identity) -> Self {
        let one = |value: Option<&str>| value.map(str::to_owned).into_iter().collect();
        let email = identity.verified_email.as_deref();
        let (name, expected, found) = match mismatch {
            Mismatch::Provider => (
                "provider",
                condition.providers.as_ref(),
                one(Some(&identity.provider)),
            ),
            Mismatch::Client => (
                "client",
                condition.clients.as_ref(),
                one(identity.client.as_deref()),
            ),
            Mismatch::Subject => (
                "subject",
                condition.subjects.as_ref(),
                one(identity.subject.as_deref()),
            ),
            Mismatch::Email => ("email", condition.emails.as_ref(), one(email)),
            Mismatch::EmailDomain => ("email_domain", condition.email_domains.as_ref(), one(email)),
            Mismatch::Tenant => (
                "tenant",
                condition.tenants.as_ref(),
                one(identity.tenant.as_deref()),
            ),
            Mismatch::Roles => ("roles", condition.roles.as_ref(), identity.roles.clone()),
            Mismatch::Scopes => ("scopes", condition.scopes.as_ref(), identity.scopes.clone()),
            Mismatch::Groups => ("groups", condition.groups.as_ref(), identity.groups.clone()),
            Mismatch::Kind => {
                let expected = condition.kind.map(|kind| kind.as_str().to_owned());
                return Self {
                    name: "kind".to_owned(),
                    expected: expected.into_iter().collect(),
                    found: vec![identity.kind.as_str().to_owned()],
                };
            }
            Mismatch::Claim(rule) => return Self::of_claim(rule, identity),
        };
        Self {
            name: name.to_owned(),
            expected: expected.into_iter().flatten().cloned().collect(),
            found,
        }
    }

    /// The claim of a rule that does not hold.
    pub(crate) fn of_claim(rule: &ClaimRule, identity: &Identity) -> Self {
        let names = rule.path.names();
        let mut claim = names
            .split_first()
            .and_then(|(first, _)| identity.claims.get(first));
        for name in names.iter().skip(1) {
            claim = claim.and_then(|claim| claim.get(name));
        }
        Self {
            name: format!("claims: {}", names.join(".")),
            expected: tests(rule),
            found: claim
                .map(|claim| text(&claim.to_value()))
                .into_iter()
                .collect(),
        }
    }

    /// What it says of a caller.
    pub(crate) fn compared(&self) -> String {
        let list = |values: &[String], none: &str| match values {
            [] => none.to_owned(),
            [one] => one.clone(),
            several => format!("one of {}", several.join(", ")),
        };
        let found = match &*self.found {
            [] => "nothing".to_owned(),
            found => found.join(", "),
        };
        let expected = list(&self.expected, "something");
        format!("{}: expected {expected}, found {found}", self.name)
    }
}

/// The tests of a rule.
fn tests(rule: &ClaimRule) -> Vec<String> {
    let exists = rule.exists.map(|exists| {
        let text = if exists {
            "that it exists"
        } else {
            "that it does not exist"
        };
        text.to_owned()
    });
    let all = rule.all.iter().map(test);
    let none = rule.none.iter().map(|one| format!("not {}", test(one)));
    let tests: Vec<_> = exists.into_iter().chain(all).chain(none).collect();
    vec![tests.join(" and ")]
}

fn test(test: &ClaimTest) -> String {
    match test {
        ClaimTest::OneOf(values) => {
            let values: Vec<_> = values.iter().map(text).collect();
            values.join(" or ")
        }
        ClaimTest::Contains(value) => format!("a list with {}", text(value)),
        ClaimTest::Prefix(prefix) => format!("{prefix}…"),
        ClaimTest::Suffix(suffix) => format!("…{suffix}"),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
