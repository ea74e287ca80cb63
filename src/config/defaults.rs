//! Every default and bound of the configuration. The reader, the reference documentation and the
//! schema take them from here.

use std::time::Duration;

use super::choices::{ClientAuth, SecretEncoding};
use super::duration::Limits;
use super::size::SizeLimits;
use crate::identity::Dialect;
use crate::policy::{
    Access, ApiKeys, AuditTo, CryptoMode, DpopUse, IdentityHeader, Preflight, Replay, RestAuth,
};
use crate::token::TypRule;
use crate::webhook_signature::{Encoding, TimeFormat};

/// The claims of the OpenID and OAuth standards.
pub(super) const DIALECT: Dialect = Dialect::Oidc;

/// Few providers send `at+jwt`; other kinds of token are refused in any case.
pub(super) const TYP: TypRule = TypRule::AnyAccessToken;

/// With an e-mail address that was never verified, an attacker could act for another person.
pub(super) const TRUST_EMAIL: bool = false;

/// The gate is additive: API keys that n8n gave out go on working.
pub(super) const API_KEYS: ApiKeys = ApiKeys::Pass;

/// The path of n8n's metrics is open, as it is without the gate.
pub(super) const METRICS: Access = Access::Pass;

/// Envoy's log needs no further configuration.
pub(super) const AUDIT_TO: AuditTo = AuditTo::Log;

/// n8n made its internal API for its editor alone.
pub(super) const REST: RestAuth = RestAuth::Pass;

/// The section is written to use them.
pub(super) const EMBED_ENABLED: bool = true;

/// n8n's own MCP server needs its authorization server.
pub(super) const OAUTH: Access = Access::Pass;

/// The filter cannot decide on a path that is not n8n's.
pub(super) const OUTSIDE: Access = Access::Deny;

/// Nothing passes without a decision unless the operator says so.
pub(super) const OTHER_HOSTS: Access = Access::Deny;

/// The host is some twenty times faster, and tested before it is used.
pub(super) const CRYPTO: CryptoMode = CryptoMode::Auto;

/// A token is checked in the same way in either header, and a client sends only one of them. Both
/// headers hold credentials, so that logs and proxies treat them alike, and no browser sends either by
/// itself.
pub(super) const TOKENS_IN_API_KEY: bool = true;

/// n8n's public API knows the user by the API key, and reads none of these headers. The shipped routes know
/// verified callers by this one.
pub(super) const IDENTITY_HEADERS: [IdentityHeader; 1] = [IdentityHeader::Issuer];

/// `Authorization: Bearer` is where tokens of providers belong: a client that sends a key there by
/// mistake should learn of it.
pub(super) const API_KEYS_IN_BEARER: bool = false;

/// What the description names is of use to an attacker, too.
pub(super) const PUBLIC_DESCRIPTION: bool = false;
pub(super) const TELLS_AUDIENCES: bool = false;
pub(super) const TELLS_HINTS: bool = false;

/// Providers publish them, and the metadata of the public API names the issuers.
pub(super) const TOKEN_ENDPOINTS: bool = true;

/// A workflow has no use for the token itself.
pub(super) const KEEP_AUTHORIZATION: bool = false;

/// A preflight without a token is refused like any other request without one.
pub(super) const CORS_PREFLIGHT: Preflight = Preflight::Guard;

/// A delivery that is sent again runs the workflow again.
pub(super) const REPLAY: Replay = Replay::Refuse;

/// As most senders write signatures.
pub(super) const SIGNATURE_ENCODING: Encoding = Encoding::Hex;

/// As most senders write the time.
pub(super) const TIME_FORMAT: TimeFormat = TimeFormat::Seconds;

/// As most senders use their secrets.
pub(super) const SECRET_ENCODING: SecretEncoding = SecretEncoding::Text;

/// How far the time of a delivery may be from now: as most senders advise.
pub(super) struct SignatureTolerance;

impl Limits for SignatureTolerance {
    const DEFAULT: Duration = minutes(5);
    const MIN: Duration = Duration::from_secs(10);
    const MAX: Duration = hours(24);
}

/// The longest body of a signed delivery. Envoy holds as much of a request by itself.
pub(super) struct MaxBody;

impl SizeLimits for MaxBody {
    const DEFAULT: usize = 1024 * 1024;
    const MIN: usize = 1;
    const MAX: usize = 16 * 1024 * 1024;
}

/// Most providers bind tokens to keys for some of their clients only.
pub(super) const DPOP: DpopUse = DpopUse::Accepted;

/// Each client must repeat a request for its nonce.
pub(super) const NONCES: bool = false;

/// How far the time of a proof may be from the time of Envoy. RFC 9449 §11.1: seconds or minutes.
pub(super) struct ProofWindow;

impl Limits for ProofWindow {
    const DEFAULT: Duration = minutes(1);
    const MIN: Duration = Duration::from_secs(5);
    const MAX: Duration = minutes(5);
}

/// How far the clock of a provider may differ: a few minutes at most (RFC 7519 §4.1.4).
pub(super) struct ClockSkew;

impl Limits for ClockSkew {
    const DEFAULT: Duration = Duration::from_secs(30);
    const MIN: Duration = Duration::ZERO;
    const MAX: Duration = minutes(5);
}

