//! Random paths, with random rewrites on the way to n8n.
//!
//! Proxies before and after this filter may rewrite a path. With any rewrites, a path that reaches
//! a guarded surface of n8n must be guarded here, and the surface here must be the surface in n8n.
//! Otherwise an attacker could avoid a rule.

use n8n_idp_gate::n8n::{classify, Endpoints, Line, Operation, Prefixes, Surface};
use proptest::prelude::*;
use proptest::sample::select;

use super::is_guarded;

/// A rewrite of a path by a proxy or by n8n's own parser.
#[derive(Clone, Copy, Debug)]
enum Hop {
    Decode,
    DecodeUnreserved,
    DecodeSlashes,
    MergeSlashes,
    ResolveDots,
    BackslashToSlash,
    CutParameters,
    CutAtControl,
    DropControls,
    DropHost,
    LowerCase,
}

const HOPS: [Hop; 11] = [
    Hop::Decode,
    Hop::DecodeUnreserved,
    Hop::DecodeSlashes,
    Hop::MergeSlashes,
    Hop::ResolveDots,
    Hop::BackslashToSlash,
    Hop::CutParameters,
    Hop::CutAtControl,
    Hop::DropControls,
    Hop::DropHost,
    Hop::LowerCase,
];

impl Hop {
    fn apply(self, path: &[u8]) -> Vec<u8> {
        let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let each_segment = |change: &dyn Fn(&[u8]) -> Vec<u8>| {
            path.split(|byte| *byte == b'/')
                .map(change)
                .collect::<Vec<_>>()
                .join(&b'/')
        };
        match self {
            Self::Decode => decode(path, |_| true),
            Self::DecodeUnreserved => decode(path, is_unreserved),
            Self::DecodeSlashes => decode(path, |byte| matches!(byte, b'/' | b'\\')),
            Self::MergeSlashes => {
                let mut merged = path.to_vec();
                merged.dedup_by(|one, other| *one == b'/' && *other == b'/');
                merged
            }
            Self::ResolveDots => resolve_dots(path),
            Self::BackslashToSlash => replace(path, b'\\', b'/'),
            Self::CutParameters => each_segment(&|segment| cut(segment, |byte| byte == b';')),
            Self::CutAtControl => cut(path, |byte| byte.is_ascii_control()),
            Self::DropControls => {
                let mut rest = path.to_vec();
                rest.retain(|byte| !byte.is_ascii_control());
                rest
            }
            Self::DropHost => match path.strip_prefix(b"//") {
                Some(rest) => rest
                    .iter()
                    .position(|byte| *byte == b'/')
                    .and_then(|end| rest.get(end..))
                    .unwrap_or(b"/")
                    .to_vec(),
                None => path.to_vec(),
            },
            Self::LowerCase => path.to_ascii_lowercase(),
        }
    }
}

fn decode(path: &[u8], is_decoded: impl Fn(u8) -> bool) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut rest = path;
    while let [first, after @ ..] = rest {
        let (byte, after) = match after {
            [high, low, after @ ..] if *first == b'%' => octet(*high, *low)
                .filter(|octet| is_decoded(*octet))
                .map(|octet| (octet, after)),
            _ => None,
        }
        .unwrap_or((*first, after));
        decoded.push(byte);
        rest = after;
    }
    decoded
}

fn octet(high: u8, low: u8) -> Option<u8> {
    let digits = [high, low];
    let digits = std::str::from_utf8(&digits).ok()?;
    // `from_str_radix` would accept a sign.
    u8::from_str_radix(digits, 16)
        .ok()
        .filter(|_| high.is_ascii_hexdigit())
}

/// RFC 3986 §5.2.4, by segments.
fn resolve_dots(path: &[u8]) -> Vec<u8> {
    let mut kept: Vec<&[u8]> = Vec::new();
    for segment in path.split(|byte| *byte == b'/').skip(1) {
        match segment {
            b"." => {}
            b".." => {
                kept.pop();
            }
            _ => kept.push(segment),
        }
    }
    [b"/".as_slice(), &kept.join(&b'/')].concat()
}

fn replace(path: &[u8], old: u8, new: u8) -> Vec<u8> {
    path.iter()
        .map(|byte| if *byte == old { new } else { *byte })
        .collect()
}

fn cut(text: &[u8], is_end: impl Fn(u8) -> bool) -> Vec<u8> {
    text.iter().copied().take_while(|b| !is_end(*b)).collect()
}

