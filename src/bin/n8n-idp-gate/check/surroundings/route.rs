//! Routes, and how they change paths and hosts: Envoy's, Istio's `VirtualService`, and the
//! `HTTPRoute` of the Gateway API.

use serde_json::{Map, Value};

use crate::diagnostic::Place;
use crate::file::fields::{field, snake};

/// How a route changes a request after the decision of the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rewrite {
    /// It removes a `path_prefix`, as the gate does.
    Fits,
    /// The same, but leaves two slashes.
    Doubles,
    /// It changes the path.
    Path,
    /// It changes the host.
    Host,
}

/// What an object rewrites, each with the name of its field. The action of an Envoy route is
/// read together with what the route matches, and not again alone.
pub(super) fn rewrites(
    members: &Map<String, Value>,
    is_action: bool,
    prefixes: &[String],
) -> Vec<(Rewrite, String)> {
    let mut found = Vec::new();
    for (name, value) in members {
        let mut add = |rewrite, inner: &str| found.push((rewrite, format!("{name}{inner}")));
        match &*snake(name) {
            "regex_rewrite" | "path_rewrite_policy" | "path_rewrite" => add(Rewrite::Path, ""),
            "prefix_rewrite" if !is_action => add(Rewrite::Path, ""),
            "host_rewrite"
            | "host_rewrite_literal"
            | "host_rewrite_header"
            | "host_rewrite_path"
            | "host_rewrite_path_regex"
            | "auto_host_rewrite_header" => add(Rewrite::Host, ""),
            "auto_host_rewrite" if *value == true => add(Rewrite::Host, ""),
            "route" => {
                let action = value.as_object();
                if let Some(rewrite) = action.and_then(|action| field(action, "prefix_rewrite")) {
                    let matched = members.get("match");
                    add(of_envoy(matched, rewrite, prefixes), ".prefix_rewrite");
                }
            }
            "rewrite" => {
                for (rewrite, inner) in of_istio(members, value, prefixes) {
                    add(rewrite, inner);
                }
            }
            "filters" => {
                let filters = value.as_array().into_iter().flatten();
                let filters =
                    filters.filter_map(|filter| field(filter.as_object()?, "url_rewrite"));
                for (rewrite, inner) in filters.flat_map(|own| of_gateway(members, own, prefixes)) {
                    add(rewrite, &format!(".urlRewrite{inner}"));
                }
            }
            // A filter in a manifest of its own, which routes elsewhere name.
            "url_rewrite" if !is_filter(members) => {
                for (rewrite, inner) in of_gateway(members, value, &[]) {
                    add(rewrite, inner);
                }
            }
            _ => {}
        }
    }
    found
}

/// Whether an object is of a kind that has routes.
pub(super) fn is_routing(members: &Map<String, Value>) -> bool {
    let kind = members.get("kind").and_then(Value::as_str);
    let kinds = [
        "VirtualService",
        "HTTPRoute",
        "HTTPRouteFilter",
        "EnvoyFilter",
    ];
    kind.is_some_and(|kind| kinds.contains(&kind)) || field(members, "virtual_hosts").is_some()
}

/// One of the `filters` of an `HTTPRoute`.
fn is_filter(members: &Map<String, Value>) -> bool {
    members.get("type").and_then(Value::as_str) == Some("URLRewrite")
}

fn of_envoy(matched: Option<&Value>, rewrite: &Value, prefixes: &[String]) -> Rewrite {
    let matched = matched.and_then(Value::as_object);
    let text = |name| matched.and_then(|matched| field(matched, name)?.as_str());
    if rewrite != "/" {
        return Rewrite::Path;
    }
    let is_prefix = |path: &str| prefixes.iter().any(|prefix| prefix == path);
    match (text("prefix"), text("path_separated_prefix"), text("path")) {
        (Some(prefix), ..) if prefix.strip_suffix('/').is_some_and(is_prefix) => Rewrite::Fits,
        (Some(prefix), ..) if is_prefix(prefix) => Rewrite::Doubles,
        (_, Some(prefix), _) if is_prefix(prefix) => Rewrite::Doubles,
        (_, _, Some(path)) if is_prefix(path) => Rewrite::Fits,
        _ => Rewrite::Path,
    }
}

