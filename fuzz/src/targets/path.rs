//! Says which part of n8n a path belongs to, with and without `path_prefix`.
//!
//! The first byte chooses the names of the endpoints: `o` for others than n8n's own.

use n8n_idp_gate::n8n::{classify, Endpoints, Location, PathPrefix, Prefixes, Route, Surface};

use crate::oracle::{odd_readings, readings};

/// The prefix below which n8n is served.
const PREFIX: &str = "/n8n";

/// The target.
pub fn run(input: &[u8]) {
    let Some((names, path)) = input.split_first() else {
        return;
    };
    let mut endpoints = Endpoints::default();
    if *names == b'o' {
        "v/api".clone_into(&mut endpoints.api);
        "hooks".clone_into(&mut endpoints.webhook);
        "a/b".clone_into(&mut endpoints.form);
    }
    let prefixes = Prefixes::of(endpoints);
    if let Ok(route) = classify(&prefixes, path) {
        // In a guarded path an encoded space or letter that is not ASCII is one of a name.
        let readings = if is_guarded(route.surface) {
            readings(path)
        } else {
            odd_readings(path)
        };
        for reading in &readings {
            if let Ok(other) = classify(&prefixes, reading) {
                check_reading(&route, &other, path, reading);
            }
        }
        if is_guarded(route.surface) {
            check_again(&prefixes, &route, path);
        }
    }
    let prefix = PathPrefix::parse(PREFIX).expect("a prefix");
    match prefix.locate(&prefixes, path) {
        Ok(Location::Outside) => {
            for reading in &odd_readings(path) {
                let is_inside =
                    matches!(prefix.locate(&prefixes, reading), Ok(Location::Inside(_)));
                assert!(!is_inside, "{} is read as {}", shown(path), shown(reading));
            }
        }
        Ok(Location::Inside(below)) => {
            let rest = path.strip_prefix(PREFIX.as_bytes()).expect("the prefix");
            assert_eq!(below, if rest.is_empty() { b"/" } else { rest });
        }
        Err(_) => {}
    }
}

/// No server reads something guarded in a path that passes, nor another thing in a guarded path.
fn check_reading(route: &Route<'_>, other: &Route<'_>, path: &[u8], reading: &[u8]) {
    let (path, reading) = (shown(path), shown(reading));
    if is_guarded(route.surface) {
        assert_eq!(route.surface, other.surface, "{path} is read as {reading}");
        assert_eq!(
            route.segments, other.segments,
            "{path} is read as {reading}"
        );
    } else {
        assert!(!is_guarded(other.surface), "{path} is read as {reading}");
    }
}

/// A guarded path is its segments: written anew from them, it is the same.
fn check_again(prefixes: &Prefixes, route: &Route<'_>, path: &[u8]) {
    let mut anew = String::new();
    for segment in &route.segments {
        anew.push('/');
        for byte in segment.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@|\"<>[]^`{}".contains(&byte) {
                anew.push(char::from(byte));
            } else {
                anew.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    let again = classify(prefixes, anew.as_bytes());
    assert_eq!(again.as_ref(), Ok(route), "{} is {anew}", shown(path));
}

/// Whether the gate decides by what is in the path.
fn is_guarded(surface: Surface) -> bool {
    matches!(
        surface,
        Surface::PublicApi
            | Surface::Webhook
            | Surface::WebhookTest
            | Surface::WebhookWaiting
            | Surface::Form
            | Surface::Chat
            | Surface::Agent
            | Surface::Metrics
    )
}

fn shown(path: &[u8]) -> String {
    path.escape_ascii().to_string()
}
