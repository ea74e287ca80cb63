//! Which users of n8n are of a configuration.

use std::io::Write;

use n8n_idp_gate::n8n::accounts::{accounts_path, read_accounts, Account};
use n8n_idp_gate::secret::Secret;

use super::log_in::find;
use super::target::Target;
use crate::n8n::client::{Client, Credential};
use crate::n8n::{say, shown};

/// The most parts of the list of all users that are read, of 100 users each.
const MOST_PARTS: usize = 1000;

/// Lists the users of the domain and those with fixed addresses.
pub(super) fn list(
    client: &Client,
    target: &Target<'_>,
    admin_key: Option<&Secret>,
    out: &mut impl Write,
) -> Result<(), String> {
    if admin_key.is_none() && !target.has_key() {
        return Err("the environment variable that n8n.api_key names is not set".to_owned());
    }
    let key = admin_key.unwrap_or(&target.provisioning.api_key);
    let all_users = all(client, target, key)?;
    let is_whole = all_users.is_some();
    let mut users = match all_users {
        Some(users) => users,
        None if admin_key.is_some() => {
            return Err(
                "n8n refuses the key of --admin-key: it must be of the owner or an admin and have the scope \
                 user:list"
                    .to_owned(),
            )
        }
        None => known(client, target)?,
    };
    users.retain(|user| target.is_of_domain(&user.email) || principal(target, user).is_some());
    users.sort_by(|one, other| one.email.cmp(&other.email));
    for user in &users {
        say(out, &line(target, user))?;
    }
    if users.is_empty() {
        say(out, "n8n has none of these users")?;
    }
    if !is_whole {
        say(
            out,
            "note: only users with an email are listed. The provisioning key cannot list users, which is as it \
             should be: for those of per, give an API key of an admin with the scope user:list (--admin-key)",
        )?;
    }
    Ok(())
}

/// All users of n8n. `None`: the key may not list them.
fn all(client: &Client, target: &Target<'_>, key: &Secret) -> Result<Option<Vec<Account>>, String> {
    let mut users = Vec::new();
    let mut cursor: Option<String> = None;
    for _ in 0..MOST_PARTS {
        let path = accounts_path(&target.provisioning.paths.users, cursor.as_deref());
        let response = client.get(&path, Credential::ApiKey(key))?;
        let part = match response.status {
            200 => read_accounts(&response.body),
            401 | 403 => return Ok(None),
            _ => None,
        };
        let part = part.ok_or_else(|| response.fault("listing users"))?;
        users.extend(part.list);
        cursor = part.next;
        if cursor.is_none() {
            break;
        }
    }
    Ok(Some(users))
}

/// The users with fixed addresses, one by one.
fn known(client: &Client, target: &Target<'_>) -> Result<Vec<Account>, String> {
    let mut users: Vec<Account> = Vec::new();
    let mut asked: Vec<&str> = Vec::new();
    for (email, _) in target.fixed() {
        if !asked.contains(&email) {
            asked.push(email);
            let user = find(client, target, email).map_err(|fault| format!("n8n: {fault}"))?;
            users.extend(user);
        }
    }
    Ok(users)
}

fn principal<'p>(target: &Target<'p>, user: &Account) -> Option<&'p str> {
    let mut fixed = target.fixed();
    let found = fixed.find(|(email, _)| email.eq_ignore_ascii_case(&user.email));
    found.map(|(_, principal)| principal)
}

fn line(target: &Target<'_>, user: &Account) -> String {
    let mut line = shown(&user.email);
    if !user.name.is_empty() {
        line.push_str(": ");
        line.push_str(&shown(&user.name));
    }
    if let Some(principal) = principal(target, user) {
        line.push_str(", of the principal ");
        line.push_str(principal);
    }
    if user.is_pending {
        line.push_str(", invited, without a password");
    }
    line
}
