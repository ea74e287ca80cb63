//! The virtual host of one n8n.

use serde_json::{json, Value};

use crate::render::site::Site;
use crate::render::template::put;

/// The virtual host of the template as that of this n8n.
pub(crate) fn virtual_host(site: &Site, template: &Value, cluster: &str) -> Result<Value, String> {
    let mut host = template.clone();
    if let Some(instance) = &site.instance {
        put(&mut host, "/name", instance.as_str().into())?;
    }
    if !site.hosts.is_empty() {
        put(&mut host, "/domains", site.hosts.clone().into())?;
    }
    let routes = host.pointer_mut("/routes").and_then(Value::as_array_mut);
    for route in routes.into_iter().flatten() {
        put(route, "/route/cluster", cluster.into())?;
        below(site, route)?;
    }
    Ok(host)
}

/// A route at the root as one below the path, which takes the path off as the gate does. What it matches
/// by an expression it matches by one on the whole target then: a route by an expression takes nothing off.
fn below(site: &Site, route: &mut Value) -> Result<(), String> {
    if site.prefix.is_empty() {
        return Ok(());
    }
    let expression = route
        .pointer("/match/safe_regex/regex")
        .and_then(Value::as_str);
    let expression = expression.map(|own| {
        let target = site.expression_below(own);
        json!([{ "name": ":path", "string_match": { "safe_regex": { "regex": target } } }])
    });
    let matched = route.get_mut("match").and_then(Value::as_object_mut);
    let matched = matched.ok_or("the template has a route that matches nothing")?;
    if let Some(headers) = expression {
        matched.remove("safe_regex");
        matched.insert("headers".to_owned(), headers);
    }
    matched.insert("prefix".to_owned(), site.below("/").into());
    let action = route.get_mut("route").and_then(Value::as_object_mut);
    let action = action.ok_or("the template has a route that leads nowhere")?;
    action.insert("prefix_rewrite".to_owned(), "/".into());
    Ok(())
}
