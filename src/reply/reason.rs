//! Every reason for which a request is refused. Each file of this folder holds one table of them.

mod access;
mod admission;
mod bearer;
mod body;
mod credential;
mod embed;
mod event;
mod identity;
mod possession;
mod proof;
mod request;
mod run;
mod signature;
mod token;
mod upstream;

use std::time::Duration;

use access::access;
use body::body;
use credential::credential;
use embed::embed;
use event::event;
use request::request;
use run::run;
use upstream::upstream;

use super::challenge::{Challenge, INSUFFICIENT_SCOPE, INVALID_REQUEST, INVALID_TOKEN};
use super::table::refusals;
use crate::facts::Outage;
use crate::identity::IdentityFault;
use crate::n8n::runs::InputFault;
use crate::n8n::{Closed, PathFault};
use crate::policy::NotAdmitted;
use crate::token::{BearerFault, EventFault, PossessionFault, ProofFault, TokenFault};
use crate::webhook_signature::SignatureFault;

refusals! {
    /// Why a request is refused.
    ///
    /// The texts for the caller say what its sender can see anyway. What else was found is in the
    /// audit record: see [`Reason::fault`].
    tables { request credential event embed access upstream run body }
    faults {
        /// The `Authorization` header cannot be read.
        Bearer(BearerFault) in bearer,
        /// The delivery of a sender is not good.
        Signature(SignatureFault) in signature,
        /// The token does not verify.
        Token(TokenFault) in token,
        /// The token is good, but its client did not show that it has what the token is bound to.
        Possession(PossessionFault) in possession,
        /// The token is good, but its proof is not.
        Proof(ProofFault) in proof,
        /// The token verifies, but does not say clearly who the caller is.
        Identity(IdentityFault) in identity,
        /// A list or rule of the provider does not admit the caller.
        NotAdmitted(NotAdmitted) in admission,
    }
}

impl Reason {
    /// What exactly was found, for the audit record: more than the caller reads.
    pub fn fault(&self) -> Option<&str> {
        match self {
            Self::Path(fault) => Some(fault.as_str()),
            Self::EventRefused(EventFault::Token(fault)) => Some(Self::Token(*fault).as_str()),
            Self::EventRefused(fault) => Some(fault.as_str()),
            Self::RestClosed(why) => Some(why.as_str()),
            Self::KeysUnavailable(outage)
            | Self::IntrospectionUnavailable(outage)
            | Self::UpstreamKeyUnavailable(outage)
            | Self::UpstreamSessionUnavailable(outage) => outage.fault,
            Self::Token(
                TokenFault::AlgorithmNotAllowed(Some(name))
                | TokenFault::ClaimOfWrongType(name)
                | TokenFault::WrongType(name)
                | TokenFault::ResponseDisagrees(name),
            )
            | Self::Identity(IdentityFault::NotText { claim: name }) => Some(name),
            Self::Signature(SignatureFault::Malformed(part) | SignatureFault::Stale(part)) => {
                Some(part)
            }
            Self::NotAdmitted(NotAdmitted::Claim(path)) => Some(path),
            Self::Token(TokenFault::UnknownKeyId(Some(reason))) => Some(reason.as_fault()),
            Self::InputMalformed(fault) => Some(fault.as_str()),
            Self::Proof(ProofFault::AlgorithmNotSupported(name)) => *name,
            Self::Proof(ProofFault::KeyNotSupported(reason)) => Some(reason.as_str()),
            _ => None,
        }
    }

    /// The methods of which one is right (RFC 9110 §15.5.6).
    pub const fn allowed_methods(&self) -> Option<&'static str> {
        match self {
            Self::MethodNotAllowed => Some("GET, HEAD"),
            Self::EmbedMethod => Some("GET, POST"),
            Self::EventMethod => Some("POST"),
            Self::Signature(SignatureFault::Method { allowed }) => Some(allowed),
            _ => None,
        }
    }

    /// When the client may try again, where a later request may succeed.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::KeysUnavailable(outage)
            | Self::IntrospectionUnavailable(outage)
            | Self::UpstreamKeyUnavailable(outage)
            | Self::UpstreamSessionUnavailable(outage) => Some(outage.retry_after),
            Self::KeysNotCurrent(wait) => Some(*wait),
            Self::TooManyWaiting
            | Self::TooManyBodies
            | Self::TooManyUsedIds
            | Self::TooManyRuns
            | Self::BodyUnavailable
            | Self::RevocationNotShared
            | Self::ProxyFailure => Some(Duration::from_secs(1)),
            _ => None,
        }
    }

    /// The n8n scopes that the caller lacks.
    pub fn missing_scopes(&self) -> &[&'static str] {
        match self {
            Self::InsufficientScope { missing, .. } => missing,
            _ => &[],
        }
    }

    /// The triggers of the workflow that was not run.
    pub fn triggers(&self) -> &[String] {
        match self {
            Self::NoTrigger { names } => names,
            _ => &[],
        }
    }

    /// The OAuth scopes that a client can ask its provider for to get what is missing.
    pub fn scopes_to_ask_for(&self) -> &[String] {
        match self {
            Self::InsufficientScope { ask_for, .. } => ask_for,
            _ => &[],
        }
    }
}
