//! One log-in: from a user that n8n may not know to a session of that user, with the names that the token
//! has.

use crate::facts::call::{CallRequest, CallResponse};
use crate::facts::kinds::minted_key::{Calls, MintedKeyFault};
use crate::n8n::accounts::{
    read_invited, read_login_fault, read_names, read_user, session_cookie, AccountState, Invited,
    LoginFault,
};
use crate::secret::Secret;

/// A log-in that is under way: which response it awaits.
#[derive(Clone, Debug)]
pub(in crate::facts) struct Step {
    stage: Stage,
    /// The user was read again after a race.
    was_reread: bool,
}

#[derive(Clone, Debug)]
enum Stage {
    Find,
    Invite,
    Accept,
    LogIn,
    Rename(Secret),
}

/// What a response led to.
#[derive(Debug)]
pub(super) enum Next {
    /// One more call.
    Call(Step, CallRequest),
    /// The session was made.
    LoggedIn(Secret),
}

impl Step {
    /// The first call.
    pub(super) fn first(calls: Calls<'_>) -> (Self, CallRequest) {
        let step = Self {
            stage: Stage::Find,
            was_reread: false,
        };
        (step, calls.find())
    }

    /// Reads the response to its call.
    pub(super) fn read(
        mut self,
        response: CallResponse,
        calls: Calls<'_>,
    ) -> Result<Next, MintedKeyFault> {
        match (&self.stage, response.status()) {
            (Stage::Find | Stage::Invite, Some(status @ (401 | 403))) => {
                return Err(MintedKeyFault::ProvisioningKeyRefused(status));
            }
            (Stage::Find, Some(404)) => return Ok(self.next(Stage::Invite, calls.invite())),
            // Another log-in makes the user at this moment.
            (Stage::Invite, Some(400 | 409 | 500)) if !self.was_reread => {
                self.was_reread = true;
                return Ok(self.next(Stage::Find, calls.find()));
            }
            // Another log-in has accepted the invitation.
            (Stage::Accept, Some(400)) => return Ok(self.next(Stage::LogIn, calls.log_in())),
            (Stage::LogIn, Some(401)) => {
                return Err(match read_login_fault(response.body()) {
                    LoginFault::Password => MintedKeyFault::Password,
                    LoginFault::SecondFactor => MintedKeyFault::SecondFactor,
                });
            }
            // A name is for people to read. n8n may not take it, and the person is logged in all the same.
            (Stage::Rename(cookie), _) => return Ok(Next::LoggedIn(cookie.clone())),
            _ => {}
        }
        let name = self.stage.name();
        let cookie = response
            .headers()
            .and_then(|headers| session_cookie(headers.all("set-cookie")));
        let body = response.document_of(&[200, 201]);
        let body = body.map_err(|fault| MintedKeyFault::Call { call: name, fault })?;
        self.read_body(&body, cookie, calls)
            .unwrap_or(Err(MintedKeyFault::Malformed(name)))
    }

    /// `None`: the body, or what comes with it, is not what n8n sends.
    fn read_body(
        self,
        body: &[u8],
        cookie: Option<Secret>,
        calls: Calls<'_>,
    ) -> Option<Result<Next, MintedKeyFault>> {
        let next = match self.stage {
            Stage::Find => match read_user(body)? {
                AccountState::Invited => self.next(Stage::Invite, calls.invite()),
                AccountState::Active => self.next(Stage::LogIn, calls.log_in()),
            },
            Stage::Invite => match read_invited(body)? {
                Invited::Token(token) => self.next(Stage::Accept, calls.accept(&token)),
                Invited::Active => self.next(Stage::LogIn, calls.log_in()),
                Invited::Mailed => return Some(Err(MintedKeyFault::InvitationMailed)),
            },
            // If several gates accept it at once, the session of one of them counts.
            Stage::Accept => self.next(Stage::LogIn, calls.log_in()),
            Stage::LogIn | Stage::Rename(_) => {
                let cookie = cookie?;
                let [first, last] = read_names(body)?;
                let wanted = calls.user;
                if first == wanted.first_name && last == wanted.last_name {
                    Next::LoggedIn(cookie)
                } else {
                    let request = calls.rename(&cookie);
                    self.next(Stage::Rename(cookie), request)
                }
            }
        };
        Some(Ok(next))
    }

    fn next(mut self, stage: Stage, request: CallRequest) -> Next {
        self.stage = stage;
        Next::Call(self, request)
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
            Self::Rename(_) => "naming the user",
        }
    }
}
