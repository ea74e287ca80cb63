//! Instances of n8n, and how they are guarded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::choices::AuthWord;
use super::description::bearer_in_description;
use super::dpop::{origins, report_no_origin};
use super::embed::embed;
use super::endpoints::{endpoints, path_prefix, Paths};
use super::environment::Environment;
use super::field::Field;
use super::field_path::FieldPath;
use super::n8n_line::{line, report_what_needs_users, warn_of_foreign_scopes};
use super::principal::{principals, warn_of_shared_keys, PrincipalContext};
use super::provider_summary::ProviderSummary;
use super::provisioning::{provisioning, warn_if_idle, Seeds};
use super::public_api;
use super::raw::{RawInstance, RawN8n, RawPrincipal, RawWebhook};
use super::read::{gathered, List, ListOrEmpty, Located, OneOrMany};
use super::rest::warn_of_own_scope;
use super::syntax::{HostName, Text};
use super::webhook::{may_take_tokens, webhooks};
use crate::http::HostPattern;
use crate::n8n::{Prefixes, EMBED_SCOPE, REST_SCOPE};
use crate::policy::{
    Access, DpopUse, DuplicateHost, Instance, InstanceId, Instances, Principals, PublicApi,
    RestAuth,
};

/// A list of hosts.
type Hosts = Field<OneOrMany<Located<Text<HostName>>>>;

/// What the instances need of the rest of the configuration.
pub(super) struct InstanceContext<'s> {
    /// Whether certificates of clients were verified before the gate gets them.
    pub(super) has_verified_certificates: bool,
    pub(super) providers: &'s [ProviderSummary],
    pub(super) environment: &'s dyn Environment,
}

/// The instances: one for every host or for its own, or those of `instances`. `None`, or one is missing:
/// something is wrong, and was reported.
pub(super) fn instances(
    several: Field<List<RawInstance>>,
    own: &Hosts,
    other_hosts: Option<Access>,
    top: RawN8n,
    context: &InstanceContext<'_>,
) -> Option<Instances> {
    let listed = several.value.as_ref().map(|list| &*list.0);
    let lists = listed.unwrap_or_default().iter();
    let lists = lists
        .map(|raw| &raw.n8n.principals)
        .chain([&top.principals]);
    let lists = lists.filter_map(|field| field.value.as_ref());
    warn_of_shared_keys(lists.flat_map(|list| &list.items));
    if !several.given && !own.given {
        return instance(top, InstanceId(0), None, context).map(Instances::only);
    }
    let mut instances = Instances::by_host(other_hosts?);
    if !several.given {
        let hosts = hosts(own, InstanceId(0), &mut instances);
        instances.push(instance(top, InstanceId(0), Some(&hosts), context)?);
        return Some(instances);
    }
    let mut names: Vec<(String, FieldPath)> = Vec::new();
    let mut seeds = Seeds::default();
    let list = several.value?.0;
    for (number, raw) in list.into_iter().enumerate() {
        let id = InstanceId(number);
        let hosts = hosts(&raw.hosts, id, &mut instances);
        let name = raw.name.value.map(|name| name.text);
        if let Some(name) = &name {
            let path = raw.name.path;
            if let Some((_, first)) = names.iter().find(|(other, _)| other == name) {
                let problem = format!("is also the name at {first}");
                path.error(problem, "give each instance a name of its own");
            }
            names.push((name.clone(), path));
        }
        let seed = raw.n8n.n8n.value.as_ref();
        let seed = seed.map(|provisioning| provisioning.seed.path.clone());
        if let Some(instance) = instance(raw.n8n, id, Some(&hosts), context) {
            if let Some((path, provisioning)) = seed.zip(instance.provisioning.clone()) {
                seeds.add(path, provisioning);
            }
            instances.push(Instance {
                name: name.map(Into::into),
                ..instance
            });
        }
    }
    Some(instances)
}

/// The hosts of an instance. From here on, their requests are for it.
fn hosts(raw: &Hosts, id: InstanceId, instances: &mut Instances) -> Vec<HostPattern> {
    let mut all = Vec::new();
    let written = raw.value.as_ref().map(|hosts| &*hosts.0);
    for Located { path, value } in written.unwrap_or_default() {
        let Some(host) = HostPattern::parse(&value.text) else {
            continue;
        };
        if let Err(DuplicateHost(InstanceId(other))) = instances.lead(&host, id) {
            if other == id.0 {
                path.error("is in the list already", "remove it");
            } else {
                path.error(
                    format!("is already a host of instances[{other}]"),
                    "a host belongs to one instance: remove it from the others",
                );
            }
        }
        all.push(host);
    }
    all
}

