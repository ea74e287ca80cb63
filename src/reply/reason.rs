//! Every reason for which a request is refused.

use std::time::Duration;

use crate::facts::Outage;
use crate::identity::IdentityFault;
use crate::n8n::PathFault;
use crate::policy::NotAdmitted;
use crate::token::{BearerFault, TokenFault};

/// Why a request is refused. [`Reason::answer`] is the one place that says what each means to the
/// caller; audit and metrics use the same [`Reason::as_str`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The path has more than one reading.
    Path(PathFault),
    /// The `Authorization` header cannot be read.
    Bearer(BearerFault),
    /// More than one `X-N8N-API-KEY`.
    DuplicateApiKey,
    /// A bearer token and an `X-N8N-API-KEY` in one request (RFC 6750 §2: one method a request).
    TwoCredentials,
    /// No credential where one is needed.
    NoCredential,
    /// A static API key where single sign-on is enforced.
    ApiKeyRefused,
    /// A token of a provider where a key of n8n's belongs.
    TokenAsApiKey,
    /// No provider has the token's `iss`.
    UnknownIssuer,
    /// The token does not verify.
    Token(TokenFault),
    /// The token verifies, but who it stands for is unclear.
    Identity(IdentityFault),
    /// No instance of n8n is known under the request's host.
    UnknownHost,
    /// The request names no host that could be repeated in an answer.
    HostMalformed,
    /// The caller does not stand on one of the provider's allow-lists.
    NotAdmitted(NotAdmitted),
    /// A rule asks for groups, and the token does not hold all of the caller's.
    GroupsLeftOut,
    /// No principal stands for the identity.
    NoPrincipal,
    /// The operation needs scopes that the caller does not have.
    InsufficientScope {
        /// The n8n scopes that are missing.
        missing: Vec<&'static str>,
        /// The scopes, as its provider knows them, that the client can ask for to get them; none
        /// where that cannot be said.
        ask_for: Vec<String>,
    },
    /// Not an operation of n8n's public API that this filter knows; only `*` allows it.
    UnknownOperation,
    /// The webhook rule lets nobody in.
    WebhookDenied,
    /// Rules guard this kind of path, and none of them speaks of this one.
    WebhookNoRule,
    /// Upper and lower case would choose different webhook rules.
    WebhookCase,
    /// The identity does not satisfy the webhook rule.
    WebhookRequirement,
    /// `/metrics` is closed.
    MetricsDenied,
    /// n8n's own authorization server is closed.
    OauthDenied,
    /// The path lies outside of `path_prefix`, where n8n is not.
    OutsidePathPrefix,
    /// A method that this filter's own documents do not answer.
    MethodNotAllowed,
    /// The provider's keys cannot be had now.
    KeysUnavailable(Outage),
    /// The token names a key that is not known, and the keys are not fetched anew before this time
    /// has passed.
    KeysNotCurrent(Duration),
    /// The provider cannot be asked about the token now.
    IntrospectionUnavailable(Outage),
    /// Too many requests wait for the provider already.
    TooManyWaiting,
    /// n8n refused the key that this filter put in the place of a good token.
    UpstreamKeyRefused,
    /// The host did not do what the decision asked for.
    ProxyFailure,
}

/// What a caller is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// What the `WWW-Authenticate` header says.
    pub challenge: Challenge,
    /// A sentence for the caller: what to do, and nothing that a stranger may not know.
    pub detail: &'static str,
}

/// What the `WWW-Authenticate` header says (RFC 6750 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// There is none: another token of the same kind would not help.
    None,
    /// The scheme alone, because no credential was sent (RFC 6750 §3.1).
    Bare,
    /// With this `error` code.
    Error(&'static str),
}

const INVALID_REQUEST: Challenge = Challenge::Error("invalid_request");
const INVALID_TOKEN: Challenge = Challenge::Error("invalid_token");
const INSUFFICIENT_SCOPE: Challenge = Challenge::Error("insufficient_scope");

