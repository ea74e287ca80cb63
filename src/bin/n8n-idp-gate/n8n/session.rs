//! A session of a user of n8n.

use n8n_idp_gate::n8n::accounts::{
    delete_key_path, logout_path, own_keys_path, read_own_keys, session_cookie, AccountPaths,
    ListedKey,
};
use n8n_idp_gate::n8n::Endpoints;
use n8n_idp_gate::secret::Secret;
use serde_json::Value;

use super::client::{Client, Credential, Response};

/// The most keys of one user that are looked at.
const MOST_KEYS: usize = 10_000;

/// A session of a user.
pub(crate) struct Session<'c> {
    pub(crate) client: &'c Client,
    /// The paths of n8n's accounts.
    pub(crate) paths: AccountPaths,
    /// n8n's identifier of the user.
    pub(crate) user_id: String,
    cookie: Secret,
    logout: String,
}

/// What a call that opens a session led to.
pub(crate) enum Opened<'c> {
    Session(Session<'c>),
    /// n8n opened none.
    Refused(Response),
}

/// What to do when n8n counts too many log-ins.
pub(crate) fn too_many(response: &Response) -> String {
    format!(
        "n8n takes five log-ins of a user in a minute, and there were more; the gate's count too. Try \
         again in {} seconds",
        response.retry_after.unwrap_or(60)
    )
}

impl<'c> Session<'c> {
    /// Opens a session with a call to this path.
    pub(crate) fn open(
        client: &'c Client,
        endpoints: &Endpoints,
        path: &str,
        body: Secret,
    ) -> Result<Opened<'c>, String> {
        let response = client.post(path, Credential::Nothing, Some(body))?;
        if response.status != 200 {
            return Ok(Opened::Refused(response));
        }
        let fault = || response.fault("logging in");
        let cookie = session_cookie(response.cookies.iter().map(Vec::as_slice));
        let user: Option<Value> = serde_json::from_slice(&response.body).ok();
        let user_id = user.as_ref().and_then(|user| user.pointer("/data/id"));
        Ok(Opened::Session(Self {
            client,
            paths: AccountPaths::of(endpoints),
            // The owner's set-up and a log-in send it. What needs it compares it with ids of n8n.
            user_id: user_id
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            cookie: cookie.ok_or_else(fault)?,
            logout: logout_path(endpoints),
        }))
    }
}

impl Session<'_> {
    /// The user's keys whose labels begin so.
    pub(crate) fn keys(&self, label: &str) -> Result<Vec<ListedKey>, String> {
        let mut all = Vec::new();
        let mut skip = 0_usize;
        while skip < MOST_KEYS {
            let path = own_keys_path(&self.paths.keys, skip);
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
    pub(crate) fn delete(&self, id: &str) -> Result<(), String> {
        let path = delete_key_path(&self.paths.keys, id);
        let response = self.client.delete(&path, self.credential())?;
        match response.status {
            200 | 204 | 404 => Ok(()),
            _ => Err(response.fault("deleting an API key")),
        }
    }

    /// Ends the session.
    pub(crate) fn log_out(self) -> Result<(), String> {
        let response = self.client.post(&self.logout, self.credential(), None)?;
        match response.status {
            200 | 204 => Ok(()),
            _ => Err(response.fault("logging out")),
        }
    }

    /// What shows n8n for whom a call is.
    pub(crate) const fn credential(&self) -> Credential<'_> {
        Credential::Cookie(&self.cookie)
    }
}
