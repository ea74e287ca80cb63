//! The objects of one n8n among several, or below a path.

use serde_json::{json, Value};

use crate::render::site::Site;
use crate::render::template::{put, text};

/// How many hosts an `HTTPRoute` has at most.
const MAX_HOSTS: usize = 16;

/// What the path of a protected resource follows in the address of its metadata (RFC 9728 §3.1).
const METADATA: &str = "/.well-known/oauth-protected-resource";

/// An object of the templates as that of this n8n.
pub(super) fn own(site: &Site, sites: &[Site], mut object: Value) -> Result<Value, String> {
    let name = site.named(text(&object, "/metadata/name"));
    match text(&object, "/kind") {
        "Gateway" => {
            host(sites, &mut object)?;
            return Ok(object);
        }
        "HTTPRoute" => route(site, &mut object)?,
        "BackendTrafficPolicy" if text(&object, "/spec/targetRefs/0/kind") == "HTTPRoute" => {
            put(&mut object, "/spec/targetRefs/0/name", name.as_str().into())?;
        }
        // One for the whole Gateway.
        _ => return Ok(object),
    }
    put(&mut object, "/metadata/name", name.into())?;
    Ok(object)
}

/// The host of the listener, if it is one. With one listener for each of several hosts, the name in the TLS
/// handshake would choose among the routes, and not the host of the request alone, by which the gate chooses. An n8n
/// could get the API keys of another.
fn host(sites: &[Site], gateway: &mut Value) -> Result<(), String> {
    let mut hosts = sites.iter().flat_map(|site| &site.hosts);
    let listener = gateway.pointer_mut("/spec/listeners/0");
    let listener = listener.and_then(Value::as_object_mut);
    let listener = listener.ok_or("the template has no listener")?;
    match (hosts.next(), hosts.next()) {
        (Some(_), Some(_)) => {
            listener.remove("hostname");
        }
        (Some(host), None) => {
            listener.insert("hostname".to_owned(), host.as_str().into());
        }
        (None, _) => {}
    }
    Ok(())
}

fn route(site: &Site, object: &mut Value) -> Result<(), String> {
    if site.hosts.len() > MAX_HOSTS {
        return Err(format!(
            "hosts: an HTTPRoute has {MAX_HOSTS} at most. Hint: write a domain, such as *.example.com"
        ));
    }
    if !site.hosts.is_empty() {
        put(object, "/spec/hostnames", site.hosts.clone().into())?;
    }
    if site.prefix.is_empty() {
        return Ok(());
    }
    let rules = object.pointer_mut("/spec/rules");
    let rules = rules.and_then(Value::as_array_mut);
    let rules = rules.ok_or("the template has a route without rules")?;
    let mut written = Vec::new();
    for rule in rules.iter() {
        let matches = rule["matches"].as_array().into_iter().flatten();
        for matched in matches {
            written.push(below(site, rule, matched)?);
            if matched.pointer("/path/value") == Some(&"/".into())
                && matched.get("headers").is_none()
            {
                written.push(metadata(site, rule)?);
            }
        }
    }
    *rules = written;
    Ok(())
}

/// A rule with one of its matches at the root as one below the path, which takes the path off as the gate does: a
/// rule that rewrites has one match.
fn below(site: &Site, rule: &Value, matched: &Value) -> Result<Value, String> {
    let mut rule = rule.clone();
    let mut matched = matched.clone();
    let path = matched.pointer("/path/value").and_then(Value::as_str);
    let path = path
        .ok_or("the template has a match without a path")?
        .to_owned();
    let outer = if path == "/" {
        site.prefix.clone()
    } else {
        site.below(&path)
    };
    let rewrite = if matched.pointer("/path/type") == Some(&"Exact".into()) {
        json!({ "type": "ReplaceFullPath", "replaceFullPath": path })
    } else {
        json!({ "type": "ReplacePrefixMatch", "replacePrefixMatch": path })
    };
    put(&mut matched, "/path/value", outer.into())?;
    put(&mut rule, "/matches", json!([matched]))?;
    let filters = rule.get_mut("filters").and_then(Value::as_array_mut);
    let filters = filters.ok_or("the template has a rule without filters")?;
    filters.push(json!({ "type": "URLRewrite", "urlRewrite": { "path": rewrite } }));
    Ok(rule)
}

/// The rule for the metadata, which is at the root of the host: without a route the proxy would not ask the gate.
fn metadata(site: &Site, rule: &Value) -> Result<Value, String> {
    let mut rule = rule.clone();
    let path = format!("{METADATA}{}", site.prefix);
    let matched = json!([{ "path": { "type": "PathPrefix", "value": path } }]);
    put(&mut rule, "/matches", matched)?;
    Ok(rule)
}