impl Reason {
    /// The stable code of the reason.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Path(_) => "ambiguous_path",
            Self::Bearer(BearerFault::Duplicated) => "duplicate_authorization",
            Self::Bearer(BearerFault::Malformed) => "malformed_authorization",
            Self::DuplicateApiKey => "duplicate_api_key",
            Self::TwoCredentials => "two_credentials",
            Self::NoCredential => "no_credential",
            Self::ApiKeyRefused => "api_key_refused",
            Self::TokenAsApiKey => "token_as_api_key",
            Self::UnknownIssuer => "unknown_issuer",
            Self::Token(fault) => fault.as_str(),
            Self::Identity(IdentityFault::NotText { .. }) => "identity_claim_malformed",
            Self::Identity(IdentityFault::ClientsDisagree) => "clients_disagree",
            Self::Identity(IdentityFault::NamespacesDisagree) => "namespaces_disagree",
            Self::Identity(IdentityFault::SubjectMissing) => "subject_missing",
            Self::UnknownHost => "unknown_host",
            Self::HostMalformed => "host_malformed",
            Self::NotAdmitted(NotAdmitted::Client) => "client_not_allowed",
            Self::NotAdmitted(NotAdmitted::Tenant) => "tenant_not_allowed",
            Self::NotAdmitted(NotAdmitted::Domain) => "domain_not_allowed",
            Self::NotAdmitted(NotAdmitted::Claim(_)) => "claims_not_allowed",
            Self::GroupsLeftOut => "groups_left_out",
            Self::NoPrincipal => "no_principal",
            Self::InsufficientScope { .. } => "insufficient_scope",
            Self::UnknownOperation => "unknown_operation",
            Self::WebhookDenied => "webhook_denied",
            Self::WebhookNoRule => "webhook_no_rule",
            Self::WebhookCase => "ambiguous_case",
            Self::WebhookRequirement => "webhook_requirement",
            Self::MetricsDenied => "metrics_denied",
            Self::OauthDenied => "oauth_denied",
            Self::OutsidePathPrefix => "outside_path_prefix",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::KeysUnavailable(_) => "keys_unavailable",
            Self::KeysNotCurrent(_) => "keys_not_current",
            Self::IntrospectionUnavailable(_) => "introspection_unavailable",
            Self::TooManyWaiting => "too_many_waiting",
            Self::UpstreamKeyRefused => "upstream_key_refused",
            Self::ProxyFailure => "host_failure",
        }
    }

    /// What the caller is told.
    #[allow(clippy::too_many_lines, reason = "one table, a line for each reason")]
    pub const fn answer(&self) -> Answer {
        let (status, challenge, detail) = match self {
            // RFC 9110 §15.5.20.
            Self::UnknownHost => (421, Challenge::None, UNKNOWN_HOST),
            Self::HostMalformed => (400, Challenge::None, HOST_MALFORMED),
            Self::Path(_) | Self::WebhookCase => (400, Challenge::None, AMBIGUOUS_PATH),
            Self::Bearer(BearerFault::Duplicated) => (
                400,
                INVALID_REQUEST,
                "Send exactly one Authorization header.",
            ),
            Self::Bearer(BearerFault::Malformed) => (
                400,
                INVALID_REQUEST,
                "The Authorization header is not of the form: Bearer TOKEN.",
            ),
            Self::DuplicateApiKey => (
                400,
                INVALID_REQUEST,
                "Send at most one X-N8N-API-KEY header.",
            ),
            Self::TwoCredentials => (
                400,
                INVALID_REQUEST,
                "Send a bearer token or an X-N8N-API-KEY header, not both.",
            ),
            Self::NoCredential => (
                401,
                Challenge::Bare,
                "Send an access token of your identity provider as: Authorization: Bearer TOKEN.",
            ),
            Self::ApiKeyRefused => (
                401,
                Challenge::Bare,
                "Static API keys are not accepted here. Send an access token of your identity \
                 provider as: Authorization: Bearer TOKEN.",
            ),
            Self::TokenAsApiKey => (401, Challenge::Bare, TOKEN_AS_API_KEY),
            Self::UnknownIssuer => (
                401,
                INVALID_TOKEN,
                "The access token is of an issuer that is not accepted here.",
            ),
            Self::Token(fault) => (401, INVALID_TOKEN, token_detail(*fault)),
            Self::Identity(_) => (
                401,
                INVALID_TOKEN,
                "The access token does not say clearly whom it stands for.",
            ),
            Self::NotAdmitted(list) => (403, INSUFFICIENT_SCOPE, not_admitted_detail(list)),
            Self::GroupsLeftOut => (403, INSUFFICIENT_SCOPE, GROUPS_LEFT_OUT),
            Self::NoPrincipal => (
                403,
                INSUFFICIENT_SCOPE,
                "The token is valid, but nobody in n8n stands for this caller.",
            ),
            Self::InsufficientScope { .. } => (
                403,
                INSUFFICIENT_SCOPE,
                "The caller has no role or scope that allows this operation.",
            ),
            Self::UnknownOperation => (
                403,
                INSUFFICIENT_SCOPE,
                "This is no operation of n8n's public API that the caller may use.",
            ),
            Self::WebhookDenied | Self::WebhookNoRule => {
                (403, Challenge::None, "This webhook cannot be called here.")
            }
            Self::WebhookRequirement => (
                403,
                INSUFFICIENT_SCOPE,
                "The caller may not call this webhook.",
            ),
            Self::MetricsDenied => (403, Challenge::None, "Metrics cannot be read here."),
            Self::OauthDenied => (
                404,
                Challenge::None,
                "n8n's own authorization server is not offered here.",
            ),
            Self::OutsidePathPrefix => (404, Challenge::None, "Nothing is served under this path."),
            Self::MethodNotAllowed => (405, Challenge::None, "Use GET."),
            Self::KeysUnavailable(_) => (
                503,
                Challenge::None,
                "The keys of the identity provider cannot be had at the moment.",
            ),
            Self::KeysNotCurrent(_) => (
                503,
                Challenge::None,
                "The key that the access token names is not known yet.",
            ),
            Self::IntrospectionUnavailable(_) => (503, Challenge::None, CANNOT_BE_ASKED),
            Self::TooManyWaiting => (
                503,
                Challenge::None,
                "Too many requests wait for the identity provider at the moment.",
            ),
            // No challenge: the token is good, and another one would not help.
            Self::UpstreamKeyRefused => (502, Challenge::None, UPSTREAM_KEY_REFUSED),
            Self::ProxyFailure => (503, Challenge::None, "The request could not be handled."),
        };
        Answer {
            status,
            challenge,
            detail,
        }
    }

    /// What the reason means, for an operator.
    pub fn meaning(&self) -> String {
        match self {
            Self::Token(TokenFault::ClaimOfWrongType(_)) => {
                "a claim is of a wrong type; `fault` in the audit names it".to_owned()
            }
            Self::Token(TokenFault::WrongType(_)) => {
                "another kind of token, as the member says that `fault` in the audit names, or its absence"
                    .to_owned()
            }
            Self::Token(TokenFault::AnswerDisagrees(_)) => {
                "the provider's answer names another issuer, subject, client or token; `fault` in the audit \
                 names the member"
                    .to_owned()
            }
            Self::Identity(IdentityFault::NotText { .. }) => {
                "a claim that says who calls is not text; `fault` in the audit names it".to_owned()
            }
            Self::Token(TokenFault::UnknownKeyId(_)) => {
                "no usable key of the provider has the token's key id; `fault` in the audit says where one \
                 is published and [skipped](faults.md#keys-that-are-skipped)"
                    .to_owned()
            }
            Self::Token(fault) => fault.to_string(),
            Self::Identity(fault) => fault.to_string(),
            Self::Bearer(fault) => fault.to_string(),
            other => other.own_meaning().to_owned(),
        }
    }

    const fn own_meaning(&self) -> &'static str {
        match self {
            Self::Path(_) => "the path can be read as more than one path; `fault` in the audit says how",
            Self::WebhookCase => "upper and lower case, or the order of segments, choose different webhook rules",
            Self::UnknownHost => "no instance in `instances` has the request's host",
            Self::HostMalformed => "the request names no host that can be repeated in an answer",
            Self::DuplicateApiKey => "more than one `X-N8N-API-KEY`",
            Self::TwoCredentials => "a bearer token and an `X-N8N-API-KEY` (RFC 6750 §2)",
            Self::NoCredential => "no credential where one is needed",
            Self::ApiKeyRefused => "a static API key, and `public_api` refuses them there",
            Self::TokenAsApiKey => "`X-N8N-API-KEY` holds a token of a provider, or a JWT that cannot be read, and no key of n8n's",
            Self::UnknownIssuer => "no provider has the token's `iss`; it is compared exactly",
            Self::NotAdmitted(NotAdmitted::Client) => "the client is not in the provider's `clients`",
            Self::NotAdmitted(NotAdmitted::Tenant) => "the tenant is not in the provider's `tenants`",
            Self::NotAdmitted(NotAdmitted::Domain) => "no verified e-mail address or hosted domain is in the provider's `allowed_domains`",
            Self::NotAdmitted(NotAdmitted::Claim(_)) => "a rule in the provider's `claims` does not hold; `fault` in the audit names the claim",
            Self::GroupsLeftOut => "a rule asks for groups, and the caller is in more than the token holds (Entra's overage): assign groups to the application, or use app roles",
            Self::NoPrincipal => "no principal's `match` holds for the caller",
            Self::InsufficientScope { .. } => {
                "roles, scopes and principal do not grant the operation; `missing` in the audit says what"
            }
            Self::UnknownOperation => "not in the table of operations, and the caller is not granted `*`",
            Self::WebhookDenied => "the webhook rule says `deny`",
            Self::WebhookNoRule => "webhook rules guard this kind of path, and none matches",
            Self::WebhookRequirement => "the webhook rule's `require` does not hold for the caller",
            Self::MetricsDenied => "`metrics` is `deny`",
            Self::OauthDenied => "`oauth` is `deny`",
            Self::OutsidePathPrefix => "the path is not below `path_prefix`, and `outside` is `deny`",
            Self::MethodNotAllowed => "the gate's own document was asked for with another method than GET",
            Self::KeysUnavailable(_) => "the provider's keys could not be fetched; `fault` in the audit says why: see [faults](faults.md)",
            Self::KeysNotCurrent(_) => "the token names a key that is not in the set, and the set was fetched a moment ago for such a token: it may have changed since",
            Self::IntrospectionUnavailable(_) => "the provider could not be asked about the token, or gave no usable answer; `fault` in the audit says why: see [faults](faults.md)",
            Self::TooManyWaiting => "too many requests of one worker wait for this provider: 1024 for keys and 256 for its word on a token, shared evenly by the providers and fairly by the addresses of callers",
            Self::UpstreamKeyRefused => "n8n answered 401: the key of `principal` has expired or was deleted, or its user was; an earlier record of the same `request_id` says `forward`",
            Self::ProxyFailure => "Envoy did not do what the gate asked for",
            Self::Token(_) | Self::Identity(_) | Self::Bearer(_) => "",
        }
    }

    /// What exactly was found, for the audit: more than the caller is told.
    pub fn fault(&self) -> Option<&str> {
        match self {
            Self::Path(fault) => Some(fault.as_str()),
            Self::KeysUnavailable(outage) | Self::IntrospectionUnavailable(outage) => outage.fault,
            Self::Token(
                TokenFault::AlgorithmNotAllowed(Some(name))
                | TokenFault::ClaimOfWrongType(name)
                | TokenFault::WrongType(name)
                | TokenFault::AnswerDisagrees(name),
            )
            | Self::Identity(IdentityFault::NotText { claim: name }) => Some(name),
            Self::NotAdmitted(NotAdmitted::Claim(path)) => Some(path),
            Self::Token(TokenFault::UnknownKeyId(Some(reason))) => Some(reason.as_fault()),
            _ => None,
        }
    }

    /// When it is worth trying again, for a refusal that passes.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::KeysUnavailable(outage) | Self::IntrospectionUnavailable(outage) => {
                Some(outage.retry_after)
            }
            Self::KeysNotCurrent(wait) => Some(*wait),
            Self::TooManyWaiting | Self::ProxyFailure => Some(Duration::from_secs(1)),
            _ => None,
        }
    }

    /// The n8n scopes that would have been needed.
    pub fn missing_scopes(&self) -> &[&'static str] {
        match self {
            Self::InsufficientScope { missing, .. } => missing,
            _ => &[],
        }
    }

    /// The scopes that a client can ask its provider for in place of those that are missing.
    pub fn scopes_to_ask_for(&self) -> &[String] {
        match self {
            Self::InsufficientScope { ask_for, .. } => ask_for,
            _ => &[],
        }
    }
}

