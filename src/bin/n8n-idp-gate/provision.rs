//! `n8n-idp-gate provision`.

mod account;
mod audit;
mod env_file;
mod key;
mod listing;
mod making;
mod output;
mod plan;
mod rotation;
mod slots;

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use n8n_idp_gate::n8n::Endpoints;
use n8n_idp_gate::policy::Instance;

use crate::file::environment::ProcessEnvironment;
use crate::file::manifest::Manifest;
use crate::n8n::client::Client;
use account::Account;
use making::Making;
use slots::Slot;

const SECONDS_OF_A_DAY: u64 = 24 * 3600;

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    // Each of its own: with both in one structure, clap sees it only if a field of its own is given.
    #[command(flatten)]
    target: Option<Target>,
    #[command(flatten)]
    result: Option<ResultArguments>,
    /// Add the owner to an n8n that has none, with the e-mail address and the password of the variables.
    #[arg(long)]
    set_up_owner: bool,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Make the API keys of one principal.
    Add(One),
    /// Make a new API key beside each one of a principal; with --finish, delete the old ones.
    Rotate {
        #[command(flatten)]
        one: One,
        /// Delete the keys that the new ones replace, after Envoy has the new ones.
        #[arg(long)]
        finish: bool,
        /// Delete them though n8n has not seen the new ones used.
        #[arg(long, requires = "finish")]
        unused: bool,
    },
    /// List the API keys of n8n: whose they are, how old, when they end and when they were last used.
    List {
        #[command(flatten)]
        target: Target,
        /// A file with audit records of the gate: which static API keys were still used. May be given
        /// several times; `-` is standard input.
        #[arg(long = "audit", value_name = "FILE")]
        audits: Vec<PathBuf>,
        /// The file that `provision` wrote: keys in it are named by their variables.
        #[arg(long, value_name = "FILE")]
        env_file: Option<PathBuf>,
    },
}

#[derive(clap::Args)]
struct One {
    #[command(flatten)]
    target: Target,
    /// The principal; `n8n.api_key` is the provisioning key.
    principal: String,
    #[command(flatten)]
    result: ResultArguments,
}

#[derive(clap::Args)]
struct Target {
    /// The configuration, or a manifest with one inside.
    config: PathBuf,
    /// Which configuration, if a file has several: the name of its filter or plugin, or its number.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Which n8n, if the configuration has several instances.
    #[arg(long, value_name = "NAME")]
    instance: Option<String>,
    /// Where n8n is reached from here, not through the gate; `n8n.uri` by default.
    #[arg(long, value_name = "URL")]
    n8n: Option<String>,
    /// The user of n8n whose keys they are; by default, the one in the variable `N8N_OWNER_EMAIL`. Its
    /// password is in the variable `N8N_OWNER_PASSWORD`, and a code of a second factor in
    /// `N8N_OWNER_MFA_CODE`.
    #[arg(long, value_name = "EMAIL")]
    email: Option<String>,
    /// Read the password from standard input instead.
    #[arg(long)]
    password_stdin: bool,
}

#[derive(clap::Args)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
struct ResultArguments {
    /// Write the keys to this file, as lines `NAME=value` that only its owner can read. Other lines of
    /// it stay.
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// Print a Secret of Kubernetes with this name, with all the variables. Those of keys that exist come
    /// from --env-file or the environment.
    #[arg(long, value_name = "NAME")]
    kubernetes_secret: Option<String>,
    /// The namespace of that Secret.
    #[arg(long, value_name = "NAME", requires = "kubernetes_secret")]
    namespace: Option<String>,
    /// Print the Secret though standard output is a terminal.
    #[arg(long, requires = "kubernetes_secret")]
    show_secrets: bool,
    /// Change nothing, and say what would be done.
    #[arg(long)]
    dry_run: bool,
    /// How long new keys are good: a number of days such as 90d, or never.
    #[arg(long, value_name = "DAYS", default_value = "90d", value_parser = life)]
    expires: Life,
}

/// How long a key is good; `None`: for ever.
#[derive(Clone, Copy)]
struct Life(Option<Duration>);