/// A route of a `VirtualService`; Istio itself makes sure that no slash is doubled.
fn of_istio<'r>(
    members: &'r Map<String, Value>,
    rewrite: &'r Value,
    prefixes: &'r [String],
) -> impl Iterator<Item = (Rewrite, &'static str)> + 'r {
    let host = rewrite
        .get("authority")
        .map(|_| (Rewrite::Host, ".authority"));
    let regex = rewrite.get("uriRegexRewrite");
    let regex = regex.map(|_| (Rewrite::Path, ".uriRegexRewrite"));
    let path = rewrite.get("uri").map(|uri| {
        let matches = members.get("match").and_then(Value::as_array);
        let fits = |one: &Value| {
            let prefix = text_at(one, "/uri/prefix").unwrap_or_default();
            prefixes
                .iter()
                .any(|own| prefix.trim_end_matches('/') == own)
        };
        let all_fit = matches.is_some_and(|all| !all.is_empty() && all.iter().all(fits));
        let takes_off = all_fit && uri == "/";
        (
            if takes_off {
                Rewrite::Fits
            } else {
                Rewrite::Path
            },
            ".uri",
        )
    });
    [host, regex, path].into_iter().flatten()
}

/// A rule of an `HTTPRoute`.
fn of_gateway<'r>(
    members: &'r Map<String, Value>,
    rewrite: &'r Value,
    prefixes: &'r [String],
) -> impl Iterator<Item = (Rewrite, &'static str)> + 'r {
    let host = rewrite
        .get("hostname")
        .map(|_| (Rewrite::Host, ".hostname"));
    let path = rewrite.get("path").map(|path| {
        let matches = members.get("matches").and_then(Value::as_array);
        // Which kind of match the replacement belongs to, and the path that n8n gets.
        let (kind, inner) = match text_at(path, "/type") {
            Some("ReplacePrefixMatch") => ("PathPrefix", text_at(path, "/replacePrefixMatch")),
            Some("ReplaceFullPath") => ("Exact", text_at(path, "/replaceFullPath")),
            _ => ("", None),
        };
        let fits = |one: &Value| {
            let value = text_at(one, "/path/value").unwrap_or_default();
            let is_kind = text_at(one, "/path/type").unwrap_or("PathPrefix") == kind;
            let mut prefixes = prefixes.iter();
            is_kind
                && prefixes.any(|own| match inner {
                    Some("/") => value.trim_end_matches('/') == own,
                    Some(inner) => {
                        inner.starts_with('/') && value.strip_prefix(&**own) == Some(inner)
                    }
                    None => false,
                })
        };
        let takes_off = matches.is_some_and(|all| !all.is_empty() && all.iter().all(fits));
        (
            if takes_off {
                Rewrite::Fits
            } else {
                Rewrite::Path
            },
            ".path",
        )
    });
    [host, path].into_iter().flatten()
}

fn text_at<'v>(value: &'v Value, at: &str) -> Option<&'v str> {
    value.pointer(at)?.as_str()
}

/// An Envoy route that leads to a cluster.
pub(super) struct Route {
    pub(super) place: Place,
    pub(super) cluster: String,
    /// Whether it removes a `path_prefix`.
    pub(super) fits: bool,
}

impl Route {
    /// The route that an object is, if it is one.
    pub(super) fn of(
        members: &Map<String, Value>,
        place: Place,
        prefixes: &[String],
    ) -> Option<Self> {
        let action = members.get("route")?.as_object()?;
        let matched = members.get("match").filter(|matched| matched.is_object());
        let rewrite = field(action, "prefix_rewrite");
        let fits = rewrite.is_some_and(|rewrite| {
            let of = of_envoy(matched, rewrite, prefixes);
            matches!(of, Rewrite::Fits | Rewrite::Doubles)
        });
        Some(Self {
            place,
            cluster: action.get("cluster")?.as_str()?.to_owned(),
            fits,
        })
    }
}
