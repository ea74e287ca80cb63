//! Why the status of a token could not be fetched.

use thiserror::Error;

use crate::facts::call::CallFault;
use crate::facts::fault::{FaultCode, FaultScope};
use crate::policy::Protocol;

/// Why the status of a token could not be fetched.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TokenStatusFault {
    /// No response came, or none with status 200.
    #[error(transparent)]
    Call(#[from] CallFault),
    /// Status 401 (RFC 7662 §2.3): the gate itself is not let in. A 403 may be what a firewall responds
    /// about a token that an attacker made up.
    #[error("the provider does not accept the client_id and client_secret")]
    ClientRefused,
    /// It is not `application/json`; a signed response (RFC 9701) among others.
    #[error("the response is not application/json")]
    ContentType,
    /// It is no JSON object, or lacks what it must say.
    #[error("the response is malformed")]
    Malformed,
}

impl TokenStatusFault {
    /// Its row in the table of faults.
    pub const fn code(&self) -> FaultCode {
        match self {
            Self::Call(fault) => fault.code(),
            Self::ClientRefused => FaultCode::ClientRefused,
            Self::ContentType => FaultCode::ContentType,
            Self::Malformed => FaultCode::ResponseMalformed,
        }
    }
}

/// What may be at fault. At userinfo the caller is the client: limits are about it, and it may be gone.
pub(super) fn scope(code: FaultCode, protocol: &Protocol) -> FaultScope {
    match (protocol, code) {
        (Protocol::UserInfo, FaultCode::NotFound | FaultCode::RateLimited) => FaultScope::Fact,
        _ => code.scope(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::fault::FactKind;

    #[test]
    fn what_an_attacker_s_token_may_have_caused_is_told_from_what_it_cannot() {
        let of = |protocol: &Protocol, expected| -> Vec<_> {
            let codes = FaultCode::ALL.iter().copied();
            let codes = codes.filter(|code| code.advice(FactKind::Token).is_some());
            let codes = codes.filter(|code| scope(*code, protocol) == expected);
            codes.map(FaultCode::as_str).collect()
        };
        let introspection = Protocol::Introspection {
            authorization: None,
            form: None,
            accept_untyped: false,
        };
        let of_one = [
            "client_error",
            "server_error",
            "status",
            "too_large",
            "content_type",
            "answer_malformed",
        ];
        assert_eq!(of(&introspection, FaultScope::Fact), of_one);
        assert_eq!(
            of(&introspection, FaultScope::Unclear),
            ["no_response", "unavailable", "timeout"]
        );
        assert_eq!(
            of(&introspection, FaultScope::Source),
            [
                "not_dispatched",
                "client_refused",
                "redirect",
                "not_found",
                "rate_limited",
                "content_encoding"
            ]
        );
        let at_userinfo = [&["not_found", "rate_limited"][..], &of_one].concat();
        assert_eq!(of(&Protocol::UserInfo, FaultScope::Fact), at_userinfo);
    }
}
