//! Which instance of n8n a request is for, if there are several behind one Envoy.

use std::collections::BTreeMap;

use super::{Access, Instance, InstanceId};
use crate::http::{hostname, HostPattern, RequestHead};

/// The instances of n8n, and their hosts.
#[derive(Clone, Debug)]
pub struct Instances {
    list: Vec<Instance>,
    /// By the name of a [`HostPattern`]; `None`: the only instance has every host.
    hosts: Option<BTreeMap<String, InstanceId>>,
    /// Whether requests for other hosts pass.
    others: Access,
}

/// A host that another instance already has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DuplicateHost(pub InstanceId);

impl Instances {
    /// One instance for every host.
    pub fn only(instance: Instance) -> Self {
        Self {
            list: vec![instance],
            hosts: None,
            others: Access::Deny,
        }
    }

    /// None yet. Each that is added has hosts of its own, and requests for other hosts have no instance.
    pub fn by_host(others: Access) -> Self {
        Self {
            list: Vec::new(),
            hosts: Some(BTreeMap::new()),
            others,
        }
    }

    /// Adds an instance.
    pub fn push(&mut self, instance: Instance) {
        self.list.push(instance);
    }

    /// Adds a host, or all hosts below a domain, to an instance.
    ///
    /// # Errors
    ///
    /// An instance already has it.
    pub fn lead(&mut self, host: &HostPattern, to: InstanceId) -> Result<(), DuplicateHost> {
        let hosts = self.hosts.get_or_insert_default();
        match hosts.insert(host.name().to_owned(), to) {
            None => Ok(()),
            Some(earlier) => Err(DuplicateHost(earlier)),
        }
    }

    /// The instance that a request is for: the one with its host, else the one with the narrowest
    /// domain around it. `None`: no instance has the host.
    pub fn of(&self, request: &RequestHead) -> Option<&Instance> {
        let Some(hosts) = &self.hosts else {
            return self.list.first();
        };
        let host = hostname::requested(request)?;
        let domains = host.match_indices('.').map(|(dot, _)| host.get(dot..));
        let mut names = std::iter::once(Some(&*host)).chain(domains).flatten();
        let id = names.find_map(|name| hosts.get(name))?;
        self.list.get(id.0)
    }

    /// Whether a request that is for no instance is for another application.
    ///
    /// It must name one host. Otherwise a route could read it as that of an instance, and n8n would get
    /// what was not decided.
    pub fn passes(&self, request: &RequestHead) -> bool {
        self.others == Access::Pass && hostname::requested(request).is_some()
    }

    /// Has the callers of decisions keep their claims: without that, a decision drops what no rule tests.
    /// It decides nothing else.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn keep_claims(&mut self) {
        for instance in &mut self.list {
            instance.webhooks.keep_claims();
        }
    }

    /// All of them, to be changed: a replay of records decides by policies that are derived from one.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Instance> {
        self.list.iter_mut()
    }

    /// How many principals they have together.
    pub fn principals(&self) -> usize {
        let sizes = self.list.iter().map(|instance| instance.principals.len());
        sizes.fold(0, usize::saturating_add)
    }

    /// All of them, in the order of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = &Instance> {
        self.list.iter()
    }
}
