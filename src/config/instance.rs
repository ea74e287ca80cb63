//! An n8n, and how it is guarded.

use std::collections::BTreeSet;

use super::endpoints::{endpoints, path_prefix, OuterPath};
use super::environment::Environment;
use super::field_path::FieldPath;
use super::principal::{principals, warn_of_shared_keys, PrincipalContext};
use super::provider::refuse;
use super::provider_summary::ProviderSummary;
use super::public_api;
use super::raw::{
    RawConfiguration, RawEndpoints, RawInstance, RawPrincipal, RawPublicApi, RawWebhook,
};
use super::read::{gathered, Entries, List, ListOrEmpty, Located, OneOf, Text};
use super::scopes::Scopes;
use super::section::Field;
use super::webhook::{may_take_tokens, webhooks};
use crate::http::HostPattern;
use crate::n8n::{Endpoints, PathPrefix};
use crate::policy::{Access, Instance, InstanceId, Instances, Principals, PublicApi, Taken};

/// What instances are checked against.
pub(super) struct InstanceContext<'s> {
    pub(super) providers: &'s [ProviderSummary],
    pub(super) environment: &'s dyn Environment,
}

/// Where an n8n serves its surfaces, as paths of rules are read.
#[derive(Clone, Copy)]
pub(super) struct Paths<'p> {
    pub(super) endpoints: &'p Endpoints,
    pub(super) prefix: Option<&'p PathPrefix>,
}

impl Paths<'_> {
    /// What to do about the path of a rule that cannot be read.
    pub(super) fn hint(&self, path: &str, example: &str) -> String {
        match self.prefix {
            Some(prefix) if prefix.begins(path) => {
                format!("write it as n8n has it, without path_prefix, such as {example}")
            }
            _ => format!("write a path as n8n has it, such as {example}"),
        }
    }
}

/// What is written of one instance, at the top or in a list.
struct Written {
    roles: Field<Entries<Scopes>>,
    principals: Field<ListOrEmpty<Located<RawPrincipal>>>,
    public_api: Field<RawPublicApi>,
    webhooks: Field<List<RawWebhook>>,
    endpoints: Field<RawEndpoints>,
    metrics: Field<OneOf<Access>>,
    oauth: Field<OneOf<Access>>,
    path_prefix: Field<Text<OuterPath>>,
    outside: Field<OneOf<Access>>,
}

/// Turns what was written into instances: one for every host, or those of `instances`. `None`, or
/// a gap: something was wrong, and was reported.
pub(super) fn instances(raw: RawConfiguration, context: &InstanceContext<'_>) -> Option<Instances> {
    const PROBLEM: &str = "has no place beside instances";
    const HINT: &str = "move it into each instance that it is meant for";
    let top = Written {
        roles: raw.roles,
        principals: raw.principals,
        public_api: raw.public_api,
        webhooks: raw.webhooks,
        endpoints: raw.endpoints,
        metrics: raw.metrics,
        oauth: raw.oauth,
        path_prefix: raw.path_prefix,
        outside: raw.outside,
    };
    let several = raw.instances.value.as_ref().map(|list| &*list.0);
    let lists = several.unwrap_or_default().iter();
    let lists = lists.map(|raw| &raw.principals).chain([&top.principals]);
    let lists = lists.filter_map(|field| field.value.as_ref());
    warn_of_shared_keys(lists.flat_map(|list| &list.items));
    if !raw.instances.given {
        return instance(top, InstanceId(0), None, context).map(Instances::only);
    }
    // Whether such a field held for all instances or for other hosts would be a guess.
    refuse(&top.roles, PROBLEM, HINT);
    refuse(&top.principals, PROBLEM, HINT);
    refuse(&top.public_api, PROBLEM, HINT);
    refuse(&top.webhooks, PROBLEM, HINT);
    refuse(&top.endpoints, PROBLEM, HINT);
    refuse(&top.metrics, PROBLEM, HINT);
    refuse(&top.oauth, PROBLEM, HINT);
    refuse(&top.path_prefix, PROBLEM, HINT);
    refuse(&top.outside, PROBLEM, HINT);
    let mut instances = Instances::by_host();
    let mut names: Vec<(String, FieldPath)> = Vec::new();
    let list = raw.instances.value?.0;
    for (number, raw) in list.into_iter().enumerate() {
        let id = InstanceId(number);
        let hosts = hosts(&raw, id, &mut instances);
        let name = raw.name.value.map(|name| name.text);
        if let Some(name) = &name {
            let path = raw.name.path;
            if let Some((_, first)) = names.iter().find(|(other, _)| other == name) {
                let problem = format!("is the name at {first} too");
                path.error(problem, "give each instance a name of its own");
            }
            names.push((name.clone(), path));
        }
        let written = Written {
            roles: raw.roles,
            principals: raw.principals,
            public_api: raw.public_api,
            webhooks: raw.webhooks,
            endpoints: raw.endpoints,
            metrics: raw.metrics,
            oauth: raw.oauth,
            path_prefix: raw.path_prefix,
            outside: raw.outside,
        };
        if let Some(instance) = instance(written, id, Some(&hosts), context) {
            instances.push(Instance {
                name: name.map(Into::into),
                ..instance
            });
        }
    }
    Some(instances)
}

