//! The values of claims.

use std::collections::BTreeSet;

use crate::formats::json::Value;

/// The value of a claim that should be a boolean. Amazon Cognito and the load balancers of AWS write the
/// text `true`, and others the text `False`. No other text is `true`, because `true` gives rights, and
/// `1` or `yes` may mean anything. What PHP and SQL make of `false` is `false`.
pub(super) fn flag(value: Value<'_>) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(flag),
        Value::String("true") => Some(true),
        Value::String(text) => ["false", "no", "0"]
            .iter()
            .any(|no| text.eq_ignore_ascii_case(no))
            .then_some(false),
        value => (value.as_u64() == Some(0)).then_some(false),
    }
}

/// Names of scopes in a claim: an array of strings, or one string with spaces between them.
/// Anything else grants nothing.
///
/// One space alone separates scopes (RFC 6749 §3.3). A name with another blank or a control
/// character is no scope, and a text with one is no list of scopes: programs split it at different
/// positions, so that one could find a scope that the provider never granted.
pub(super) fn names(value: Option<Value<'_>>) -> Vec<String> {
    match value {
        Some(Value::String(joined)) if joined.chars().all(is_in_scope_list) => joined
            .split(' ')
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect(),
        Some(Value::Array(items)) => items
            .iter()
            .filter_map(Value::as_str)
            .filter(|name| !name.is_empty() && !name.contains(' '))
            .filter(|name| name.chars().all(is_in_scope_list))
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}

fn is_in_scope_list(letter: char) -> bool {
    letter == ' ' || !(letter.is_whitespace() || letter.is_control())
}

/// Names in a claim in which a space is part of a name: an array of strings, or one string.
pub(super) fn whole_names(value: Option<Value<'_>>) -> Vec<String> {
    match value {
        Some(Value::String(name)) => vec![name.to_owned()],
        Some(Value::Array(items)) => items
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}

/// Each name once, in the order of the first occurrences. A token may have thousands of names, and every
/// rule is compared with each of them: comparing all names with all others, or repeated names, would
/// take minutes.
pub(super) fn once_each<N: Ord>(mut names: Vec<N>) -> Vec<N> {
    if names.len() > 1 {
        let mut seen = BTreeSet::new();
        let are_first: Vec<bool> = names.iter().map(|name| seen.insert(name)).collect();
        let mut are_first = are_first.into_iter();
        names.retain(|_| are_first.next() == Some(true));
    }
    names
}

#[cfg(test)]
mod tests;
