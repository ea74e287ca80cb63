//! The faults of facts, in one table.
//!
//! Codes, numbers, the labels of metrics, the reference page and when a call may be made again follow
//! from it. Add rows at the end of the numbers; the order of the rows is that of the documentation.

/// Why a fact is not available.
macro_rules! faults {
    ($(
        $(#[$doc:meta])*
        $variant:ident = $number:literal $code:literal $scope:ident {
            $($kind:ident: $meaning:literal => $remedy:literal;)+
        }
    )+) => {
        /// Why a fact is not available, without what only the log tells.
        ///
        /// Workers of two versions may share memory: a number never changes its meaning, and none is used
        /// again.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum FaultCode {
            $($(#[$doc])* $variant = $number,)+
        }

        impl FaultCode {
            /// All of them, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable code, for audit and metrics.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)+
                }
            }

            /// What may be at fault, so that no call about it is made for a while.
            pub(super) const fn scope(self) -> FaultScope {
                match self {
                    $(Self::$variant => FaultScope::$scope,)+
                }
            }

            /// What it means with facts of this kind, and what an operator does about it. `None`: it
            /// does not occur with them.
            pub fn advice(self, kind: FactKind) -> Option<Advice> {
                let (meaning, remedy) = match (self, kind) {
                    $($((Self::$variant, FactKind::$kind) => ($meaning, $remedy),)+)+
                    _ => return None,
                };
                Some(Advice { meaning, remedy })
            }
        }
    };
}

/// A kind of fact, for the documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactKind {
    /// A key set.
    Keys,
    /// A token status.
    Token,
    /// An API key of n8n that the gate makes.
    MintedKey,
}

/// What an operator needs to know of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advice {
    /// What it means.
    pub meaning: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

/// What may be at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FaultScope {
    /// The one fact, which an attacker's request may be about. Other facts are fetched all the same, so
    /// that the attacker does not keep other callers out.
    Fact,
    /// The source, or a fact that made it fail, or what stands before it.
    Unclear,
    /// The source or its configuration, whatever the fact.
    Source,
}

