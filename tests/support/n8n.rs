//! A real n8n in its own process, with users, API keys and workflows.

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use serde_json::{json, Value};

use super::http::{exchange_within, Request};
use super::process::{Ending, Process};
use super::{installed, ports, Outcome};

/// The file with the secret that signs sessions and API keys. Without it, the next start makes another
/// one, and n8n accepts no session and no key of before.
pub(crate) const JWT_SECRET: &str = "jwt-secret";

/// The longest time for the first start of n8n on a busy machine.
const START: Duration = Duration::from_secs(120);

/// The environment that keeps n8n from calls to other servers and from needless work.
const QUIET: [(&str, &str); 14] = [
    ("DB_TYPE", "sqlite"),
    ("NODE_ENV", "production"),
    ("N8N_LISTEN_ADDRESS", "127.0.0.1"),
    ("N8N_SECURE_COOKIE", "false"),
    ("N8N_PROXY_HOPS", "1"),
    ("N8N_DIAGNOSTICS_ENABLED", "false"),
    ("N8N_VERSION_NOTIFICATIONS_ENABLED", "false"),
    ("N8N_DYNAMIC_BANNERS_ENABLED", "false"),
    ("N8N_TEMPLATES_ENABLED", "false"),
    ("N8N_PERSONALIZATION_ENABLED", "false"),
    ("N8N_HIRING_BANNER_ENABLED", "false"),
    ("N8N_LICENSE_AUTO_RENEW_ENABLED", "false"),
    ("N8N_METRICS", "true"),
    ("N8N_RUNNERS_ENABLED", "true"),
];

/// The modules of n8n that no test needs. n8n 1 knows only some of them, and does not start with the
/// names of others.
const IDLE: &str = "mcp-registry,instance-ai,community-packages,chat-hub";
const IDLE_IN_1: &str = "chat-hub";

/// The scopes of the key that the owner had before the gate.
const SCOPES_OF_OWNER: [&str; 5] = [
    "workflow:list",
    "workflow:read",
    "workflow:create",
    "workflow:activate",
    "user:list",
];

/// The scopes of the provisioning key.
const PROVISIONING: [&str; 2] = ["user:create", "user:read"];

/// The accounts, workflows and secrets of an n8n that was provisioned.
const ACCOUNTS: &str = "accounts.json";

/// An n8n user and its API key.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    /// The e-mail address.
    pub(crate) email: String,
    /// n8n's identifier of the user.
    pub(crate) user_id: String,
    /// The API key.
    pub(crate) api_key: String,
}

/// The accounts and workflows that a new n8n gets.
#[derive(Clone, Debug)]
pub(crate) struct Provisioned {
    /// The owner, who also owns both workflows. Its key plays the static API keys from before the
    /// gate.
    pub(crate) owner: Account,
    /// The owner's password in n8n's user interface.
    pub(crate) password: String,
    /// The key with which the gate makes users. An operator makes no other one for it.
    pub(crate) provisioning_key: String,
    /// The secret from which the gate derives their passwords.
    pub(crate) seed: String,
    /// The workflow that echoes requests to `/webhook/orders/new`.
    pub(crate) orders_workflow: String,
    /// The workflow that echoes requests to `/webhook/open`.
    pub(crate) open_workflow: String,
}

/// A running n8n. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct RealN8n {
    process: Process,
    port: u16,
    folder: PathBuf,
    provisioned: Provisioned,
}

