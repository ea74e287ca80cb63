//! Refusals because of what the caller sent to say who it is.

macro_rules! credential {
    ($go_on:ident { $($rows:tt)* } $($rest:tt)*) => {
        $go_on! { {
            $($rows)*

            /// More than one `X-N8N-API-KEY`.
            DuplicateApiKey => {
                status: 400,
                challenge: INVALID_REQUEST,
                code: "duplicate_api_key",
                detail: "Send at most one X-N8N-API-KEY header.",
                meaning: "more than one `X-N8N-API-KEY`",
                remedy: "find the client library or proxy that adds a second `X-N8N-API-KEY`",
            }
            /// A bearer token and an `X-N8N-API-KEY` in one request (RFC 6750 §2: one method a request).
            TwoCredentials => {
                status: 400,
                challenge: INVALID_REQUEST,
                code: "two_credentials",
                detail: "Send a bearer token or an X-N8N-API-KEY header, not both.",
                meaning: "a bearer token and an `X-N8N-API-KEY` (RFC 6750 §2)",
                remedy: "remove `X-N8N-API-KEY` from the client, also where it is empty",
            }
            /// A webhook got more than one token.
            SeveralTokens => {
                status: 400,
                challenge: INVALID_REQUEST,
                code: "several_tokens",
                detail: "Send one access token, and send it once: in the Authorization header, the cookie or the query.",
                meaning: "a webhook with `token_from` got a token in two ways, or two of them (RFC 6750 §2)",
                remedy: "have the client send one of them; delete a second cookie of that name, for another path or domain",
            }
            /// A token in a cookie or in the query has no form of a token.
            MalformedBrowserToken => {
                status: 400,
                challenge: INVALID_REQUEST,
                code: "malformed_token",
                detail: "The access token in the cookie or the query is malformed.",
                meaning: "the cookie or the query field of `token_from` holds no token, or its name is written in another way",
                remedy: "write the token as it is, without quotes, and the name as the rule has it",
            }
            /// A page of another site made a browser send a cookie (cross-site request forgery).
            CrossSite => {
                status: 403,
                challenge: Challenge::None,
                code: "cross_site",
                detail: "The token in a cookie does not count for a request from another site.",
                meaning: "a webhook with `token_from: { cookie: … }` was called from a page of another site, and not by a link",
                remedy: "call it from a page of the same origin, or send the token as `Authorization: Bearer`",
            }
            /// No credential where one is needed.
            NoCredential => {
                status: 401,
                challenge: Challenge::Bare,
                code: "no_credential",
                detail: "Send an access token of your identity provider as: Authorization: Bearer TOKEN.",
                meaning: "no credential where one is needed",
                remedy: "have the client get a token; the [metadata](../guides/metadata.md) says where",
            }
            /// A token with a proof where no proof can be checked.
            DpopNotOffered => {
                status: 401,
                challenge: Challenge::Bare,
                code: "dpop_not_offered",
                detail: "Tokens with DPoP proofs are not accepted here.",
                meaning: "`Authorization: DPoP`, and the instance has no `public_origin`",
                remedy: "set `public_origin`, or have the client ask for a bearer token",
            }
            /// No certificate of the client where a rule asks for one.
            CertificateRequired => {
                status: 403,
                challenge: Challenge::None,
                code: "client_certificate_required",
                detail: "Connect with a client certificate to call this webhook.",
                meaning: "`auth: certificate`, and the connection has no certificate, or the request did not come from a trusted proxy",
                remedy: "have the client connect with its certificate, and the listener ask for one; see `client_certificates`",
            }
            /// A certificate of the client that the rule does not admit.
            CertificateNotAllowed => {
                status: 403,
                challenge: Challenge::None,
                code: "client_certificate_not_allowed",
                detail: "This client certificate does not open this webhook.",
                meaning: "the names in the certificate are not those of `certificate`",
                remedy: "compare the names in the certificate with the rule: subjects and URIs exactly, and only the first URI and the first name of a host",
            }
            /// A static API key where only tokens are accepted.
            ApiKeyRefused => {
                status: 401,
                challenge: Challenge::Bare,
                code: "api_key_refused",
                detail: "Static API keys are not accepted here. Send an access token of your identity provider as: Authorization: Bearer TOKEN.",
                meaning: "a static API key, and `public_api` refuses them there",
                remedy: "move the caller to a token, or let it pass for now with `public_api.rules`",
            }
            /// A token of a provider in the header for n8n API keys.
            TokenAsApiKey => {
                status: 401,
                challenge: Challenge::Bare,
                code: "token_as_api_key",
                detail: "X-N8N-API-KEY is for keys of n8n. Send an access token of your identity provider as: Authorization: Bearer TOKEN.",
                meaning: "`X-N8N-API-KEY` holds a token of a provider that is not taken there, or a JWT that cannot be read, and no n8n API key",
                remedy: "on the public API send the token alone, without `Bearer` and quotes, and leave `tokens_in_api_key` on; elsewhere send it as `Authorization: Bearer`",
            }
            /// No provider has the `iss` of the token.
            UnknownIssuer => {
                status: 401,
                challenge: INVALID_TOKEN,
                code: "unknown_issuer",
                detail: "The access token is of an issuer that is not accepted here.",
                meaning: "no provider has the token's `iss`; it is compared exactly",
                remedy: "compare `claimed.iss` with `issuer` byte by byte; `hint` names the usual mistakes",
            }
            /// The token is good, and was revoked (RFC 6750 §3.1).
            TokenRevoked => {
                status: 401,
                challenge: INVALID_TOKEN,
                code: "token_revoked",
                detail: "The access token was revoked. Log in again, or get a new one.",
                meaning: "an entry of `revoked` holds for the token, or its provider said that its session has ended",
                remedy: "have the client get a new token; where a caller shall be let in again, remove the entry of `revoked`, or give it `before`",
            }
        } $($rest)* }
    };
}

pub(super) use credential;
