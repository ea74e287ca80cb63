//! Whether all programs between the client and n8n read a path in the same way.
//!
//! Proxies decode, merge, fold and resolve paths in different ways, before the gate and after it. A path
//! that none of them changes is plain. For any other path this module says what is odd about it, and
//! whether some program could read it as one under a given prefix.

use std::borrow::Cow;

use thiserror::Error;

use crate::formats::percent;

/// Why a path has no single reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Error)]
pub enum PathFault {
    /// It does not begin with a slash: an absolute or an asterisk form (RFC 9112 §3.2).
    #[error("the path does not begin with /")]
    NotAbsolute,
    /// Two slashes in a row, which some proxies merge.
    #[error("the path has an empty segment")]
    EmptySegment,
    /// `.` or `..`, encoded or not, which some proxies resolve (RFC 3986 §5.2.4).
    #[error("the path has a dot segment")]
    DotSegment,
    /// `;`, after which some servers cut a segment.
    #[error("the path has a semicolon")]
    Semicolon,
    /// A backslash, which some servers read as a slash.
    #[error("the path has a backslash")]
    Backslash,
    /// An encoded slash: n8n's webhooks read it as a slash, its routes do not.
    #[error("the path has an encoded slash")]
    EncodedSlash,
    /// `?` or `#` within the path, which ends it when a program decodes it.
    #[error("the path has an encoded ? or #")]
    EncodedDelimiter,
    /// An encoded byte where n8n's route is literal: n8n does not decode it, a proxy may.
    #[error("the path encodes a character that needs no encoding")]
    EncodedLiteral,
    /// `%` without two hexadecimal digits.
    #[error("the path has a broken percent-encoding")]
    BadPercentEncoding,
    /// The decoded path can be decoded again.
    #[error("the path is percent-encoded more than once")]
    DoubleEncoding,
    /// A byte below 0x21, or 0x7f, encoded or not. An encoded space is allowed.
    #[error("the path has a control byte")]
    ControlByte,
    /// A byte above 0x7e that is not encoded.
    #[error("the path has a byte that is not ASCII")]
    NonAscii,
    /// The decoded path is not UTF-8.
    #[error("the path does not decode to UTF-8")]
    InvalidUtf8,
    /// More than [`MOST_SEGMENTS`] segments where a rule may be about each of them, or where the
    /// path has to be read in several ways.
    #[error("the path has more than {MOST_SEGMENTS} segments")]
    TooManySegments,
    /// A segment that begins with a colon: n8n finds a webhook with parameters by the template
    /// that it was stored with, too (`user/:id/orders`), which is not the path of its rule.
    #[error("the path has a segment that begins with a colon")]
    TemplateSegment,
    /// A vertical bar below a test endpoint: n8n joins the keys of test listeners with it, so
    /// `<id>|1` is the listener at `<id>/:parameter`.
    #[error("the path has a vertical bar below a test endpoint")]
    VerticalBar,
    /// Some routes read it as a path below `path_prefix`, and others do not.
    #[error("the path could be read as one below path_prefix")]
    PathPrefix,
}

impl PathFault {
    /// The code in the audit record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotAbsolute => "not_absolute",
            Self::EmptySegment => "empty_segment",
            Self::DotSegment => "dot_segment",
            Self::Semicolon => "semicolon",
            Self::Backslash => "backslash",
            Self::EncodedSlash => "encoded_slash",
            Self::EncodedDelimiter => "encoded_delimiter",
            Self::EncodedLiteral => "encoded_literal",
            Self::BadPercentEncoding => "bad_percent_encoding",
            Self::DoubleEncoding => "double_encoding",
            Self::ControlByte => "control_byte",
            Self::NonAscii => "non_ascii",
            Self::InvalidUtf8 => "invalid_utf8",
            Self::TooManySegments => "too_many_segments",
            Self::TemplateSegment => "template_segment",
            Self::VerticalBar => "vertical_bar",
            Self::PathPrefix => "path_prefix",
        }
    }
}

/// How many times a path is decoded at most before it is refused, so that a path of `%2525…` costs no
/// more than its length.
const MOST_LAYERS: usize = 4;

/// How many segments a guarded path may have. The deepest route of n8n's public API has 10, and
/// paths of webhooks are written by people.
pub const MOST_SEGMENTS: usize = 64;

