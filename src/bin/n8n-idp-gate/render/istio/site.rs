//! The objects of one n8n among several, or below a path.

use serde_json::{json, Value};

use crate::render::site::Site;
use crate::render::template::{put, text};

/// An object of the templates as that of this n8n.
pub(super) fn own(site: &Site, sites: &[Site], mut object: Value) -> Result<Value, String> {
    match text(&object, "/kind") {
        "Gateway" => {
            let hosts = gateway_hosts(sites);
            if !hosts.is_empty() {
                put(&mut object, "/spec/servers/0/hosts", hosts.into())?;
            }
            return Ok(object);
        }
        "VirtualService" => {
            if !site.hosts.is_empty() {
                put(&mut object, "/spec/hosts", site.hosts.clone().into())?;
            }
            let routes = object.pointer_mut("/spec/http");
            let routes = routes.and_then(Value::as_array_mut).into_iter().flatten();
            for route in routes.filter(|_| !site.prefix.is_empty()) {
                below(site, route)?;
            }
        }
        "DestinationRule" | "PeerAuthentication" | "AuthorizationPolicy" | "NetworkPolicy" => {}
        // One for the whole gateway.
        _ => return Ok(object),
    }
    let name = site.named(text(&object, "/metadata/name"));
    put(&mut object, "/metadata/name", name.into())?;
    Ok(object)
}

/// The hosts of the gateway; none: those of the template.
///
/// Istio gives the routes of `*.example.com` to each host of the gateway below that domain, too, next to the
/// routes of the host itself. An n8n could get the API keys of another. With any host it makes the same virtual
/// hosts as the gate has instances.
fn gateway_hosts(sites: &[Site]) -> Vec<String> {
    match sites {
        [only] => only.hosts.iter().map(|host| format!("./{host}")).collect(),
        _ => vec!["./*".to_owned()],
    }
}

/// A route at the root as one below the path, which takes the path off as the gate does.
fn below(site: &Site, route: &mut Value) -> Result<(), String> {
    let route = route.as_object_mut().ok_or("the template has no route")?;
    let all = route.entry("match").or_insert_with(|| json!([{}]));
    for matched in all.as_array_mut().into_iter().flatten() {
        let expression = matched.pointer("/uri/regex").and_then(Value::as_str);
        let expression = expression.map(|own| site.expression_below(own));
        let matched = matched.as_object_mut().ok_or("the template has no match")?;
        if let Some(target) = expression {
            // What is matched by an expression has no prefix that could be taken off.
            matched.insert(
                "headers".to_owned(),
                json!({ ":path": { "regex": target } }),
            );
        }
        matched.insert("uri".to_owned(), json!({ "prefix": site.below("/") }));
    }
    route.insert("rewrite".to_owned(), json!({ "uri": "/" }));
    Ok(())
}
