//! One example of every fault of a fetch, and what an operator does about it.

use crate::crypto::KeySetFault;
use crate::facts::status::StatusClass;
use crate::facts::FetchFault;

impl FetchFault {
    /// One example of every fault, in the order of the documentation.
    pub fn examples() -> Vec<Self> {
        let statuses = StatusClass::EXAMPLES.map(|status| Self::Status {
            status,
            location: None,
        });
        let keys = [
            KeySetFault::NotJson,
            KeySetFault::Page,
            KeySetFault::KeysMissing,
            KeySetFault::List,
            KeySetFault::Certificates,
            KeySetFault::SingleKey,
            KeySetFault::DiscoveryDocument,
            KeySetFault::NotAKeySet,
            KeySetFault::Empty,
            KeySetFault::NoUsableKey(Vec::new()),
            KeySetFault::DuplicateMember,
        ];
        let mut faults = vec![Self::NoResponse, Self::NotDispatched];
        faults.extend(statuses);
        faults.extend([
            Self::TooLarge,
            Self::ContentEncoding(String::new()),
            Self::DocumentMalformed(""),
            Self::IssuerMismatch {
                expected: String::new(),
                found: String::new(),
            },
            Self::JwksUri {
                found: String::new(),
                why: String::new(),
            },
        ]);
        faults.extend(keys.map(Self::Keys));
        faults
    }

    /// What it means, for an operator.
    pub fn meaning(&self) -> String {
        match self {
            Self::Status { status, .. } => match StatusClass::of(*status) {
                StatusClass::Redirect => {
                    "the answer is a redirect, and redirects are not followed; the log says where it leads to"
                }
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
            Self::ContentEncoding(_) => {
                "the document is compressed, though the gate asks for `identity`".to_owned()
            }
            Self::DocumentMalformed(_) => {
                "the discovery document is malformed; the log says what is wrong with it".to_owned()
            }
            Self::IssuerMismatch { .. } => {
                "the discovery document is of another issuer; the log names both".to_owned()
            }
            Self::JwksUri { .. } => {
                "the discovery document's `jwks_uri` cannot be used; the log names it and says why"
                    .to_owned()
            }
            other => other.to_string(),
        }
    }

    /// What an operator does about it.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::NoResponse => "PastRefetch at the provider and at what stands before it.",
            Self::NotDispatched => "Write the name of one of Envoy's clusters into `cluster`.",
            Self::Status { status, .. } => match StatusClass::of(*status) {
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
                    "PastRefetch at `upstream_cx_connect_fail` and `ssl.fail_verify_san` of the cluster: \
                     DNS, a firewall, TLS; else at the provider."
                }
                StatusClass::Timeout => "PastRefetch at the provider, and at its network; `timeout` may be too short.",
                StatusClass::ServerError => "PastRefetch at the provider.",
                StatusClass::Other => "Ask the address with curl: it is no key set.",
            },
            Self::TooLarge => "Check the address: real key sets have some kilobytes.",
            Self::ContentEncoding(_) => {
                "Have the server, or the proxy before it, obey `Accept-Encoding: identity`."
            }
            Self::DocumentMalformed(_) => "Check `discovery_uri`: most often it is a page for people.",
            Self::IssuerMismatch { .. } => {
                "Write the document's `issuer` as the first of `issuer`, if it is yours; else find \
                 out who answers."
            }
            Self::JwksUri { .. } => "Have the provider publish an https address, or write `jwks_uri`.",
            Self::Keys(fault) => match fault {
                KeySetFault::TooLarge | KeySetFault::NotJson | KeySetFault::NotAKeySet => {
                    "Ask `jwks_uri` with curl from where Envoy runs."
                }
                KeySetFault::Page => "Check `jwks_uri`: most often it is a log-in page.",
                KeySetFault::KeysMissing => {
                    "Give the provider a key that signs: authentik answers `{}` while its provider has no \
                     signing key, and signs with the client's secret. Else check `jwks_uri`."
                }
                KeySetFault::List => "Have it publish `{\"keys\": [...]}` (RFC 7517 section 5).",
                KeySetFault::Certificates => {
                    "Write the address of the JWK set into `jwks_uri`; Google's is \
                     `https://www.googleapis.com/oauth2/v3/certs`."
                }
                KeySetFault::SingleKey => {
                    "Have it publish the key in `{\"keys\": [...]}` (RFC 7517 section 5)."
                }
                KeySetFault::DiscoveryDocument => {
                    "Write this address into `discovery_uri`, and leave `jwks_uri` out."
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
    use super::*;
    use crate::facts::call::{code_of, number_of, NUMBERS};

    #[test]
    fn every_fault_has_a_number_of_its_own_that_workers_can_tell_each_other() {
        let faults = FetchFault::examples();
        assert_eq!(faults.len(), NUMBERS.len());
        for fault in faults {
            let code = fault.as_str();
            assert_eq!(code_of(number_of(Some(code))), Some(code));
        }
        assert_eq!(code_of(number_of(None)), None);
    }

    /// Add to the end of this list. What stands in it is what other versions write and read.
    #[test]
    fn a_number_never_changes_its_meaning() {
        let fixed = "no_response not_dispatched redirect not_found rate_limited client_error \
             unavailable timeout server_error status too_large document_malformed issuer_mismatch \
             jwks_uri not_json not_a_key_set empty no_usable_key duplicate_member content_encoding \
             page keys_missing list certificates single_key discovery_document";
        for (number, code) in (0..).zip(fixed.split_whitespace()) {
            assert_eq!(code_of(number), Some(code));
            assert_eq!(number_of(Some(code)), number);
        }
    }
}
