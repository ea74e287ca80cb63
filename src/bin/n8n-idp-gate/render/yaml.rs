//! YAML in one form: maps and lists in blocks, and texts in quotes wherever a reader could take them
//! for something else.

use serde_json::Value;

/// A document.
pub(crate) fn document(value: &Value) -> String {
    let mut text = String::new();
    block(value, 0, &mut text);
    text
}

/// Several documents.
pub(crate) fn documents<'v>(values: impl IntoIterator<Item = &'v Value>) -> String {
    let texts: Vec<String> = values.into_iter().map(document).collect();
    texts.join("---\n")
}

fn block(value: &Value, indentation: usize, text: &mut String) {
    let margin = " ".repeat(indentation);
    let deeper = indentation.saturating_add(2);
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, member) in members {
                text.push_str(&margin);
                text.push_str(&scalar(name));
                text.push(':');
                after_name(member, deeper, text);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                let mut inner = String::new();
                block(item, deeper, &mut inner);
                // The first line of an item goes behind its hyphen.
                text.push_str(&margin);
                text.push_str("- ");
                text.push_str(inner.trim_start_matches(' '));
            }
        }
        other => {
            text.push_str(&margin);
            text.push_str(&flow(other));
            text.push('\n');
        }
    }
}

fn after_name(value: &Value, indentation: usize, text: &mut String) {
    let is_block = match value {
        Value::Object(members) => !members.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    if is_block {
        text.push('\n');
        block(value, indentation, text);
    } else if let Some(lines) = value.as_str().filter(|text| is_of_lines(text)) {
        let margin = " ".repeat(indentation);
        text.push_str(" |\n");
        for line in lines.lines() {
            let line = if line.is_empty() {
                String::new()
            } else {
                format!("{margin}{line}")
            };
            text.push_str(&line);
            text.push('\n');
        }
    } else {
        text.push(' ');
        text.push_str(&flow(value));
        text.push('\n');
    }
}

fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        // Empty ones, too, are the same in JSON.
        other => other.to_string(),
    }
}

/// Whether a text can be written line by line, as it is.
fn is_of_lines(text: &str) -> bool {
    let is_plain = |letter: char| letter == '\n' || (' '..='~').contains(&letter);
    let ends_once = text.ends_with('\n') && !text.ends_with("\n\n");
    ends_once && !text.starts_with([' ', '\n']) && text.chars().all(is_plain)
}

/// A text without quotes, if every reader takes it for that text; else as JSON writes it.
fn scalar(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
    let mut bytes = text.bytes();
    let begins = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic());
    // YAML 1.1 has more words for true and false, and `=` and `<<`, which begin otherwise.
    let word = text.to_ascii_lowercase();
    let is_word = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&&*word);
    if begins && bytes.all(is_plain) && !is_word {
        return text.to_owned();
    }
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use n8n_idp_gate::config::yaml::to_json;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_read_as_the_same() {
        let value = json!({
            "a": [], "b": {}, "c": [[1, 2], [{"d": null, "e": [true]}, "x"]], "outbound|443||a": "0s",
            "texts": ["yes", "No", "1", "1e3", "0x1", "a: b", "# c", "", " ", "~", "- a", "@x", "a\nb", "a\nb\n", "a\n\n", " a\n",
                      "é", "\u{2028}", "api://n8n", "null", "2001-01-01", "y", "n8n.example.com", "*"],
            "lines": "a: 1\n\n  b # c\n", "margin": " a\n", "more": "a\n\n", "tab": "a\tb\n", "on": {"deep": {"deeper": {"deepest": "x y"}}}, "*": 15,
        });
        let read = to_json(&document(&value)).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&read).unwrap(), value);
    }
}
