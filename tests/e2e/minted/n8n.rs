//! A small n8n with users, sessions and API keys, whose calls a test can make fail.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::{json, Value};

use crate::support::server::{Recorded, Reply, Script, Server};

/// How long each call takes, so that a crowd comes together meanwhile.
const SLOW: Duration = Duration::from_millis(40);

/// The path under which a fault replaces a response, and the response.
type Fault = (&'static str, Reply);

/// A small n8n. It counts what it made, and remembers every secret.
pub(crate) struct N8n {
    server: Server,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
pub(crate) struct State {
    /// The password of each user; `None`: it was invited.
    pub(crate) users: BTreeMap<String, Option<String>>,
    pub(crate) keys: Vec<String>,
    /// The pairs of name and value of the session cookies.
    pub(crate) sessions: Vec<String>,
    pub(crate) calls: Vec<String>,
    /// The headers of each call of the internal API that a client made.
    pub(crate) internal_calls: Vec<Vec<(String, Vec<u8>)>>,
    /// Passwords, sessions, tokens and keys.
    pub(crate) secrets: Vec<String>,
    faults: Vec<Fault>,
    provisioning_key: String,
    next: u32,
}

impl N8n {
    pub(crate) fn start(provisioning_key: &str) -> Self {
        let state = Arc::new(Mutex::new(State {
            provisioning_key: provisioning_key.to_owned(),
            ..State::default()
        }));
        let shared = Arc::clone(&state);
        let server = Server::start(move |request| {
            thread::sleep(SLOW);
            let mut state = shared.lock().unwrap_or_else(PoisonError::into_inner);
            Script::Reply(state.respond(&request))
        });
        Self {
            server: server.unwrap(),
            state,
        }
    }

    pub(crate) const fn port(&self) -> u16 {
        self.server.port()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every call whose method and path begin so gets this response, until the next fault is set.
    pub(crate) fn fault(&self, call: &'static str, reply: Reply) {
        self.state().faults = vec![(call, reply)];
    }

    pub(crate) fn mend(&self) {
        self.state().faults.clear();
    }
}

impl State {
    fn respond(&mut self, request: &Recorded) -> Reply {
        let call = format!("{} {}", request.method, request.target);
        let mut faults = self.faults.iter();
        let fault = faults.find(|(of, _)| call.starts_with(of));
        let fault = fault.map(|(_, reply)| reply.clone());
        self.calls.push(call.clone());
        if let Some(reply) = fault {
            return reply;
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let is_provisioning = request.values("x-n8n-api-key") == [&*self.provisioning_key];
        match &*call {
            "POST /api/v1/users" if is_provisioning => {
                let email = text(&body[0]["email"]);
                self.users.entry(email.clone()).or_default();
                let token = self.secret("invitation");
                let token = format!("{token}.{email}");
                let url = format!("http://n8n/signup?token={token}");
                let user = json!({"email": email, "emailSent": false, "inviteAcceptUrl": url});
                reply(201, &json!([{"user": user, "error": ""}]))
            }
            "POST /rest/invitations/accept" => {
                let token = text(&body["token"]);
                let (_, email) = token.split_once('.').unwrap();
                let password = text(&body["password"]);
                self.secrets.push(password.clone());
                self.users.insert(email.to_owned(), Some(password));
                self.session()
            }
            "POST /rest/login" => {
                let password = self.users.get(&text(&body["emailOrLdapLoginId"]));
                match password {
                    Some(Some(password)) if *password == text(&body["password"]) => self.session(),
                    _ => reply(401, &json!({"code": 401})),
                }
            }
            _ if request.target.starts_with("/rest/workflows") => {
                self.internal_calls.push(request.headers.clone());
                if self.has_session(request) {
                    // n8n renews a session in the last quarter of its life.
                    self.session().header("X-N8N-API-KEY", "an-echo")
                } else {
                    reply(401, &json!({"status": "error", "message": "Unauthorized"}))
                }
            }
            "GET /rest/api-keys/scopes" if !self.has_session(request) => {
                reply(401, &json!({"status": "error", "message": "Unauthorized"}))
            }
            "GET /rest/api-keys/scopes" => reply(200, &json!({"data": ["workflow:list"]})),
            "POST /rest/api-keys" => {
                let key = self.secret("key");
                self.keys.push(key.clone());
                let id = format!("id-{}", self.next);
                reply(200, &json!({"data": {"id": id, "rawApiKey": key}}))
            }
            _ if call.starts_with("GET /api/v1/users/") && is_provisioning => {
                let email = request.target.trim_start_matches("/api/v1/users/");
                let email = email.replace("%40", "@");
                match self.users.get(&email) {
                    None => reply(404, &json!({})),
                    Some(password) => {
                        let is_pending = password.is_none();
                        reply(200, &json!({"email": email, "isPending": is_pending}))
                    }
                }
            }
            "GET /api/v1/workflows" => {
                let sent = request.values("x-n8n-api-key");
                if self.keys.iter().any(|key| sent == [&**key]) {
                    reply(200, &json!({"data": []}))
                } else {
                    reply(401, &json!({"message": "unauthorized"}))
                }
            }
            _ => reply(401, &json!({"message": "unauthorized"})),
        }
    }

    fn has_session(&self, request: &Recorded) -> bool {
        let sent = request.values("cookie");
        self.sessions.iter().any(|cookie| sent == [&**cookie])
    }

    fn secret(&mut self, what: &str) -> String {
        self.next += 1;
        let secret = format!("secret-{what}-{}-of-n8n", self.next);
        self.secrets.push(secret.clone());
        secret
    }

    fn session(&mut self) -> Reply {
        let cookie = format!("n8n-auth={}", self.secret("session"));
        self.sessions.push(cookie.clone());
        let cookie = format!("{cookie}; Path=/; HttpOnly; SameSite=Lax");
        reply(200, &json!({"data": {}})).header("Set-Cookie", &cookie)
    }
}

fn reply(status: u16, body: &Value) -> Reply {
    Reply::new(status, "application/json; charset=utf-8", body.to_string())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
