//! An n8n that follows a script, as the gate's calls see it: users, invitations, sessions and API keys.

use std::collections::BTreeMap;

use serde_json::{json, Value};

use crate::facts::call::{CallRequest, CallResponse, Method};
use crate::facts::ResponseHeaders;
use crate::secret::Secret;
use crate::time::UnixMillis;

/// The key that finds and makes users.
pub(super) const PROVISIONING_KEY: &str = "provisioning-key";

/// How many log-ins of one user n8n takes in a minute.
const LOGINS: usize = 5;

/// What a user can have in a key.
const GRANTABLE: [&str; 4] = [
    "workflow:list",
    "workflow:read",
    "workflow:create",
    "later:scope",
];

#[derive(Debug, Default)]
pub(super) struct N8n {
    pub(super) users: BTreeMap<String, User>,
    /// The user of each session.
    sessions: BTreeMap<String, String>,
    pub(super) keys: BTreeMap<String, Key>,
    next: u64,
    pub(super) calls: Vec<String>,
    /// n8n sends invitations by e-mail.
    pub(super) has_smtp: bool,
    /// Every call gets this status.
    pub(super) broken: Option<u16>,
    /// The next call to this path gets this response instead. The call has no effect.
    pub(super) faults: Vec<(&'static str, CallResponse)>,
    /// The next call to this path has its effect, and gets this response.
    pub(super) late_faults: Vec<(&'static str, CallResponse)>,
    /// What users can have, if it is not what they usually can.
    pub(super) grantable: Option<Vec<&'static str>>,
    pub(super) refuses_provisioning_key: bool,
    logins: Vec<(String, UnixMillis)>,
}

#[derive(Debug, Default)]
pub(super) struct User {
    pub(super) password: Option<String>,
    pub(super) names: [String; 2],
    pub(super) has_second_factor: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) email: String,
    pub(super) label: String,
    pub(super) scopes: Vec<String>,
    pub(super) expires: u64,
}

impl N8n {
    /// The response to a call.
    pub(super) fn respond(&mut self, call: &CallRequest, now: UnixMillis) -> CallResponse {
        let path = &*call.endpoint.path;
        self.calls.push(format!("{} {path}", call.method.as_str()));
        if let Some(status) = self.broken {
            return response(status, &json!({}));
        }
        let label = format!("{} {path}", call.method.as_str());
        if let Some(fault) = take(&mut self.faults, &label) {
            return fault;
        }
        let fault = take(&mut self.late_faults, &label);
        let response = self.response(call, path, now);
        fault.unwrap_or(response)
    }

    fn response(&mut self, call: &CallRequest, path: &str, now: UnixMillis) -> CallResponse {
        let body = call.body.as_ref();
        let body = body.map(|body| serde_json::from_str(body.content().expose()).unwrap());
        let body: Value = body.unwrap_or_default();
        match (call.method, path) {
            (Method::Get, _) if path.starts_with("/api/v1/users/") => self.find(call, path),
            (Method::Post, "/api/v1/users") => self.invite(call, &body),
            (Method::Post, "/rest/invitations/accept") => self.accept(&body),
            (Method::Post, "/rest/login") => self.log_in(&body, now),
            (Method::Patch, "/rest/me") => self.rename(call, &body),
            (_, _) if path.starts_with("/rest/api-keys") => self.of_keys(call, path, &body),
            _ => panic!("n8n is not called so: {} {path}", call.method.as_str()),
        }
    }

    /// Whether it accepts a key now.
    pub(super) fn accepts(&self, key: &str, now: UnixMillis) -> bool {
        let id = key.strip_prefix("raw-");
        let key = id.and_then(|id| self.keys.get(id));
        key.is_some_and(|key| {
            now.to_seconds().0 < key.expires && self.users.contains_key(&key.email)
        })
    }

    /// Whose key it is.
    pub(super) fn owner(&self, key: &str) -> Option<&str> {
        let id = key.strip_prefix("raw-")?;
        Some(&*self.keys.get(id)?.email)
    }

    /// Whose session it is, if n8n accepts it.
    pub(super) fn user_in(&self, cookie: &str) -> Option<&str> {
        let email = self.sessions.get(cookie)?;
        self.users.contains_key(email).then_some(&**email)
    }

