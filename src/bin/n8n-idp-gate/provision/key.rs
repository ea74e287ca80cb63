//! The API keys of n8n, as it lists them for a session.

use n8n_idp_gate::n8n::accounts::{delete_key_path, read_grantable, read_new_key, MintedKey};
use n8n_idp_gate::secret::Secret;
use n8n_idp_gate::time::UnixSeconds;
use n8n_idp_gate::token::KeyClaims;
use serde_json::{json, Value};

use crate::n8n::client::Response;
use crate::n8n::session::Session;

/// How many keys n8n lists at once.
const PART: usize = 250;

/// The most keys that are looked at.
const MOST: usize = 20_000;

/// An API key of n8n.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) id: String,
    pub(super) label: String,
    pub(super) scopes: Vec<String>,
    /// The user whose key it is.
    pub(super) user_id: String,
    pub(super) email: Option<String>,
    /// `None`: never.
    pub(super) expiry: Option<UnixSeconds>,
    /// As n8n writes it: a date and a time in UTC.
    pub(super) created: Option<String>,
    pub(super) last_used: LastUse,
    /// The end of the key, as n8n shows it.
    end: String,
}

/// When n8n saw a key last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LastUse {
    /// This n8n does not say.
    Unknown,
    Never,
    At(String),
}

impl Key {
    fn read(value: &Value) -> Option<Self> {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let of_owner = |name: &str| value.get("owner")?.get(name)?.as_str();
        let shown = text("apiKey").unwrap_or_default();
        let scopes = value.get("scopes").and_then(Value::as_array);
        let scopes = scopes.into_iter().flatten().filter_map(Value::as_str);
        let last_used = match value.get("lastUsedAt") {
            None => LastUse::Unknown,
            Some(moment) => moment
                .as_str()
                .map_or(LastUse::Never, |moment| LastUse::At(moment.to_owned())),
        };
        Some(Self {
            id: text("id")?.to_owned(),
            label: text("label")?.to_owned(),
            scopes: scopes.map(str::to_owned).collect(),
            user_id: of_owner("id").or_else(|| text("userId"))?.to_owned(),
            email: of_owner("email").map(str::to_owned),
            expiry: value
                .get("expiresAt")
                .and_then(Value::as_u64)
                .map(UnixSeconds),
            created: text("createdAt").map(str::to_owned),
            last_used,
            end: shown.trim_start_matches('*').to_owned(),
        })
    }

    /// Whether this is the key of the value, as far as n8n shows it: its user, its end and its last
    /// characters.
    pub(super) fn is_of(&self, value: &str, claims: &KeyClaims) -> bool {
        self.end.len() >= 4
            && value.ends_with(&self.end)
            && claims.expiry == self.expiry
            && claims.subject.as_ref() == Some(&self.user_id)
    }

    pub(super) fn has_expired(&self, now: UnixSeconds) -> bool {
        self.expiry.is_some_and(|expiry| expiry <= now)
    }
}

/// Why a call about keys failed, and what to do.
fn fault(what: &str, response: &Response) -> String {
    match response.status {
        404 => format!(
            "{what}: n8n has no such path: its public API is switched off (N8N_PUBLIC_API_DISABLED), or \
             endpoints.rest of the configuration is another one"
        ),
        403 => format!(
            "{what}: n8n forbids it ({}): the role of this user has no API keys; take the owner, an admin or a \
             member",
            response.message().unwrap_or_default()
        ),
        _ => response.fault(what),
    }
}

/// All keys that the session sees: those of all users, if it is of the owner or an admin.
pub(super) fn all(session: &Session<'_>) -> Result<Vec<Key>, String> {
    let mut all: Vec<Key> = Vec::new();
    let mut skip = 0_usize;
    while skip < MOST {
        let path = format!("{}?take={PART}&skip={skip}", session.paths.keys);
        let response = session.client.get(&path, session.credential())?;
        let part = (response.status == 200).then(|| keys(&response)).flatten();
        let part = part.ok_or_else(|| fault("listing the API keys", &response))?;
        let listed = part.len();
        let new = part.into_iter();
        let new: Vec<_> = new
            .filter(|key| all.iter().all(|known| known.id != key.id))
            .collect();
        // Older versions of n8n send the whole list each time.
        let is_last = listed < PART || new.is_empty();
        all.extend(new);
        if is_last {
            break;
        }
        skip = skip.saturating_add(listed);
    }
    Ok(all)
}

fn keys(response: &Response) -> Option<Vec<Key>> {
    let body: Value = serde_json::from_slice(&response.body).ok()?;
    let data = body.get("data")?;
    let list = data.get("items").unwrap_or(data).as_array()?;
    list.iter().map(Key::read).collect()
}

/// The scopes that the session's user can give to a key.
pub(super) fn grantable(session: &Session<'_>) -> Result<Vec<String>, String> {
    let what = "asking for the scopes of API keys";
    let response = session
        .client
        .get(&session.paths.grantable, session.credential())?;
    let scopes = (response.status == 200)
        .then(|| read_grantable(&response.body))
        .flatten();
    scopes.ok_or_else(|| fault(what, &response))
}

/// Makes a key.
pub(super) fn make(
    session: &Session<'_>,
    label: &str,
    scopes: &[String],
    expiry: Option<UnixSeconds>,
) -> Result<MintedKey, String> {
    let what = format!("making the API key {label}");
    let body = json!({"label": label, "scopes": scopes, "expiresAt": expiry.map(|end| end.0)});
    let body = Some(Secret::new(body.to_string()));
    let response = session
        .client
        .post(&session.paths.keys, session.credential(), body)?;
    let made = matches!(response.status, 200 | 201).then(|| read_new_key(&response.body));
    made.flatten().ok_or_else(|| fault(&what, &response))
}

/// Changes what a key can do.
pub(super) fn narrow_or_widen(
    session: &Session<'_>,
    key: &Key,
    scopes: &[String],
) -> Result<(), String> {
    let what = format!("changing the scopes of the API key {}", key.label);
    let path = delete_key_path(&session.paths.keys, &key.id);
    let body = Secret::new(json!({"label": key.label, "scopes": scopes}).to_string());
    let response = session.client.patch(&path, session.credential(), body)?;
    match response.status {
        200 | 204 => Ok(()),
        _ => Err(fault(&what, &response)),
    }
}
