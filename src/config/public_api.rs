//! How the public API is guarded.

use super::defaults;
use super::endpoints::Paths;
use super::field_path::FieldPath;
use super::key_source::warn_of_plaintext;
use super::raw::{RawApiKeyRule, RawPublicApi};
use super::read::Located;
use crate::http::{Address, HostPattern};
use crate::n8n::PathPrefix;
use crate::policy::{ApiKeyRule, ApiKeyRules, ApiKeys, IdentityHeader, PathPattern, PublicApi};

/// How the public API is guarded. `None`: something is wrong, and was reported. Without `paths`,
/// which were wrong then, the paths of rules are not checked. No request comes for other hosts than
/// `hosts`, if there are any.
pub(super) fn public_api(
    raw: RawPublicApi,
    paths: Option<Paths<'_>>,
    hosts: Option<&[HostPattern]>,
) -> Option<PublicApi> {
    if let Some(resource) = &raw.resource.value {
        warn_of_plaintext(&resource.text, &raw.resource.path);
        if let (Some(paths), Ok(address)) = (paths, Address::parse(&resource.text)) {
            // The URL of the metadata is made of this path (RFC 9728 §3.1), and the gate serves that of
            // the public API only.
            let prefix = paths.prefix.map_or("", PathPrefix::as_str);
            let path = format!("{prefix}/{}/v1", paths.endpoints.api);
            if address.path.trim_end_matches('/') != path {
                let problem = format!("does not have the path {path}");
                let hint = format!("write the URL of the public API, up to and with {path}");
                raw.resource.error(problem, hint);
            }
        }
    }
    let otherwise = raw.api_keys.value?.0;
    let rules = raw
        .rules
        .value_or_error()
        .ok()?
        .map(|list| list.0)
        .unwrap_or_default();
    let rules = rules_in_order(rules, otherwise, paths?, hosts)?;
    let api_keys_in_bearer = raw.api_keys_in_bearer.value?;
    let identity_headers = raw.identity_headers.value_or_error();
    let identity_headers = identity_headers.ok().map(|listed| match listed {
        // In one order, and each once.
        Some(listed) => {
            let is_listed =
                |header: &IdentityHeader| listed.items.iter().any(|one| one.0 == *header);
            IdentityHeader::ALL.into_iter().filter(is_listed).collect()
        }
        None => defaults::IDENTITY_HEADERS.to_vec(),
    });
    let some_pass =
        otherwise == ApiKeys::Pass || rules.iter().any(|rule| rule.api_keys == ApiKeys::Pass);
    if api_keys_in_bearer && !some_pass {
        raw.api_keys_in_bearer.warn(
            "has no effect: no API key passes",
            "remove it, or let some pass with api_keys or rules",
        );
    }
    Some(PublicApi {
        api_keys: ApiKeyRules { rules, otherwise },
        tokens_in_api_key: raw.tokens_in_api_key.value?,
        identity_headers: identity_headers?,
        api_keys_in_bearer,
        public_description: raw.public_description.value?,
        bearer_in_description: None,
        resource: raw
            .resource
            .value_or_error()
            .ok()?
            .map(|resource| resource.text),
        providers: None,
        scopes_supported: (raw.scopes_supported.value_or_error().ok()?.into_iter())
            .flat_map(|scopes| scopes.0)
            .map(|scope| scope.text)
            .collect(),
        resource_name: raw
            .resource_name
            .value_or_error()
            .ok()?
            .map(|name| name.text),
        resource_documentation: (raw.resource_documentation.value_or_error().ok()?)
            .map(|page| page.text),
    })
}

