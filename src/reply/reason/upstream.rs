//! Refusals because n8n or a provider does not give what the gate needs.

macro_rules! upstream {
    ($go_on:ident { $($rows:tt)* } $($rest:tt)*) => {
        $go_on! { {
            $($rows)*

            /// n8n refused the upstream API key that the gate sent for a good token. There is no
            /// challenge: another token does not help.
            UpstreamKeyRefused => {
                status: 502,
                challenge: Challenge::None,
                code: "upstream_key_refused",
                detail: "The access token is good, but n8n does not accept the key of this caller. The operator must replace the key; another token does not help.",
                meaning: "n8n's response was 401: the key of `principal` has expired or was deleted, or its user was; an earlier record of the same `request_id` says `forward`",
                remedy: "make a new key for the user of `principal` in n8n, set its variable, and restart Envoy; see `upstream_key_seconds_left`",
            }
            /// n8n refused the session that the gate sent for a good token.
            UpstreamSessionRefused => {
                status: 502,
                challenge: Challenge::None,
                code: "upstream_session_refused",
                detail: "The access token is good, but n8n did not accept the session of this caller's user. Try again: the gate logs in again if it must. Another token does not help.",
                meaning: "n8n's response was 401: the session of the user of `principal` was ended, or n8n's secret was changed; an earlier record of the same `request_id` says `forward`",
                remedy: "nothing, if it happens once: the next request gets another session; else look at the record of that one, and whether the copies of n8n have one secret",
            }
            /// The provider's keys are not available now.
            KeysUnavailable(Outage) => {
                status: 503,
                challenge: Challenge::None,
                code: "keys_unavailable",
                detail: "The keys of the identity provider are not available at the moment.",
                meaning: "the provider's keys could not be fetched; `fault` in the audit says why: see [faults](faults.md)",
                remedy: "look at `fault`, and at its line in [faults](faults.md); tell callers to try again",
                example: Self::KeysUnavailable(Outage {
                    retry_after: Duration::from_secs(4),
                    fault: None,
                }),
            }
            /// The token names a key that is not known, and the keys are not fetched anew before this
            /// time has passed.
            KeysNotCurrent(Duration) => {
                status: 503,
                challenge: Challenge::None,
                code: "keys_not_current",
                detail: "The key that the access token names is not known yet.",
                meaning: "the token names a key that is not in the key set, and the key set was fetched a moment ago for such a token: it may have changed since",
                remedy: "nothing, if the provider changed its keys: callers try again; many of these are made-up tokens, see `claimed.kid`",
                example: Self::KeysNotCurrent(Duration::from_secs(3)),
            }
            /// The API key of the caller's user in n8n is not available now.
            UpstreamKeyUnavailable(Outage) => {
                status: 503,
                challenge: Challenge::None,
                code: "upstream_key_unavailable",
                detail: "The access token is good. The gate cannot get a key of n8n for this caller at the moment.",
                meaning: "the gate could not make the user of `principal` in n8n, or a key for it; `fault` in the audit says why: see [faults](faults.md)",
                remedy: "look at `fault`, and at its line in [faults](faults.md); tell callers to try again",
                example: Self::UpstreamKeyUnavailable(Outage {
                    retry_after: Duration::from_secs(4),
                    fault: None,
                }),
            }
            /// The session of the caller's user in n8n is not available now.
            UpstreamSessionUnavailable(Outage) => {
                status: 503,
                challenge: Challenge::None,
                code: "upstream_session_unavailable",
                detail: "The access token is good. The gate cannot log in to n8n for this caller at the moment.",
                meaning: "the gate could not make the user of `principal` in n8n, or log in as it; `fault` in the audit says why: see [faults](faults.md)",
                remedy: "look at `fault`, and at its line in [faults](faults.md); tell callers to try again",
                example: Self::UpstreamSessionUnavailable(Outage {
                    retry_after: Duration::from_secs(4),
                    fault: None,
                }),
            }
            /// The token status is not available now.
            IntrospectionUnavailable(Outage) => {
                status: 503,
                challenge: Challenge::None,
                code: "introspection_unavailable",
                detail: "The identity provider cannot be asked about the token at the moment.",
                meaning: "the provider could not be asked about the token, or its response was of no use; `fault` in the audit says why: see [faults](faults.md)",
                remedy: "look at `fault`, and at its line in [faults](faults.md); tell callers to try again",
                example: Self::IntrospectionUnavailable(Outage {
                    retry_after: Duration::from_secs(2),
                    fault: None,
                }),
            }
            /// Too many requests wait for the provider already.
            TooManyWaiting => {
                status: 503,
                challenge: Challenge::None,
                code: "too_many_waiting",
                detail: "Too many requests wait for the identity provider at the moment.",
                meaning: "too many requests of one worker wait for this provider: 1024 for keys and 256 for token statuses, shared evenly by the providers and fairly by the addresses of callers",
                remedy: "find out why keys come slowly: `key_set_failures`, `key_id_misses`",
            }
        } $($rest)* }
    };
}

pub(super) use upstream;
