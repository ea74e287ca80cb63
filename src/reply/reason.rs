//! Every reason for which a request is refused: the one table.

use std::time::Duration;

use super::table::refusals;
use crate::crypto::SkipReason;
use crate::facts::Outage;
use crate::identity::IdentityFault;
use crate::n8n::runs::InputFault;
use crate::n8n::{Closed, PathFault};
use crate::policy::NotAdmitted;
use crate::token::{BearerFault, EventFault, PossessionFault, ProofFault, TokenFault};
use crate::webhook_signature::SignatureFault;

/// What the `WWW-Authenticate` header says (RFC 6750 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// There is none: another token of the same kind does not help.
    None,
    /// The scheme alone, because no credential was sent (RFC 6750 §3.1).
    Bare,
    /// With this `error` code.
    Error(&'static str),
}

const INVALID_REQUEST: Challenge = Challenge::Error("invalid_request");
const INVALID_TOKEN: Challenge = Challenge::Error("invalid_token");
const INVALID_PROOF: Challenge = Challenge::Error("invalid_dpop_proof");
const INSUFFICIENT_SCOPE: Challenge = Challenge::Error("insufficient_scope");

refusals! {
    /// Why a request is refused.
    ///
    /// The texts for the caller say what its sender can see anyway. What else was found is in the
    /// audit record: see [`Reason::fault`].
    own {
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
            meaning: "upper and lower case, or the order of segments, choose different webhook rules",
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
        /// A rule asks for groups, and the token does not hold all groups of the caller.
        GroupsLeftOut => {
            status: 403,
            challenge: INSUFFICIENT_SCOPE,
            code: "groups_left_out",
            detail: "The access token does not hold all groups of the caller, and groups decide here.",
            meaning: "a rule asks for groups, and the caller is in more than the token holds (the overage of Entra): assign groups to the application, or use app roles",
            remedy: "assign groups to the application at the provider, or use app roles",
        }
        /// No principal matches the caller.
        NoPrincipal => {
            status: 403,
            challenge: INSUFFICIENT_SCOPE,
            code: "no_principal",
            detail: "The token is valid, but this caller is not set up for n8n here.",
            meaning: "no principal's `match` holds for the caller",
            remedy: "compare `client`, `kind` and `sub` of the audit with `match` of the principals",
        }
        /// The token does not name for which user of n8n its caller acts.
        NoUser => {
            status: 403,
            challenge: INSUFFICIENT_SCOPE,
            code: "no_user",
            detail: "The token does not name what this caller's user in n8n is made for.",
            meaning: "`user.per` of the principal names a client, subject, group or tenant, and the token has none",
            remedy: "have the provider put it into its tokens, or write another `per`, or `email`",
        }
        /// A principal with an API key has no session.
        NoSession => {
            status: 403,
            challenge: Challenge::None,
            code: "no_session",
            detail: "This caller has no session of n8n, which its internal API needs. Use the public API.",
            meaning: "the principal grants `rest` and has an `api_key`; only the user of a principal with `user` has a session",
            remedy: "give the principal `user` in place of `api_key`, or remove `rest` from its roles and `grant`",
        }
        /// Log-ins of browsers are switched off.
        EmbedDisabled => {
            status: 501,
            challenge: Challenge::None,
            code: "embed_disabled",
            detail: "Log-ins of embedded pages are not offered here.",
            meaning: "`embed.enabled` is `false`",
            remedy: "set it to `true`, if pages of other origins shall log browsers in",
        }
        /// A log-in has another method.
        EmbedMethod => {
            status: 405,
            challenge: Challenge::None,
            code: "embed_method",
            detail: "Use GET or POST.",
            meaning: "a request for a log-in has another method than GET or POST",
            remedy: "have the page lead the browser there, or send a form",
        }
        /// A log-in would send the browser elsewhere than to n8n.
        EmbedRedirect => {
            status: 400,
            challenge: Challenge::None,
            code: "embed_redirect",
            detail: "redirectTo must be a path of this n8n.",
            meaning: "`redirectTo` is no plain path below `path_prefix`",
            remedy: "have the page send a path such as `/workflow/1`, without scheme and host",
        }
        /// A log-in without a token.
        EmbedNoToken => {
            status: 401,
            challenge: Challenge::None,
            code: "embed_no_token",
            detail: "The log-in has no token.",
            meaning: "a log-in has no `token`, in the query or, with POST, in a form",
            remedy: "have the page add the token",
        }
        /// A token for a log-in lives for longer than a minute.
        EmbedLongLived => {
            status: 401,
            challenge: Challenge::None,
            code: "embed_long_lived",
            detail: "A token for a log-in must have iat and exp, at most 60 seconds apart.",
            meaning: "the token has no `iat`, or more than 60 seconds lie between `iat` and `exp`",
            remedy: "make a token for each log-in, just before it",
        }
        /// A token for a log-in without an id.
        EmbedNoId => {
            status: 401,
            challenge: Challenge::None,
            code: "embed_no_id",
            detail: "A token for a log-in must have a jti.",
            meaning: "the token has no `jti`, so that it cannot count once",
            remedy: "put a random `jti` into each token",
        }
        /// A token began a log-in before.
        EmbedReplayed => {
            status: 401,
            challenge: Challenge::None,
            code: "embed_replayed",
            detail: "This token was used already. Begin the log-in again.",
            meaning: "the `jti` of the token was used: a page was reloaded, or the token was copied",
            remedy: "make a token for each log-in; look where the address of the log-in is kept",
        }
        /// A route of the internal API that is closed to callers with a token.
        RestClosed(Closed) => {
            status: 403,
            challenge: Challenge::None,
            code: "rest_closed",
            detail: "This route of n8n's internal API cannot be used with an access token.",
            meaning: "a [route](internal-api.md) of the internal API that is closed to tokens; `fault` in the audit says why",
            remedy: "use the public API; a person opens the editor with a log-in of its own",
            example: Self::RestClosed(Closed::Session),
        }
        /// The operation needs scopes that the caller does not have.
        InsufficientScope {
            /// The n8n scopes that are missing.
            missing: Vec<&'static str>,
            /// The OAuth scopes that the client can ask its provider for to get them; none where
            /// that is not known.
            ask_for: Vec<String>,
        } => {
            status: 403,
            challenge: INSUFFICIENT_SCOPE,
            code: "insufficient_scope",
            detail: "The caller has no role or scope that allows this operation.",
            meaning: "roles, scopes and principal do not grant the operation; `missing` in the audit says what",
            remedy: "give the caller a role that grants what `missing` says (see [operations](operations.md)), or look whether `allow` removes it; without `missing`, the caller is granted nothing at all",
            example: Self::InsufficientScope {
                missing: vec!["workflow:create"],
                ask_for: vec!["N8N.Workflow.Write".to_owned()],
            },
        }
        /// Not an operation of n8n's public API that this version knows; only `*` allows it.
        UnknownOperation => {
            status: 403,
            challenge: INSUFFICIENT_SCOPE,
            code: "unknown_operation",
            detail: "This is no operation of n8n's public API that the caller may use.",
            meaning: "not in the table of operations, and the caller is not granted `*`",
            remedy: "look at the path; an operation that this version does not know needs a role that grants `*`",
        }
        /// The webhook rule refuses every request.
        WebhookDenied => {
            status: 403,
            challenge: Challenge::None,
            code: "webhook_denied",
            detail: "This webhook cannot be called here.",
            meaning: "the webhook rule says `deny`",
            remedy: "change the rule, if clients shall call the webhook here",
        }
        /// Rules guard this kind of path, and none matches this one.
        WebhookNoRule => {
            status: 403,
            challenge: Challenge::None,
            code: "webhook_no_rule",
            detail: "This webhook cannot be called here.",
            meaning: "webhook rules guard this kind of path, and none matches",
            remedy: "add a rule for the path",
        }
        /// The identity does not satisfy the webhook rule.
        WebhookRequirement => {
            status: 403,
            challenge: INSUFFICIENT_SCOPE,
            code: "webhook_requirement",
            detail: "The caller may not call this webhook.",
            meaning: "the webhook rule's `require` does not hold for the caller",
            remedy: "compare the caller with `require`",
        }
        /// `/metrics` is closed.
        MetricsDenied => {
            status: 403,
            challenge: Challenge::None,
            code: "metrics_denied",
            detail: "Metrics cannot be read here.",
            meaning: "`metrics` is `deny`",
            remedy: "read them inside, or set `metrics: pass`",
        }
        /// n8n's own authorization server is closed.
        OauthDenied => {
            status: 404,
            challenge: Challenge::None,
            code: "oauth_denied",
            detail: "n8n's own authorization server is not offered here.",
            meaning: "`oauth` is `deny`",
            remedy: "ask the provider for tokens; where n8n's own MCP server is used, set `oauth: pass`",
        }
        /// The path is outside of `path_prefix`, where n8n is not served.
        OutsidePathPrefix => {
            status: 404,
            challenge: Challenge::None,
            code: "outside_path_prefix",
            detail: "Nothing is served under this path.",
            meaning: "the path is not below `path_prefix`, and `outside` is `deny`",
            remedy: "call n8n below `path_prefix`; where another application is served there, set `outside: pass`",
        }
        /// The gate's own documents do not allow the method.
        MethodNotAllowed => {
            status: 405,
            challenge: Challenge::None,
            code: "method_not_allowed",
            detail: "Use GET.",
            meaning: "a request for a document of the gate has another method than GET",
            remedy: "nothing: the documents are only for reading",
        }
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
        /// Only a user that the gate made can run a workflow.
        RunNeedsUser => {
            status: 501,
            challenge: Challenge::None,
            code: "run_needs_user",
            detail: "This caller cannot run workflows: n8n runs none for an API key.",
            meaning: "the principal has an `api_key`; n8n runs workflows only for the session of a user, which the gate has for a principal with `user`",
            remedy: "give the principal a `user` in place of its `api_key`",
        }
        /// The input of a run is not what n8n takes.
        InputMalformed(InputFault) => {
            status: 400,
            challenge: Challenge::None,
            code: "input_malformed",
            detail: "The body must be empty, a JSON object, or an array of at most 1000 JSON objects.",
            meaning: "the input of a run is no JSON, no object and no array of objects, or has more than 1000 items; `fault` in the audit says which",
            remedy: "have the client send a JSON object",
            example: Self::InputMalformed(InputFault::NoJson),
        }
        /// `wait` of a run is no time.
        WaitMalformed => {
            status: 400,
            challenge: Challenge::None,
            code: "wait_malformed",
            detail: "wait must be a number of seconds from 0 to 120, such as wait=30s.",
            meaning: "`wait` in the query of a run is no number of seconds, or more than 120",
            remedy: "have the client ask for less, and read the execution later",
        }
        /// The workflow to run does not exist.
        WorkflowNotFound => {
            status: 404,
            challenge: Challenge::None,
            code: "workflow_not_found",
            detail: "There is no such workflow for this caller.",
            meaning: "n8n has no workflow of this id, or hides it from the user of `principal`",
            remedy: "look for the id in n8n; move the workflow to a project of that user",
        }
        /// The user of the caller may not run it.
        WorkflowNotAccessible => {
            status: 403,
            challenge: Challenge::None,
            code: "workflow_not_accessible",
            detail: "The workflow belongs to another user of n8n.",
            meaning: "n8n's response was 403: the user of `principal` has no share in the workflow",
            remedy: "move the workflow to a project of that user, or let a workflow of that user call it",
        }
        /// It has no trigger that the gate can start.
        NoTrigger {
            /// The names of the triggers that it has.
            names: Vec<String>,
        } => {
            status: 409,
            challenge: Challenge::None,
            code: "no_trigger",
            detail: "The workflow has no such trigger, or none that can be started without a name.",
            meaning: "the workflow has no trigger of the name in `trigger` of the query, or without it none for other workflows, webhooks, chats, forms, schedules or manual runs",
            remedy: "name one of its triggers in `trigger`, or add the trigger \"When Executed by Another Workflow\"",
            example: Self::NoTrigger { names: vec!["Gmail".to_owned()] },
        }
        /// n8n does not run it.
        WorkflowNotRunnable => {
            status: 409,
            challenge: Challenge::None,
            code: "workflow_not_runnable",
            detail: "n8n does not run the workflow as it is. Open it in the editor to see why.",
            meaning: "n8n's response to the run was 400, 409 or 422: the workflow is archived, or a node lacks something",
            remedy: "run it in n8n's editor, which says what is missing",
        }
        /// The run failed before it began.
        RunFailed => {
            status: 502,
            challenge: Challenge::None,
            code: "run_failed",
            detail: "n8n did not run the workflow.",
            meaning: "n8n did not respond to the run, or not as version 2.41.1 does; it may have begun all the same",
            remedy: "look at n8n's log, and at its list of executions before the call is repeated",
        }
        /// Too many runs are under way.
        TooManyRuns => {
            status: 503,
            challenge: Challenge::None,
            code: "too_many_runs",
            detail: "Too many runs are under way at the moment.",
            meaning: "128 runs of one worker, or 32 of one user of n8n, are being started or waited for, or their input takes 8 MiB, or 2 MiB of one user",
            remedy: "call without `wait`, and read the executions later",
        }
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
    }

    /// The `Authorization` header cannot be read.
    Bearer(BearerFault) {
        Duplicated => {
            status: 400,
            challenge: INVALID_REQUEST,
            code: "duplicate_authorization",
            detail: "Send exactly one Authorization header.",
            meaning: "more than one `Authorization` header",
            remedy: "find the client library or proxy that adds a second `Authorization`",
        }
        Malformed => {
            status: 400,
            challenge: INVALID_REQUEST,
            code: "malformed_authorization",
            detail: "The Authorization header is not of the form: Bearer TOKEN.",
            meaning: "the `Authorization` header is not of the form `Bearer TOKEN`",
            remedy: "write `Bearer`, one blank and the token; look for an empty variable in the script",
        }
    }

    /// The delivery of a sender is not good.
    Signature(SignatureFault) {
        Method { allowed: "POST" } => {
            status: 405,
            challenge: Challenge::None,
            code: "delivery_method",
            detail: "Deliveries are sent with another method.",
            meaning: "a method that the sender does not use, which its signature does not cover",
            remedy: "look at `method`; with `sender: hmac`, sign `{method}` to take others than `POST`",
        }
        Missing => {
            status: 403,
            challenge: Challenge::None,
            code: "signature_missing",
            detail: "The delivery is not signed as this webhook needs it.",
            meaning: "the header of the signature is absent; the body was not read",
            remedy: "set the secret at the sender; compare `sender` with the headers that it sends: GitHub's `X-Hub-Signature` and others with SHA-1 do not count",
        }
        Duplicate => {
            status: 400,
            challenge: Challenge::None,
            code: "signature_duplicate",
            detail: "A header of the signature is there more than once.",
            meaning: "a header of the signature, its time or its id is there twice, or under two names",
            remedy: "find the proxy that adds a second one; senders send one",
        }
        Malformed("signature") => {
            status: 400,
            challenge: Challenge::None,
            code: "signature_malformed",
            detail: "The signature of the delivery is malformed.",
            meaning: "the signature, its time, its id or what it covers is not as the sender writes it; `fault` in the audit names the part",
            remedy: "look at `fault`; compare `sender`, `encoding`, `hash` and `timestamp_format` with what the sender documents",
        }
        Invalid => {
            status: 403,
            challenge: Challenge::None,
            code: "signature_invalid",
            detail: "The signature of the delivery is not good.",
            meaning: "no secret of the rule makes this signature over the body as it came",
            remedy: "compare the secret with the sender's; look for a proxy that changes bodies; with `public_url`, compare it with the URL at the sender",
        }
        Stale("too_old") => {
            status: 403,
            challenge: Challenge::None,
            code: "signature_stale",
            detail: "The delivery was signed at another time.",
            meaning: "the signature is good, and its time is more than `tolerance` from now; `fault` says in which direction",
            remedy: "compare the clocks; a delivery that was recorded is refused so",
        }
    }

    /// The token does not verify.
    Token(TokenFault) {
        TooLong => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "too_long",
            detail: "The access token is too long.",
            meaning: "the token is too long",
            remedy: "have the provider put less into it: groups, most often",
        }
        NotAJws => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "not_a_jws",
            detail: "The access token is not a signed JWT.",
            meaning: "not a signed JWT",
            remedy: "ask the provider for a JWT (many make one only for a token with an audience), or set `introspection` for opaque tokens",
        }
        Encrypted => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "encrypted",
            detail: "The access token is encrypted; send a signed one.",
            meaning: "an encrypted token",
            remedy: "switch encryption of access tokens off at the provider",
        }
        HeaderMalformed => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "header_malformed",
            detail: "The access token is malformed.",
            meaning: "the header of the token is malformed",
            remedy: "look whether the token was cut or changed on its way",
        }
        CriticalHeader => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "critical_header",
            detail: "The access token is malformed.",
            meaning: "the token demands an extension",
            remedy: "have the provider leave the extension out",
        }
        ClaimsMalformed => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "claims_malformed",
            detail: "The access token is malformed.",
            meaning: "the claims of the token are malformed",
            remedy: "look whether the token was cut or changed on its way",
        }
        ClaimOfWrongType("exp") => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "claim_of_wrong_type",
            detail: "The access token is malformed.",
            meaning: "a claim is of a wrong type; `fault` in the audit names it",
            remedy: "correct the claim at the provider; look at its mappers",
        }
        IssuerMissing => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "issuer_missing",
            detail: "The access token is malformed.",
            meaning: "the token names no issuer",
            remedy: "have the provider put `iss` into its tokens",
        }
        AlgorithmNotAllowed(None) => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "algorithm_not_allowed",
            detail: "The access token is signed with an algorithm that is not accepted here.",
            meaning: "the algorithm of the token is not allowed",
            remedy: "compare `fault` with `algorithms`; let the provider sign with a key pair",
        }
        WrongType("typ") => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "wrong_type",
            detail: "The token is not an access token.",
            meaning: "another kind of token: `fault` in the audit names the member that says so, or that is missing",
            remedy: "send the access token, not the ID token; see `typ`, and `hint` of the audit",
        }
        KindMissing => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "kind_missing",
            detail: "The token is not an access token.",
            meaning: "the provider's response does not say what kind of token it is",
            remedy: "have the provider send `token_type`, or see `accept_untyped`",
        }
        SenderConstrained => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "sender_constrained",
            detail: "The access token is bound to a key of its client, and no proof of that key was sent.",
            meaning: "a token that is bound to a key of its client, sent as a bearer token; or one whose `cnf` the gate does not know",
            remedy: "have the client send it as `Authorization: DPoP` with a proof; see [sender-constrained tokens](../guides/sender-constrained-tokens.md)",
        }
        AudienceMissing => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "audience_missing",
            detail: "The access token is not for this resource.",
            meaning: "the token names no audience",
            remedy: "have the provider put `aud` in (`[]` names no audience), or see `audience_claim`; `hint` names the usual cause",
        }
        WrongAudience => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "wrong_audience",
            detail: "The access token is not for this resource.",
            meaning: "the token is for another audience",
            remedy: "compare `claimed.aud` with `audiences`; ask for a token with the API's scope or resource; see `hint`",
        }
        ExpiryMissing => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "expiry_missing",
            detail: "The access token has no validity period that is accepted here.",
            meaning: "the token has no expiry",
            remedy: "correct the lifetime of tokens at the provider",
        }
        Expired => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "expired",
            detail: "The access token has expired.",
            meaning: "the token has expired",
            remedy: "have the client get a new token in time; compare the clocks",
        }
        NotYetValid => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "not_yet_valid",
            detail: "The access token is not valid yet.",
            meaning: "the token is not valid yet",
            remedy: "compare the clocks; see `clock_skew`",
        }
        IssuedInTheFuture => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "issued_in_the_future",
            detail: "The access token is not valid yet.",
            meaning: "the token was issued in the future",
            remedy: "compare the clocks; see `clock_skew`",
        }
        IssuedAfterExpiry => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "issued_after_expiry",
            detail: "The access token has no validity period that is accepted here.",
            meaning: "the token was issued after its expiry",
            remedy: "correct the lifetime of tokens at the provider",
        }
        UnknownKeyId(None) => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "unknown_key_id",
            detail: "The signature of the access token could not be verified.",
            meaning: "no usable key of the provider has the token's key id; `fault` in the audit says where one is published and [skipped](faults.md#keys-that-are-skipped)",
            remedy: "look at `fault`, and whether the provider publishes `claimed.kid`: another realm or environment may have the same issuer",
        }
        RevokedKey => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "revoked_key",
            detail: "The signature of the access token could not be verified.",
            meaning: "the operator revoked the token's key: `revoked_kids`",
            remedy: "have the client get a token that is signed with another key",
        }
        NoKeyFits => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "no_key_fits",
            detail: "The signature of the access token could not be verified.",
            meaning: "no key of the provider fits the token",
            remedy: "have the provider put `kid` in; compare `alg` with the published key",
        }
        KeyOfAnotherIssuer => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "key_of_another_issuer",
            detail: "The signature of the access token could not be verified.",
            meaning: "the key of the token signs for another issuer",
            remedy: "look at the `issuer` of the published key; with Entra, use `tenant`",
        }
        BadSignature => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "bad_signature",
            detail: "The signature of the access token could not be verified.",
            meaning: "the signature is not good",
            remedy: "find out which program made or changed the token",
        }
        Inactive => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "inactive",
            detail: "The identity provider does not confirm the access token.",
            meaning: "the provider says that the token is not active",
            remedy: "have the client get a new token; look whether it is of this provider and environment, and whether the gate's own client may ask about it",
        }
        ResponseDisagrees("iss") => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "answer_disagrees",
            detail: "The identity provider does not confirm the access token.",
            meaning: "the provider's response names another issuer, subject, client or token; `fault` in the audit names the member",
            remedy: "find out which program made the token: the provider's response and the token differ",
        }
    }

    /// The token is good, but its client did not show that it has what the token is bound to.
    Possession(PossessionFault) {
        CertificateMissing => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "client_certificate_missing",
            detail: "The access token is bound to a certificate of its client, and no certificate was shown.",
            meaning: "a token that is bound to a certificate (`x5t#S256`), over a connection without one, or from a proxy that is not trusted",
            remedy: "have the client connect with its certificate, and the listener ask for one; see `client_certificates`",
        }
        OtherCertificate => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "client_certificate_mismatch",
            detail: "The access token is bound to another certificate.",
            meaning: "a token that is bound to another certificate than that of the connection",
            remedy: "have the client use one certificate for the provider and for n8n, and get a new token after it was renewed; if neither, the token was stolen",
        }
        NotBound => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "dpop_token_not_bound",
            detail: "The access token is not bound to the key of the DPoP proof.",
            meaning: "`Authorization: DPoP` with a token that is not bound to a key (`cnf.jkt`)",
            remedy: "have the client send a proof to the provider, too, or send the token as `Bearer`",
        }
        ProofRequired => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "dpop_required",
            detail: "The access token must be bound to a key, and come with a DPoP proof.",
            meaning: "a bearer token where `dpop` is `required`",
            remedy: "have the client get its token with a proof, and send one with each request",
        }
        ForwardedCertificateMalformed => {
            status: 400,
            challenge: INVALID_REQUEST,
            code: "client_certificate_malformed",
            detail: "The certificate of the client cannot be read.",
            meaning: "`x-forwarded-client-cert` of a trusted proxy has several elements, or a form that cannot be read in one way",
            remedy: "have the proxy replace the header, in place of adding to it: `SANITIZE_SET` in Envoy",
        }
    }

    /// The token is good, but its proof is not.
    Proof(ProofFault) {
        Missing => {
            status: 401,
            challenge: INVALID_PROOF,
            code: "dpop_proof_missing",
            detail: "Send a DPoP proof in the header DPoP.",
            meaning: "`Authorization: DPoP` without a header `DPoP`",
            remedy: "have the client send one, or look which proxy removes it",
        }
        Several => {
            status: 401,
            challenge: INVALID_PROOF,
            code: "dpop_proof_duplicate",
            detail: "Send exactly one DPoP header.",
            meaning: "more than one header `DPoP`",
            remedy: "find the client library or proxy that adds a second one",
        }
        TooLong => {
            status: 401,
            challenge: INVALID_PROOF,
            code: "dpop_proof_too_long",
            detail: "The DPoP proof is too long.",
            meaning: "a proof of more than 8 KiB",
            remedy: "have the client leave out what a proof does not need",
        }
        Malformed => {
            status: 401,
            challenge: INVALID_PROOF,
            code: "dpop_proof_malformed",
            detail: "The DPoP proof is malformed.",
            meaning: "a proof that is no signed JWT with `jwk`, `htm`, `htu`, `iat`, `jti` and `ath`",
            remedy: "look at the client library; a proof for the provider has no `ath`",
        }
        WrongType => {
            status: 401,
            challenge: INVALID_PROOF,
            code: "dpop_proof_wrong_type",
            detail: "The DPoP proof has another type than dpop+jwt.",
            meaning: "`typ` of the proof is not `dpop+jwt`",
            remedy: "look at the client library: another JWT was sent as the proof",
        }
        AlgorithmNotSupported(None) => {
            status: 401,
            challenge: INVALID_PROOF,
            code: "dpop_proof_algorithm",
            detail: "The DPoP proof is signed with an algorithm that is not accepted here.",
            meaning: "the algorithm of the proof is not supported; `fault` in the audit names it if it is a registered one",
            remedy: "have the client use one of `algs` in the challenge",
        }
        KeyNotSupported(SkipReason::TooWeak) => {
            status: 401,
            challenge: INVALID_PROOF,
            code: "dpop_proof_key",
            detail: "The key of the DPoP proof is not accepted here.",
            meaning: "the `jwk` of the proof is private, weak, or does not fit the algorithm; `fault` in the audit says why",
            remedy: "have the client use another key; one that it sent with private members is known to others",
        }
        OtherMethod => {
            status: 401,
            challenge: INVALID_PROOF,
            code: "dpop_proof_method",
            detail: "The DPoP proof is for another method.",
            meaning: "`htm` of the proof is not the method of the request",
            remedy: "have the client make a proof for each request",
        }
        OtherUrl => {
            status: 401,
            challenge: INVALID_PROOF,
            code: "dpop_proof_url",
            detail: "The DPoP proof is for another URL.",
            meaning: "`htu` of the proof is not the URL of the request under `public_origin`",
            remedy: "compare `public_origin` with what the client calls; look whether a proxy changes the path",
        }
        TooOld => {
            status: 401,
            challenge: INVALID_PROOF,
            code: "dpop_proof_too_old",
            detail: "The DPoP proof is too old.",
            meaning: "`iat` of the proof is older than `dpop_proofs.window`",
            remedy: "compare the clocks of the client and of Envoy",
        }
        FromTheFuture => {
            status: 401,
            challenge: INVALID_PROOF,
            code: "dpop_proof_from_the_future",
            detail: "The DPoP proof was made in the future.",
            meaning: "`iat` of the proof is later than `dpop_proofs.window`",
            remedy: "compare the clocks of the client and of Envoy",
        }
        OtherNonce => {
            status: 401,
            challenge: Challenge::Error("use_dpop_nonce"),
            code: "use_dpop_nonce",
            detail: "The DPoP proof must have the nonce of this response.",
            meaning: "a proof without the nonce of the gate, or with one that is too old, and `dpop_proofs.nonces` is on; the client tries again with the one in `DPoP-Nonce`",
            remedy: "nothing, if the next request succeeds; else the client knows no nonces of resource servers (RFC 9449 section 9)",
        }
        IdMalformed => {
            status: 401,
            challenge: INVALID_PROOF,
            code: "dpop_proof_id",
            detail: "The DPoP proof has no jti, or one that is too long.",
            meaning: "`jti` of the proof is absent, empty, no text or longer than 256 bytes",
            remedy: "look at the client library",
        }
        OtherToken => {
            status: 401,
            challenge: INVALID_PROOF,
            code: "dpop_proof_other_token",
            detail: "The DPoP proof is for another access token.",
            meaning: "`ath` of the proof is not the digest of the token",
            remedy: "have the client make a proof for each request",
        }
        OtherKey => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "dpop_other_key",
            detail: "The access token is bound to another key than that of the DPoP proof.",
            meaning: "the key of the proof is not the one that the token is bound to (`cnf.jkt`)",
            remedy: "have the client keep the key with which it got the token; if it did, the token was stolen",
        }
        BadSignature => {
            status: 401,
            challenge: INVALID_PROOF,
            code: "dpop_proof_bad_signature",
            detail: "The signature of the DPoP proof could not be verified.",
            meaning: "the signature of the proof is not good",
            remedy: "find out which program made or changed the proof",
        }
        Replayed => {
            status: 401,
            challenge: INVALID_PROOF,
            code: "dpop_proof_replayed",
            detail: "The DPoP proof was used before.",
            meaning: "a second request with the same `jti` and key",
            remedy: "have the client make a proof for each request, also when it tries again; else the request was recorded and sent again",
        }
    }

    /// The token verifies, but does not say clearly who the caller is.
    Identity(IdentityFault) {
        NotText { claim: "azp" } => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "identity_claim_malformed",
            detail: "The access token does not say clearly who the caller is.",
            meaning: "a claim about the caller is not text; `fault` in the audit names it",
            remedy: "correct the claim at the provider; look at its mappers",
        }
        ClientsDisagree => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "clients_disagree",
            detail: "The access token does not say clearly who the caller is.",
            meaning: "the claims that name the client disagree",
            remedy: "correct the mappers of the provider, so that one client is named",
        }
        NamespacesDisagree => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "namespaces_disagree",
            detail: "The access token does not say clearly who the caller is.",
            meaning: "the subject and `kubernetes.io` name different namespaces",
            remedy: "find out which program made the token: no API server makes such a token",
        }
        SubjectMissing => {
            status: 401,
            challenge: INVALID_TOKEN,
            code: "subject_missing",
            detail: "The access token does not say clearly who the caller is.",
            meaning: "the token has no subject, or an empty one",
            remedy: "have the provider put `sub` into its tokens, or see `accept_no_subject`; where userinfo was asked, see `hint`",
        }
    }

    /// A list or rule of the provider does not admit the caller.
    NotAdmitted(NotAdmitted) {
        Client => {
            status: 403,
            challenge: INSUFFICIENT_SCOPE,
            code: "client_not_allowed",
            detail: "This client may not use this resource.",
            meaning: "the client is not in the provider's `clients`",
            remedy: "add `client` of the audit to `clients`, if it may use n8n",
        }
        Tenant => {
            status: 403,
            challenge: INSUFFICIENT_SCOPE,
            code: "tenant_not_allowed",
            detail: "This caller may not use this resource.",
            meaning: "the tenant is not in the provider's `tenants`",
            remedy: "add the tenant to `tenants`, if its callers may use n8n",
        }
        Domain => {
            status: 403,
            challenge: INSUFFICIENT_SCOPE,
            code: "domain_not_allowed",
            detail: "This caller may not use this resource.",
            meaning: "no verified e-mail address or hosted domain is in the provider's `allowed_domains`",
            remedy: "look whether the provider verifies the address; see `allowed_domains` and `trust_email`",
        }
        Claim("repository".to_owned()) => {
            status: 403,
            challenge: INSUFFICIENT_SCOPE,
            code: "claims_not_allowed",
            detail: "This caller may not use this resource.",
            meaning: "a rule in the provider's `claims` does not hold; `fault` in the audit names the claim",
            remedy: "compare the claim with the rule; an absent one fails all but `exists: false`",
        }
    }
}