impl RealN8n {
    /// Starts n8n on a loopback port with its data below `folder`, and provisions it if it is new.
    pub(crate) fn start(port: u16, folder: &Path) -> Outcome<Self> {
        fs::create_dir_all(folder)?;
        let secret = kept(&folder.join("secret"), random_hex)?;
        let jwt_secret = kept(&folder.join(JWT_SECRET), random_hex)?;
        let accounts = folder.join(ACCOUNTS);
        let data = folder.join(".n8n");
        if data.exists() && !accounts.exists() {
            // An earlier start was interrupted, so its data may be incomplete.
            fs::remove_dir_all(&data)?;
        }
        let broker = ports::free()?;
        let modules = installed::n8n()?;
        let package = fs::read_to_string(modules.join("node_modules/n8n/package.json"))?;
        let package: Value = serde_json::from_str(&package)?;
        let is_1 = text(&package, "/version")?.starts_with("1.");
        let idle = if is_1 { IDLE_IN_1 } else { IDLE };
        let node = fs::canonicalize(installed::node()?)?;
        let path = format!(
            "{}:/usr/local/bin:/usr/bin:/bin",
            node.parent().unwrap_or(&node).display()
        );
        let mut process = Process::start(
            "n8n",
            &node,
            &folder.join("log"),
            Ending::Terminate,
            |command| {
                command
                    .arg(modules.join("node_modules/n8n/bin/n8n"))
                    .arg("start")
                    .current_dir(folder)
                    .env("PATH", path)
                    .env("HOME", folder)
                    .env("N8N_USER_FOLDER", folder)
                    // A cache of compiled modules for every n8n that the tests start. It saves
                    // seconds.
                    .env(
                        "NODE_COMPILE_CACHE",
                        installed::root().join(".local/cache/node"),
                    )
                    .env("N8N_PORT", port.to_string())
                    .env("N8N_RUNNERS_BROKER_PORT", broker.to_string())
                    .env("N8N_ENCRYPTION_KEY", &secret)
                    .env("N8N_USER_MANAGEMENT_JWT_SECRET", &jwt_secret)
                    .env("N8N_DISABLED_MODULES", idle)
                    .envs(QUIET);
            },
        )?;
        // n8n 1 says that it is ready before it has its routes.
        let path = if is_1 {
            "/rest/settings"
        } else {
            "/healthz/readiness"
        };
        let probe = Request::get(path).bytes();
        process.wait_until(START, |_| {
            exchange_within(port, &probe, Duration::from_secs(2)).is_ok_and(|response| {
                response.status == 200 && (!is_1 || response.text().starts_with('{'))
            })
        })?;
        let saved = kept(&accounts, || Ok(provision(port)?.to_string()))?;
        Ok(Self {
            process,
            port,
            folder: folder.to_owned(),
            provisioned: Provisioned::read(&serde_json::from_str(&saved)?)?,
        })
    }

    /// Its port on 127.0.0.1.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Its users, API keys and workflows.
    pub(crate) const fn provisioned(&self) -> &Provisioned {
        &self.provisioned
    }

    /// The session of its owner. n8n takes five log-ins in a minute.
    pub(crate) fn session_of_owner(&self) -> Outcome<Session> {
        self.provisioned.session_of_owner(self.port)
    }

    /// n8n's own event log, oldest first.
    pub(crate) fn events(&self) -> Outcome<Vec<Value>> {
        let mut logs: Vec<PathBuf> = fs::read_dir(self.folder.join(".n8n"))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                name.starts_with("n8nEventLog") && name.ends_with(".log")
            })
            .collect();
        // `n8nEventLog.log` is the newest; higher numbers are older.
        logs.sort();
        logs.reverse();
        let mut events = Vec::new();
        for log in logs {
            let text = fs::read_to_string(log)?;
            events.extend(text.lines().filter_map(|line| {
                let event: Value = serde_json::from_str(line).ok()?;
                event.get("eventName").is_some().then_some(event)
            }));
        }
        Ok(events)
    }

    /// Its output.
    pub(crate) fn log_text(&self) -> String {
        self.process.log_text()
    }
}

impl Provisioned {
    /// What the n8n with its data below this folder has.
    pub(crate) fn kept_in(folder: &Path) -> Outcome<Self> {
        let saved = fs::read_to_string(folder.join(ACCOUNTS))?;
        Self::read(&serde_json::from_str(&saved)?)
    }

    /// The session of the owner. n8n takes five log-ins in a minute.
    pub(crate) fn session_of_owner(&self, port: u16) -> Outcome<Session> {
        let (email, password) = (&self.owner.email, &self.password);
        let log_in = json!({"emailOrLdapLoginId": email, "password": password});
        Session::open(port, "/rest/login", &log_in)
    }

