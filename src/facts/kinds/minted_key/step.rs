//! One fetch: from a user that n8n may not know to an API key or a session of that user.

use hmac_sha256::Hash;

use super::calls::Calls;
use super::fault::MintedKeyFault;
use super::log_in::{LogIn, LogInNext};
use super::session::Session;
use crate::facts::call::{CallRequest, CallResponse};
use crate::n8n::accounts::{
    read_expired_keys, read_grantable, read_new_key, MintedKey, NewKey, LABEL,
};
use crate::n8n::ScopeSet;
use crate::time::{UnixMillis, UnixSeconds};

/// The most keys that one fetch deletes.
const MOST_DELETED: usize = 20;

/// What a fetch is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// A key with these scopes.
    Mint(ScopeSet),
    /// The same, unless the session is still good: then the key is, too, because one secret of n8n signs
    /// both.
    MintUnlessGood(ScopeSet),
    /// The same if the session is newer than the key, and says nothing about it.
    MintAnew(ScopeSet),
    /// A session. If there is one, the fetch finds out whether it is good.
    LogIn,
    /// Another session, because the one that there is ends soon.
    LogInAgain,
    /// Deleting these keys of the user, and those that have expired.
    Tidy(Vec<String>),
}

/// One fetch that is under way: what it is for, and which response it awaits.
#[derive(Clone, Debug)]
pub(in crate::facts) struct Step {
    task: Task,
    /// How it comes to a session, and what it found out about the user.
    log_in: LogIn,
    stage: Stage,
}

#[derive(Clone, Debug)]
enum Stage {
    /// There is no session yet.
    LogIn,
    /// There is one, which this call uses.
    LoggedIn(LoggedIn, Use),
}

/// A call with a session.
#[derive(Clone, Debug)]
enum Use {
    Grantable,
    Make(UnixMillis),
    List,
    Delete(Vec<String>),
}

/// A session, and how the fetch came to it.
#[derive(Clone, Debug)]
struct LoggedIn {
    session: Session,
    by: By,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// It was there before.
    Before,
    /// By accepting the invitation. If several gates do so at once, the session of one of them counts.
    Invitation,
    /// By logging in.
    Password,
}

/// The circumstances of a step.
#[derive(Clone, Copy)]
pub(super) struct Circumstances<'a> {
    pub(super) calls: Calls<'a>,
    pub(super) now: UnixMillis,
    /// Differs from call to call of one worker.
    pub(super) call: u64,
}

/// What a response led to.
#[derive(Debug)]
pub(super) enum Next {
    /// One more call.
    Call(Step, CallRequest),
    /// The key was made.
    Made {
        key: MintedKey,
        expires: UnixMillis,
        session: Session,
    },
    /// No key was made: a session was wanted, others were deleted, or the one in use is good. Without a
    /// session n8n refused the one that the fetch began with.
    NoKey(Option<Session>),
}

impl Step {
    /// The first call of a fetch. If there is a session, the fetch begins with its use.
    pub(super) fn first(
        task: Task,
        session: Option<Session>,
        at: Circumstances<'_>,
    ) -> (Self, CallRequest) {
        let log_in = match session {
            Some(_) => LogIn::after_session(),
            None => LogIn::new(),
        };
        let mut step = Self {
            task,
            log_in,
            stage: Stage::LogIn,
        };
        match session {
            Some(_) if step.task == Task::LogInAgain => {
                let request = step.log_in.by_password(at.calls);
                (step, request)
            }
            Some(session) => step.logged_in(session, By::Before, at),
            None => {
                let request = step.log_in.find(at.calls);
                (step, request)
            }
        }
    }

    /// What it is for.
    pub(super) const fn task(&self) -> &Task {
        &self.task
    }

    /// The session that the fetch has.
    pub(super) const fn session(&self) -> Option<&Session> {
        match &self.stage {
            Stage::LogIn => None,
            Stage::LoggedIn(logged_in, _) => Some(&logged_in.session),
        }
    }

