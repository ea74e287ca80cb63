//! API keys of n8n's owner with chosen scopes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{json, Value};

use crate::caller::cookie_of_the_owner;
use crate::support::http::Request;
use crate::Stage;

/// An end of keys, in seconds since 1970.
const FAR_AWAY: u64 = 4_000_000_000;

/// How many keys were made here.
static MADE: AtomicU64 = AtomicU64::new(0);

/// Makes API keys, one for each set of scopes.
pub(crate) struct Keys {
    port: u16,
    cookie: String,
    made: HashMap<Vec<String>, String>,
}

impl Keys {
    pub(crate) fn of_the_owner(stage: &Stage) -> Self {
        Self {
            port: stage.n8n.port(),
            cookie: cookie_of_the_owner(stage),
            made: HashMap::new(),
        }
    }

    /// The scopes that a key of the owner can have. A licence adds some.
    pub(crate) fn scopes(&self) -> Vec<String> {
        let response = Request::get("/rest/api-keys/scopes")
            .header("Cookie", &self.cookie)
            .send(self.port)
            .unwrap();
        serde_json::from_value(response.json()["data"].clone()).unwrap()
    }

    /// A key with exactly these scopes.
    pub(crate) fn with(&mut self, scopes: &[impl AsRef<str>]) -> String {
        let mut scopes: Vec<String> = scopes.iter().map(|s| s.as_ref().to_owned()).collect();
        scopes.sort();
        if let Some(key) = self.made.get(&scopes) {
            return key.clone();
        }
        let random = std::fs::read_to_string("/proc/sys/kernel/random/uuid").unwrap();
        // n8n 1 refuses two keys of one second with one end.
        let end = FAR_AWAY + MADE.fetch_add(1, Ordering::Relaxed);
        let wanted = json!({"label": random.trim(), "scopes": scopes, "expiresAt": end});
        let response = Request::post("/rest/api-keys", &wanted)
            .header("Cookie", &self.cookie)
            .send(self.port)
            .unwrap();
        assert_eq!(response.status, 200, "{scopes:?}: {}", response.text());
        let key = response.json()["data"]["rawApiKey"].clone();
        let Value::String(key) = key else {
            panic!("no key: {}", response.text());
        };
        self.made.insert(scopes, key.clone());
        key
    }
}
