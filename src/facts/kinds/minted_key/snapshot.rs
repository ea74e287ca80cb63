//! An account as workers share it, before it is encrypted.

use super::live_key::{LiveKey, Retired};
use super::request::ScopesId;
use super::session::Session;
use crate::facts::fault::FaultCode;
use crate::facts::schedule::{Pause, Pauses};
use crate::facts::shared::codec::{moment, put, take, text};
use crate::secret::Secret;
use crate::time::UnixMillis;

/// What a worker shares of an account.
pub(super) struct Snapshot {
    pub(super) session: Option<Session>,
    pub(super) keys: Vec<(ScopesId, LiveKey)>,
    pub(super) retired: Vec<Retired>,
    /// When keys were last deleted.
    pub(super) tidied: UnixMillis,
    /// No worker makes a key before it is over.
    pub(super) pause: Pause,
}

/// What of an account is shared.
pub(super) struct Shared<'a> {
    pub(super) session: Option<&'a Session>,
    pub(super) keys: Vec<(ScopesId, &'a LiveKey)>,
    pub(super) retired: &'a [Retired],
    pub(super) tidied: UnixMillis,
    pub(super) pauses: &'a Pauses,
}

impl Snapshot {
    /// When the newest part of it was made.
    pub(super) fn newest(&self) -> UnixMillis {
        let keys = self.keys.iter().map(|(_, key)| key.made);
        let session = self.session.iter().map(|session| session.since);
        keys.chain(session).fold(self.tidied, UnixMillis::max)
    }
}

/// The bytes of an account. A key that n8n refused is not among them.
pub(super) fn encode(shared: Shared<'_>) -> Vec<u8> {
    let Shared {
        session,
        keys,
        retired,
        tidied,
        pauses,
    } = shared;
    let mut value = Vec::new();
    put_moment(&mut value, pauses.until());
    put(&mut value, &pauses.failures().to_be_bytes());
    put(&mut value, &[FaultCode::number_of(pauses.last_fault())]);
    let cookie = session.map_or("", |session| session.cookie.expose());
    put(&mut value, cookie.as_bytes());
    put_moment(
        &mut value,
        session.map_or(UnixMillis(0), |session| session.since),
    );
    put_moment(&mut value, tidied);
    for (scopes, key) in keys.into_iter().filter(|(_, key)| !key.is_refused) {
        put(&mut value, &scopes.0);
        put(&mut value, key.id.as_bytes());
        put(&mut value, key.secret.expose().as_bytes());
        put_moment(&mut value, key.made);
        put_moment(&mut value, key.expires);
    }
    // No key has an empty id.
    put(&mut value, &[]);
    for key in retired {
        put(&mut value, key.id.as_bytes());
        put_moment(&mut value, key.unused);
    }
    value
}

/// Reads such bytes. `None`: they are not of this form.
pub(super) fn decode(mut value: &[u8]) -> Option<Snapshot> {
    let rest = &mut value;
    let until = moment(rest)?;
    let failures = u32::from_be_bytes(take(rest)?.try_into().ok()?);
    let [fault] = *take(rest)? else {
        return None;
    };
    let pause = Pause {
        until,
        failures,
        fault: FaultCode::numbered(fault),
        from_start: false,
    };
    let cookie = text(rest)?.to_owned();
    let since = moment(rest)?;
    let session = (!cookie.is_empty()).then(|| Session::new(Secret::new(cookie), since));
    let tidied = moment(rest)?;
    let mut keys = Vec::new();
    loop {
        let scopes = take(rest)?;
        if scopes.is_empty() {
            break;
        }
        let scopes = ScopesId(scopes.try_into().ok()?);
        let key = LiveKey {
            id: text(rest)?.to_owned(),
            secret: Secret::new(text(rest)?.to_owned()),
            made: moment(rest)?,
            expires: moment(rest)?,
            is_refused: false,
        };
        keys.push((scopes, key));
    }
    let mut retired = Vec::new();
    while !rest.is_empty() {
        retired.push(Retired {
            id: text(rest)?.to_owned(),
            unused: moment(rest)?,
        });
    }
    Some(Snapshot {
        session,
        keys,
        retired,
        tidied,
        pause,
    })
}

fn put_moment(value: &mut Vec<u8>, moment: UnixMillis) {
    put(value, &moment.0.to_be_bytes());
}
