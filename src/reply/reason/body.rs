//! Refusals because of a body, of an id that counts once, or of the proxy.

macro_rules! body {
    ($go_on:ident { $($rows:tt)* } $($rest:tt)*) => {
        $go_on! { {
            $($rows)*

            /// The body is longer than the check of it reads (RFC 9110 §15.5.14).
            BodyTooLarge => {
                status: 413,
                challenge: Challenge::None,
                code: "body_too_large",
                detail: "The body of the request is too large.",
                meaning: "the body is longer than the rule for this path allows",
                remedy: "raise `max_body` of the rule if such bodies are right, and Envoy's `per_connection_buffer_limit_bytes` with it",
            }
            /// The whole body did not come in time (RFC 9110 §15.5.9).
            BodyTimeout => {
                status: 408,
                challenge: Challenge::None,
                code: "body_timeout",
                detail: "The body of the request did not come in time.",
                meaning: "the whole body did not come within 30 seconds; n8n gets nothing before it was checked",
                remedy: "look for a slow line or a client that sends no body",
            }
            /// Too many requests are held for their bodies.
            TooManyBodies => {
                status: 503,
                challenge: Challenge::None,
                code: "too_many_bodies",
                detail: "Too many request bodies are on their way at the moment.",
                meaning: "one worker holds 256 requests, or 64 MiB, whose bodies are not complete; those of the address with the most leave first",
                remedy: "look at `address` in the audit: many slow bodies of few addresses are an attack",
            }
            /// A delivery that was forwarded before (RFC 9110 §15.5.10).
            DeliveryReplayed => {
                status: 409,
                challenge: Challenge::None,
                code: "delivery_replayed",
                detail: "This delivery has come before.",
                meaning: "the same delivery was forwarded within `tolerance`; another id or signature does not make it another one",
                remedy: "look for a second webhook with the same secret and events at the sender; where a sender repeats requests on purpose, set `replay: pass`",
            }
            /// Too many ids are remembered that may be used once.
            TooManyUsedIds => {
                status: 503,
                challenge: Challenge::None,
                code: "too_many_used_ids",
                detail: "Too many one-time ids were used in the last minutes.",
                meaning: "the id of this request cannot be remembered: 131,072 are at most, in 1024 buckets of 128; without that a replay could pass",
                remedy: "find the sender of so many requests, or shorten the time for which its ids are good",
            }
            /// The host does not hand over the body.
            BodyUnavailable => {
                status: 503,
                challenge: Challenge::None,
                code: "body_unavailable",
                detail: "The request could not be handled.",
                meaning: "Envoy did not hand over the body of the request",
                remedy: "set `allow_on_headers_stop_iteration: true` beside `failure_policy` in the plugin's `config`",
            }
            /// The proxy did not do what the decision asked for.
            ProxyFailure => {
                status: 503,
                challenge: Challenge::None,
                code: "host_failure",
                detail: "The request could not be handled.",
                meaning: "Envoy did not do what the gate asked for",
                remedy: "look at Envoy's log; a request head that grew too large is the usual cause",
            }
        } $($rest)* }
    };
}

pub(super) use body;
