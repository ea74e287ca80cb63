//! Members of a document under either of their names: Envoy's `prefix_rewrite`, and that of Kubernetes,
//! `prefixRewrite`.

use serde_json::{Map, Value};

/// A member, under its name in Envoy's form or in that of Kubernetes.
pub(crate) fn field<'m>(members: &'m Map<String, Value>, name: &str) -> Option<&'m Value> {
    let found = members.iter().find(|(other, _)| snake(other) == name);
    found.map(|(_, value)| value)
}

/// A name in Envoy's form.
pub(crate) fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len());
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// A path as messages show it, of the names and numbers that lead to a value.
pub(crate) fn shown_path(steps: &[String]) -> String {
    let mut path = String::new();
    for step in steps {
        if step.bytes().all(|byte| byte.is_ascii_digit()) {
            path.push('[');
            path.push_str(step);
            path.push(']');
        } else {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(step);
        }
    }
    path
}
