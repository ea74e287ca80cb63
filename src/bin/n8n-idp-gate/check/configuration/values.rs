//! Values that are legal and cannot be meant: placeholders of examples, and what belongs to Microsoft.

use n8n_idp_gate::formats::printable::quoted;
use n8n_idp_gate::token::is_guid;
use serde_json::Value;

use crate::diagnostic::rules::{GRAPH_AUDIENCE, MANY_TENANTS, PLACEHOLDER};
use crate::diagnostic::{Fault, Rule};

/// Looks at every text of a configuration.
pub(super) fn look(configuration: &Value) -> Vec<Fault> {
    let mut found = Vec::new();
    walk(configuration, "", &mut |path, text| {
        if let Some((rule, problem)) = problem(path, text) {
            found.push(Fault::new(rule, path, problem, hint(rule)));
        }
    });
    found
}

fn problem(path: &str, text: &str) -> Option<(&'static Rule, &'static str)> {
    let is_of_provider = path.starts_with("providers[");
    if is_of_provider && path.contains(".audiences") && is_graph(text) {
        let problem = "is Microsoft Graph: its tokens cannot be verified by others, and every \
                       application can have one";
        return Some((GRAPH_AUDIENCE, problem));
    }
    if is_of_provider && path.contains(".issuer") && is_of_many_tenants(text) {
        let problem = "is an address of Entra for many tenants, which no token has as its iss";
        return Some((MANY_TENANTS, problem));
    }
    let is_address = is_of_provider || path.ends_with("public_api.resource");
    let problem = if text.split(|letter| !is_of_guid(letter)).any(is_made_up) {
        "has an id that is made up of one digit, as in examples"
    } else if has_brackets(text) || has_change(text) {
        "looks like the placeholder of an example"
    } else if is_address && is_of_example(text) {
        "has a host that is reserved for examples"
    } else {
        return None;
    };
    Some((PLACEHOLDER, problem))
}

fn hint(rule: &'static Rule) -> &'static str {
    if rule == GRAPH_AUDIENCE {
        "register an API of your own in Entra, and write its id or URI"
    } else if rule == MANY_TENANTS {
        "write the id of the tenant in its place, or tenant without issuer"
    } else {
        "write your own value"
    }
}

fn is_graph(audience: &str) -> bool {
    let audience = audience.trim_end_matches('/').to_ascii_lowercase();
    [
        "00000003-0000-0000-c000-000000000000",
        "https://graph.microsoft.com",
        "00000002-0000-0000-c000-000000000000",
        "https://graph.windows.net",
    ]
    .contains(&&*audience)
}

fn is_of_many_tenants(issuer: &str) -> bool {
    let after = issuer.strip_prefix("https://").unwrap_or(issuer);
    let mut parts = after.split('/');
    let host = parts.next().unwrap_or_default();
    let tenant = parts.next().unwrap_or_default();
    ["login.microsoftonline.com", "sts.windows.net"].contains(&host)
        && ["common", "organizations", "consumers"].contains(&tenant)
}

const fn is_of_guid(letter: char) -> bool {
    letter.is_ascii_hexdigit() || letter == '-'
}

/// Whether a text is a GUID of one digit.
fn is_made_up(text: &str) -> bool {
    let first = text.chars().next();
    is_guid(text)
        && text
            .chars()
            .all(|letter| letter == '-' || Some(letter) == first)
}

/// Whether a text has a `<tenant>` in it.
fn has_brackets(text: &str) -> bool {
    text.split('<').skip(1).any(|rest| {
        let inner = rest.split_once('>').map(|(inner, _)| inner);
        let is_word = |inner: &str| {
            inner.starts_with(|letter: char| letter.is_ascii_alphabetic())
                && inner
                    .chars()
                    .all(|letter| letter.is_ascii_alphanumeric() || " _-".contains(letter))
        };
        inner.is_some_and(is_word)
    })
}

fn has_change(text: &str) -> bool {
    let mut words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.any(|word| word == "CHANGE" || word.eq_ignore_ascii_case("changeme"))
}

/// Whether the host of an address is one of RFC 2606 §3.
fn is_of_example(address: &str) -> bool {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let host = rest.split(['/', ':', '?', '#']).next().unwrap_or_default();
    let host = host.to_ascii_lowercase();
    ["example.com", "example.net", "example.org"]
        .into_iter()
        .any(|domain| {
            let before = host.strip_suffix(domain);
            before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
        })
}

/// Calls `look` with the field path of every text, and the text.
pub(super) fn walk(value: &Value, path: &str, look: &mut impl FnMut(&str, &str)) {
    match value {
        Value::String(text) => look(path, text),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &format!("{path}[{index}]"), look);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                walk(member, &member_path(path, name), look);
            }
        }
        _ => {}
    }
}

/// The field path of a member, as the filter writes it.
fn member_path(path: &str, name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if name.is_empty() || !name.bytes().all(is_plain) {
        format!("{path}[{}]", quoted(name))
    } else if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn placeholders_are_told_from_values() {
        let configuration = |issuer: &str, audience: &str| json!({"providers": [{"issuer": issuer, "audiences": ["n8n", audience]}]});
        let id = "0f6c9d3a-57b2-4f64-9d0e-1f2a3b4c5d6e";
        let good = format!("https://login.microsoftonline.com/{id}/v2.0");
        for (issuer, audience, id) in [
            (&*good, id, None),
            ("https://login.corp.test/a<b", "x>y", None),
            ("https://exchange.corp.test", "CHANGELOG", None),
            ("https://example.community", "https://my-example.com", None),
            (
                "https://login.microsoftonline.com/<tenant>/v2.0",
                id,
                Some("placeholder"),
            ),
            (
                "https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/v2.0",
                id,
                Some("placeholder"),
            ),
            ("https://idp.example.com/realms/a", id, Some("placeholder")),
            (&*good, "CHANGE-ME", Some("placeholder")),
            (
                &*good,
                "api://11111111-1111-1111-1111-111111111111",
                Some("placeholder"),
            ),
            (
                "https://login.microsoftonline.com/common/v2.0",
                id,
                Some("many-tenants"),
            ),
            (
                "https://login.microsoftonline.com/organizations/v2.0",
                id,
                Some("many-tenants"),
            ),
            (
                &*good,
                "00000003-0000-0000-c000-000000000000",
                Some("graph-audience"),
            ),
            (
                &*good,
                "https://graph.microsoft.com/",
                Some("graph-audience"),
            ),
        ] {
            let found = look(&configuration(issuer, audience));
            let ids: Vec<_> = found.iter().map(|fault| fault.rule.id).collect();
            assert_eq!(
                ids,
                id.into_iter().collect::<Vec<_>>(),
                "{issuer} {audience}"
            );
        }
    }

    #[test]
    fn paths_are_those_of_the_filter() {
        let mut paths = Vec::new();
        let whole = json!({"roles": {"N8N.Admin": ["*", "x"]}, "a": {"b": "c"}});
        walk(&whole, "", &mut |path, _| paths.push(path.to_owned()));
        paths.sort();
        assert_eq!(
            paths,
            ["a.b", "roles[\"N8N.Admin\"][0]", "roles[\"N8N.Admin\"][1]"]
        );
    }
}