    /// It forgets every session: its users logged out, or have other passwords.
    pub(super) fn end_sessions(&mut self) {
        self.sessions.clear();
    }

    /// The user that a call is about.
    pub(super) fn user_of(&self, call: &CallRequest) -> Option<String> {
        if let Some(cookie) = call.header("cookie") {
            return self.sessions.get(cookie.expose()).cloned();
        }
        let Some(body) = &call.body else {
            let user = call.endpoint.path.strip_prefix("/api/v1/users/");
            return user.map(|user| user.replace("%40", "@"));
        };
        let body: Value = serde_json::from_str(body.content().expose()).unwrap();
        let members = [
            &body[0]["email"],
            &body["emailOrLdapLoginId"],
            &body["token"],
        ];
        let user = members.into_iter().find_map(Value::as_str);
        user.map(|user| user.trim_start_matches("invite-").to_owned())
    }

    /// Its database is lost.
    pub(super) fn wipe(&mut self) {
        self.users.clear();
        self.sessions.clear();
        self.keys.clear();
    }

    /// Its secret changes: no session and no key is good any more.
    pub(super) fn change_secret(&mut self) {
        self.sessions.clear();
        self.keys.clear();
        self.refuses_provisioning_key = true;
    }

    fn is_provisioning(&self, call: &CallRequest) -> bool {
        let key = call.header("x-n8n-api-key").map(Secret::expose);
        key == Some(PROVISIONING_KEY) && !self.refuses_provisioning_key
    }

    fn find(&self, call: &CallRequest, path: &str) -> CallResponse {
        if !self.is_provisioning(call) {
            return response(401, &json!({ "message": "unauthorized" }));
        }
        let email = path
            .trim_start_matches("/api/v1/users/")
            .replace("%40", "@");
        match self.users.get(&email) {
            None => response(404, &json!({ "message": "Could not find user" })),
            Some(user) => response(
                200,
                &json!({ "id": "u", "email": email, "isPending": user.password.is_none() }),
            ),
        }
    }

    fn invite(&mut self, call: &CallRequest, body: &Value) -> CallResponse {
        if !self.is_provisioning(call) {
            return response(401, &json!({ "message": "unauthorized" }));
        }
        assert_eq!(body[0]["role"], "global:member");
        let email = text(&body[0]["email"]);
        let user = self.users.entry(email.clone()).or_default();
        if user.password.is_some() {
            return response(201, &json!([]));
        }
        let mut made = json!({ "id": "u", "email": email, "emailSent": self.has_smtp });
        if !self.has_smtp {
            let url = format!("http://n8n/signup?token=invite-{email}");
            made["inviteAcceptUrl"] = url.into();
        }
        response(201, &json!([{ "user": made, "error": "" }]))
    }

    fn accept(&mut self, body: &Value) -> CallResponse {
        let token = text(&body["token"]);
        let email = token.strip_prefix("invite-").unwrap();
        let user = self.users.get_mut(email);
        let Some(user) = user.filter(|user| user.password.is_none()) else {
            let message = "Invalid payload or URL";
            return response(400, &json!({ "code": 400, "message": message }));
        };
        user.password = Some(text(&body["password"]));
        user.names = [text(&body["firstName"]), text(&body["lastName"])];
        let email = email.to_owned();
        self.session(&email)
    }

    fn log_in(&mut self, body: &Value, now: UnixMillis) -> CallResponse {
        let email = text(&body["emailOrLdapLoginId"]);
        self.logins
            .retain(|(_, at)| now.0.saturating_sub(at.0) < 60_000);
        let recent = |login: &&(String, UnixMillis)| login.0 == email;
        if self.logins.iter().filter(recent).count() >= LOGINS {
            let retry = ("retry-after".to_owned(), b"60".to_vec());
            return with_headers(429, &json!({}), vec![retry]);
        }
        self.logins.push((email.clone(), now));
        match self.users.get(&email) {
            Some(user) if user.has_second_factor => response(401, &json!({ "code": 998 })),
            Some(user) if user.password.as_deref() == body["password"].as_str() => {
                self.session(&email)
            }
            _ => response(401, &json!({ "code": 401, "message": "Wrong password" })),
        }
    }

