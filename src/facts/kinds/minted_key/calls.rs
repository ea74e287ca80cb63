//! The calls to n8n by which keys are made.

use super::session::Session;
use crate::facts::call::{Body, CallRequest, Method};
use crate::n8n::accounts::{
    accept_body, delete_key_path, invite_body, key_body, login_body, name_body, own_keys_path,
    NewKey,
};
use crate::policy::{N8nUser, Provisioning};
use crate::secret::Secret;

/// The calls about one user of one n8n.
#[derive(Clone, Copy)]
pub(in crate::facts::kinds) struct Calls<'a> {
    pub(in crate::facts::kinds) provisioning: &'a Provisioning,
    pub(in crate::facts::kinds) user: &'a N8nUser,
}

impl Calls<'_> {
    /// Does n8n know the user?
    pub(in crate::facts::kinds) fn find(self) -> CallRequest {
        let path = self.provisioning.paths.user(&self.user.email);
        self.with_key(self.get(&path))
    }

    /// Invites the user.
    pub(in crate::facts::kinds) fn invite(self) -> CallRequest {
        let body = invite_body(&self.user.email);
        self.with_key(self.post(&self.provisioning.paths.users, body))
    }

    /// Accepts the invitation for the user, with the password that is derived for it.
    pub(in crate::facts::kinds) fn accept(self, token: &Secret) -> CallRequest {
        let N8nUser {
            email,
            first_name,
            last_name,
        } = self.user;
        let password = self.provisioning.password(email);
        let body = accept_body(token.expose(), first_name, last_name, password.expose());
        self.post(&self.provisioning.paths.accept, body)
    }

    /// Logs in as the user.
    pub(in crate::facts::kinds) fn log_in(self) -> CallRequest {
        let email = &self.user.email;
        let password = self.provisioning.password(email);
        let body = login_body(email, password.expose());
        self.post(&self.provisioning.paths.login, body)
    }

    /// Gives the user of this session the names that it has here.
    pub(in crate::facts::kinds) fn rename(self, cookie: &Secret) -> CallRequest {
        let body = name_body(&self.user.first_name, &self.user.last_name);
        let request = CallRequest {
            method: Method::Patch,
            ..self.post(&self.provisioning.paths.me, body)
        };
        request.with("cookie", cookie.clone())
    }

    /// Which scopes can a key of the user have?
    pub(super) fn grantable(self, session: &Session) -> CallRequest {
        with_session(self.get(&self.provisioning.paths.grantable), session)
    }

    /// Makes a key.
    pub(super) fn make(self, session: &Session, key: &NewKey<'_>) -> CallRequest {
        let request = self.post(&self.provisioning.paths.keys, key_body(key));
        with_session(request, session)
    }

    /// Which keys does the user have? Without `ownership`, an admin would get those of all users.
    pub(super) fn list(self, session: &Session) -> CallRequest {
        let path = own_keys_path(&self.provisioning.paths.keys, 0);
        with_session(self.get(&path), session)
    }

    /// Deletes a key.
    pub(super) fn delete(self, session: &Session, id: &str) -> CallRequest {
        let path = delete_key_path(&self.provisioning.paths.keys, id);
        let request = CallRequest {
            method: Method::Delete,
            ..self.get(&path)
        };
        with_session(request, session)
    }

    fn get(self, path: &str) -> CallRequest {
        CallRequest::get(self.provisioning.endpoint(path), self.provisioning.timeout)
    }

    fn post(self, path: &str, body: String) -> CallRequest {
        let body = Body::Json(Secret::new(body));
        CallRequest::post(
            self.provisioning.endpoint(path),
            body,
            self.provisioning.timeout,
        )
    }

    fn with_key(self, request: CallRequest) -> CallRequest {
        request.with("x-n8n-api-key", self.provisioning.api_key.clone())
    }
}

fn with_session(request: CallRequest, session: &Session) -> CallRequest {
    request.with("cookie", session.cookie.clone())
}
