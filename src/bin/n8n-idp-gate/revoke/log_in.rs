//! The log-in of a user that the gate made.

use n8n_idp_gate::n8n::accounts::{
    login_body, read_account, read_login_fault, Account, LoginFault,
};
use n8n_idp_gate::secret::Secret;

use super::target::Target;
use crate::n8n::client::{Client, Credential, Response};
use crate::n8n::session::{too_many, Opened, Session};
use crate::n8n::shown;

/// What a log-in led to.
pub(super) enum LogIn<'c> {
    Session(Box<Session<'c>>),
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
    let opened = Session::open(client, target.endpoints, &provisioning.paths.login, body)?;
    match opened {
        Opened::Session(session) => Ok(LogIn::Session(Box::new(session))),
        Opened::Refused(response) => match response.status {
            401 => why_refused(client, target, email, &response),
            429 => Err(too_many(&response)),
            _ => Err(response.fault("logging in")),
        },
    }
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
