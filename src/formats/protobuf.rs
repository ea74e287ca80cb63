//! The wire format of Protocol Buffers, as far as the messages that Envoy and this filter exchange
//! need it.

/// A field with its number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Field<'b> {
    /// A number, a flag or an enumeration.
    Varint(u64, u64),
    /// Eight bytes.
    Double(u64, f64),
    /// Bytes, text or a message.
    Bytes(u64, &'b [u8]),
    /// Four bytes. No message here has such a field, but a reader may have to skip one.
    Fixed32(u64),
}

/// Takes one field off the front. `None`: these bytes are no message, or one with groups, which
/// are obsolete.
pub fn field(bytes: &[u8]) -> Option<(Field<'_>, &[u8])> {
    let (tag, rest) = varint(bytes)?;
    let number = tag >> 3;
    match tag & 0b111 {
        _ if number == 0 => None,
        0 => {
            let (value, rest) = varint(rest)?;
            Some((Field::Varint(number, value), rest))
        }
        1 => {
            let (double, rest) = rest.split_first_chunk()?;
            Some((Field::Double(number, f64::from_le_bytes(*double)), rest))
        }
        2 => {
            let (length, rest) = varint(rest)?;
            let (value, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
            Some((Field::Bytes(number, value), rest))
        }
        5 => Some((Field::Fixed32(number), rest.split_first_chunk::<4>()?.1)),
        _ => None,
    }
}

/// Appends a field of bytes. Its number must be below 16, so that its tag is one byte.
pub fn put_bytes(message: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    message.push(number << 3 | 2);
    let mut length = bytes.len();
    while length > 0x7f {
        message.push(u8::try_from(length & 0x7f).unwrap_or(0) | 0x80);
        length >>= 7;
    }
    message.push(u8::try_from(length).unwrap_or(0));
    message.extend_from_slice(bytes);
}

/// A number in groups of seven bits, the lowest first.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (shift, (index, byte)) in (0..63).step_by(7).zip(bytes.iter().enumerate()) {
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            let (_, rest) = bytes.split_at_checked(index.checked_add(1)?)?;
            return Some((value, rest));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_taken_off_one_by_one() {
        let message = b"\x08\x96\x01\x12\x02hi\x1d\x01\x02\x03\x04\x21\0\0\0\0\0\0\xf0\x3f";
        let mut rest = message.as_slice();
        for expected in [
            Field::Varint(1, 150),
            Field::Bytes(2, b"hi"),
            Field::Fixed32(3),
            Field::Double(4, 1.0),
        ] {
            let (found, tail) = field(rest).unwrap();
            assert_eq!(found, expected);
            rest = tail;
        }
        assert!(rest.is_empty());
    }

    #[test]
    fn what_is_cut_off_or_unknown_is_none() {
        for bytes in [
            b"".as_slice(),
            b"\x08",
            b"\x08\x80",
            b"\x0a\x02a",
            b"\x0d\x01\x02\x03",
            b"\x09\0\0\0\0\0\0\0",
            // A group, the reserved wire types, the reserved number 0.
            b"\x0b\x0c",
            b"\x0e\0",
            b"\x0f\0",
            b"\0\0",
            // A number without end.
            b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        ] {
            assert_eq!(field(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for length in [0, 1, 127, 128, 16_383, 16_384, 100_000] {
            let bytes = vec![7; length];
            let mut message = Vec::new();
            put_bytes(&mut message, 15, &bytes);
            let read = field(&message);
            assert_eq!(read, Some((Field::Bytes(15, &bytes), b"".as_slice())));
        }
    }
}
