//! Deleting a user.

use std::io::Write;

use n8n_idp_gate::secret::Secret;

use super::log_in::find;
use super::target::Target;
use crate::n8n::client::{Client, Credential};
use crate::n8n::{say, shown};

/// Deletes a user. n8n's public API has no way to hand on what the user owns.
pub(super) fn user(
    client: &Client,
    target: &Target<'_>,
    email: &str,
    admin_key: &Secret,
    dry_run: bool,
    out: &mut impl Write,
) -> Result<(), String> {
    let name = shown(email);
    let account = find(client, target, email).map_err(|fault| format!("{name}: {fault}"))?;
    let Some(account) = account else {
        return Err(format!("n8n has no user {name}"));
    };
    let owned = "all that is in its project, such as workflows and credentials";
    if dry_run {
        return say(
            out,
            &format!(
                "would delete the user {name}, and {owned}. To transfer them, delete the user in n8n under \
                 Settings, Users: its public API cannot do so"
            ),
        );
    }
    // n8n deletes by id only.
    let path = target.provisioning.paths.user(&account.id);
    let response = client.delete(&path, Credential::ApiKey(admin_key))?;
    match response.status {
        200 | 204 => say(out, &format!("deleted the user {name}, and {owned}")),
        status @ (401 | 403) => Err(format!(
            "{name}: n8n refuses the key of --admin-key ({status}): it must be of the owner or an admin and have \
             the scope user:delete. The user is not deleted"
        )),
        404 => Err(format!("n8n has no user {name}")),
        _ => Err(response.fault("deleting the user")),
    }
}