impl Reason {
    /// What exactly was found, for the audit record: more than the caller reads.
    pub fn fault(&self) -> Option<&str> {
        match self {
            Self::Path(fault) => Some(fault.as_str()),
            Self::EventRefused(EventFault::Token(fault)) => Some(Self::Token(*fault).as_str()),
            Self::EventRefused(fault) => Some(fault.as_str()),
            Self::RestClosed(why) => Some(why.as_str()),
            Self::KeysUnavailable(outage)
            | Self::IntrospectionUnavailable(outage)
            | Self::UpstreamKeyUnavailable(outage)
            | Self::UpstreamSessionUnavailable(outage) => outage.fault,
            Self::Token(
                TokenFault::AlgorithmNotAllowed(Some(name))
                | TokenFault::ClaimOfWrongType(name)
                | TokenFault::WrongType(name)
                | TokenFault::ResponseDisagrees(name),
            )
            | Self::Identity(IdentityFault::NotText { claim: name }) => Some(name),
            Self::Signature(SignatureFault::Malformed(part) | SignatureFault::Stale(part)) => {
                Some(part)
            }
            Self::NotAdmitted(NotAdmitted::Claim(path)) => Some(path),
            Self::Token(TokenFault::UnknownKeyId(Some(reason))) => Some(reason.as_fault()),
            Self::InputMalformed(fault) => Some(fault.as_str()),
            Self::Proof(ProofFault::AlgorithmNotSupported(name)) => *name,
            Self::Proof(ProofFault::KeyNotSupported(reason)) => Some(reason.as_str()),
            _ => None,
        }
    }

