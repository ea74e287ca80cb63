//! How servers and proxies read a path, written anew and simply: none of it is the gate's code.

use std::collections::BTreeSet;

/// The most readings that are followed.
const MOST: usize = 200;

/// One thing that a server may do with a path.
type Step = fn(&[u8]) -> Vec<u8>;

/// What servers in use do. Decoding is the first.
const COMMON: [Step; 7] = [
    decoded,
    with_slashes,
    merged,
    resolved,
    without_parameters,
    cut,
    without_host,
];

/// What a server might do besides.
const RARE: [Step; 2] = [without_odd_bytes, cut_at_odd_byte];

/// Every path that a server in use makes of this one: decoded any number of times, with backslashes
/// as slashes, slashes merged, dot segments resolved, and cut at what ends a path or a segment.
pub(crate) fn readings(path: &[u8]) -> BTreeSet<Vec<u8>> {
    follow(path, &COMMON)
}

/// The same, and what becomes of each where bytes that are not printable are cut at or left out.
/// Servers that do that do not decode once more.
pub(crate) fn odd_readings(path: &[u8]) -> BTreeSet<Vec<u8>> {
    let [_, without_decoding @ ..] = &COMMON;
    let mut found = readings(path);
    for reading in found.clone() {
        for step in RARE {
            let odd = step(&reading);
            if odd != reading {
                found.extend(follow(&odd, without_decoding));
            }
        }
    }
    found
}

fn follow(path: &[u8], steps: &[Step]) -> BTreeSet<Vec<u8>> {
    let mut found = BTreeSet::from([path.to_vec()]);
    let mut next = vec![path.to_vec()];
    while let Some(path) = next.pop() {
        for step in steps {
            let other = step(&path);
            if found.len() < MOST && found.insert(other.clone()) {
                next.push(other);
            }
        }
    }
    found
}

fn decoded(path: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let (mut out, mut at) = (Vec::new(), 0);
    while let Some(&byte) = path.get(at) {
        let digits = path.get(at + 1).zip(path.get(at + 2));
        let value = digits.and_then(|(high, low)| Some(digit(*high)? * 16 + digit(*low)?));
        if let (b'%', Some(value)) = (byte, value) {
            out.push(value.to_le_bytes()[0]);
            at += 3;
        } else {
            out.push(byte);
            at += 1;
        }
    }
    out
}

fn with_slashes(path: &[u8]) -> Vec<u8> {
    let slash = |byte: &u8| if *byte == b'\\' { b'/' } else { *byte };
    path.iter().map(slash).collect()
}

fn merged(path: &[u8]) -> Vec<u8> {
    let mut out = path.to_vec();
    out.dedup_by(|next, byte| *next == b'/' && *byte == b'/');
    out
}

fn resolved(path: &[u8]) -> Vec<u8> {
    let mut out: Vec<&[u8]> = Vec::new();
    for segment in path.split(|byte| *byte == b'/').skip(1) {
        match segment {
            b"." => {}
            b".." => drop(out.pop()),
            _ => out.push(segment),
        }
    }
    [b"/", out.join(&b'/').as_slice()].concat()
}

fn without_parameters(path: &[u8]) -> Vec<u8> {
    let segments = path.split(|byte| *byte == b'/');
    let segments = segments.map(|segment| segment.split(|byte| *byte == b';').next());
    let segments: Vec<&[u8]> = segments.map(Option::unwrap_or_default).collect();
    segments.join(&b'/')
}

fn cut(path: &[u8]) -> Vec<u8> {
    let ends = |byte: &u8| matches!(byte, b'?' | b'#');
    let end = path.iter().position(ends).unwrap_or(path.len());
    path[..end].to_vec()
}

fn cut_at_odd_byte(path: &[u8]) -> Vec<u8> {
    let end = path.iter().position(|byte| !byte.is_ascii_graphic());
    path[..end.unwrap_or(path.len())].to_vec()
}

fn without_odd_bytes(path: &[u8]) -> Vec<u8> {
    path.iter().copied().filter(u8::is_ascii_graphic).collect()
}

/// A host (RFC 3986 §3.2.2) has no backslash.
fn without_host(path: &[u8]) -> Vec<u8> {
    let Some(rest) = path.strip_prefix(b"//") else {
        return path.to_vec();
    };
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'\\'));
    match end.and_then(|end| rest.get(end..)) {
        Some(rest) if rest.starts_with(b"/") => rest.to_vec(),
        Some(_) => path.to_vec(),
        None => b"/".to_vec(),
    }
}
