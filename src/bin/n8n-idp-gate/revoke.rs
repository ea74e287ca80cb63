//! `n8n-idp-gate revoke`.

mod delete;
mod listing;
mod log_in;
mod target;

use std::io::Write;
use std::path::PathBuf;

use n8n_idp_gate::config::Environment as _;
use n8n_idp_gate::n8n::accounts::{ListedKey, LABEL};
use n8n_idp_gate::secret::Secret;

use crate::file::environment::ProcessEnvironment;
use crate::file::manifest::Manifest;
use crate::n8n::client::Client;
use crate::n8n::session::Session;
use crate::n8n::{say, shown};
use log_in::LogIn;
use target::Target;

#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["user", "list"])))]
pub(crate) struct Arguments {
    /// The configuration, or a manifest with one inside. The environment variables that its `n8n` names
    /// must be set.
    config: PathBuf,
    /// Which configuration, if a file has several: the name of its filter or plugin, or its number.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Delete the API keys that the gate made for the user of n8n with this e-mail address.
    #[arg(long, value_name = "EMAIL")]
    user: Option<String>,
    /// List the users of n8n that the gate made, or would use.
    #[arg(long)]
    list: bool,
    /// Which n8n, if the configuration has several instances.
    #[arg(long, value_name = "NAME")]
    instance: Option<String>,
    /// Where n8n is reached from here, not through the gate; `n8n.uri` by default.
    #[arg(long, value_name = "URL")]
    n8n: Option<String>,
    /// Change nothing, and list the keys that would be deleted.
    #[arg(long, requires = "user")]
    dry_run: bool,
    /// Delete the user as well, and with it its workflows and credentials: n8n's public API cannot
    /// transfer them.
    #[arg(long, requires = "user", requires = "admin_key")]
    delete_user: bool,
    /// The environment variable with an API key of an admin: of the scope `user:delete` for
    /// --delete-user, `user:list` for --list.
    #[arg(long, value_name = "VARIABLE")]
    admin_key: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, out: &mut impl Write) -> Result<(), String> {
    let environment = ProcessEnvironment { is_required: false };
    let found = Manifest::one_configuration(&arguments.config, arguments.name.as_deref())?;
    let policy = found.load(&environment)?.policy;
    let target = Target::choose(&policy, arguments.instance.as_deref())?;
    let server = &target.provisioning.server;
    let of_configuration = || format!("{}://{}", server.scheme, server.authority);
    let address = arguments.n8n.clone().unwrap_or_else(of_configuration);
    let client = Client::new(&address)?;
    let admin_key = arguments.admin_key.as_deref().map(admin_key).transpose()?;
    let Some(email) = &arguments.user else {
        return listing::list(&client, &target, admin_key.as_ref(), out);
    };
    // n8n stores addresses so.
    let email = email.to_lowercase();
    target.require_seed()?;
    revoke(&client, &target, &email, arguments.dry_run, out)?;
    if let Some(key) = admin_key.filter(|_| arguments.delete_user) {
        delete::user(&client, &target, &email, &key, arguments.dry_run, out)?;
    }
    if !arguments.dry_run {
        if let Some(principal) = target.principal_of(&email) {
            say(
                out,
                &format!(
                    "note: the principal {principal} of this configuration can have this user. If Envoy still \
                     has that principal, the next request of a caller makes the user or a key again: remove \
                     or narrow the principal first, then revoke"
                ),
            )?;
        }
    }
    Ok(())
}

/// The API key of an admin in this variable.
fn admin_key(variable: &str) -> Result<Secret, String> {
    let environment = ProcessEnvironment { is_required: true };
    // The argument may be the key itself, by mistake. So it is not repeated.
    let key = environment.secret(variable);
    let key = key.filter(|key| !key.expose().is_empty());
    key.ok_or_else(|| "the environment variable that --admin-key names is not set".to_owned())
}

fn revoke(
    client: &Client,
    target: &Target<'_>,
    email: &str,
    dry_run: bool,
    out: &mut impl Write,
) -> Result<(), String> {
    let session = match log_in::log_in(client, target, email)? {
        LogIn::Session(session) => session,
        LogIn::Pending => {
            return say(
                out,
                &format!(
                    "{}: was invited and has no password yet, so that it has no API keys",
                    shown(email)
                ),
            )
        }
    };
    let done = delete_keys(&session, email, dry_run, out);
    let ended = session.log_out();
    done.and(ended)
}

fn delete_keys(
    session: &Session<'_>,
    email: &str,
    dry_run: bool,
    out: &mut impl Write,
) -> Result<(), String> {
    let keys = session.keys(LABEL)?;
    for key in &keys {
        if !dry_run {
            session.delete(&key.id)?;
        }
        let done = if dry_run { "would delete" } else { "deleted" };
        let ListedKey { id, label } = key;
        say(
            out,
            &format!("{done} the API key {}: {}", shown(id), shown(label)),
        )?;
    }
    let count = match keys.len() {
        0 => "no API key".to_owned(),
        1 => "1 API key".to_owned(),
        count => format!("{count} API keys"),
    };
    let done = if dry_run { "has" } else { "had" };
    say(out, &format!("{} {done} {count} of the gate", shown(email)))
}