/// `None`: something is wrong with one of them, and was reported.
fn rules_in_order(
    raw: Vec<Located<RawApiKeyRule>>,
    otherwise: ApiKeys,
    paths: Paths<'_>,
    hosts: Option<&[HostPattern]>,
) -> Option<Vec<ApiKeyRule>> {
    let read: Option<Vec<(FieldPath, ApiKeyRule)>> = raw
        .into_iter()
        .map(|Located { path, value }| Some((path.clone(), rule(value, paths)?)))
        .collect();
    let read = read?;
    for (number, (path, rule)) in read.iter().enumerate() {
        if let (Some(own), Some(hosts)) = (&rule.host, hosts) {
            if !hosts
                .iter()
                .any(|host| host.covers(own) || own.covers(host))
            {
                let hint = "write one of the hosts of the instance, or remove host";
                path.error("has a host that is none of this instance", hint);
            }
        }
        let (before, after) = read.split_at_checked(number)?;
        if let Some((earlier, _)) = before.iter().find(|(_, other)| other.covers(rule)) {
            path.error(
                format!("can never be reached: {earlier} matches every request that it matches"),
                "the first match applies: put the narrower one first",
            );
        }
        let anywhere = ApiKeyRule {
            host: None,
            ..rule.clone()
        };
        // The first of these decides about the same paths on other hosts.
        let decides_elsewhere = |(_, other): &&(FieldPath, ApiKeyRule)| {
            rule.is_bypassed_by(other) || other.covers(&anywhere)
        };
        let elsewhere = after.iter().find(decides_elsewhere);
        let passes_elsewhere =
            elsewhere.map_or(otherwise, |(_, other)| other.api_keys) == ApiKeys::Pass;
        let is_anywhere = |own: &HostPattern| {
            hosts.is_some_and(|hosts| hosts.iter().all(|host| own.covers(host)))
        };
        let names_some = rule.host.as_ref().is_some_and(|own| !is_anywhere(own));
        if names_some && rule.api_keys == ApiKeys::Refuse && passes_elsewhere {
            path.error(
                "refuses nothing: a client avoids it with another host",
                "write api_keys: refuse in public_api, and list the hosts that may pass",
            );
        }
    }
    Some(read.into_iter().map(|(_, rule)| rule).collect())
}

fn rule(raw: RawApiKeyRule, paths: Paths<'_>) -> Option<ApiKeyRule> {
    if !raw.host.given && !raw.path.given {
        // Reported when it was read.
        return None;
    }
    let pattern_path = raw.path.path.clone();
    let pattern = match raw.path.value_or_error().ok()? {
        Some(written) => Some(
            PathPattern::parse_api(&written.text, paths.endpoints)
                .map_err(|fault| {
                    let hint = paths.hint(&written.text, "/api/v1/executions/**");
                    pattern_path.error(fault.to_string(), hint);
                })
                .ok()?,
        ),
        None => None,
    };
    let host = raw.host.value_or_error().ok()?;
    Some(ApiKeyRule {
        host: host.and_then(|host| HostPattern::parse(&host.text)),
        pattern,
        api_keys: raw.api_keys.value?.0,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{json, Value};

    use crate::config::environment::NoSecrets;
    use crate::config::load;

    fn errors(public_api: &Value, hosts: Option<&[&str]>) -> String {
        let webhooks = json!([{"path": "/webhook/**", "auth": "bearer"}]);
        let mut document = json!({"providers": [{
            "name": "idp", "issuer": "https://idp.example", "audiences": "n8n", "cluster": "idp",
        }]});
        if let Some(hosts) = hosts {
            document["instances"] = json!([{
                "name": "a", "hosts": hosts, "public_api": public_api, "webhooks": webhooks,
            }]);
        } else {
            document["public_api"] = public_api.clone();
            document["webhooks"] = webhooks;
        }
        match load(document.to_string().as_bytes(), &NoSecrets) {
            Ok(_) => String::new(),
            Err(errors) => errors.to_string(),
        }
    }

    /// A static API key that is refused for `host` passes with another host.
    #[test]
    fn a_rule_that_another_host_gets_around_does_not_load() {
        for (name, rules) in [
            (
                "a narrower path passes elsewhere",
                json!([
                    {"host": "a.example", "path": "/api/v1/**", "api_keys": "refuse"},
                    {"path": "/api/v1/workflows/**", "api_keys": "pass"},
                ]),
            ),
            (
                "all paths pass elsewhere, and are written out",
                json!([
                    {"host": "a.example", "api_keys": "refuse"},
                    {"path": "/api/**", "api_keys": "pass"},
                ]),
            ),
            (
                "the hosts beside it pass",
                json!([
                    {"host": "a.example.com", "api_keys": "refuse"},
                    {"host": "*.example.com", "api_keys": "pass"},
                ]),
            ),
        ] {
            let errors = errors(&json!({"api_keys": "refuse", "rules": rules}), None);
            assert!(errors.contains("refuses nothing"), "{name}: {errors:?}");
        }
    }

    #[test]
    fn a_rule_behind_one_for_all_paths_is_never_reached() {
        let rules = json!([
            {"path": "/api/**", "api_keys": "pass"},
            {"host": "a.example", "api_keys": "refuse"},
        ]);
        let errors = errors(&json!({"api_keys": "refuse", "rules": rules}), None);
        assert!(errors.contains("can never be reached"), "{errors:?}");
    }

    #[test]
    fn a_rule_for_every_host_of_its_instance_may_refuse() {
        let rules =
            json!([{"host": "a.example", "path": "/api/v1/users/**", "api_keys": "refuse"}]);
        let errors = errors(
            &json!({"api_keys": "pass", "rules": rules}),
            Some(&["a.example"]),
        );
        assert_eq!(errors, "");
    }
}