    fn read(saved: &Value) -> Outcome<Self> {
        Ok(Self {
            owner: Account {
                email: text(saved, "/owner/email")?,
                user_id: text(saved, "/owner/user_id")?,
                api_key: text(saved, "/owner/api_key")?,
            },
            password: text(saved, "/password")?,
            provisioning_key: text(saved, "/provisioning_key")?,
            seed: text(saved, "/seed")?,
            orders_workflow: text(saved, "/orders_workflow")?,
            open_workflow: text(saved, "/open_workflow")?,
        })
    }
}

/// Adds an owner, its API keys and workflows to a new n8n, as its own user interface does.
fn provision(port: u16) -> Outcome<Value> {
    let password = format!("Aa1-{}", random_hex()?);
    let email = "owner@n8n.example.test";
    let owner = Session::open(
        port,
        "/rest/owner/setup",
        &json!({"email": email, "firstName": "The", "lastName": "Owner", "password": password}),
    )?;
    let key = owner.api_key("before the gate", &SCOPES_OF_OWNER)?;
    let orders = echo_workflow(port, &key, "Orders", "orders/new")?;
    let open = echo_workflow(port, &key, "Open to all", "open")?;
    Ok(json!({
        "owner": {"email": email, "user_id": owner.user_id, "api_key": key},
        "password": password,
        "provisioning_key": owner.api_key("n8n-idp-gate", &PROVISIONING)?,
        "seed": format!("{}{}", random_hex()?, random_hex()?),
        "orders_workflow": orders,
        "open_workflow": open,
    }))
}

/// The session of an n8n user.
#[derive(Debug)]
pub(crate) struct Session {
    port: u16,
    /// The cookie, as a client sends it.
    pub(crate) cookie: String,
    user_id: String,
}

impl Session {
    /// Logs in with a call whose response has a session cookie and the user.
    fn open(port: u16, path: &str, body: &Value) -> Outcome<Self> {
        let response = Request::post(path, body).send(port)?;
        let cookie = response
            .headers
            .iter()
            .filter(|(name, _)| name == "set-cookie")
            .filter_map(|(_, value)| std::str::from_utf8(value).ok()?.split(';').next())
            .find(|cookie| cookie.starts_with("n8n-auth="));
        match cookie {
            Some(cookie) => Ok(Self {
                port,
                cookie: cookie.to_owned(),
                user_id: text(&response.json(), "/data/id")?,
            }),
            None => Err(format!(
                "the response to {path} is {}: {}",
                response.status,
                response.text()
            )
            .into()),
        }
    }

    /// All API keys of n8n, as it lists them for an owner.
    pub(crate) fn all_api_keys(&self) -> Outcome<Vec<Value>> {
        let path = "/rest/api-keys?ownership=all&take=250";
        let request = Request::get(path).header("Cookie", &self.cookie);
        let listed = expect_success(path, &request, self.port)?;
        let items = listed.pointer("/data/items").and_then(Value::as_array);
        Ok(items.cloned().unwrap_or_default())
    }

    fn post(&self, path: &str, body: &Value) -> Outcome<Value> {
        let request = Request::post(path, body).header("Cookie", &self.cookie);
        expect_success(path, &request, self.port)
    }

    /// Makes an API key for this user. Names are unique for each user.
    pub(crate) fn api_key(&self, label: &str, scopes: &[&str]) -> Outcome<String> {
        let wanted = json!({"label": label, "scopes": scopes, "expiresAt": null});
        let ask = || self.post("/rest/api-keys", &wanted);
        let made = ask().or_else(|_| {
            // n8n 1 refuses two keys of one second.
            thread::sleep(Duration::from_millis(1100));
            ask()
        })?;
        text(&made, "/data/rawApiKey")
    }

