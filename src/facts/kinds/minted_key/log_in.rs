//! From a user that n8n may not know to a session of that user.
//!
//! Several gates may do this for one user at the same time. A step that loses such a race reads again
//! what is there, and goes on from that.

use super::calls::Calls;
use super::fault::MintedKeyFault;
use crate::facts::call::{CallRequest, CallResponse};
use crate::n8n::accounts::{
    read_invited, read_login_fault, read_user, session_cookie, AccountState, Invited, LoginFault,
};
use crate::secret::Secret;

/// A log-in that is under way: which response it awaits.
#[derive(Clone, Debug)]
pub(in crate::facts) struct LogIn {
    stage: Stage,
    /// The user was read again after a race.
    was_reread: bool,
    /// There was a session: the user was there, and may be still.
    had_session: bool,
    /// n8n refused the password.
    was_refused: bool,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Find,
    Invite,
    Accept,
    LogIn,
}

/// What a response led to.
#[derive(Debug)]
pub(in crate::facts::kinds) enum LogInNext {
    /// One more call.
    Call(CallRequest),
    /// The user accepted its invitation, and may have got a session by that.
    Accepted(Option<Secret>),
    /// n8n took the password: the session, and what it says of the user.
    LoggedIn(Secret, Vec<u8>),
}

impl LogIn {
    /// A log-in of a user that n8n may not know, before its first call.
    pub(in crate::facts::kinds) const fn new() -> Self {
        Self {
            stage: Stage::Find,
            was_reread: false,
            had_session: false,
            was_refused: false,
        }
    }

    /// The same of a user that had a session.
    pub(super) const fn after_session() -> Self {
        Self {
            had_session: true,
            ..Self::new()
        }
    }

    /// Looks for the user.
    pub(in crate::facts::kinds) fn find(&mut self, calls: Calls<'_>) -> CallRequest {
        self.stage = Stage::Find;
        calls.find()
    }

    /// Logs in with the password.
    pub(in crate::facts::kinds) fn by_password(&mut self, calls: Calls<'_>) -> CallRequest {
        self.stage = Stage::LogIn;
        calls.log_in()
    }

    fn invite(&mut self, calls: Calls<'_>) -> CallRequest {
        self.stage = Stage::Invite;
        calls.invite()
    }

    /// Reads the response to its call.
    pub(in crate::facts::kinds) fn read(
        &mut self,
        response: CallResponse,
        calls: Calls<'_>,
    ) -> Result<LogInNext, MintedKeyFault> {
        let request = match (self.stage, response.status()) {
            (Stage::Find | Stage::Invite, Some(status @ (401 | 403))) => {
                return Err(MintedKeyFault::ProvisioningKeyRefused(status));
            }
            (Stage::Find, Some(404)) => self.invite(calls),
            // Another gate makes the user at this moment.
            (Stage::Invite, Some(400 | 409 | 500)) if !self.was_reread => {
                self.was_reread = true;
                self.find(calls)
            }
            // Another gate has accepted the invitation.
            (Stage::Accept, Some(400)) => self.by_password(calls),
            // The user may be gone, too. The gate asks for it only now, because the provisioning key is good
            // no more if n8n's secret was changed.
            (Stage::LogIn, Some(401)) if self.had_session && !self.was_refused => {
                self.was_refused = true;
                self.find(calls)
            }
            (Stage::LogIn, Some(401)) => {
                return Err(match read_login_fault(response.body()) {
                    LoginFault::Password => MintedKeyFault::Password,
                    LoginFault::SecondFactor => MintedKeyFault::SecondFactor,
                });
            }
            _ => return self.read_success(response, calls),
        };
        Ok(LogInNext::Call(request))
    }

    fn read_success(
        &mut self,
        response: CallResponse,
        calls: Calls<'_>,
    ) -> Result<LogInNext, MintedKeyFault> {
        let call = self.name();
        let cookie = response
            .headers()
            .and_then(|headers| session_cookie(headers.all("set-cookie")));
        let body = response.document_of(&[200, 201]);
        let body = body.map_err(|fault| MintedKeyFault::Call { call, fault })?;
        self.read_body(body, cookie, calls)
            .unwrap_or(Err(MintedKeyFault::Malformed(call)))
    }

    /// `None`: the body, or what comes with it, is not what n8n sends.
    fn read_body(
        &mut self,
        body: Vec<u8>,
        cookie: Option<Secret>,
        calls: Calls<'_>,
    ) -> Option<Result<LogInNext, MintedKeyFault>> {
        let request = match self.stage {
            Stage::Find => match read_user(&body)? {
                AccountState::Invited => self.invite(calls),
                AccountState::Active if self.was_refused => {
                    return Some(Err(MintedKeyFault::Password));
                }
                AccountState::Active => self.by_password(calls),
            },
            Stage::Invite => match read_invited(&body)? {
                Invited::Token(token) => {
                    self.stage = Stage::Accept;
                    calls.accept(&token)
                }
                Invited::Active => self.by_password(calls),
                Invited::Mailed => return Some(Err(MintedKeyFault::InvitationMailed)),
            },
            Stage::Accept => return Some(Ok(LogInNext::Accepted(cookie))),
            Stage::LogIn => return Some(Ok(LogInNext::LoggedIn(cookie?, body))),
        };
        Some(Ok(LogInNext::Call(request)))
    }

    /// What is called, for the log.
    pub(in crate::facts::kinds) const fn name(&self) -> &'static str {
        match self.stage {
            Stage::Find => "finding the user",
            Stage::Invite => "inviting the user",
            Stage::Accept => "accepting the invitation",
            Stage::LogIn => "logging in",
        }
    }
}