fn life(text: &str) -> Result<Life, String> {
    if text == "never" {
        return Ok(Life(None));
    }
    let days = text
        .strip_suffix('d')
        .and_then(|days| days.parse::<u32>().ok());
    let days = days.filter(|days| (1..=3650).contains(days));
    let days = days.ok_or("write a number of days from 1d to 3650d, or never")?;
    let seconds = u64::from(days).saturating_mul(SECONDS_OF_A_DAY);
    Ok(Life(Some(Duration::from_secs(seconds))))
}

pub(crate) fn run(arguments: &Arguments, out: &mut impl Write) -> Result<(), String> {
    match &arguments.command {
        Some(Command::Add(one)) => one.target.with(|desk| {
            let slots = desk.slots_of(&one.principal)?;
            Making::new(desk, &one.result, slots)?.run(false, out)
        }),
        Some(Command::Rotate {
            one,
            finish,
            unused,
        }) => one.target.with(|desk| {
            let slots = desk.slots_of(&one.principal)?;
            if *finish {
                rotation::finish(desk, &one.result, &slots, *unused, out)
            } else {
                let making = Making::new(desk, &one.result, slots)?;
                rotation::begin(making, &one.principal, out)
            }
        }),
        Some(Command::List {
            target,
            audits,
            env_file,
        }) => target.with(|desk| listing::list(desk, audits, env_file.as_deref(), out)),
        None => {
            let target = arguments.target.as_ref().ok_or("which configuration?")?;
            let result = arguments.result.as_ref().ok_or(making::NO_PLACE)?;
            target.with(|desk| {
                let making = Making::new(desk, result, desk.slots.clone())?;
                making.run(arguments.set_up_owner, out)
            })
        }
    }
}

/// What all commands work with.
struct Desk<'d> {
    client: Client,
    endpoints: &'d Endpoints,
    account: Account,
    slots: Vec<Slot>,
    /// The variable of the seed, if the gate makes users.
    seed: Option<String>,
}

impl Target {
    fn with(&self, done: impl FnOnce(&Desk<'_>) -> Result<(), String>) -> Result<(), String> {
        let found = Manifest::one_configuration(&self.config, self.name.as_deref())?;
        let environment = ProcessEnvironment { is_required: false };
        let policy = found.load(&environment)?.policy;
        let instances: Vec<_> = policy.instances.iter().collect();
        let instance = self.choose(&instances)?;
        let raw = slots::of_instance(&found.configuration, instance.name.as_deref());
        let slots = slots::slots(instance, &raw);
        let of_configuration = instance.provisioning.as_ref().map(|provisioning| {
            let server = &provisioning.server;
            format!("{}://{}", server.scheme, server.authority)
        });
        let address =
            self.n8n.clone().or(of_configuration).ok_or(
                "the configuration does not say where n8n is: give its address with --n8n",
            )?;
        done(&Desk {
            client: Client::new(&address)?,
            endpoints: instance.endpoints(),
            account: Account::new(self.email.as_deref(), self.password_stdin)?,
            slots,
            seed: raw.seed,
        })
    }

    fn choose<'i>(&self, instances: &[&'i Instance]) -> Result<&'i Instance, String> {
        let wanted = self.instance.as_deref();
        let fits = |one: &&&Instance| wanted.is_none() || one.name.as_deref() == wanted;
        let chosen: Vec<_> = instances.iter().filter(fits).collect();
        if let [only] = *chosen {
            return Ok(*only);
        }
        let names = instances.iter().filter_map(|one| one.name.as_deref());
        let names: Vec<_> = names.collect();
        Err(match &*names {
            [] => "the configuration has no instances: leave --instance out".to_owned(),
            _ => format!("choose one with --instance: {}", names.join(", ")),
        })
    }
}

impl Desk<'_> {
    /// The keys of one principal.
    fn slots_of(&self, principal: &str) -> Result<Vec<Slot>, String> {
        let slots = self.slots.iter().filter(|slot| slot.owner == principal);
        let slots: Vec<_> = slots.cloned().collect();
        if !slots.is_empty() {
            return Ok(slots);
        }
        let mut names: Vec<_> = self.slots.iter().map(|slot| &*slot.owner).collect();
        names.dedup();
        Err(format!(
            "no principal of that name with an api_key. There are: {}",
            names.join(", ")
        ))
    }
}
