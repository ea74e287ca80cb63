//! Shipped files as templates.

use n8n_idp_gate::config::yaml::{Budget, Reader};
use serde_json::Value;

use super::Gate;

/// The documents of a shipped file.
pub(crate) fn documents(text: &str) -> Result<Vec<Value>, String> {
    let read = Budget::default().documents(text, Reader::Either);
    let read = read.map_err(|fault| fault.to_string())?;
    Ok(read.into_iter().map(|document| document.value).collect())
}

/// The first document of a shipped file.
pub(crate) fn document(text: &str) -> Result<Value, String> {
    Ok(documents(text)?.into_iter().next().unwrap_or_default())
}

/// The text that a pointer leads to; empty, if there is none.
pub(crate) fn text<'d>(document: &'d Value, pointer: &str) -> &'d str {
    let found = document.pointer(pointer);
    found.and_then(Value::as_str).unwrap_or_default()
}

/// A shipped file with the lines that are in force where audit records go to the access log.
pub(crate) fn with_audit(text: &str, gate: &Gate) -> String {
    let to = gate.configuration.pointer("/audit/to");
    let is_logged = to.is_some_and(|to| to == "access_log" || to == "both");
    let mark = "#| ";
    if is_logged {
        text.replace(mark, "")
    } else {
        text.to_owned()
    }
}

/// Sets what a pointer leads to. It must exist.
pub(crate) fn put(document: &mut Value, pointer: &str, value: Value) -> Result<(), String> {
    let slot = document.pointer_mut(pointer);
    *slot.ok_or_else(|| format!("the template has no {pointer}"))? = value;
    Ok(())
}

/// A shipped file with other names and addresses. A longer text goes before one that is part of it.
pub(crate) fn replaced(text: &str, pairs: &[(&str, &str)]) -> String {
    let mut done = String::with_capacity(text.len());
    let mut rest = text;
    'all: while let Some(letter) = rest.chars().next() {
        for (old, new) in pairs {
            if let Some(after) = rest.strip_prefix(old) {
                done.push_str(new);
                rest = after;
                continue 'all;
            }
        }
        done.push(letter);
        rest = rest.get(letter.len_utf8()..).unwrap_or_default();
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_not_replaced_again() {
        let pairs = [("ns: a", "ns: b"), ("a", "c"), ("b", "d")];
        assert_eq!(replaced("ns: a, é a, b", &pairs), "ns: b, é c, d");
    }
}
