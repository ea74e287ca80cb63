//! The members of a JSON object, as they are written.

use serde::Serialize;

/// How many bytes most objects have room in.
const CAPACITY: usize = 1024;

/// The members of a JSON object, written one after the other.
///
/// Most refusals consist of texts that are known before, and an attacker gets them by the thousand. So only
/// what can need an escape is looked at byte by byte.
pub struct Members(String);

impl Members {
    pub fn new() -> Self {
        let mut text = String::with_capacity(CAPACITY);
        text.push('{');
        Self(text)
    }

    /// Writes a text in which nothing needs an escape (RFC 8259 §7).
    // It has many callers, and the module one copy of its code.
    #[inline(never)]
    pub fn plain(&mut self, name: &str, text: &str) {
        append(&mut self.0, &["\"", name, "\":\"", text, "\","]);
    }

    /// Writes any other value.
    pub fn any(&mut self, name: &str, value: &(impl Serialize + ?Sized)) {
        if let Ok(value) = serde_json::to_string(value) {
            append(&mut self.0, &["\"", name, "\":", &value, ","]);
        }
    }

    /// Writes members that are written already.
    pub fn written(&mut self, members: &str) {
        append(&mut self.0, &[members, ","]);
    }

    /// The object.
    pub fn into_object(mut self) -> String {
        // The comma after the last one.
        self.0.pop();
        self.0.push('}');
        self.0
    }
}

/// Appends texts.
pub fn append(text: &mut String, parts: &[&str]) {
    for part in parts {
        text.push_str(part);
    }
}
