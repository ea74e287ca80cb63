//! Bytes as hexadecimal digits (RFC 4648 §8).

/// In lower case.
pub fn encoded(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or_default();
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
    digits.map(digit).collect()
}

/// Reads digits of either case, two for each byte.
pub fn decoded(digits: &str) -> Option<Vec<u8>> {
    let value = |digit: u8| char::from(digit).to_digit(16);
    let pairs = digits.as_bytes().chunks(2);
    let bytes = pairs.map(|pair| match pair {
        [high, low] => u8::try_from((value(*high)? << 4) | value(*low)?).ok(),
        _ => None,
    });
    bytes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_and_read() {
        assert_eq!(encoded(&[]), "");
        assert_eq!(encoded(&[0x00, 0x0f, 0xa5, 0xff]), "000fa5ff");
        assert_eq!(decoded("000fa5ff"), Some(vec![0x00, 0x0f, 0xa5, 0xff]));
        assert_eq!(decoded("A5fF"), Some(vec![0xa5, 0xff]));
        assert_eq!(decoded(""), Some(vec![]));
        for digits in ["0", "000", "0g", " 00", "0x00", "\u{661}\u{661}", "+1"] {
            assert_eq!(decoded(digits), None, "{digits}");
        }
    }
}