/// The segments of `path`, without the empty one after a slash at the end. `path` begins with a slash.
pub(super) fn segments(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let path = path.strip_prefix(b"/").unwrap_or(path);
    let inner = path.strip_suffix(b"/").unwrap_or(path);
    inner
        .split(|byte| *byte == b'/')
        .filter(move |_| !path.is_empty())
}

/// Decodes a segment that has one reading.
pub(super) fn decode_plain(segment: &[u8]) -> Result<Cow<'_, str>, PathFault> {
    if is_name(segment) {
        let name = str::from_utf8(segment);
        return name.map(Cow::Borrowed).map_err(|_| PathFault::InvalidUtf8);
    }
    decode_odd(segment).map(Cow::Owned)
}

/// Why a segment has no single reading, if it has none.
pub(super) fn fault_of(segment: &[u8]) -> Option<PathFault> {
    if is_name(segment) {
        return None;
    }
    decode_odd(segment).err()
}

/// Whether there is one reading, and nothing to decode. That is so of nearly all segments.
fn is_name(segment: &[u8]) -> bool {
    let is_plain = |byte: &u8| is_printable(*byte) && !b"%\\;?#".contains(byte);
    !matches!(segment, b"" | b"." | b"..") && segment.iter().all(is_plain)
}

fn decode_odd(segment: &[u8]) -> Result<String, PathFault> {
    let mut decoded = Vec::with_capacity(segment.len());
    let mut rest = segment;
    while let Some((&byte, after)) = rest.split_first() {
        let (byte, after) = match byte {
            b'%' => decode_octet(after)?,
            0x00..=0x20 | 0x7f => return Err(PathFault::ControlByte),
            0x80.. => return Err(PathFault::NonAscii),
            _ => (byte, after),
        };
        match byte {
            b'/' => return Err(PathFault::EncodedSlash),
            b'\\' => return Err(PathFault::Backslash),
            b';' => return Err(PathFault::Semicolon),
            b'?' | b'#' => return Err(PathFault::EncodedDelimiter),
            0x00..=0x1f | 0x7f => return Err(PathFault::ControlByte),
            _ => decoded.push(byte),
        }
        rest = after;
    }
    match decoded.as_slice() {
        b"" => return Err(PathFault::EmptySegment),
        b"." | b".." => return Err(PathFault::DotSegment),
        _ if decoded.contains(&b'%') && decode_once(&decoded).is_some() => {
            return Err(PathFault::DoubleEncoding)
        }
        _ => {}
    }
    String::from_utf8(decoded).map_err(|_| PathFault::InvalidUtf8)
}

/// Whether a path encodes a character that means the same unencoded (RFC 3986 §2.3).
pub(super) fn has_needless_encoding(path: &[u8]) -> bool {
    path.windows(3).any(|window| {
        matches!(window, [b'%', digits @ ..]
        if decode_octet(digits).is_ok_and(|(byte, _)| {
            byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
        }))
    })
}

/// Whether some program could read `path` as one that begins with one of `prefixes`, in which `*` is
/// any segment.
///
/// Readings: decoded any number of times; backslashes as slashes; empty segments merged; dot
/// segments resolved at any point; segments cut at `;`, `?`, `#` or a byte that is not printable, or
/// without such bytes; `//name` as a host; upper case as lower case.
pub(super) fn could_be_under(path: &[u8], prefixes: &[&str]) -> bool {
    some_layer_is_under(path, prefixes, reads_as)
}

/// Whether some program could read `path` as one that begins with the characters of `prefix`. Its last
/// segment may be longer. Readings: as above.
pub(super) fn could_begin_with(path: &[u8], prefix: &str) -> bool {
    some_layer_is_under(path, &[prefix], begins_as)
}

/// How a segment is compared with the last one of a prefix.
type Ends = fn(&[u8], &str) -> bool;

fn some_layer_is_under(path: &[u8], prefixes: &[&str], ends: Ends) -> bool {
    let mut layer = path.to_vec();
    for _ in 0..MOST_LAYERS {
        if layer_is_under(&layer, prefixes, ends) {
            return true;
        }
        match decode_once(&layer) {
            Some(next) => layer = next,
            None => return false,
        }
    }
    true
}

