//! Values as segments of paths.

use crate::formats::percent;

/// One segment of a path. What is not unreserved (RFC 3986 §2.3) is encoded, so that no value adds a
/// segment or a query.
pub(super) fn segment(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            percent::push(&mut encoded, byte);
        }
    }
    encoded
}
