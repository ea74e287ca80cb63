//! Percent-encoding of single bytes (RFC 3986 §2.1).

/// Appends a byte as `%` and two hexadecimal digits in capitals.
pub fn push(encoded: &mut String, byte: u8) {
    encoded.extend(['%', digit(byte >> 4), digit(byte & 0x0f)]);
}

/// Reads the two digits after a `%`: the byte, and what follows. `None`: they are not there.
pub fn read(digits: &[u8]) -> Option<(u8, &[u8])> {
    let [high, low, rest @ ..] = digits else {
        return None;
    };
    let value = |digit: u8| char::from(digit).to_digit(16);
    let byte = u8::try_from((value(*high)? << 4) | value(*low)?).ok()?;
    Some((byte, rest))
}

fn digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16)
        .unwrap_or_default()
        .to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_read_as_it_was_written() {
        for byte in 0..=u8::MAX {
            let mut encoded = String::new();
            push(&mut encoded, byte);
            assert_eq!(encoded, format!("%{byte:02X}"));
            let digits = encoded.strip_prefix('%').unwrap_or_default();
            let lower = digits.to_ascii_lowercase() + "rest";
            assert_eq!(read(digits.as_bytes()), Some((byte, &b""[..])));
            assert_eq!(read(lower.as_bytes()), Some((byte, &b"rest"[..])));
        }
    }

    #[test]
    fn what_is_not_two_digits_is_not_read() {
        for digits in ["", "4", "4g", "g4", "+4", " 4", "\u{e9}"] {
            assert_eq!(read(digits.as_bytes()), None, "{digits}");
        }
    }
}
