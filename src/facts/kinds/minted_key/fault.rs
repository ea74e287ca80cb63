//! Why there is no minted API key.

use thiserror::Error;

use crate::facts::call::CallFault;
use crate::facts::fault::{FaultCode, FaultScope};

/// Why no API key could be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MintedKeyFault {
    /// The call brought no document.
    #[error("{call}: {fault}")]
    Call {
        /// What was called.
        call: &'static str,
        /// Why it brought none.
        fault: CallFault,
    },
    /// n8n does not accept the provisioning key.
    #[error("n8n refuses the provisioning key ({0})")]
    ProvisioningKeyRefused(u16),
    /// The user has a password that the gate did not set.
    #[error("the user exists in n8n with another password than the gate's")]
    Password,
    /// The user has a second factor.
    #[error("the user has a second factor in n8n, which the gate does not know")]
    SecondFactor,
    /// n8n sent the invitation by e-mail.
    #[error("n8n sends invitations by e-mail, so that the gate gets none")]
    InvitationMailed,
    /// n8n does not accept the session that it made a moment ago.
    #[error("n8n refuses the session of a log-in that it accepted")]
    SessionRefused,
    /// The user can have none of the scopes.
    #[error("the user's role in n8n allows none of the scopes")]
    NoScope,
    /// The response is not what n8n sends.
    #[error("{0}: the response is not one of n8n")]
    Malformed(&'static str),
}

impl MintedKeyFault {
    /// Its row in the table of faults.
    pub const fn code(&self) -> FaultCode {
        match self {
            Self::Call { fault, .. } => fault.code(),
            Self::ProvisioningKeyRefused(_) => FaultCode::ClientRefused,
            Self::Password => FaultCode::UserPassword,
            Self::SecondFactor => FaultCode::UserSecondFactor,
            Self::InvitationMailed => FaultCode::InvitationMailed,
            Self::SessionRefused => FaultCode::SessionRefused,
            Self::NoScope => FaultCode::NoScope,
            Self::Malformed(_) => FaultCode::ResponseMalformed,
        }
    }

    /// Whether keys of other users fail as well.
    pub(in crate::facts::kinds) const fn scope(&self) -> FaultScope {
        match self {
            // n8n limits log-ins per user.
            Self::Call { fault, .. } => match fault.code() {
                FaultCode::RateLimited | FaultCode::NotFound => FaultScope::Fact,
                code => code.scope(),
            },
            Self::ProvisioningKeyRefused(_) => FaultScope::Source,
            Self::Password
            | Self::SecondFactor
            | Self::InvitationMailed
            | Self::SessionRefused
            | Self::NoScope
            | Self::Malformed(_) => FaultScope::Fact,
        }
    }
}