fn instance(
    raw: RawN8n,
    id: InstanceId,
    hosts: Option<&[HostPattern]>,
    context: &InstanceContext<'_>,
) -> Option<Instance> {
    let line = line(&raw.n8n_version);
    if let Some(line) = line {
        report_what_needs_users(&raw, line);
    }
    let path_prefix = path_prefix(raw.path_prefix);
    let endpoints = endpoints(raw.endpoints);
    let paths = endpoints.as_ref().zip(path_prefix.as_ref());
    let paths = paths.map(|(endpoints, prefix)| Paths {
        endpoints,
        prefix: prefix.as_ref(),
    });
    let provisioning_path = raw.n8n.path.clone();
    let has_provisioning = raw.n8n.given;
    let provisioning = provisioning(raw.n8n, endpoints.as_ref(), context.environment);
    let mut uses_cluster = false;
    let public_api = raw.public_api.value.and_then(|mut raw| {
        let field = &mut raw.bearer_in_description;
        let field = Field {
            path: field.path.clone(),
            given: field.given,
            value: field.value.take(),
        };
        let own_cluster = field.value.as_ref().map(|raw| raw.cluster.given);
        uses_cluster = own_cluster == Some(false);
        let description = bearer_in_description(field, &provisioning);
        let public_api = public_api::public_api(raw, paths, hosts)?;
        Some(PublicApi {
            bearer_in_description: description.ok()?,
            ..public_api
        })
    });
    let hooks = raw.webhooks.value.map(|list| list.0).unwrap_or_default();
    check_that_a_token_is_taken(&raw.principals, &hooks);
    if !context.has_verified_certificates {
        report_unverified_certificates(&hooks);
    }
    check_that_proofs_are_taken(&hooks, &raw.public_origin);
    let public_origins = origins(raw.public_origin);
    let webhooks = webhooks(hooks, paths, context.providers, context.environment);
    let embed_path = raw.embed.path.clone();
    let embed = embed(raw.embed);
    let list = raw.principals.value;
    let principal_context = PrincipalContext {
        providers: context.providers,
        has_roles: raw.roles.given,
        has_provisioning,
        line: line.unwrap_or_default(),
        environment: context.environment,
    };
    let principals = principals(
        list.map(|list| list.items).unwrap_or_default(),
        &principal_context,
    );
    if has_provisioning && !uses_cluster {
        warn_if_idle(&principals, &provisioning_path);
    }
    let roles_path = raw.roles.path;
    let roles = raw.roles.value.into_iter().flat_map(|roles| roles.0);
    let grants: BTreeMap<_, _> = gathered(roles.map(|(role, scopes)| (role, scopes.0)));
    for (role, scopes) in &grants {
        warn_of_foreign_scopes(scopes, principal_context.line, &roles_path.member(role));
    }
    let rest_path = raw.rest.path;
    let rest = raw.rest.value?.0;
    let is_on = rest == RestAuth::Bearer;
    warn_of_own_scope(REST_SCOPE, is_on, &grants, &principals, &rest_path);
    let embed = embed.ok()?;
    let is_on = embed.is_some();
    warn_of_own_scope(EMBED_SCOPE, is_on, &grants, &principals, &embed_path);
    let public_api = public_api.map(|public_api| PublicApi {
        providers: providers_of(&principals),
        ..public_api
    });
    Some(Instance {
        id,
        name: None,
        grants,
        principals,
        provisioning: provisioning.ok()?.map(Arc::new),
        public_api: public_api?,
        webhooks: webhooks.in_line(line?),
        rest,
        embed: embed.map(Arc::new),
        metrics: raw.metrics.value?.0,
        oauth: raw.oauth.value?.0,
        outside: raw.outside.value?.0,
        public_origins: public_origins?,
        path_prefix: path_prefix?,
        line: line?,
        prefixes: Prefixes::of(endpoints?),
        has_shadow: raw.shadow.given,
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

/// A certificate that was not verified may have any name in it.
fn report_unverified_certificates(webhooks: &[RawWebhook]) {
    for rule in webhooks {
        let word = rule.auth.value.as_ref();
        if word.is_some_and(|word| word.0 == AuthWord::Certificate) {
            rule.auth.error(
                "needs certificates that were verified: any client can make one with any name",
                "write client_certificates with verified: true, if the listener accepts no others",
            );
        }
    }
}

/// A rule that demands proofs where none is taken would refuse every caller.
fn check_that_proofs_are_taken<T>(webhooks: &[RawWebhook], origin: &Field<T>) {
    if origin.given {
        return;
    }
    for rule in webhooks {
        let word = rule.dpop.value.as_ref();
        if word.is_some_and(|word| word.0 == DpopUse::Required) {
            report_no_origin(&rule.dpop.path);
        }
    }
}

/// A gate that takes tokens nowhere is a mistake.
fn check_that_a_token_is_taken(
    principals: &Field<ListOrEmpty<Located<RawPrincipal>>>,
    webhooks: &[RawWebhook],
) {
    let has_none = match &principals.value {
        Some(list) => list.is_empty,
        None => !principals.given,
    };
    if has_none && !webhooks.iter().any(may_take_tokens) {
        principals.error(
            "is required if no webhook takes tokens: no token would open anything",
            "write a principal: which callers it matches, and the API key as which they act",
        );
    }
}