/// The guarded prefixes of two n8n installations.
fn prefixes(is_renamed: bool) -> (Prefixes, [(Surface, &'static str); 5]) {
    let (api, webhook, rest) = if is_renamed {
        ("rest/api", "hooks/in", "internal")
    } else {
        ("api", "webhook", "rest")
    };
    let endpoints = Endpoints {
        api: api.to_owned(),
        webhook: webhook.to_owned(),
        rest: rest.to_owned(),
        ..Endpoints::default()
    };
    let guarded = [
        (Surface::PublicApi, api),
        (Surface::Webhook, webhook),
        (Surface::Form, "form"),
        (Surface::Mcp, "mcp"),
        (Surface::Metrics, "metrics"),
    ];
    (Prefixes::of(endpoints), guarded)
}

/// The guarded surface to which n8n would route `path`, and the parameters. It is the routing of
/// n8n, as the table of real responses shows it.
fn route_as_n8n(
    guarded: &[(Surface, &'static str)],
    path: &[u8],
) -> Option<(Surface, Vec<Vec<u8>>)> {
    let path = path.strip_prefix(b"/")?;
    let path = path.strip_suffix(b"/").unwrap_or(path);
    let segments: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
    guarded.iter().find_map(|(surface, prefix)| {
        let prefix: Vec<&str> = prefix.split('/').collect();
        let (above, below) = segments.split_at_checked(prefix.len())?;
        let is_here = above
            .iter()
            .zip(prefix)
            .all(|(segment, prefix)| segment.eq_ignore_ascii_case(prefix.as_bytes()));
        let below = below
            .iter()
            .map(|segment| decode(segment, |_| true).to_ascii_lowercase())
            .collect();
        is_here.then_some((*surface, below))
    })
}

fn piece() -> impl Strategy<Value = &'static [u8]> {
    select(vec![
        b"api".as_slice(),
        b"API",
        b"%61pi",
        b"%2561pi",
        b"v1",
        b"%76%31",
        b"workflows",
        b"webhook",
        b"Webhook",
        b"web%68ook",
        b"form",
        b"mcp",
        b"metrics",
        b"rest",
        b"hooks",
        b"in",
        b"i%6e",
        b"orders",
        b"caf%C3%A9",
        b"caf\xc3\xa9",
        b"u@h",
        b"a b",
        b"x",
        b".",
        b"..",
        b"%2e",
        b"%2E%2e",
        b"%252e",
        b"..;",
        b";",
        b";x",
        b"%3b",
        b"%253b",
        b"%2f",
        b"%252F",
        b"%5c",
        b"%255c",
        b"\\",
        b"%",
        b"%25",
        b"%20",
        b"%40",
        b"%ff",
        b"%00",
        b"%09",
        b"\x00",
        b"\t",
        b"\x7f",
        b"/",
        b"//",
        b"/",
        b"/",
        b"/",
    ])
}

/// Any of the pieces in any order, in half of the cases with slashes between them.
fn path() -> impl Strategy<Value = Vec<u8>> {
    (prop::collection::vec(piece(), 0..9), any::<bool>()).prop_map(|(pieces, is_slashed)| {
        let separator: &[u8] = if is_slashed { b"/" } else { b"" };
        [b"/".as_slice(), &pieces.join(separator)].concat()
    })
}

fn way() -> impl Strategy<Value = Vec<Hop>> {
    prop::collection::vec(select(HOPS.to_vec()), 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_guarded_in_n8n_was_passed_as_something_else(
        is_renamed in any::<bool>(), path in path(), way in way(),
    ) {
        let (prefixes, guarded) = prefixes(is_renamed);
        let arrived = way.iter().fold(path.clone(), |path, hop| hop.apply(&path));
        if let (Some((surface, _)), Ok(route)) =
            (route_as_n8n(&guarded, &arrived), classify(&prefixes, &path))
        {
            let arrived = arrived.escape_ascii().to_string();
            prop_assert_eq!(surface, route.surface, "arrived as {}", arrived);
        }
    }

    #[test]
    fn a_guarded_path_means_the_same_after_every_hop(
        is_renamed in any::<bool>(), path in path(), way in way(),
    ) {
        let (prefixes, guarded) = prefixes(is_renamed);
        let arrived = way.iter().fold(path.clone(), |path, hop| hop.apply(&path));
        if let Some(route) = classify(&prefixes, &path).ok().filter(|r| is_guarded(r.surface)) {
            let prefix = guarded.iter().find(|(surface, _)| *surface == route.surface);
            let below = route
                .segments
                .iter()
                .skip(prefix.unwrap().1.split('/').count())
                .map(|segment| segment.to_ascii_lowercase().into_bytes())
                .collect();
            prop_assert_eq!(Some((route.surface, below)), route_as_n8n(&guarded, &arrived));
            if let Ok(again) = classify(&prefixes, &arrived) {
                for line in Line::ALL {
                    let found = Operation::find(b"GET", &route, line);
                    prop_assert_eq!(found, Operation::find(b"GET", &again, line));
                }
            }
        }
    }

    #[test]
    fn no_bytes_cause_a_panic(path in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(route) = classify(&Prefixes::default(), &path) {
            prop_assert!(path.starts_with(b"/"));
            let is_whole = route.segments.iter().all(|segment| !segment.is_empty());
            prop_assert!(is_whole || !is_guarded(route.surface));
        }
    }
}
