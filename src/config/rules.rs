//! Rules on which fields of an object go together, as data: the reader, the reference documentation
//! and the schema take them from here.

use serde_json::{Map, Value};

use super::field_path::FieldPath;

/// A rule on the fields of one object.
pub(super) struct Rule {
    /// When the rule applies.
    pub(super) when: When,
    /// What must hold then.
    pub(super) demand: Demand,
    /// Where a breach is reported.
    pub(super) at: At,
    /// What is wrong then.
    pub(super) problem: &'static str,
    /// What to do.
    pub(super) hint: &'static str,
}

/// When a rule applies.
#[derive(Clone, Copy)]
pub(super) enum When {
    /// Always.
    Always,
    /// The object has this field.
    Given(&'static str),
    /// This field is one of these words.
    Is(&'static str, &'static [&'static str]),
    /// This field is `false`.
    IsFalse(&'static str),
}

/// What a rule demands.
#[derive(Clone, Copy)]
pub(super) enum Demand {
    /// None of these fields is there.
    Without(&'static [&'static str]),
    /// At least one of these fields is there.
    AnyOf(&'static [&'static str]),
}

/// Where the breach of a rule is reported.
#[derive(Clone, Copy)]
pub(super) enum At {
    /// At each field that must not be there.
    Each,
    /// At this field.
    Field(&'static str),
    /// At the object.
    Object,
}

impl Rule {
    /// The field that a rule depends on.
    pub(super) const fn trigger(&self) -> Option<&'static str> {
        match self.when {
            When::Always => None,
            When::Given(name) | When::Is(name, _) | When::IsFalse(name) => Some(name),
        }
    }

    fn applies(&self, members: &Map<String, Value>) -> bool {
        match self.when {
            When::Always => true,
            When::Given(name) => members.contains_key(name),
            When::Is(name, words) => {
                let word = members.get(name).and_then(Value::as_str);
                word.is_some_and(|word| words.contains(&word))
            }
            When::IsFalse(name) => members.get(name) == Some(&Value::Bool(false)),
        }
    }

    fn is_broken(&self, members: &Map<String, Value>) -> bool {
        let given = |name: &&str| members.contains_key(*name);
        match self.demand {
            Demand::Without(names) => names.iter().any(given),
            Demand::AnyOf(names) => !names.iter().any(given),
        }
    }
}

/// Reports the rules that an object breaks, in their order. A field is reported once. A rule does not
/// apply if its field was already refused.
pub(super) fn check(members: &Map<String, Value>, path: &FieldPath, rules: &[&'static [Rule]]) {
    let mut reported: Vec<&str> = Vec::new();
    for rule in rules.iter().copied().flatten() {
        let is_void = rule.trigger().is_some_and(|name| reported.contains(&name));
        if is_void || !rule.applies(members) || !rule.is_broken(members) {
            continue;
        }
        let field = match (rule.at, rule.demand) {
            (At::Each, Demand::Without(names)) => {
                let given = names.iter().filter(|name| members.contains_key(**name));
                for name in given.copied() {
                    if !reported.contains(&name) {
                        reported.push(name);
                        path.member(name).error(rule.problem, rule.hint);
                    }
                }
                continue;
            }
            (At::Field(name), _) => Some(name),
            _ => None,
        };
        // What follows from another error would only repeat it.
        let at = field.map_or_else(|| path.clone(), |name| path.member(name));
        if !at.has_errors() {
            reported.extend(field);
            at.error(rule.problem, rule.hint);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const RULES: &[Rule] = &[
        Rule {
            when: When::Given("a"),
            demand: Demand::Without(&["b", "c"]),
            at: At::Each,
            problem: "1",
            hint: "",
        },
        Rule {
            when: When::Given("b"),
            demand: Demand::AnyOf(&["d"]),
            at: At::Field("d"),
            problem: "2",
            hint: "",
        },
        Rule {
            when: When::Is("e", &["x", "y"]),
            demand: Demand::Without(&["c"]),
            at: At::Each,
            problem: "3",
            hint: "",
        },
        Rule {
            when: When::IsFalse("f"),
            demand: Demand::AnyOf(&["a", "d"]),
            at: At::Object,
            problem: "4",
            hint: "",
        },
        Rule {
            when: When::Always,
            demand: Demand::AnyOf(&["a", "b", "d", "e", "f"]),
            at: At::Object,
            problem: "5",
            hint: "",
        },
    ];

    fn broken(object: &Value) -> Vec<(String, String)> {
        let path = FieldPath::whole();
        check(object.as_object().unwrap(), &path, &[RULES]);
        let errors = path.errors().into_iter();
        errors.map(|error| (error.path, error.problem)).collect()
    }

    #[test]
    fn each_broken_rule_is_reported_where_it_says() {
        for (object, expected) in [
            (json!({"a": 1}), &[][..]),
            (json!({"a": null, "c": 1}), &[("c", "1")]),
            (json!({"b": 1}), &[("d", "2")]),
            (json!({"b": 1, "d": 1}), &[]),
            (json!({"e": "y", "c": 1}), &[("c", "3")]),
            (json!({"e": "z", "c": 1}), &[]),
            (json!({"f": false}), &[("", "4")]),
            (json!({"f": true}), &[]),
            (json!({}), &[("", "5")]),
        ] {
            let expected: Vec<_> = expected
                .iter()
                .map(|(path, problem)| ((*path).to_owned(), (*problem).to_owned()))
                .collect();
            assert_eq!(broken(&object), expected, "{object}");
        }
    }

    #[test]
    fn a_refused_field_demands_nothing_and_is_reported_once() {
        let object = json!({"a": 1, "b": 1, "c": 1, "e": "x"});
        let paths: Vec<_> = broken(&object).into_iter().map(|(path, _)| path).collect();
        assert_eq!(paths, ["b", "c"]);
    }
}
