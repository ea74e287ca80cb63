//! Forms as clients send them: `application/x-www-form-urlencoded` (RFC 6749 appendix B).

/// One name or value, encoded.
pub fn encoded(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let hex = |digit: u8| {
        HEX.get(usize::from(digit))
            .map_or('0', |digit| char::from(*digit))
    };
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => encoded.push('+'),
            b'*' | b'-' | b'.' | b'_' => encoded.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => encoded.push(char::from(byte)),
            _ => encoded.extend(['%', hex(byte >> 4), hex(byte & 15)]),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_encoded_as_browsers_do_it() {
        // The example of RFC 6749 appendix B.
        assert_eq!(encoded(" %&+£€"), "+%25%26%2B%C2%A3%E2%82%AC");
        assert_eq!(encoded("aZ09*-._~/="), "aZ09*-._%7E%2F%3D");
    }
}