/// The hosts of an instance, which lead to it from now on.
fn hosts(raw: &RawInstance, id: InstanceId, instances: &mut Instances) -> Vec<HostPattern> {
    let mut all = Vec::new();
    let written = raw.hosts.value.as_ref().map(|hosts| &*hosts.0);
    for Located { path, value } in written.unwrap_or_default() {
        let Some(host) = HostPattern::parse(&value.text) else {
            continue;
        };
        if let Err(Taken(InstanceId(other))) = instances.lead(&host, id) {
            path.error(
                format!("leads to instances[{other}] already"),
                "a host belongs to one instance: take it out of the others",
            );
        }
        all.push(host);
    }
    all
}

fn instance(
    raw: Written,
    id: InstanceId,
    hosts: Option<&[HostPattern]>,
    context: &InstanceContext<'_>,
) -> Option<Instance> {
    if !raw.path_prefix.given {
        let hint = "take it out, or write path_prefix";
        refuse(&raw.outside, "has no use without path_prefix", hint);
    }
    let path_prefix = path_prefix(raw.path_prefix);
    let endpoints = endpoints(raw.endpoints);
    let paths = endpoints.as_ref().zip(path_prefix.as_ref());
    let paths = paths.map(|(endpoints, prefix)| Paths {
        endpoints,
        prefix: prefix.as_ref(),
    });
    let public_api = raw.public_api.value;
    let public_api = public_api.and_then(|raw| public_api::public_api(raw, paths, hosts));
    let hooks = raw.webhooks.value.map(|list| list.0).unwrap_or_default();
    check_that_somebody_is_served(&raw.principals, &hooks);
    let webhooks = webhooks(hooks, paths, context.providers);
    let list = raw.principals.value;
    let context = PrincipalContext {
        providers: context.providers,
        has_roles: raw.roles.given,
        environment: context.environment,
    };
    let principals = principals(list.map(|list| list.items).unwrap_or_default(), &context);
    let roles = raw.roles.value.into_iter().flat_map(|roles| roles.0);
    let public_api = public_api.map(|public_api| PublicApi {
        providers: providers_of(&principals),
        ..public_api
    });
    Some(Instance {
        id,
        name: None,
        grants: gathered(roles.map(|(role, scopes)| (role, scopes.0))),
        principals,
        public_api: public_api?,
        webhooks,
        metrics: raw.metrics.value?.0,
        oauth: raw.oauth.value?.0,
        outside: raw.outside.value?.0,
        path_prefix: path_prefix?,
        endpoints: endpoints?,
    })
}

/// The providers whose callers may become one of these; `None`: any of them.
fn providers_of(principals: &Principals) -> Option<BTreeSet<String>> {
    let mut all = BTreeSet::new();
    for principal in principals.iter() {
        all.extend(principal.matches.providers.as_ref()?.iter().cloned());
    }
    Some(all)
}

/// A gate that takes tokens nowhere is a mistake.
fn check_that_somebody_is_served(
    principals: &Field<ListOrEmpty<Located<RawPrincipal>>>,
    webhooks: &[RawWebhook],
) {
    let nobody = match &principals.value {
        Some(list) => list.is_empty,
        None => !principals.given,
    };
    if nobody && !webhooks.iter().any(may_take_tokens) {
        principals.path.error(
            "is required where no webhook takes tokens: a token would be of no use",
            "say whom callers become in n8n",
        );
    }
}
