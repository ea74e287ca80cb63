//! One log-in: from a user that n8n may not know to a session of that user, with the names that the token
//! has.

use crate::facts::call::{CallRequest, CallResponse};
use crate::facts::kinds::minted_key::{Calls, LogIn, LogInNext, MintedKeyFault};
use crate::n8n::accounts::read_names;
use crate::secret::Secret;

/// A log-in that is under way: which response it awaits.
#[derive(Clone, Debug)]
pub(in crate::facts) enum Step {
    LogIn(LogIn),
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
        let mut log_in = LogIn::new();
        let request = log_in.find(calls);
        (Self::LogIn(log_in), request)
    }

    /// Reads the response to its call.
    pub(super) fn read(
        self,
        response: CallResponse,
        calls: Calls<'_>,
    ) -> Result<Next, MintedKeyFault> {
        let mut log_in = match self {
            Self::LogIn(log_in) => log_in,
            // A name is for people to read. n8n may not take it, and the person is logged in all the same.
            Self::Rename(cookie) => return Ok(Next::LoggedIn(cookie)),
        };
        let name = log_in.name();
        let request = match log_in.read(response, calls)? {
            LogInNext::Call(request) => request,
            // If several gates accept it at once, the session of one of them counts.
            LogInNext::Accepted(_) => log_in.by_password(calls),
            LogInNext::LoggedIn(cookie, user) => {
                let names = read_names(&user).ok_or(MintedKeyFault::Malformed(name))?;
                let wanted = calls.user;
                if names == [wanted.first_name.as_str(), &wanted.last_name] {
                    return Ok(Next::LoggedIn(cookie));
                }
                let request = calls.rename(&cookie);
                return Ok(Next::Call(Self::Rename(cookie), request));
            }
        };
        Ok(Next::Call(Self::LogIn(log_in), request))
    }
}
