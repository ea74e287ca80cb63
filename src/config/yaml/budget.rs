//! How much may still be read of a file.

use std::cell::Cell;

use serde_json::{Map, Value};

use super::fault::{YamlFault, MAX_TEXT, MAX_VALUES};

/// How much may still be read of one file, of texts within it too.
///
/// The parser hands events over one by one, so that no more of a text is looked at than a bound
/// allows. Aliases are followed here, and what they repeat counts as if it were written out.
pub struct Budget {
    values: Cell<usize>,
    text: Cell<usize>,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            values: Cell::new(MAX_VALUES),
            text: Cell::new(MAX_TEXT),
        }
    }
}

impl Budget {
    /// Counts a value or name.
    pub(super) fn spend(&self, text: &str) -> Result<(), YamlFault> {
        let values = self.values.get().checked_sub(1);
        self.values.set(values.ok_or(YamlFault::TooManyValues)?);
        let left = self.text.get().checked_sub(text.len());
        self.text.set(left.ok_or(YamlFault::TooMuchText)?);
        Ok(())
    }

    /// A copy of a value, as what it repeats.
    pub(super) fn copy(&self, value: &Value) -> Result<Value, YamlFault> {
        self.spend(value.as_str().unwrap_or_default())?;
        Ok(match value {
            Value::Array(items) => {
                let items = items.iter().map(|item| self.copy(item));
                Value::Array(items.collect::<Result<_, _>>()?)
            }
            Value::Object(members) => {
                let mut copies = Map::new();
                for (name, member) in members {
                    self.spend(name)?;
                    copies.insert(name.clone(), self.copy(member)?);
                }
                Value::Object(copies)
            }
            other => other.clone(),
        })
    }
}