    /// Reads the response to its call.
    pub(super) fn read(
        self,
        response: CallResponse,
        at: Circumstances<'_>,
    ) -> Result<Next, MintedKeyFault> {
        match self.stage.clone() {
            Stage::LogIn => self.read_log_in(response, at),
            Stage::LoggedIn(logged_in, of) => self.read_use((logged_in, of), response, at),
        }
    }

    fn read_log_in(
        mut self,
        response: CallResponse,
        at: Circumstances<'_>,
    ) -> Result<Next, MintedKeyFault> {
        Ok(match self.log_in.read(response, at.calls)? {
            LogInNext::Call(request) => Next::Call(self, request),
            LogInNext::Accepted(None) => self.by_password(at),
            LogInNext::Accepted(Some(cookie)) => {
                self.go_on(Session::new(cookie, at.now), By::Invitation, at)
            }
            LogInNext::LoggedIn(cookie, _) => {
                let session = Session::new(cookie, at.now);
                match self.task {
                    // No key is asked for, and nothing shows better than a log-in that the session is good.
                    Task::LogIn | Task::LogInAgain => Next::NoKey(Some(session)),
                    _ => self.go_on(session, By::Password, at),
                }
            }
        })
    }

    fn by_password(mut self, at: Circumstances<'_>) -> Next {
        let request = self.log_in.by_password(at.calls);
        self.stage = Stage::LogIn;
        Next::Call(self, request)
    }

    fn read_use(
        self,
        (logged_in, of): (LoggedIn, Use),
        response: CallResponse,
        at: Circumstances<'_>,
    ) -> Result<Next, MintedKeyFault> {
        if response.status() == Some(401) {
            return match logged_in.by {
                // No user is made, and no log-in, to delete keys that expire by themselves.
                _ if matches!(self.task, Task::Tidy(_)) => Ok(Next::NoKey(None)),
                By::Before | By::Invitation => Ok(self.by_password(at)),
                By::Password => Err(MintedKeyFault::SessionRefused),
            };
        }
        let name = of.name();
        let is_gone = matches!(of, Use::Delete(_)) && response.status() == Some(404);
        let body = if is_gone {
            Ok(Vec::new())
        } else {
            response.document_of(&[200, 201, 204])
        };
        let body = body.map_err(|fault| MintedKeyFault::Call { call: name, fault })?;
        self.read_body((logged_in, of), &body, at)
            .unwrap_or(Err(MintedKeyFault::Malformed(name)))
    }

    /// `None`: the body is not what n8n sends.
    fn read_body(
        self,
        (mut logged_in, of): (LoggedIn, Use),
        body: &[u8],
        at: Circumstances<'_>,
    ) -> Option<Result<Next, MintedKeyFault>> {
        let next = match of {
            Use::Grantable => {
                let grantable = read_grantable(body)?;
                logged_in.session.is_doubted = false;
                match self.task {
                    Task::LogIn | Task::LogInAgain => Next::NoKey(Some(logged_in.session)),
                    Task::MintUnlessGood(_) if logged_in.by == By::Before => {
                        Next::NoKey(Some(logged_in.session))
                    }
                    _ => return Some(self.make(logged_in, &grantable, at)),
                }
            }
            Use::Make(expires) => Next::Made {
                key: read_new_key(body)?,
                expires,
                session: logged_in.session,
            },
            Use::List => {
                let expired = read_expired_keys(body, LABEL, at.now.to_seconds())?;
                self.delete_first(logged_in, expired, at)
            }
            Use::Delete(left) => self.delete(logged_in, left, at),
        };
        Some(Ok(next))
    }

    fn next(mut self, logged_in: LoggedIn, of: Use, request: CallRequest) -> Next {
        self.stage = Stage::LoggedIn(logged_in, of);
        Next::Call(self, request)
    }

    fn go_on(self, session: Session, by: By, at: Circumstances<'_>) -> Next {
        let (step, request) = self.logged_in(session, by, at);
        Next::Call(step, request)
    }

