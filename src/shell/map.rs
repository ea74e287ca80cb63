//! Header maps in the form in which host and module hand them to each other (proxy-wasm ABI 0.2.1):
//! the number of pairs, the lengths of each name and value, then the texts, each with a zero byte
//! after it. Numbers have four bytes, the least significant first.

pub(super) fn encode(pairs: &[(&str, &str)]) -> Vec<u8> {
    let texts = || pairs.iter().flat_map(|(name, value)| [*name, *value]);
    let mut map = Vec::new();
    number(&mut map, pairs.len());
    for text in texts() {
        number(&mut map, text.len());
    }
    for text in texts() {
        map.extend_from_slice(text.as_bytes());
        map.push(0);
    }
    map
}

fn number(map: &mut Vec<u8>, value: usize) {
    // A length of the module's memory has 32 bits.
    let value = u32::try_from(value).unwrap_or(u32::MAX);
    map.extend_from_slice(&value.to_le_bytes());
}
