//! Header maps in the form in which host and module hand them to each other (proxy-wasm ABI 0.2.1):
//! the number of pairs, the lengths of each name and value, then the texts, each with a zero byte
//! after it. Numbers have four bytes, the least significant first.

use std::ops::Range;

/// The length of a number, in bytes.
const NUMBER: usize = 4;

/// Writes a map.
pub fn encode(pairs: &[(&str, &str)]) -> Vec<u8> {
    let texts = || pairs.iter().flat_map(|(name, value)| [*name, *value]);
    let lengths = texts().map(|text| text.len().saturating_add(NUMBER + 1));
    let mut map = Vec::with_capacity(lengths.fold(NUMBER, usize::saturating_add));
    push_number(&mut map, pairs.len());
    for text in texts() {
        push_number(&mut map, text.len());
    }
    for text in texts() {
        map.extend_from_slice(text.as_bytes());
        map.push(0);
    }
    map
}

/// Where a header is in a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    /// The bytes of its name.
    pub(super) name: Range<usize>,
    /// The bytes of its value.
    pub(super) value: Range<usize>,
}

/// Where each header of a map is; `None`: the map is not sound. A map without a byte has no header.
pub(super) fn read(map: &[u8]) -> Option<Vec<Pair>> {
    let Some((count, rest)) = map.split_first_chunk() else {
        return map.is_empty().then(Vec::new);
    };
    let lengths = number(*count).checked_mul(2 * NUMBER)?;
    // A false number reserves no memory: there are lengths for each pair, or it is no map.
    let (lengths, texts) = rest.split_at_checked(lengths)?;
    let (lengths, _) = lengths.as_chunks();
    let mut pairs = Vec::with_capacity(lengths.len() / 2);
    let mut at = map.len().checked_sub(texts.len())?;
    let (lengths, _) = lengths.as_chunks();
    for [name, value] in lengths {
        let name = text(&mut at, *name)?;
        let value = text(&mut at, *value)?;
        pairs.push(Pair { name, value });
    }
    (at <= map.len()).then_some(pairs)
}

/// Where the next text is, which has this length and a zero byte after it.
fn text(at: &mut usize, length: [u8; NUMBER]) -> Option<Range<usize>> {
    let start = *at;
    let end = start.checked_add(number(length))?;
    *at = end.checked_add(1)?;
    Some(start..end)
}

fn number(bytes: [u8; NUMBER]) -> usize {
    // Lengths of the module's memory have 32 bits.
    usize::try_from(u32::from_le_bytes(bytes)).unwrap_or(usize::MAX)
}

fn push_number(map: &mut Vec<u8>, value: usize) {
    let value = u32::try_from(value).unwrap_or(u32::MAX);
    map.extend_from_slice(&value.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(map: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
        let pairs = read(map)?.into_iter();
        pairs
            .map(|pair| Some((map.get(pair.name)?, map.get(pair.value)?)))
            .collect()
    }

    #[test]
    fn a_map_has_the_form_of_the_abi() {
        let map = encode(&[("a", "bc"), ("d", "")]);
        assert_eq!(
            map,
            b"\x02\0\0\0\x01\0\0\0\x02\0\0\0\x01\0\0\0\0\0\0\0a\0bc\0d\0\0"
        );
        let read: [(&[u8], &[u8]); 2] = [(b"a", b"bc"), (b"d", b"")];
        assert_eq!(texts(&map), Some(read.to_vec()));
        assert_eq!(texts(&encode(&[])), Some(Vec::new()));
        assert_eq!(texts(b""), Some(Vec::new()));
    }

    #[test]
    fn a_map_that_is_not_sound_is_told_from_one_without_headers() {
        let whole = encode(&[("a", "bc"), ("d", "e")]);
        for length in 1..whole.len() {
            assert_eq!(read(whole.split_at(length).0), None, "{length}");
        }
        assert_eq!(read(b"\xff\xff\xff\xff"), None);
        assert_eq!(
            read(b"\x01\0\0\0\xff\xff\xff\xff\xff\xff\xff\xffa\0b\0"),
            None
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(pairs in proptest::collection::vec((".*", ".*"), 0..20)) {
            let pairs: Vec<(&str, &str)> = pairs
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            let map = encode(&pairs);
            let as_bytes = pairs.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
            prop_assert_eq!(texts(&map), Some(as_bytes.collect()));
        }

        #[test]
        fn no_bytes_are_read_beyond_a_map(map in proptest::collection::vec(0_u8..4, 0..80)) {
            if read(&map).is_some() {
                prop_assert!(texts(&map).is_some());
            }
        }
    }
}
