//! Why a provider's answer about a token is of no use.

use thiserror::Error;

use crate::facts::status::StatusClass;
use crate::facts::FetchFault;
use crate::policy::Protocol;

/// Why a provider's answer about a token is of no use.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TokenStatusFault {
    /// There is none, or none with status 200.
    #[error(transparent)]
    Fetch(#[from] FetchFault),
    /// Status 401 (RFC 7662 §2.3): the gate itself is not let in. A 403 may be a firewall's word on
    /// a token that a stranger made up.
    #[error("the provider does not accept the client_id and client_secret")]
    ClientRefused,
    /// It is not `application/json`; a signed answer (RFC 9701) among others.
    #[error("the answer is not application/json")]
    ContentType,
    /// It is longer than an answer may be, no JSON object, or lacks what it must say.
    #[error("the answer is malformed")]
    Malformed,
}

impl TokenStatusFault {
    /// The stable code of the fault, for audit and metrics.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Fetch(fault) => fault.as_str(),
            Self::ClientRefused => "client_refused",
            Self::ContentType => "content_type",
            Self::Malformed => "answer_malformed",
        }
    }

    /// Where it may lie.
    ///
    /// At userinfo the caller himself is the client: limits are his, and it may be he who is gone.
    pub(super) const fn scope(&self, protocol: &Protocol) -> FaultScope {
        let is_userinfo = matches!(protocol, Protocol::UserInfo);
        match self {
            Self::Fetch(FetchFault::Status { status, .. }) => match StatusClass::of(*status) {
                StatusClass::NotFound | StatusClass::RateLimited if is_userinfo => {
                    FaultScope::Token
                }
                StatusClass::ClientError | StatusClass::ServerError | StatusClass::Other => {
                    FaultScope::Token
                }
                StatusClass::Unavailable | StatusClass::Timeout => FaultScope::Unclear,
                StatusClass::Redirect | StatusClass::NotFound | StatusClass::RateLimited => {
                    FaultScope::Provider
                }
            },
            Self::Fetch(FetchFault::TooLarge) | Self::ContentType | Self::Malformed => {
                FaultScope::Token
            }
            Self::Fetch(FetchFault::NoResponse) => FaultScope::Unclear,
            Self::Fetch(_) | Self::ClientRefused => FaultScope::Provider,
        }
    }

    /// One example of every fault, in the order of the documentation.
    pub fn examples() -> Vec<Self> {
        let statuses = StatusClass::EXAMPLES.map(|status| FetchFault::Status {
            status,
            location: None,
        });
        let mut faults = vec![
            Self::Fetch(FetchFault::NoResponse),
            Self::Fetch(FetchFault::NotDispatched),
            Self::ClientRefused,
        ];
        faults.extend(statuses.map(Self::Fetch));
        faults.extend([
            Self::Fetch(FetchFault::TooLarge),
            Self::Fetch(FetchFault::ContentEncoding(String::new())),
            Self::ContentType,
            Self::Malformed,
        ]);
        faults
    }

    /// What it means, for an operator.
    pub fn meaning(&self) -> String {
        match self {
            Self::Fetch(FetchFault::TooLarge) => "the answer is larger than 16 KiB".to_owned(),
            Self::Fetch(fault) => fault.meaning(),
            other => other.to_string(),
        }
    }

    /// What an operator does about it.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Fetch(FetchFault::NotDispatched) => {
                "Write the name of one of Envoy's clusters into `cluster`."
            }
            Self::Fetch(FetchFault::Status { status, .. }) => match StatusClass::of(*status) {
                StatusClass::Redirect | StatusClass::NotFound => "Check `uri`.",
                StatusClass::RateLimited => {
                    "Raise `ttl` and `inactive_ttl`. `Retry-After` is obeyed, up to five minutes."
                }
                StatusClass::ClientError => {
                    "Ask the address with curl. Other tokens are asked about all the same."
                }
                StatusClass::Unavailable | StatusClass::Timeout => {
                    "Look at the provider, its network and Envoy's cluster; at `timeout` too."
                }
                StatusClass::ServerError | StatusClass::Other => {
                    "Look at the provider. Other tokens are asked about all the same."
                }
            },
            Self::Fetch(FetchFault::ContentEncoding(_)) => {
                "Have the server, or the proxy before it, obey `Accept-Encoding: identity`."
            }
            Self::Fetch(_) => "Look at the provider and at what stands before it.",
            Self::ClientRefused => {
                "Check `client_id`, the variable of `client_secret`, `auth`, and whether the provider \
                 lets this client introspect tokens."
            }
            Self::ContentType => "Have the provider answer in plain JSON, not in a JWT; check `uri`.",
            Self::Malformed => "Check `uri`: the answer must be a JSON object with `active`.",
        }
    }
}

/// Where a fault may lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FaultScope {
    /// In the one token, which a stranger may have made up: others are asked about all the same, lest
    /// he keeps them out.
    Token,
    /// In the provider, or in a token over which it, or what stands before it, stumbled.
    Unclear,
    /// In the provider, or in how it is set up here, whatever the token.
    Provider,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_fault_has_a_code_of_its_own() {
        let faults = TokenStatusFault::examples();
        let codes: BTreeSet<_> = faults.iter().map(TokenStatusFault::as_str).collect();
        assert_eq!(codes.len(), faults.len());
    }

    #[test]
    fn what_a_stranger_s_token_may_have_caused_is_told_from_what_it_cannot() {
        let blamed = |protocol: &Protocol, blame| -> Vec<_> {
            let mut faults = TokenStatusFault::examples();
            faults.retain(|fault| fault.scope(protocol) == blame);
            faults.iter().map(TokenStatusFault::as_str).collect()
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
        assert_eq!(blamed(&introspection, FaultScope::Token), of_one);
        assert_eq!(
            blamed(&introspection, FaultScope::Unclear),
            ["no_response", "unavailable", "timeout"]
        );
        assert_eq!(
            blamed(&introspection, FaultScope::Provider),
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
        assert_eq!(blamed(&Protocol::UserInfo, FaultScope::Token), at_userinfo);
    }
}
