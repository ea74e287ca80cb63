//! One example of every fault of a fetch, and what an operator does about it.

use super::status::StatusClass;
use super::FetchFault;
use crate::crypto::KeySetFault;

impl FetchFault {
    /// One example of every fault, in the order of the documentation.
    pub fn examples() -> Vec<Self> {
        let statuses = StatusClass::EXAMPLES.map(|status| Self::Status { status });
        let keys = [
            KeySetFault::NotJson,
            KeySetFault::NotAKeySet,
            KeySetFault::Empty,
            KeySetFault::NoUsableKey(Vec::new()),
            KeySetFault::DuplicateMember,
        ];
        let mut faults = vec![Self::NoResponse, Self::NotDispatched];
        faults.extend(statuses);
        faults.extend([
            Self::TooLarge,
            Self::DocumentMalformed,
            Self::IssuerMismatch,
            Self::JwksUri,
        ]);
        faults.extend(keys.map(Self::Keys));
        faults
    }

    /// What it means, for an operator.
    pub fn meaning(&self) -> String {
        match self {
            Self::Status { status } => match StatusClass::of(*status) {
                StatusClass::Redirect => "the answer is a redirect, and redirects are not followed",
                StatusClass::NotFound => "nothing is there: status 404 or 410",
                StatusClass::RateLimited => "the provider is asked too often: status 429",
                StatusClass::ClientError => "another status from 400 to 499",
                StatusClass::Unavailable => {
                    "status 503, of the provider, or of Envoy, which cannot connect"
                }
                StatusClass::Timeout => {
                    "status 504, of the provider, or of Envoy, which waited for `timeout`"
                }
                StatusClass::ServerError => "another status from 500 to 599",
                StatusClass::Other => "another status than 200",
            }
            .to_owned(),
            Self::NoResponse => "the connection broke before the whole answer was there".to_owned(),
            Self::TooLarge => {
                "the document is larger than 256 KiB, or has more than 100 keys".to_owned()
            }
            other => other.to_string(),
        }
    }

    /// What an operator does about it.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::NoResponse => "Look at the provider and at what stands before it.",
            Self::NotDispatched => "Write the name of one of Envoy's clusters into `cluster`.",
            Self::Status { status } => match StatusClass::of(*status) {
                StatusClass::Redirect => {
                    "Write the address that it leads to into `discovery_uri` or `jwks_uri`."
                }
                StatusClass::NotFound => {
                    "Check `issuer`, `discovery_uri` or `jwks_uri`. The discovery document is read \
                     anew at the next attempt."
                }
                StatusClass::RateLimited => "Raise `ttl` and `min_ttl`. `Retry-After` in seconds is obeyed, up to five minutes.",
                StatusClass::ClientError => "Open the document to the address that Envoy comes from.",
                StatusClass::Unavailable => {
                    "Look at `upstream_cx_connect_fail` and `ssl.fail_verify_san` of the cluster: \
                     DNS, a firewall, TLS; else at the provider."
                }
                StatusClass::Timeout => "Look at the provider, and at its network; `timeout` may be too short.",
                StatusClass::ServerError => "Look at the provider.",
                StatusClass::Other => "Ask the address with curl: it is no key set.",
            },
            Self::TooLarge => "Check the address: real key sets have some kilobytes.",
            Self::DocumentMalformed => "Check `discovery_uri`: most often it is a page for people.",
            Self::IssuerMismatch => {
                "Write the document's `issuer` as the first of `issuer`, if it is yours; else find \
                 out who answers."
            }
            Self::JwksUri => "Have the provider publish an https address, or write `jwks_uri`.",
            Self::Keys(fault) => match fault {
                KeySetFault::TooLarge | KeySetFault::NotJson | KeySetFault::NotAKeySet => {
                    "Check `jwks_uri`: most often it is a log-in page."
                }
                KeySetFault::DuplicateMember => {
                    "Tell the provider: its key set says two things at once. The keys that are \
                     known stay in use for `max_stale`."
                }
                KeySetFault::Empty => {
                    "Ask the provider: it withdrew every key, and no token is taken until there is \
                     one."
                }
                KeySetFault::NoUsableKey(_) => {
                    "Have it publish a key for one of the algorithms: RSA of 2048 to 4096 bits, \
                     P-256, P-384 or Ed25519. The keys that it published before are gone after \
                     `grace`."
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fetch::{code_at, place_of};
    use super::*;

    #[test]
    fn every_fault_has_a_code_of_its_own_that_workers_can_tell_each_other() {
        for (place, fault) in (0..).zip(FetchFault::examples()) {
            let code = fault.as_str();
            assert_eq!(place_of(Some(code)), place, "{code}");
            assert_eq!(code_at(place), Some(code));
        }
        assert_eq!(code_at(place_of(None)), None);
        assert_eq!(FetchFault::examples().len(), usize::from(place_of(None)));
    }
}
