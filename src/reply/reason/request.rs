//! Refusals of requests whose path or host is not clear.

macro_rules! request {
    ($go_on:ident { $($rows:tt)* } $($rest:tt)*) => {
        $go_on! { {
            $($rows)*

            /// The path has more than one reading.
            Path(PathFault) => {
                status: 400,
                challenge: Challenge::None,
                code: "ambiguous_path",
                detail: "The path can be read in more than one way. Send it in its plain form.",
                meaning: "the path can be read as more than one path; `fault` in the audit says how",
                remedy: "look at `fault`; have the client or the proxy before Envoy send the path in its plain form",
                example: Self::Path(PathFault::DotSegment),
            }
            /// Upper and lower case choose different webhook rules.
            WebhookCase => {
                status: 400,
                challenge: Challenge::None,
                code: "ambiguous_case",
                detail: "The path can be read in more than one way. Send it in its plain form.",
                meaning: "upper and lower case, the order of segments, or in n8n 1 the endpoint, choose different webhook rules",
                remedy: "call the webhook as the rule has it, and write the rule as the workflow has it",
            }
            /// The request names no host that a response can repeat.
            HostMalformed => {
                status: 400,
                challenge: Challenge::None,
                code: "host_malformed",
                detail: "The host of the request is malformed.",
                meaning: "the request names no host that a response can repeat",
                remedy: "set `public_api.resource`, or have the client send one plain host",
            }
            /// No instance of n8n has the host of the request (RFC 9110 §15.5.20).
            UnknownHost => {
                status: 421,
                challenge: Challenge::None,
                code: "unknown_host",
                detail: "There is no n8n under this host here.",
                meaning: "neither `hosts` nor one of `instances` has the host of the request",
                remedy: "add the host to `hosts`, of the right instance if there are several; have probes ask for such a host",
            }
        } $($rest)* }
    };
}

pub(super) use request;