/// Age at which keys are fetched again.
pub(super) struct KeysTtl;

impl Limits for KeysTtl {
    const DEFAULT: Duration = minutes(5);
    const MIN: Duration = Duration::from_secs(1);
    const MAX: Duration = hours(24);
}

/// The least that a provider's `max-age` counts for, even if it is 0.
pub(super) struct KeysMinTtl;

impl Limits for KeysMinTtl {
    const DEFAULT: Duration = minutes(1);
    const MIN: Duration = Duration::from_secs(1);
    const MAX: Duration = hours(24);
}

/// The most that a provider's `max-age` counts for: a removed key counts as long.
pub(super) struct KeysMaxTtl;

impl Limits for KeysMaxTtl {
    const DEFAULT: Duration = minutes(15);
    const MIN: Duration = Duration::from_secs(1);
    const MAX: Duration = hours(24);
}

/// Age at which a discovery document is read again. It changes when a provider is rebuilt.
pub(super) struct DiscoveryTtl;

impl Limits for DiscoveryTtl {
    const DEFAULT: Duration = hours(1);
    const MIN: Duration = Duration::from_secs(1);
    const MAX: Duration = hours(24);
}

/// Age at which keys that could not be fetched again are no longer used.
pub(super) struct KeysMaxStale;

impl Limits for KeysMaxStale {
    const DEFAULT: Duration = hours(1);
    const MIN: Duration = Duration::from_secs(1);
    const MAX: Duration = hours(168);
}

/// How long one fetch may take.
pub(super) struct KeysTimeout;

impl Limits for KeysTimeout {
    const DEFAULT: Duration = Duration::from_secs(5);
    const MIN: Duration = Duration::from_millis(100);
    const MAX: Duration = Duration::from_secs(60);
}

/// The least time between two fetches that unknown key ids cause: an attacker may send any number.
pub(super) struct KeysCooldown;

impl Limits for KeysCooldown {
    const DEFAULT: Duration = Duration::from_secs(30);
    const MIN: Duration = Duration::from_secs(1);
    const MAX: Duration = hours(1);
}

/// How long a removed key stays usable. Keys disappear from Entra's document and come back for up to
/// 48 hours at a time.
pub(super) struct KeysGrace;

/// [`KeysGrace`] of Entra: with less, keys that are good would be refused for hours each week.
pub(super) const ENTRA_GRACE: Duration = hours(24);

impl Limits for KeysGrace {
    const DEFAULT: Duration = Duration::ZERO;
    const MIN: Duration = Duration::ZERO;
    const MAX: Duration = hours(48);
}

/// How long an active response is kept: a token that was revoked counts as long.
pub(super) struct IntrospectionTtl;

impl Limits for IntrospectionTtl {
    const DEFAULT: Duration = minutes(1);
    const MIN: Duration = Duration::from_secs(1);
    const MAX: Duration = hours(1);
}

/// How long a pushed revocation is kept: as long as the longest lifetime of a token.
pub(super) struct RevocationKeep;

impl Limits for RevocationKeep {
    const DEFAULT: Duration = hours(24);
    const MIN: Duration = minutes(10);
    const MAX: Duration = hours(24 * 30);
}

/// How long an inactive response is kept: a token that becomes active a moment later waits as long.
pub(super) struct InactiveTtl;

impl Limits for InactiveTtl {
    const DEFAULT: Duration = Duration::from_secs(10);
    const MIN: Duration = Duration::from_secs(1);
    const MAX: Duration = minutes(5);
}

/// Clusters are called by name, and n8n does not look at the host.
pub(super) const N8N_URI: &str = "http://n8n";

/// No mail reaches it (RFC 2606 §2), so that no one can ask n8n for a new password by mail.
pub(super) const USER_DOMAIN: &str = "n8n-idp-gate.invalid";

/// How long a key lives that the gate makes.
pub(super) struct MintedKeyTtl;

impl Limits for MintedKeyTtl {
    const DEFAULT: Duration = hours(1);
    const MIN: Duration = Duration::from_secs(10);
    const MAX: Duration = hours(168);
}

/// How long one call to n8n may take, by which the gate makes users and keys.
pub(super) struct ProvisioningTimeout;

impl Limits for ProvisioningTimeout {
    const DEFAULT: Duration = Duration::from_secs(5);
    const MIN: Duration = Duration::from_millis(100);
    const MAX: Duration = Duration::from_secs(60);
}

/// The method that every authorization server must support (RFC 6749 §2.3.1).
pub(super) const CLIENT_AUTH: ClientAuth = ClientAuth::Basic;

/// A JWT proves itself; its status costs a call.
pub(super) const INTROSPECT_ALWAYS: bool = false;

/// Refresh tokens would open n8n.
pub(super) const ACCEPT_UNTYPED: bool = false;

/// Without a subject, callers of one client are one caller (RFC 9068 §2.2).
pub(super) const ACCEPT_NO_SUBJECT: bool = false;

/// Any application's token would open n8n.
pub(super) const ANY_AUDIENCE: bool = false;

const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count.saturating_mul(60))
}

const fn hours(count: u64) -> Duration {
    minutes(count.saturating_mul(60))
}