faults! {
    /// No connection, a timeout, a reset.
    NoResponse = 0 "no_response" Unclear {
        Keys: "the connection broke before the whole response was there"
            => "Look at the provider and at what stands before it.";
        Token: "the connection broke before the whole response was there"
            => "Look at the provider and at what stands before it.";
        MintedKey: "the connection to n8n broke before the whole response was there"
            => "Look at n8n and at what stands before it.";
    }

    /// Envoy has no cluster of that name.
    NotDispatched = 1 "not_dispatched" Source {
        Keys: "Envoy could not make the call: is there a cluster of that name?"
            => "Write the name of one of Envoy's clusters into `cluster`.";
        Token: "Envoy could not make the call: is there a cluster of that name?"
            => "Write the name of one of Envoy's clusters into `cluster`.";
        MintedKey: "Envoy could not make the call: is there a cluster of that name?"
            => "Write the name of one of Envoy's clusters into `n8n.cluster`.";
    }

    /// The gate itself is not let in.
    ClientRefused = 26 "client_refused" Source {
        Token: "the provider does not accept the client_id and client_secret"
            => "Check `client_id`, the variable of `client_secret`, `auth`, and whether the provider lets this client introspect tokens.";
        MintedKey: "n8n does not accept the provisioning key, or its user may not make users"
            => "Make a key with the scopes `user:create` and `user:read` for an owner or admin of n8n, and set the variable of `n8n.api_key`; look at the number of users that the licence allows.";
    }

    /// The document is elsewhere.
    Redirect = 2 "redirect" Source {
        Keys: "the response is a redirect, and redirects are not followed; the log says where it leads to"
            => "Write the address that it leads to into `discovery_uri` or `jwks_uri`.";
        Token: "the response is a redirect, and redirects are not followed"
            => "Check `uri`.";
        MintedKey: "the response is a redirect, and redirects are not followed"
            => "Write the address of n8n itself into `n8n.uri`, and its cluster into `n8n.cluster`.";
    }

    /// Nothing is there, or not any more.
    NotFound = 3 "not_found" Source {
        Keys: "nothing is there: status 404 or 410"
            => "Check `issuer`, `discovery_uri` or `jwks_uri`. The discovery document is read again at the next attempt.";
        Token: "nothing is there: status 404 or 410"
            => "Check `uri`.";
        MintedKey: "n8n does not have the path: status 404 or 410"
            => "Check `n8n.cluster`, and `endpoints` if n8n serves its API elsewhere; `N8N_PUBLIC_API_DISABLED` must not be true.";
    }

    /// The provider is called too often.
    RateLimited = 4 "rate_limited" Source {
        Keys: "the provider is called too often: status 429"
            => "Raise `ttl` and `min_ttl`. `Retry-After` in seconds is obeyed, up to five minutes.";
        Token: "the provider is called too often: status 429"
            => "Raise `ttl` and `inactive_ttl`. `Retry-After` is obeyed, up to five minutes.";
        MintedKey: "n8n limits log-ins to five a minute for each user: status 429"
            => "Nothing: `Retry-After` is obeyed. If it comes often, many replicas start at once, or another program logs in as the user.";
    }

    /// Another status from 400 to 499.
    ClientError = 5 "client_error" Fact {
        Keys: "another status from 400 to 499"
            => "Open the document to the address that Envoy comes from.";
        Token: "another status from 400 to 499"
            => "Call the address with curl. Calls about other tokens are made all the same.";
        MintedKey: "another status from 400 to 499"
            => "Look at the log of n8n.";
    }

    /// 503, also of Envoy itself, which cannot connect.
    Unavailable = 6 "unavailable" Unclear {
        Keys: "status 503, of the provider, or of Envoy, which cannot connect"
            => "Look at `upstream_cx_connect_fail` and `ssl.fail_verify_san` of the cluster: DNS, a firewall, TLS; else at the provider.";
        Token: "status 503, of the provider, or of Envoy, which cannot connect"
            => "Look at the provider, its network and Envoy's cluster; at `timeout` too.";
        MintedKey: "status 503, of n8n, or of Envoy, which cannot connect"
            => "Look at n8n, and at `upstream_cx_connect_fail` of its cluster.";
    }

    /// 504, also of Envoy itself, which got no response in time.
    Timeout = 7 "timeout" Unclear {
        Keys: "status 504, of the provider, or of Envoy, which waited for `timeout`"
            => "Look at the provider, and at its network; `timeout` may be too short.";
        Token: "status 504, of the provider, or of Envoy, which waited for `timeout`"
            => "Look at the provider, its network and Envoy's cluster; at `timeout` too.";
        MintedKey: "status 504, of n8n, or of Envoy, which waited for `n8n.timeout`"
            => "Look at n8n; `n8n.timeout` may be too short.";
    }

    /// Another status from 500 to 599.
    ServerError = 8 "server_error" Fact {
        Keys: "another status from 500 to 599"
            => "Look at the provider.";
        Token: "another status from 500 to 599"
            => "Look at the provider. Calls about other tokens are made all the same.";
        MintedKey: "another status from 500 to 599"
            => "Look at the log of n8n.";
    }

    /// Any other status than 200.
    Status = 9 "status" Fact {
        Keys: "another status than 200"
            => "Call the address with curl: it has no key set.";
        Token: "another status than 200"
            => "Look at the provider. Calls about other tokens are made all the same.";
        MintedKey: "another status"
            => "Look at the log of n8n, and at what stands before it.";
    }

    /// More than is read.
    TooLarge = 10 "too_large" Fact {
        Keys: "the document is larger than 256 KiB, or has more than 100 keys"
            => "Check the address: real key sets have some kilobytes.";
        Token: "the response is larger than 16 KiB"
            => "Look at the provider and at what stands before it.";
        MintedKey: "the response is larger than 256 KiB"
            => "Check `n8n.cluster`.";
    }

    /// A compressed body. The gate asks for none.
    ContentEncoding = 19 "content_encoding" Source {
        Keys: "the document is compressed, though the gate asks for `identity`"
            => "Have the server, or the proxy before it, obey `Accept-Encoding: identity`.";
        Token: "the document is compressed, though the gate asks for `identity`"
            => "Have the server, or the proxy before it, obey `Accept-Encoding: identity`.";
        MintedKey: "the response is compressed, though the gate asks for `identity`"
            => "Have the proxy before n8n obey `Accept-Encoding: identity`.";
    }

    /// Not `application/json`.
    ContentType = 27 "content_type" Fact {
        Token: "the response is not application/json"
            => "Have the provider respond in plain JSON, not in a JWT; check `uri`.";
    }

    /// No JSON object, or one without what it must say. The code is older than the term.
    ResponseMalformed = 28 "answer_malformed" Fact {
        Token: "the response is malformed"
            => "Check `uri`: the response must be a JSON object with `active`.";
        MintedKey: "the response is not one that n8n sends; the log names the call"
            => "Check `n8n.cluster`, `n8n.uri` and `endpoints`; a page of another server has status 200, too.";
    }

    /// A discovery document that is not a JSON object with the members that are needed.
    DocumentMalformed = 11 "document_malformed" Source {
        Keys: "the discovery document is malformed; the log says what is wrong with it"
            => "Check `discovery_uri`: most often it is a page for people.";
    }

    /// A discovery document of another issuer.
    IssuerMismatch = 12 "issuer_mismatch" Source {
        Keys: "the discovery document is of another issuer; the log names both"
            => "Write the document's `issuer` as the first of `issuer`, if it is yours; else find out which server responds.";
    }

    /// A `jwks_uri` that cannot be used.
    JwksUri = 13 "jwks_uri" Source {
        Keys: "the discovery document's `jwks_uri` cannot be used; the log names it and says why"
            => "Have the provider publish an https address, or write `jwks_uri`.";
    }

    /// Not JSON in UTF-8.
    NotJson = 14 "not_json" Source {
        Keys: "the document is not JSON in UTF-8"
            => "Call `jwks_uri` with curl from where Envoy runs.";
    }

    /// HTML or XML.
    Page = 20 "page" Source {
        Keys: "the document is a page (HTML or XML), not JSON"
            => "Check `jwks_uri`: most often it is a log-in page.";
    }

    /// An object without `keys`.
    KeysMissing = 21 "keys_missing" Source {
        Keys: "the document is a JSON object without `keys`"
            => "Give the provider a key that signs: authentik responds with `{}` while its provider has no signing key, and signs with the client's secret. Else check `jwks_uri`.";
    }

    /// An array.
    List = 22 "list" Source {
        Keys: "the document is a JSON array, not an object with `keys`"
            => "Have it publish `{\"keys\": [...]}` (RFC 7517 section 5).";
    }

    /// Certificates.
    Certificates = 23 "certificates" Source {
        Keys: "the document holds certificates, not JWKs"
            => "Write the address of the JWK set into `jwks_uri`; Google's is `https://www.googleapis.com/oauth2/v3/certs`.";
    }

    /// One JWK.
    SingleKey = 24 "single_key" Source {
        Keys: "the document is a single JWK, not a set with `keys`"
            => "Have it publish the key in `{\"keys\": [...]}` (RFC 7517 section 5).";
    }

    /// A discovery document in place of keys.
    DiscoveryDocument = 25 "discovery_document" Source {
        Keys: "the document is a discovery document, not a JWK set"
            => "Write this address into `discovery_uri`, and leave `jwks_uri` out.";
    }

    /// Something else.
    NotAKeySet = 15 "not_a_key_set" Source {
        Keys: "the document is not a JWK set"
            => "Call `jwks_uri` with curl from where Envoy runs.";
    }

    /// A set without keys.
    Empty = 16 "empty" Source {
        Keys: "the JWK set is empty"
            => "Ask the provider: it withdrew every key, and no token is accepted until there is one.";
    }

    /// A set with keys, none of which can check a token.
    NoUsableKey = 17 "no_usable_key" Source {
        Keys: "the JWK set has no usable key"
            => "Have it publish a key for one of the algorithms: RSA of 2048 to 4096 bits, P-256, P-384 or Ed25519. The keys that it published before are gone after `grace`.";
    }

    /// Two members of one name.
    DuplicateMember = 18 "duplicate_member" Source {
        Keys: "the JWK set has two members of one name"
            => "Tell the provider: two readers could read two key sets. The keys that are known stay in use for `max_stale`.";
    }

    /// The user of n8n has another password.
    UserPassword = 29 "user_password" Fact {
        MintedKey: "the user exists in n8n, with another password than the one that the gate derives"
            => "Use another address in `user.email`, or delete the user in n8n. If `n8n.seed` was changed, set it to what it was.";
    }

    /// The user of n8n has a second factor.
    UserSecondFactor = 30 "user_second_factor" Fact {
        MintedKey: "the user has a second factor in n8n, which the gate does not know"
            => "Remove the second factor of this user in n8n, and do not enforce it for all users.";
    }

    /// n8n sends invitations by e-mail.
    InvitationMailed = 31 "invitation_mailed" Fact {
        MintedKey: "n8n sends invitations by e-mail, so that the gate cannot accept them"
            => "Run n8n without `N8N_SMTP_HOST` until the users are made.";
    }

    /// n8n refuses a session that it made a moment ago.
    SessionRefused = 32 "session_refused" Fact {
        MintedKey: "n8n refuses the session of a log-in that it accepted"
            => "Look at n8n: several copies with different `N8N_USER_MANAGEMENT_JWT_SECRET` do that.";
    }

    /// The user may have none of the scopes.
    NoScope = 33 "no_scope" Fact {
        MintedKey: "the user's role in n8n allows none of the scopes of the caller"
            => "Members have no scope for users, licences and settings: grant others, or give the principal an `api_key` of an admin.";
    }

    /// n8n refuses an API key that it made a moment ago.
    KeyRefused = 34 "key_refused" Fact {
        MintedKey: "n8n refuses an API key that it made a moment ago"
            => "Compare the clocks of n8n and Envoy; look at n8n: several copies with different databases or secrets do that.";
    }
}