    /// Adds a member with this password and an API key.
    pub(crate) fn member(&self, email: &str, password: &str, scopes: &[&str]) -> Outcome<Account> {
        let wanted = json!([{"email": email, "role": "global:member"}]);
        let invited = self.post("/rest/invitations", &wanted)?;
        let address = text(&invited, "/data/0/user/inviteAcceptUrl")?;
        let field = |name: &str| {
            let (_, value) = address.split_once(name)?;
            value.split('&').next()
        };
        let proof = (field("token="), field("inviterId="), field("inviteeId="));
        let (path, name, value) = match proof {
            (Some(token), _, _) => ("/rest/invitations/accept".to_owned(), "token", token),
            // n8n 1 has no tokens.
            (None, Some(owner), Some(member)) => {
                let path = format!("/rest/invitations/{member}/accept");
                (path, "inviterId", owner)
            }
            _ => return Err(format!("{address} is no invitation").into()),
        };
        let body =
            json!({name: value, "firstName": "A", "lastName": "Member", "password": password});
        let member = Self::open(self.port, &path, &body)?;
        Ok(Account {
            email: email.to_owned(),
            api_key: member.api_key("end-to-end", scopes)?,
            user_id: member.user_id,
        })
    }
}

/// Makes and activates a workflow whose webhook responds with the request.
fn echo_workflow(port: u16, api_key: &str, name: &str, path: &str) -> Outcome<String> {
    let workflow = json!({
        "name": name,
        "settings": {},
        "nodes": [
            {
                "id": "1", "name": "Webhook", "type": "n8n-nodes-base.webhook", "typeVersion": 2,
                "position": [0, 0], "webhookId": uuid()?,
                "parameters": {"path": path, "httpMethod": "POST", "responseMode": "lastNode", "authentication": "none"},
            },
            {
                "id": "2", "name": "Echo", "type": "n8n-nodes-base.set", "typeVersion": 3.4,
                "position": [200, 0],
                "parameters": {"mode": "raw", "jsonOutput": "={{ JSON.stringify({headers: $json.headers, body: $json.body}) }}"},
            },
        ],
        "connections": {"Webhook": {"main": [[{"node": "Echo", "type": "main", "index": 0}]]}},
    });
    let call = |path: &str, body: &Value| {
        let request = Request::post(path, body).header("X-N8N-API-KEY", api_key);
        expect_success(path, &request, port)
    };
    let id = text(&call("/api/v1/workflows", &workflow)?, "/id")?;
    call(&format!("/api/v1/workflows/{id}/activate"), &json!({}))?;
    Ok(id)
}

fn expect_success(path: &str, request: &Request, port: u16) -> Outcome<Value> {
    let response = request.send(port)?;
    match response.status {
        200 | 201 => Ok(response.json()),
        status => Err(format!("the response to {path} is {status}: {}", response.text()).into()),
    }
}

/// The text at a JSON pointer (RFC 6901).
fn text(value: &Value, pointer: &str) -> Outcome<String> {
    match value.pointer(pointer).and_then(Value::as_str) {
        Some(text) => Ok(text.to_owned()),
        None => Err(format!("no {pointer} where one was expected").into()),
    }
}

/// The content of a file that only this user can read. If it does not exist, `make` supplies its
/// content.
fn kept(file: &Path, make: impl FnOnce() -> Outcome<String>) -> Outcome<String> {
    if file.exists() {
        return Ok(fs::read_to_string(file)?);
    }
    let content = make()?;
    // The file is written under another name first, so that an incomplete file is never used.
    let unfinished = file.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(&unfinished)?.write_all(content.as_bytes())?;
    fs::rename(unfinished, file)?;
    Ok(content)
}

fn random_hex() -> Outcome<String> {
    let mut bytes = [0; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

/// A random UUID (RFC 9562 §5.4), which n8n requires for a webhook.
fn uuid() -> Outcome<String> {
    let hex = random_hex()?;
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    Ok(format!(
        "{}-{}-4{}-8{}-{}",
        part(0, 8),
        part(8, 12),
        part(13, 16),
        part(17, 20),
        part(20, 32)
    ))
}
