//! How values are written for other workers: parts, each with its length before it.

use crate::time::UnixMillis;

/// Adds a part with its length before it.
pub(in crate::facts) fn put(bytes: &mut Vec<u8>, part: &[u8]) {
    // Nothing that is shared comes near 4 GiB; what would is cut and does not open as anything.
    let length = u32::try_from(part.len()).unwrap_or_default();
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(part);
}

/// Takes the next part.
pub(in crate::facts) fn take<'b>(rest: &mut &'b [u8]) -> Option<&'b [u8]> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (part, after) = after.split_at_checked(length)?;
    *rest = after;
    Some(part)
}

pub(in crate::facts) fn text<'b>(rest: &mut &'b [u8]) -> Option<&'b str> {
    std::str::from_utf8(take(rest)?).ok()
}

pub(in crate::facts) fn number(part: &[u8]) -> Option<u64> {
    part.try_into().ok().map(u64::from_be_bytes)
}

pub(in crate::facts) fn moment(rest: &mut &[u8]) -> Option<UnixMillis> {
    number(take(rest)?).map(UnixMillis)
}