/// Follows every reading of the segments at once, in one pass for all prefixes. More segments than any
/// path of n8n has could be anything.
fn layer_is_under(layer: &[u8], prefixes: &[&str], ends: Ends) -> bool {
    let segments = || layer.split(|byte| matches!(byte, b'/' | b'\\')).skip(1);
    if segments().nth(MOST_SEGMENTS).is_some() {
        return true;
    }
    let mut all: Vec<Meeting<'_>> = prefixes.iter().copied().map(Meeting::new).collect();
    // After dots are resolved in any way, some of the segments remain in their order.
    let has_dots = segments().any(|segment| reads_as(segment, ".."));
    let mut follows_nothing = false;
    for segment in segments() {
        let may_vanish = reads_as(segment, "") || reads_as(segment, ".");
        // After two slashes it may be read as a host.
        let may_be_skipped = may_vanish || follows_nothing || has_dots;
        let first = segment.iter().copied().find(|byte| is_printable(*byte));
        let first = first.map(|byte| byte.to_ascii_lowercase());
        for one in &mut all {
            if one.is_met_at(segment, first, may_be_skipped, ends) {
                return true;
            }
        }
        all.retain(Meeting::is_open);
        if all.is_empty() {
            return false;
        }
        follows_nothing = may_vanish;
    }
    false
}

/// How far the readings of a path have met a prefix.
struct Meeting<'p> {
    /// The segments of the prefix. `met` of the `n`th: in some reading all before it have been met.
    segments: Vec<Segment<'p>>,
}

struct Segment<'p> {
    wanted: &'p str,
    met: bool,
}

impl<'p> Meeting<'p> {
    fn new(prefix: &'p str) -> Self {
        let segments = prefix.split('/').enumerate();
        let segments = segments.map(|(index, wanted)| Segment {
            wanted,
            met: index == 0,
        });
        Self {
            segments: segments.collect(),
        }
    }

    /// Whether any reading is left.
    fn is_open(&self) -> bool {
        self.segments.iter().any(|segment| segment.met)
    }

    /// Goes on by one segment of the path; whether that meets the last one of the prefix. `first`
    /// is the segment's first printable byte in lower case: most differ there.
    fn is_met_at(
        &mut self,
        segment: &[u8],
        first: Option<u8>,
        may_be_skipped: bool,
        ends: Ends,
    ) -> bool {
        let mut before = false;
        let last = self.segments.len().saturating_sub(1);
        for (index, own) in self.segments.iter_mut().enumerate() {
            let compare = if index == last { ends } else { reads_as };
            let goes_on = own.met
                && (own.wanted == "*"
                    || (own.wanted.bytes().next() == first && compare(segment, own.wanted)));
            own.met = before || (own.met && may_be_skipped);
            before = goes_on;
        }
        before
    }
}

/// Whether some program reads `segment` as `wanted`, which is in lower case: without the bytes that are
/// not printable, and cut at one of them or at `;`, `?` or `#`.
fn reads_as(segment: &[u8], wanted: &str) -> bool {
    after_start(segment, wanted).is_some_and(|rest| {
        rest.first()
            .is_none_or(|byte| !is_printable(*byte) || matches!(byte, b';' | b'?' | b'#'))
    })
}

/// Whether some program reads `segment` as one that begins with `wanted`.
fn begins_as(segment: &[u8], wanted: &str) -> bool {
    after_start(segment, wanted).is_some()
}

/// The rest of a segment after `wanted`, if it begins so without the bytes that are not printable.
fn after_start<'s>(segment: &'s [u8], wanted: &str) -> Option<&'s [u8]> {
    let mut rest = segment.iter();
    let starts_so = wanted.bytes().all(|wanted| {
        rest.find(|byte| is_printable(**byte))
            .is_some_and(|byte| byte.to_ascii_lowercase() == wanted)
    });
    starts_so.then_some(rest.as_slice())
}

const fn is_printable(byte: u8) -> bool {
    matches!(byte, 0x21..=0x7e)
}

/// Decodes each sound encoding, and keeps all other bytes; `None`: there is no encoding.
fn decode_once(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let encoded = if byte == b'%' {
            decode_octet(after).ok()
        } else {
            None
        };
        let (byte, after) = encoded.unwrap_or((byte, after));
        decoded.push(byte);
        rest = after;
    }
    (decoded.len() < text.len()).then_some(decoded)
}

fn decode_octet(digits: &[u8]) -> Result<(u8, &[u8]), PathFault> {
    percent::read(digits).ok_or(PathFault::BadPercentEncoding)
}