    /// The methods of which one is right (RFC 9110 §15.5.6).
    pub const fn allowed_methods(&self) -> Option<&'static str> {
        match self {
            Self::MethodNotAllowed => Some("GET, HEAD"),
            Self::EmbedMethod => Some("GET, POST"),
            Self::EventMethod => Some("POST"),
            Self::Signature(SignatureFault::Method { allowed }) => Some(allowed),
            _ => None,
        }
    }

    /// When the client may try again, where a later request may succeed.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::KeysUnavailable(outage)
            | Self::IntrospectionUnavailable(outage)
            | Self::UpstreamKeyUnavailable(outage)
            | Self::UpstreamSessionUnavailable(outage) => Some(outage.retry_after),
            Self::KeysNotCurrent(wait) => Some(*wait),
            Self::TooManyWaiting
            | Self::TooManyBodies
            | Self::TooManyUsedIds
            | Self::TooManyRuns
            | Self::BodyUnavailable
            | Self::RevocationNotShared
            | Self::ProxyFailure => Some(Duration::from_secs(1)),
            _ => None,
        }
    }

    /// The n8n scopes that the caller lacks.
    pub fn missing_scopes(&self) -> &[&'static str] {
        match self {
            Self::InsufficientScope { missing, .. } => missing,
            _ => &[],
        }
    }

    /// The triggers of the workflow that was not run.
    pub fn triggers(&self) -> &[String] {
        match self {
            Self::NoTrigger { names } => names,
            _ => &[],
        }
    }

    /// The OAuth scopes that a client can ask its provider for to get what is missing.
    pub fn scopes_to_ask_for(&self) -> &[String] {
        match self {
            Self::InsufficientScope { ask_for, .. } => ask_for,
            _ => &[],
        }
    }
}
