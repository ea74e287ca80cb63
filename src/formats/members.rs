//! The members of a JSON object, as they are written.

use serde::Serialize;

use super::printable::{printable, printable_bytes};

/// How many bytes most objects have room in.
const CAPACITY: usize = 1024;

/// The members of a JSON object, written one after the other.
///
/// Most refusals and records consist of texts in which nothing needs an escape, and an attacker gets refusals by
/// the thousand. So texts that are known before are not looked at, and others once.
#[derive(Debug)]
pub struct Members(String);

impl Members {
    /// No members yet.
    #[allow(
        clippy::new_without_default,
        reason = "an object without members has no use"
    )]
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

    /// Writes a text from outside so that everything in it is printable, and at most `most` characters of it.
    pub fn printable(&mut self, name: &str, text: &str, most: usize) {
        if text.len() <= most && is_plain(text) {
            self.plain(name, text);
        } else {
            self.any(name, &*printable(text, most));
        }
    }

    /// The same of bytes, of which those that are no UTF-8 are written as `\xff`.
    pub fn printable_bytes(&mut self, name: &str, bytes: &[u8], most: usize) {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.printable(name, text, most),
            Err(_) => self.any(name, &*printable_bytes(bytes, most)),
        }
    }

    /// Writes any other value.
    pub fn any(&mut self, name: &str, value: &(impl Serialize + ?Sized)) {
        if let Ok(value) = serde_json::to_string(value) {
            self.value(name, &value);
        }
    }

    /// Writes an object.
    pub fn object(&mut self, name: &str, members: Self) {
        self.value(name, &members.into_object());
    }

    /// Writes members that are written already.
    pub fn written(&mut self, members: &str) {
        append(&mut self.0, &[members, ","]);
    }

    /// The object.
    pub fn into_object(mut self) -> String {
        // After the last member there is no comma.
        if self.0.ends_with(',') {
            self.0.pop();
        }
        self.0.push('}');
        self.0
    }

    fn value(&mut self, name: &str, value: &str) {
        append(&mut self.0, &["\"", name, "\":", value, ","]);
    }
}

/// Appends texts.
// `String::extend` has a copy of its code for each number of texts.
pub fn append(text: &mut String, parts: &[&str]) {
    for part in parts {
        text.push_str(part);
    }
}

/// Whether everything is printable ASCII, and nothing needs an escape.
fn is_plain(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_without_members_is_one() {
        assert_eq!(Members::new().into_object(), "{}");
    }

    /// One look at a text writes what [`printable_bytes`] and `serde_json` write.
    #[test]
    fn a_printable_text_is_written_as_by_the_library() {
        let ascii = (0..=u8::MAX).map(|byte| vec![b'a', byte, b'b']);
        let odd = ["", "Zoë", "a\u{202e}b", "abcdef", "abcdefg", "\u{e9}bcdef"];
        for text in ascii.chain(odd.map(|text| text.as_bytes().to_vec())) {
            for most in [6, 512] {
                let mut members = Members::new();
                members.printable_bytes("of", &text, most);
                let shown = printable_bytes(&text, most);
                let expected = serde_json::json!({ "of": shown }).to_string();
                assert_eq!(members.into_object(), expected, "{text:?}");
            }
        }
    }
}
