//! The n8n of a configuration that is meant.

use n8n_idp_gate::n8n::Endpoints;
use n8n_idp_gate::policy::{Instance, Policy, Principal, Provisioning, Upstream, UserRule};

use crate::file::environment::is_set;

/// One n8n in which the gate makes users.
pub(super) struct Target<'p> {
    pub(super) provisioning: &'p Provisioning,
    pub(super) endpoints: &'p Endpoints,
    instance: &'p Instance,
}

impl<'p> Target<'p> {
    /// The instance of this name; without a name, the only one in which the gate makes users.
    pub(super) fn choose(policy: &'p Policy, name: Option<&str>) -> Result<Self, String> {
        let targets: Vec<_> = policy.instances.iter().filter_map(Self::of).collect();
        let names = || {
            let names = targets
                .iter()
                .filter_map(|one| one.instance.name.as_deref());
            names.collect::<Vec<_>>().join(", ")
        };
        let chosen = targets
            .iter()
            .filter(|one| name.is_none() || one.instance.name.as_deref() == name);
        let chosen: Vec<_> = chosen.collect();
        match (&*chosen, name) {
            ([only], _) => Ok(Self { ..**only }),
            ([], _) if targets.is_empty() => {
                Err("the configuration has no n8n: the gate makes no users there".to_owned())
            }
            ([], _) => Err(format!(
                "no instance of that name in which the gate makes users. There are: {}",
                names()
            )),
            _ => Err(format!(
                "the gate makes users in {} instances; choose one with --instance: {}",
                chosen.len(),
                names()
            )),
        }
    }

    fn of(instance: &'p Instance) -> Option<Self> {
        Some(Self {
            provisioning: instance.provisioning.as_deref()?,
            endpoints: instance.endpoints(),
            instance,
        })
    }

    /// Without the seed there is no password.
    pub(super) fn require_seed(&self) -> Result<(), String> {
        let is_here = is_set(&self.provisioning.seed);
        is_here
            .then_some(())
            .ok_or_else(|| "the environment variable that n8n.seed names is not set".to_owned())
    }

    /// Whether the provisioning key is here.
    pub(super) fn has_key(&self) -> bool {
        is_set(&self.provisioning.api_key)
    }

    /// The fixed addresses, and the names of their principals.
    pub(super) fn fixed(&self) -> impl Iterator<Item = (&'p str, &'p str)> {
        self.instance.principals.iter().filter_map(fixed)
    }

    /// Whether an address is of the domain of users for callers.
    pub(super) fn is_of_domain(&self, email: &str) -> bool {
        let domain = email.rsplit_once('@').map(|(_, domain)| domain);
        domain.is_some_and(|domain| domain.eq_ignore_ascii_case(&self.provisioning.email_domain))
    }

    /// A principal whose callers may act as this user.
    pub(super) fn principal_of(&self, email: &str) -> Option<&'p str> {
        let may_have = |principal: &&Principal| match &principal.upstream {
            Upstream::User(UserRule::One { email: fixed }) => fixed == email,
            Upstream::User(UserRule::Per(per)) => {
                let kind = email.strip_prefix(per.as_str());
                self.is_of_domain(email) && kind.is_some_and(|rest| rest.starts_with('-'))
            }
            Upstream::Keys(_) => false,
        };
        let mut principals = self.instance.principals.iter();
        principals.find(may_have).map(|principal| &*principal.name)
    }
}

fn fixed(principal: &Principal) -> Option<(&str, &str)> {
    match &principal.upstream {
        Upstream::User(UserRule::One { email }) => Some((email, &principal.name)),
        Upstream::User(UserRule::Per(_)) | Upstream::Keys(_) => None,
    }
}