/// The number that stands for no code.
const NO_CODE: u8 = u8::MAX;

impl FaultCode {
    /// The code of a status other than 200.
    pub(super) const fn of_status(status: u16) -> Self {
        match status {
            300..=399 => Self::Redirect,
            404 | 410 => Self::NotFound,
            429 => Self::RateLimited,
            400..=499 => Self::ClientError,
            503 => Self::Unavailable,
            504 => Self::Timeout,
            500..=599 => Self::ServerError,
            _ => Self::Status,
        }
    }

    /// The number by which workers share a code.
    pub(super) fn number_of(code: Option<Self>) -> u8 {
        code.map_or(NO_CODE, |code| code as u8)
    }

    /// The code with a number.
    pub(super) fn numbered(number: u8) -> Option<Self> {
        let mut codes = Self::ALL.iter().copied();
        codes.find(|code| *code as u8 == number)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_fault_has_a_code_and_a_number_of_its_own() {
        let all = FaultCode::ALL.iter();
        let codes: BTreeSet<_> = all.clone().map(|code| code.as_str()).collect();
        let numbers: BTreeSet<_> = all.map(|code| *code as u8).collect();
        let count = FaultCode::ALL.len();
        assert_eq!([codes.len(), numbers.len()], [count; 2]);
        assert_eq!(numbers.into_iter().map(usize::from).max(), Some(count - 1));
        for code in FaultCode::ALL {
            let number = FaultCode::number_of(Some(*code));
            assert_eq!(FaultCode::numbered(number), Some(*code));
        }
        assert_eq!(FaultCode::numbered(FaultCode::number_of(None)), None);
    }

    /// Add to the end of this list. Workers of other versions write and read what is in it.
    #[test]
    fn a_number_never_changes_its_meaning() {
        let fixed = "no_response not_dispatched redirect not_found rate_limited client_error \
             unavailable timeout server_error status too_large document_malformed issuer_mismatch \
             jwks_uri not_json not_a_key_set empty no_usable_key duplicate_member content_encoding \
             page keys_missing list certificates single_key discovery_document client_refused \
             content_type answer_malformed user_password user_second_factor invitation_mailed \
             session_refused no_scope key_refused";
        for (number, code) in (0..).zip(fixed.split_whitespace()) {
            let known = FaultCode::numbered(number).map(FaultCode::as_str);
            assert_eq!(known, Some(code));
        }
    }

    #[test]
    fn every_status_has_the_code_of_its_class() {
        for (status, code) in [
            (204, "status"),
            (302, "redirect"),
            (400, "client_error"),
            (404, "not_found"),
            (410, "not_found"),
            (429, "rate_limited"),
            (500, "server_error"),
            (503, "unavailable"),
            (504, "timeout"),
        ] {
            assert_eq!(FaultCode::of_status(status).as_str(), code);
        }
    }
}