    fn rename(&mut self, call: &CallRequest, body: &Value) -> CallResponse {
        let cookie = call.header("cookie").unwrap().expose();
        let Some(email) = self.user_in(cookie).map(str::to_owned) else {
            return response(401, &json!({ "message": "Unauthorized" }));
        };
        let names = [text(&body["firstName"]), text(&body["lastName"])];
        self.users.get_mut(&email).unwrap().names = names;
        response(200, &json!({ "data": { "email": email } }))
    }

    fn grantable(&self) -> Vec<&'static str> {
        self.grantable.clone().unwrap_or(GRANTABLE.to_vec())
    }

    fn session(&mut self, email: &str) -> CallResponse {
        self.next += 1;
        let pair = format!("n8n-auth=session-{}", self.next);
        self.sessions.insert(pair.clone(), email.to_owned());
        let cookie = format!("{pair}; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax");
        let cookie = ("set-cookie".to_owned(), cookie.into_bytes());
        let [first, last] = &self.users[email].names;
        let user = json!({ "email": email, "firstName": first, "lastName": last });
        with_headers(200, &json!({ "data": user }), vec![cookie])
    }

    fn of_keys(&mut self, call: &CallRequest, path: &str, body: &Value) -> CallResponse {
        let cookie = call.header("cookie").map(Secret::expose);
        let email = cookie.and_then(|cookie| self.user_in(cookie));
        let Some(email) = email.map(str::to_owned) else {
            return response(
                401,
                &json!({ "status": "error", "message": "Unauthorized" }),
            );
        };
        match (call.method, path) {
            (Method::Get, "/rest/api-keys/scopes") => {
                response(200, &json!({ "data": self.grantable() }))
            }
            (Method::Get, "/rest/api-keys?ownership=mine&take=250&skip=0") => {
                let own = self.keys.iter().filter(|(_, key)| key.email == email);
                let own: Vec<_> = own
                    .map(|(id, key)| {
                        json!({ "id": id, "label": key.label, "expiresAt": key.expires })
                    })
                    .collect();
                response(200, &json!({ "data": { "items": own } }))
            }
            (Method::Post, "/rest/api-keys") => self.make(&email, body),
            (Method::Delete, _) => {
                let id = path.trim_start_matches("/rest/api-keys/");
                let removed = self.keys.remove(id);
                let status = if removed.is_some() { 200 } else { 404 };
                response(status, &json!({ "data": { "success": true } }))
            }
            _ => panic!("n8n is not called so: {path}"),
        }
    }

    fn make(&mut self, email: &str, body: &Value) -> CallResponse {
        let scopes = body["scopes"].as_array().unwrap();
        let scopes: Vec<_> = scopes.iter().map(text).collect();
        assert!(!scopes.is_empty(), "n8n refuses a key without scopes");
        let grantable = self.grantable();
        if !scopes.iter().all(|scope| grantable.contains(&&**scope)) {
            let message = "Invalid scopes for user role";
            return response(400, &json!({ "code": 400, "message": message }));
        }
        let label = text(&body["label"]);
        assert!(label.len() <= 50, "{label}");
        let is_taken = |key: &Key| key.email == email && key.label == label;
        if self.keys.values().any(is_taken) {
            return response(500, &json!({ "code": 0 }));
        }
        self.next += 1;
        let id = format!("key-{}", self.next);
        let raw = format!("raw-{id}");
        let key = Key {
            email: email.to_owned(),
            label,
            scopes,
            expires: body["expiresAt"].as_u64().unwrap(),
        };
        self.keys.insert(id.clone(), key);
        response(
            200,
            &json!({ "data": { "id": id, "rawApiKey": raw, "apiKey": "***" } }),
        )
    }
}

fn take(faults: &mut Vec<(&'static str, CallResponse)>, label: &str) -> Option<CallResponse> {
    let index = faults.iter().position(|(of, _)| label.starts_with(of))?;
    Some(faults.remove(index).1)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

pub(super) fn response(status: u16, body: &Value) -> CallResponse {
    with_headers(status, body, Vec::new())
}

fn with_headers(status: u16, body: &Value, headers: Vec<(String, Vec<u8>)>) -> CallResponse {
    CallResponse::Response {
        status,
        headers: ResponseHeaders::new(headers),
        body: body.to_string().into_bytes(),
    }
}
