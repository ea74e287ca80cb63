//! One fetch: from a user that n8n may not know to an API key or a session of that user.
//!
//! Several gates may do this for one user at the same time. A step that loses such a race reads again
//! what is there, and goes on from that.

use hmac_sha256::Hash;

use super::calls::Calls;
use super::fault::MintedKeyFault;
use super::session::Session;
use crate::facts::call::{CallRequest, CallResponse};
use crate::n8n::accounts::{
    read_expired_keys, read_grantable, read_invited, read_login_fault, read_new_key, read_user,
    session_cookie, AccountState, Invited, LoginFault, MintedKey, NewKey, LABEL,
};
use crate::n8n::ScopeSet;
use crate::secret::Secret;
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
    stage: Stage,
    /// The user was read again after a race.
    was_reread: bool,
    /// There was a session: the user was there, and may be still.
    had_session: bool,
    /// n8n refused the password.
    was_refused: bool,
}

#[derive(Clone, Debug)]
enum Stage {
    Find,
    Invite,
    Accept,
    LogIn,
    Grantable(LoggedIn),
    Make(LoggedIn, UnixMillis),
    List(LoggedIn),
    Delete(LoggedIn, Vec<String>),
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
        let step = Self {
            task,
            stage: Stage::Find,
            was_reread: false,
            had_session: session.is_some(),
            was_refused: false,
        };
        match session {
            Some(_) if step.task == Task::LogInAgain => step.at(Stage::LogIn, at.calls.log_in()),
            Some(session) => step.logged_in(session, By::Before, at),
            None => (step, at.calls.find()),
        }
    }

    /// What it is for.
    pub(super) const fn task(&self) -> &Task {
        &self.task
    }

    /// The session that the fetch has.
    pub(super) const fn session(&self) -> Option<&Session> {
        match &self.stage {
            Stage::Find | Stage::Invite | Stage::Accept | Stage::LogIn => None,
            Stage::Grantable(logged_in)
            | Stage::Make(logged_in, _)
            | Stage::List(logged_in)
            | Stage::Delete(logged_in, _) => Some(&logged_in.session),
        }
    }

    /// Reads the response to its call.
    pub(super) fn read(
        mut self,
        response: CallResponse,
        at: Circumstances<'_>,
    ) -> Result<Next, MintedKeyFault> {
        let Circumstances { calls, .. } = at;
        match (&self.stage, response.status()) {
            (Stage::Find | Stage::Invite, Some(status @ (401 | 403))) => {
                return Err(MintedKeyFault::ProvisioningKeyRefused(status));
            }
            (Stage::Find, Some(404)) => return Ok(self.next(Stage::Invite, calls.invite())),
            // Another gate makes the user at this moment.
            (Stage::Invite, Some(400 | 409 | 500)) if !self.was_reread => {
                self.was_reread = true;
                return Ok(self.next(Stage::Find, calls.find()));
            }
            // Another gate has accepted the invitation.
            (Stage::Accept, Some(400)) => return Ok(self.next(Stage::LogIn, calls.log_in())),
            // The user may be gone, too. The gate asks for it only now, because the provisioning key is good
            // no more if n8n's secret was changed.
            (Stage::LogIn, Some(401)) if self.had_session && !self.was_refused => {
                self.was_refused = true;
                return Ok(self.next(Stage::Find, calls.find()));
            }
            (Stage::LogIn, Some(401)) => {
                return Err(match read_login_fault(response.body()) {
                    LoginFault::Password => MintedKeyFault::Password,
                    LoginFault::SecondFactor => MintedKeyFault::SecondFactor,
                });
            }
            (
                Stage::Grantable(logged_in)
                | Stage::Make(logged_in, _)
                | Stage::List(logged_in)
                | Stage::Delete(logged_in, _),
                Some(401),
            ) => {
                return match logged_in.by {
                    // No user is made, and no log-in, to delete keys that expire by themselves.
                    _ if matches!(self.task, Task::Tidy(_)) => Ok(Next::NoKey(None)),
                    By::Before | By::Invitation => Ok(self.next(Stage::LogIn, calls.log_in())),
                    By::Password => Err(MintedKeyFault::SessionRefused),
                };
            }
            _ => {}
        }
        let name = self.stage.name();
        let is_gone = matches!(self.stage, Stage::Delete(..)) && response.status() == Some(404);
        let cookie = response.headers().and_then(|headers| {
            let cookies = headers.all("set-cookie");
            session_cookie(cookies)
        });
        let body = if is_gone {
            Ok(Vec::new())
        } else {
            response.document_of(&[200, 201, 204])
        };
        let body = body.map_err(|fault| MintedKeyFault::Call { call: name, fault })?;
        self.read_body(&body, cookie, at)
            .unwrap_or(Err(MintedKeyFault::Malformed(name)))
    }

    /// `None`: the body, or what comes with it, is not what n8n sends.
    fn read_body(
        self,
        body: &[u8],
        cookie: Option<Secret>,
        at: Circumstances<'_>,
    ) -> Option<Result<Next, MintedKeyFault>> {
        let Circumstances { calls, now, .. } = at;
        let session = cookie.map(|cookie| Session::new(cookie, now));
        let next = match self.stage.clone() {
            Stage::Find => match read_user(body)? {
                AccountState::Invited => self.next(Stage::Invite, calls.invite()),
                AccountState::Active if self.was_refused => {
                    return Some(Err(MintedKeyFault::Password));
                }
                AccountState::Active => self.next(Stage::LogIn, calls.log_in()),
            },
            Stage::Invite => match read_invited(body)? {
                Invited::Token(token) => self.next(Stage::Accept, calls.accept(&token)),
                Invited::Active => self.next(Stage::LogIn, calls.log_in()),
                Invited::Mailed => return Some(Err(MintedKeyFault::InvitationMailed)),
            },
            Stage::Accept => match session {
                Some(session) => self.go_on(session, By::Invitation, at),
                None => self.next(Stage::LogIn, calls.log_in()),
            },
            // No key is asked for, and nothing shows better than a log-in that the session is good.
            Stage::LogIn if matches!(self.task, Task::LogIn | Task::LogInAgain) => {
                Next::NoKey(Some(session?))
            }
            Stage::LogIn => self.go_on(session?, By::Password, at),
            Stage::Grantable(mut logged_in) => {
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
            Stage::Make(logged_in, expires) => Next::Made {
                key: read_new_key(body)?,
                expires,
                session: logged_in.session,
            },
            Stage::List(logged_in) => {
                let expired = read_expired_keys(body, LABEL, now.to_seconds())?;
                self.delete_first(logged_in, expired, at)
            }
            Stage::Delete(logged_in, left) => self.delete(logged_in, left, at),
        };
        Some(Ok(next))
    }

    fn next(self, stage: Stage, request: CallRequest) -> Next {
        let (step, request) = self.at(stage, request);
        Next::Call(step, request)
    }

    fn at(mut self, stage: Stage, request: CallRequest) -> (Self, CallRequest) {
        self.stage = stage;
        (self, request)
    }

    fn go_on(self, session: Session, by: By, at: Circumstances<'_>) -> Next {
        let (step, request) = self.logged_in(session, by, at);
        Next::Call(step, request)
    }

    fn logged_in(self, session: Session, by: By, at: Circumstances<'_>) -> (Self, CallRequest) {
        let logged_in = LoggedIn { session, by };
        match self.task {
            Task::Mint(_)
            | Task::MintUnlessGood(_)
            | Task::MintAnew(_)
            | Task::LogIn
            | Task::LogInAgain => {
                let request = at.calls.grantable(&logged_in.session);
                self.at(Stage::Grantable(logged_in), request)
            }
            Task::Tidy(_) => {
                let request = at.calls.list(&logged_in.session);
                self.at(Stage::List(logged_in), request)
            }
        }
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
        Ok(self.next(Stage::Make(logged_in, expires), request))
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
                self.next(Stage::Delete(logged_in, ids), request)
            }
            None => Next::NoKey(Some(logged_in.session)),
        }
    }
}

impl Stage {
    /// What is called, for the log.
    const fn name(&self) -> &'static str {
        match self {
            Self::Find => "finding the user",
            Self::Invite => "inviting the user",
            Self::Accept => "accepting the invitation",
            Self::LogIn => "logging in",
            Self::Grantable(_) => "listing the scopes of the user",
            Self::Make(..) => "making the API key",
            Self::List(_) => "listing the API keys",
            Self::Delete(..) => "deleting an API key",
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