const TOKEN_AS_API_KEY: &str = "X-N8N-API-KEY is for keys of n8n. Send an access token of your \
     identity provider as: Authorization: Bearer TOKEN.";
const UPSTREAM_KEY_REFUSED: &str =
    "The access token is good, but n8n does not accept the key that \
     stands for this caller. Its operators must mend that; another token does not help.";
const CANNOT_BE_ASKED: &str =
    "The identity provider cannot be asked about the token at the moment.";
const UNKNOWN_HOST: &str = "There is no n8n under this host here.";
const HOST_MALFORMED: &str = "The host of the request is malformed.";
const AMBIGUOUS_PATH: &str =
    "The path can be read in more than one way. Send it in its plain form.";
const GROUPS_LEFT_OUT: &str =
    "The access token does not hold all groups of the caller, and groups decide here.";

const fn not_admitted_detail(list: &NotAdmitted) -> &'static str {
    match list {
        NotAdmitted::Client => "This client may not use this resource.",
        NotAdmitted::Tenant | NotAdmitted::Domain | NotAdmitted::Claim(_) => {
            "This caller may not use this resource."
        }
    }
}

/// What the sender of a token can see for himself may be told; the rest is for the audit.
const fn token_detail(fault: TokenFault) -> &'static str {
    match fault {
        TokenFault::TooLong => "The access token is too long.",
        TokenFault::NotAJws => "The access token is not a signed JWT.",
        TokenFault::Encrypted => "The access token is encrypted; send a signed one.",
        TokenFault::HeaderMalformed
        | TokenFault::ClaimsMalformed
        | TokenFault::ClaimOfWrongType(_)
        | TokenFault::CriticalHeader
        | TokenFault::IssuerMissing => "The access token is malformed.",
        TokenFault::AlgorithmNotAllowed(_) => {
            "The access token is signed with an algorithm that is not accepted here."
        }
        TokenFault::WrongType(_) | TokenFault::KindMissing => "The token is not an access token.",
        TokenFault::SenderConstrained => {
            "The access token is bound to a key of its client, and no proof of that key was sent."
        }
        TokenFault::AudienceMissing | TokenFault::WrongAudience => {
            "The access token is not for this resource."
        }
        TokenFault::ExpiryMissing | TokenFault::IssuedAfterExpiry => {
            "The access token has no validity period that is accepted here."
        }
        TokenFault::Expired => "The access token has expired.",
        TokenFault::NotYetValid | TokenFault::IssuedInTheFuture => {
            "The access token is not valid yet."
        }
        TokenFault::UnknownKeyId(_)
        | TokenFault::RevokedKey
        | TokenFault::NoKeyFits
        | TokenFault::KeyOfAnotherIssuer
        | TokenFault::BadSignature => "The signature of the access token could not be verified.",
        TokenFault::Inactive | TokenFault::AnswerDisagrees(_) => {
            "The identity provider does not vouch for the access token."
        }
    }
}
