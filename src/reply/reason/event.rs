//! Refusals of a provider's events.

macro_rules! event {
    ($go_on:ident { $($rows:tt)* } $($rest:tt)*) => {
        $go_on! { {
            $($rows)*

            /// An event of a provider is not accepted (Back-Channel Logout §2.6, RFC 8935 §2.3).
            EventRefused(EventFault) => {
                status: 400,
                challenge: Challenge::None,
                code: "event_refused",
                detail: "The event is not accepted.",
                meaning: "a log-out token or security event was sent to the gate, and is not good; `fault` in the audit says why, with the codes of tokens below and some of its own: `issuer`, `form`, `iat`, `too_old`, `jti`, `replayed`, `subject`",
                remedy: "compare `claimed` with `logout` or `events` of the provider; the [guide](../guides/revocation.md#what-is-checked) has each check",
                example: Self::EventRefused(EventFault::Replayed),
            }
            /// An event was sent in another way than by `POST`.
            EventMethod => {
                status: 405,
                challenge: Challenge::None,
                code: "event_method",
                detail: "Use POST.",
                meaning: "a request to an endpoint for events of a provider has another method than `POST`",
                remedy: "nothing, if a person looked whether the address exists",
            }
            /// A revocation could not be shared with the other workers.
            RevocationNotShared => {
                status: 503,
                challenge: Challenge::None,
                code: "revocation_not_shared",
                detail: "The event is good, and could not be stored. Send it again.",
                meaning: "an event is good, and Envoy did not store it for all workers",
                remedy: "look whether the provider sends it again; end the tokens by `revoked` in the configuration, if not",
            }
        } $($rest)* }
    };
}

pub(super) use event;
