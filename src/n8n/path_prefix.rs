//! The path below which an n8n is served.
//!
//! n8n itself does not know the prefix: a route removes it after the decision. So the gate decides on
//! the rest of the path, and refuses every path that only some routes could read as one below the
//! prefix.

use super::path::{could_begin_with, fault_of, segments};
use super::route::could_be_guarded;
use super::{EndpointFault, Endpoints, PathFault, Prefixes};

/// A path such as `/n8n`, without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPrefix {
    /// As clients write it.
    text: String,
    /// In lower case, without the first slash.
    folded: String,
}

/// Where a path lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Location<'p> {
    /// At or below the prefix; this is the path that n8n gets.
    Inside(&'p [u8]),
    /// Elsewhere, in every reading.
    Outside,
}

impl PathPrefix {
    /// Reads a prefix, with or without slashes at its ends.
    pub fn parse(text: &str) -> Result<Self, EndpointFault> {
        let folded = Endpoints::normalize(text)?;
        Ok(Self {
            text: format!("/{}", text.trim_matches('/')),
            folded,
        })
    }

    /// The prefix as clients write it: with its first slash, without one at the end.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a path that an operator writes begins with the prefix.
    pub fn begins(&self, path: &str) -> bool {
        let rest = path.strip_prefix(&self.text);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Whether `path` (raw, without the query) is below the prefix.
    ///
    /// Routes differ in what they match: without regard to case, a prefix that ends within a
    /// segment (`/n8nwebhook` becomes `/webhook`), after slashes were merged or dots resolved. A
    /// path that only some of them match is refused: n8n would get another path than the one that the
    /// decision was about.
    pub fn locate<'p>(
        &self,
        prefixes: &Prefixes,
        path: &'p [u8],
    ) -> Result<Location<'p>, PathFault> {
        match path.strip_prefix(self.text.as_bytes()) {
            Some(b"") => return Ok(Location::Inside(b"/")),
            Some(below @ [b'/', ..]) => return Ok(Location::Inside(below)),
            _ => {}
        }
        if !path.starts_with(b"/") {
            return Err(PathFault::NotAbsolute);
        }
        let has_one_reading =
            !path.contains(&b'%') && segments(path).all(|segment| fault_of(segment).is_none());
        let could_be_inside = if has_one_reading {
            self.is_taken_off(prefixes, path)
        } else {
            could_begin_with(path, &self.folded)
        };
        if could_be_inside {
            return Err(PathFault::PathPrefix);
        }
        Ok(Location::Outside)
    }

    /// Whether a route that ignores case, or matches within a segment, would give n8n a path that the
    /// gate guards. `/n8n-docs` is of another application beside `/n8n`, and no path that a route makes
    /// of it is guarded.
    fn is_taken_off(&self, prefixes: &Prefixes, path: &[u8]) -> bool {
        let Some((start, rest)) = path.split_at_checked(self.text.len()) else {
            return false;
        };
        if !start.eq_ignore_ascii_case(self.text.as_bytes()) {
            return false;
        }
        if rest.is_empty() || rest.starts_with(b"/") {
            return true;
        }
        could_be_guarded(prefixes, &[b"/", rest].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::n8n::{classify, Surface};

    fn located<'p>(prefix: &str, path: &'p str) -> Result<Location<'p>, PathFault> {
        let prefix = PathPrefix::parse(prefix).unwrap();
        prefix.locate(&Prefixes::default(), path.as_bytes())
    }

    #[test]
    fn what_is_plainly_below_the_prefix_is_what_is_left_without_it() {
        for (prefix, path, inside) in [
            ("/n8n", "/n8n", "/"),
            ("/n8n/", "/n8n/", "/"),
            ("/n8n", "/n8n/webhook/x", "/webhook/x"),
            ("/n8n", "/n8n/N8N/x", "/N8N/x"),
            ("/n8n", "/n8n/n8n/x", "/n8n/x"),
            // What is odd below the prefix is judged as it is without one.
            ("/n8n", "/n8n//webhook/x", "//webhook/x"),
            ("/n8n", "/n8n/../webhook/x", "/../webhook/x"),
            ("/Tools/n8n", "/Tools/n8n/api/v1", "/api/v1"),
        ] {
            let location = Location::Inside(inside.as_bytes());
            assert_eq!(located(prefix, path), Ok(location), "{prefix} {path}");
        }
    }

    #[test]
    fn what_some_route_takes_for_below_the_prefix_is_refused() {
        for path in [
            // Routes that ignore case.
            "/N8N/webhook/x",
            "/N8n",
            "/n8N/",
            // Routes that match within a segment, and leave the rest of it.
            "/n8nwebhook/x",
            "/n8nWebhook/x",
            "/N8Nwebhook",
            "/n8napi/v1/workflows",
            "/n8nmetrics",
            "/n8nform-waiting/1",
            // Proxies that decode, merge, resolve, or cut.
            "/%6e8n/webhook/x",
            "/%6E8n",
            "/%256e8n/webhook/x",
            "//n8n/webhook/x",
            "///n8n",
            "/./n8n/x",
            "/x/../n8n/webhook/x",
            "/x/..%2fn8n/webhook/x",
            "/n8n%2fwebhook/x",
            "/n8n%5cwebhook",
            "/n8n\\webhook",
            "\\n8n/webhook",
            "/n8n;a/webhook/x",
            "/n8n;/webhook",
            "/n8n%3b/webhook",
            "/n8n%20/webhook",
            "/n8n%00/webhook",
            "/n8n\t/webhook",
            "/n8n.%2fx/../webhook",
            "/n8n%",
            "/n8nweb%68ook/x",
            "/n8n\u{e9}/webhook",
            "//host/n8n/webhook",
        ] {
            let fault = if path.starts_with('\\') {
                PathFault::NotAbsolute
            } else {
                PathFault::PathPrefix
            };
            assert_eq!(located("/n8n", path), Err(fault), "{path}");
        }
        for path in [
            "/tools/N8N/x",
            "/tools//n8n",
            "/tools/n8nwebhook",
            "/Tools/n8n",
        ] {
            assert_eq!(
                located("/tools/n8n", path),
                Err(PathFault::PathPrefix),
                "{path}"
            );
        }
    }

    #[test]
    fn what_no_route_reads_as_below_the_prefix_is_outside() {
        for path in [
            "/",
            "/x",
            "/webhook/x",
            "/api/v1/workflows",
            "/x/n8n/webhook",
            "/n8/n",
            "/n8",
            // Another application, whose name begins alike.
            "/n8n-docs/webhook",
            "/n8n2/",
            "/docs/a%20b",
            "/docs//x",
            "/docs;v=1/n8",
        ] {
            assert_eq!(located("/n8n", path), Ok(Location::Outside), "{path}");
        }
        assert_eq!(located("/tools/n8n", "/tools"), Ok(Location::Outside));
        assert_eq!(located("/tools/n8n", "/tools/x"), Ok(Location::Outside));
    }

    /// Against every route that takes the prefix off, whatever is put before, between and behind.
    #[test]
    fn no_route_gives_n8n_what_was_judged_as_something_else() {
        let parts = [
            "/", "/n8n", "/N8N", "n8n", "/webhook", "webhook", "x", "/..", "/.", "/%6e8n", "%2f",
            ";", "-",
        ];
        let mut paths = vec![String::new()];
        for _ in 0..4 {
            let longer = paths
                .iter()
                .flat_map(|path| parts.map(|part| format!("{path}{part}")));
            let longer: Vec<_> = longer.collect();
            paths.extend(longer);
        }
        let prefixes = Prefixes::default();
        let mut met = 0_usize;
        for path in &paths {
            for stripped in routes(path) {
                let lower = stripped.to_ascii_lowercase();
                let is_webhook = lower == "/webhook" || lower.starts_with("/webhook/");
                let judged = match located("/n8n", path) {
                    Err(_) => continue,
                    Ok(Location::Inside(inside)) => classify(&prefixes, inside),
                    Ok(Location::Outside) => Ok(classify(&prefixes, b"/").unwrap()),
                };
                let Ok(judged) = judged.map(|route| route.surface) else {
                    continue;
                };
                if is_webhook {
                    assert_eq!(judged, Surface::Webhook, "{path}: {stripped}");
                    met += 1;
                }
            }
        }
        assert!(met > 100, "{met}");
    }

    /// What Envoy's routes, and those that Istio and Envoy Gateway make, give n8n for a path.
    fn routes(path: &str) -> Vec<String> {
        let lower = path.to_ascii_lowercase();
        let mut stripped = Vec::new();
        // `prefix: /n8n/` and `prefix: /n8n` with `prefix_rewrite: /`, with and without case.
        for prefix in ["/n8n/", "/n8n"] {
            if lower.starts_with(prefix) {
                let rest = path.get(prefix.len()..).unwrap();
                stripped.push(format!("/{rest}"));
            }
        }
        // `^/n8n(/?)(.*)` with `/\2`, and `^/n8n/*` with `/`.
        if let Some(rest) = path.strip_prefix("/n8n") {
            stripped.push(format!("/{}", rest.strip_prefix('/').unwrap_or(rest)));
            if rest.is_empty() || rest.starts_with('/') {
                stripped.push(format!("/{}", rest.trim_start_matches('/')));
            }
        }
        stripped
    }
}
