//! A session of a user that the gate made.

use n8n_idp_gate::n8n::accounts::{
    delete_key_path, login_body, logout_path, own_keys_path, read_account, read_login_fault,
    read_own_keys, session_cookie, Account, ListedKey, LoginFault,
};
use n8n_idp_gate::secret::Secret;

use super::client::{Client, Credential, Response};
use super::shown;
use super::target::Target;

/// The most keys of one user that are looked at.
const MOST_KEYS: usize = 10_000;

/// A session of a user.
pub(super) struct Session<'c> {
    client: &'c Client,
    cookie: Secret,
    keys: &'c str,
    logout: String,
}

/// What a log-in led to.
pub(super) enum LogIn<'c> {
    Session(Session<'c>),
    /// The user has not accepted its invitation.
    Pending,
}

/// Logs in with the password that is derived for the user.
pub(super) fn log_in<'c>(
    client: &'c Client,
    target: &Target<'c>,
    email: &str,
) -> Result<LogIn<'c>, String> {
    let provisioning = target.provisioning;
    let password = provisioning.password(email);
    let body = Secret::new(login_body(email, password.expose()));
    let response = client.post(&provisioning.paths.login, Credential::Nothing, Some(body))?;
    match response.status {
        200 => {}
        401 => return why_refused(client, target, email, &response),
        429 => {
            return Err(format!(
                "n8n takes five log-ins of a user in a minute, and there were more; the gate's count too. Try \
                 again in {} seconds",
                response.retry_after.unwrap_or(60)
            ))
        }
        _ => return Err(response.fault("logging in")),
    }
    let cookie = session_cookie(response.cookies.iter().map(Vec::as_slice));
    let cookie = cookie.ok_or_else(|| response.fault("logging in"))?;
    Ok(LogIn::Session(Session {
        client,
        cookie,
        keys: &provisioning.paths.keys,
        logout: logout_path(target.endpoints),
    }))
}

/// n8n does not say whether the password is another one or there is no such user. The provisioning key
/// finds out.
fn why_refused<'c>(
    client: &Client,
    target: &Target<'c>,
    email: &str,
    response: &Response,
) -> Result<LogIn<'c>, String> {
    let name = shown(email);
    if read_login_fault(&response.body) == LoginFault::SecondFactor {
        return Err(format!(
            "{name} has a second factor, which this program does not know: switch it off, or delete the keys in \
             n8n under Settings, n8n API"
        ));
    }
    if !target.has_key() {
        return Err(format!(
            "n8n refuses the log-in of {name}: there is no such user, or it has another password. To learn \
             which, set the environment variable that n8n.api_key names"
        ));
    }
    let account = find(client, target, email)
        .map_err(|fault| format!("n8n refuses the log-in of {name}, and {fault}"))?;
    match account {
        None => Err(format!("n8n has no user {name}")),
        Some(account) if account.is_pending => Ok(LogIn::Pending),
        Some(_) => Err(format!(
            "{name} exists in n8n with another password than the one of this seed: the gate did not make it, or \
             with another seed. Its keys are not touched"
        )),
    }
}

/// The user with this address, if there is one.
pub(super) fn find(
    client: &Client,
    target: &Target<'_>,
    email: &str,
) -> Result<Option<Account>, String> {
    let provisioning = target.provisioning;
    if !target.has_key() {
        return Err("the environment variable that n8n.api_key names is not set".to_owned());
    }
    let path = provisioning.paths.user(email);
    let response = client.get(&path, Credential::ApiKey(&provisioning.api_key))?;
    match response.status {
        200 => read_account(&response.body)
            .map(Some)
            .ok_or_else(|| response.fault("finding the user")),
        404 => Ok(None),
        status @ (401 | 403) => Err(format!(
            "it refuses the provisioning key of n8n.api_key ({status}): it was deleted, has expired or lacks \
             the scope user:read, or the address is that of the gate"
        )),
        _ => Err(response.fault("finding the user")),
    }
}

impl Session<'_> {
    /// The user's keys whose labels begin so.
    pub(super) fn keys(&self, label: &str) -> Result<Vec<ListedKey>, String> {
        let mut all = Vec::new();
        let mut skip = 0_usize;
        while skip < MOST_KEYS {
            let path = own_keys_path(self.keys, skip);
            let response = self.client.get(&path, self.credential())?;
            let part = (response.status == 200)
                .then(|| read_own_keys(&response.body, label))
                .flatten()
                .ok_or_else(|| response.fault("listing the API keys"))?;
            let new = part.of_gate.into_iter();
            let new: Vec<_> = new.filter(|key| !all.contains(key)).collect();
            // Older versions of n8n send the whole list each time.
            let is_last = part.listed < 250 || new.is_empty() && skip > 0;
            all.extend(new);
            if is_last {
                break;
            }
            skip = skip.saturating_add(part.listed);
        }
        Ok(all)
    }

    /// Deletes a key. If it is gone, that is good, too.
    pub(super) fn delete(&self, id: &str) -> Result<(), String> {
        let path = delete_key_path(self.keys, id);
        let response = self.client.delete(&path, self.credential())?;
        match response.status {
            200 | 204 | 404 => Ok(()),
            _ => Err(response.fault("deleting an API key")),
        }
    }

    /// Ends the session.
    pub(super) fn log_out(self) -> Result<(), String> {
        let response = self.client.post(&self.logout, self.credential(), None)?;
        match response.status {
            200 | 204 => Ok(()),
            _ => Err(response.fault("logging out")),
        }
    }

    const fn credential(&self) -> Credential<'_> {
        Credential::Cookie(&self.cookie)
    }
}