    fn logged_in(mut self, session: Session, by: By, at: Circumstances<'_>) -> (Self, CallRequest) {
        let logged_in = LoggedIn { session, by };
        let (of, request) = match self.task {
            Task::Mint(_)
            | Task::MintUnlessGood(_)
            | Task::MintAnew(_)
            | Task::LogIn
            | Task::LogInAgain => (Use::Grantable, at.calls.grantable(&logged_in.session)),
            Task::Tidy(_) => (Use::List, at.calls.list(&logged_in.session)),
        };
        self.stage = Stage::LoggedIn(logged_in, of);
        (self, request)
    }

    /// Makes a key of the scopes that the caller may use and the user can have. n8n refuses a key with
    /// any other scope.
    fn make(
        self,
        logged_in: LoggedIn,
        grantable: &[String],
        at: Circumstances<'_>,
    ) -> Result<Next, MintedKeyFault> {
        let (Task::Mint(wanted) | Task::MintUnlessGood(wanted) | Task::MintAnew(wanted)) =
            &self.task
        else {
            return Err(MintedKeyFault::NoScope);
        };
        let scopes = grantable.iter().map(String::as_str);
        let scopes: Vec<_> = scopes.filter(|scope| wanted.contains(scope)).collect();
        if scopes.is_empty() {
            return Err(MintedKeyFault::NoScope);
        }
        let ttl = at.calls.provisioning.key_ttl;
        // n8n takes whole seconds.
        let expires = at.now.saturating_add(ttl).to_seconds();
        let key = NewKey {
            label: &label(&logged_in.session, at),
            scopes: &scopes,
            expires,
        };
        let request = at.calls.make(&logged_in.session, &key);
        let expires = millis(expires);
        Ok(self.next(logged_in, Use::Make(expires), request))
    }

    fn delete_first(
        self,
        logged_in: LoggedIn,
        expired: Vec<String>,
        at: Circumstances<'_>,
    ) -> Next {
        let mut ids = match &self.task {
            Task::Tidy(retired) => retired.clone(),
            Task::Mint(_)
            | Task::MintUnlessGood(_)
            | Task::MintAnew(_)
            | Task::LogIn
            | Task::LogInAgain => Vec::new(),
        };
        let more = expired.into_iter().filter(|id| !ids.contains(id));
        let more: Vec<_> = more.collect();
        ids.extend(more);
        ids.truncate(MOST_DELETED);
        self.delete(logged_in, ids, at)
    }

    fn delete(self, logged_in: LoggedIn, mut ids: Vec<String>, at: Circumstances<'_>) -> Next {
        match ids.pop() {
            Some(id) => {
                let request = at.calls.delete(&logged_in.session, &id);
                self.next(logged_in, Use::Delete(ids), request)
            }
            None => Next::NoKey(Some(logged_in.session)),
        }
    }
}

impl Use {
    /// What is called, for the log.
    const fn name(&self) -> &'static str {
        match self {
            Self::Grantable => "listing the scopes of the user",
            Self::Make(_) => "making the API key",
            Self::List => "listing the API keys",
            Self::Delete(_) => "deleting an API key",
        }
    }
}

/// A label that no other key of the user has: n8n refuses a second one with 500. Workers and replicas
/// number their calls alike, and n8n gives log-ins of one second one cookie. So two replicas may still make
/// one label, if they do so in the same millisecond; the one that is refused tries again.
fn label(session: &Session, at: Circumstances<'_>) -> String {
    let mut hash = Hash::new();
    hash.update(session.cookie.expose());
    hash.update(at.call.to_be_bytes());
    let bytes = hash.finalize();
    let unique = bytes.first_chunk().copied().map(u32::from_be_bytes);
    format!("{LABEL}{}-{:08x}", at.now.0, unique.unwrap_or_default())
}

const fn millis(seconds: UnixSeconds) -> UnixMillis {
    UnixMillis(seconds.0.saturating_mul(1000))
}
