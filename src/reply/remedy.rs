//! What an operator can do about a refusal, for the documentation.

use super::Reason;
use crate::identity::IdentityFault;
use crate::policy::NotAdmitted;
use crate::token::{BearerFault, TokenFault};

impl Reason {
    /// What to do where the refusal was not meant.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Path(_) => "look at `fault`; have the client or the proxy before Envoy send the path in its plain form",
            Self::WebhookCase => "call the webhook as the rule has it, and write the rule as the workflow has it",
            Self::HostMalformed => "set `public_api.resource`, or have the client send one plain host",
            Self::UnknownHost => "add the host to `hosts` of the instance it is meant for; have probes ask for such a host",
            Self::Bearer(BearerFault::Duplicated) => "find the client library or proxy that adds a second `Authorization`",
            Self::Bearer(BearerFault::Malformed) => "write `Bearer`, one blank and the token; look for an empty variable in the script",
            Self::DuplicateApiKey => "find the client library or proxy that adds a second `X-N8N-API-KEY`",
            Self::TwoCredentials => "take `X-N8N-API-KEY` out of the client, also where it is empty",
            Self::NoCredential => "have the client get a token; the [metadata](../guides/metadata.md) says where",
            Self::ApiKeyRefused => "move the caller to a token, or let it pass for now with `public_api.rules`",
            Self::TokenAsApiKey => "have the client send the token as `Authorization: Bearer`, or a key of n8n's",
            Self::UnknownIssuer => "compare `claimed.iss` with `issuer` byte by byte; `hint` names the usual mistakes",
            Self::Token(fault) => token(*fault),
            Self::Identity(IdentityFault::NotText { .. }) => "mend the claim at the provider; look at its mappers",
            Self::Identity(IdentityFault::ClientsDisagree) => "mend the mappers of the provider, so that one client is named",
            Self::Identity(IdentityFault::NamespacesDisagree) => "find out who made the token: no API server makes such",
            Self::Identity(IdentityFault::SubjectMissing) => "have the provider put `sub` into its tokens, or see `accept_no_subject`; where userinfo was asked, see `hint`",
            Self::NotAdmitted(NotAdmitted::Client) => "add `client` of the audit to `clients`, if it may come in",
            Self::NotAdmitted(NotAdmitted::Tenant) => "add the tenant to `tenants`, if its callers may come in",
            Self::NotAdmitted(NotAdmitted::Domain) => "look whether the provider verifies the address; see `allowed_domains` and `trust_email`",
            Self::NotAdmitted(NotAdmitted::Claim(_)) => "compare the claim with the rule; an absent one fails all but `exists: false`",
            Self::GroupsLeftOut => "assign groups to the application at the provider, or use app roles",
            Self::NoPrincipal => "compare `client`, `kind` and `sub` of the audit with `match` of the principals",
            Self::InsufficientScope { .. } => "give the caller a role that grants what `missing` says (see [operations](operations.md)), or look whether `allow` takes it away; without `missing`, the caller is granted nothing at all",
            Self::UnknownOperation => "look at the path; an operation that this version does not know needs a role that grants `*`",
            Self::WebhookDenied => "change the rule, if the webhook is to be called from here",
            Self::WebhookNoRule => "add a rule for the path",
            Self::WebhookRequirement => "compare the caller with `require`",
            Self::OutsidePathPrefix => "call n8n below `path_prefix`; where another application answers there, set `outside: pass`",
            Self::OauthDenied => "ask the provider for tokens; where n8n's own MCP server is used, set `oauth: pass`",
            Self::MetricsDenied => "read them inside, or set `metrics: pass`",
            Self::MethodNotAllowed => "nothing: the documents are for reading",
            Self::KeysUnavailable(_) | Self::IntrospectionUnavailable(_) => "look at `fault`, and at what [faults](faults.md) says of it; tell callers to try again",
            Self::KeysNotCurrent(_) => "nothing, if the provider changed its keys: callers try again; many of these are made-up tokens, see `claimed.kid`",
            Self::TooManyWaiting => "find out why keys are slow to come: `key_set_failures`, `key_id_misses`",
            Self::UpstreamKeyRefused => "make a new key for the user of `principal` in n8n, set its variable, and start Envoy anew; see `upstream_key_seconds_left`",
            Self::ProxyFailure => "look at Envoy's log; a head that grew too large is the usual cause",
        }
    }
}

const fn token(fault: TokenFault) -> &'static str {
    match fault {
        TokenFault::TooLong => "have the provider put less into it: groups, most often",
        TokenFault::NotAJws => "ask the provider for a JWT (many give one only where an audience is asked for), or have it asked about opaque tokens: `introspection`",
        TokenFault::Encrypted => "switch encryption of access tokens off at the provider",
        TokenFault::HeaderMalformed | TokenFault::ClaimsMalformed => {
            "look whether the token was cut or changed on its way"
        }
        TokenFault::Inactive => "have the client get a new token; look whether it belongs to this provider and environment, and whether the gate's own client may ask about it",
        TokenFault::AnswerDisagrees(_) => {
            "find out who made the token: the provider says another thing of it than the token itself"
        }
        TokenFault::CriticalHeader => "have the provider leave the extension out",
        TokenFault::ClaimOfWrongType(_) => "mend the claim at the provider; look at its mappers",
        TokenFault::IssuerMissing => "have the provider put `iss` into its tokens",
        TokenFault::AlgorithmNotAllowed(_) => {
            "compare `fault` with `algorithms`; let the provider sign with a key pair"
        }
        TokenFault::WrongType(_) => "send the access token, not the ID token; see `typ`, and `hint` of the audit",
        TokenFault::KindMissing => "have the provider answer with `token_type`, or see `accept_untyped`",
        TokenFault::SenderConstrained => "ask for a plain bearer token: proofs are not checked yet",
        TokenFault::AudienceMissing => "have the provider put `aud` in (`[]` names nobody), or see `audience_claim`; `hint` names the usual cause",
        TokenFault::WrongAudience => {
            "compare `claimed.aud` with `audiences`; ask for a token with the API's scope or resource; see `hint`"
        }
        TokenFault::ExpiryMissing | TokenFault::IssuedAfterExpiry => {
            "mend the lifetime of tokens at the provider"
        }
        TokenFault::Expired => "have the client get a new token in time; compare the clocks",
        TokenFault::NotYetValid | TokenFault::IssuedInTheFuture => {
            "compare the clocks; see `clock_skew`"
        }
        TokenFault::UnknownKeyId(_) => {
            "look at `fault`, and whether the provider publishes `claimed.kid`: another realm or environment may have the same issuer"
        }
        TokenFault::RevokedKey => "have the client get a token that is signed with another key",
        TokenFault::NoKeyFits => "have the provider put `kid` in; compare `alg` with the published key",
        TokenFault::KeyOfAnotherIssuer => "look at the `issuer` of the published key; with Entra, use `tenant`",
        TokenFault::BadSignature => "find out who made or changed the token",
    }
}
