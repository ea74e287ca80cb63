//! Who a caller is, in one normal form whatever provider says it.

mod claim;
mod claim_path;
mod claims_at;
mod dialect;
mod dialects;
mod email;
mod kind;
mod rules;
#[cfg(test)]
mod tests;

pub use claim::{whole, ClaimRule, ClaimTest};
pub use claim_path::ClaimPath;
pub use claims_at::{ClaimsAt, Placed};
pub use dialect::Dialect;
pub use email::domain_of;
pub use kind::{Kind, KindRules};
pub use rules::IdentityRules;

use std::rc::Rc;

use serde_json::{Map, Value};

use crate::time::UnixSeconds;
use crate::token::{Confirmation, ResponseKind, VerifiedToken};
use kind::Marks;

/// The normal form of a caller.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// Name of the provider in the configuration.
    pub provider: Rc<str>,
    /// `iss` of the token.
    pub issuer: Rc<str>,
    /// `sub` of the token.
    pub subject: Option<String>,
    /// The OAuth client that got the token: `azp`, `appid`, `client_id` or `cid`, or the one that
    /// the provider named when it was asked about the token.
    pub client: Option<String>,
    /// Whether an application or a person calls.
    pub kind: Kind,
    /// The e-mail address, only if the provider vouches for it (or is trusted to).
    pub verified_email: Option<String>,
    /// OAuth scopes that were granted.
    pub scopes: Vec<String>,
    /// Roles that were granted.
    pub roles: Vec<String>,
    /// Groups, by name or by id as the provider sends them.
    pub groups: Vec<String>,
    /// There are more groups than the token holds.
    pub groups_left_out: bool,
    /// The tenant or organisation; with Kubernetes the namespace.
    pub tenant: Option<String>,
    /// The domain of the organisation that hosts the caller's account, where the provider says so.
    pub hosted_domain: Option<String>,
    /// `jti` of the token.
    pub token_id: Option<String>,
    /// `exp` of the token.
    pub expires: UnixSeconds,
    /// Every claim as it came.
    pub claims: Rc<Map<String, Value>>,
}

/// Why a verified token says nothing clear about its caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityFault {
    /// A claim that must be text is something else.
    NotText {
        /// The claim.
        claim: &'static str,
    },
    /// Two claims name two different clients.
    ClientsDisagree,
    /// The subject of a Kubernetes token and its claims name two different namespaces.
    NamespacesDisagree,
    /// Expected a `sub` that is not empty (RFC 9068 §2.2), or a client where the provider leaves
    /// `sub` out. Stops tokens of which nothing tells one caller from another.
    SubjectMissing,
}

/// What is said of a caller.
#[derive(Clone, Copy)]
struct Said<'s> {
    claims: &'s Rc<Map<String, Value>>,
    issuer: &'s Rc<str>,
    expires: UnixSeconds,
    /// The token says of itself that it keeps RFC 9068 (`typ` is `at+jwt`).
    keeps_rfc_9068: bool,
    /// The kind of the provider's response that these claims are of; `None`: they are a token's.
    response_kind: Option<ResponseKind>,
    /// What the provider said of a token that it signed.
    confirmation: Option<&'s Confirmation>,
}

impl Identity {
    /// Reads the claims of a verified token by the rules of its provider, which has this name.
    pub fn of(
        token: &VerifiedToken,
        provider: &Rc<str>,
        rules: &IdentityRules,
    ) -> Result<Self, IdentityFault> {
        let said = Said {
            claims: token.claims(),
            issuer: token.issuer(),
            expires: token.expires(),
            keeps_rfc_9068: token.keeps_rfc_9068(),
            response_kind: token.response_kind(),
            confirmation: token.confirmation(),
        };
        Self::read(said, provider, rules)
    }

    fn read(
        said: Said<'_>,
        provider: &Rc<str>,
        rules: &IdentityRules,
    ) -> Result<Self, IdentityFault> {
        let Said { claims, issuer, .. } = said;
        let is_userinfo = said.response_kind == Some(ResponseKind::UserInfo);
        let mut reading = rules.dialect.read(said, &rules.claims_at)?;
        // A userinfo answer speaks of a person: neither client nor scopes of a token are in it.
        if is_userinfo {
            reading.client = None;
            reading.scopes.clear();
        }
        let text = |name| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        let subject = text("sub");
        let is_told = match subject.as_deref() {
            Some(subject) => !subject.is_empty(),
            None => reading.client.is_some() && may_lack_subject(said, rules),
        };
        if !is_told {
            return Err(IdentityFault::SubjectMissing);
        }
        let mut identity = Self {
            provider: Rc::clone(provider),
            issuer: Rc::clone(issuer),
            subject,
            client: reading.client,
            kind: Kind::Unknown,
            verified_email: verified_email(claims, reading.email_verified, rules),
            scopes: reading.scopes,
            roles: reading.roles,
            groups: reading.groups,
            groups_left_out: reading.groups_left_out,
            hosted_domain: reading.hosted_domain,
            tenant: reading.tenant,
            token_id: text("jti"),
            expires: said.expires,
            claims: Rc::clone(claims),
        };
        // A profile is what its owner makes it: no mark in it is the provider's.
        let marks = if is_userinfo {
            Marks::default()
        } else {
            reading.marks
        };
        identity.kind = rules.kind.kind(&identity, marks);
        Ok(identity)
    }

    /// The domain that the caller belongs to, in lower case: the one that hosts the account, else
    /// that of the verified e-mail address.
    pub fn domain(&self) -> Option<String> {
        let address = || domain_of(self.verified_email.as_deref()?);
        let domain = self.hosted_domain.as_deref().or_else(address);
        domain.map(str::to_ascii_lowercase)
    }
}

/// Whether a caller may be known by its client alone: where the operator says so; in an answer of
/// introspection, in which `sub` is optional (RFC 7662 §2.2), or of Google's tokeninfo, which names
/// it for some scopes only; and with `PingOne`, which gives an application no subject. An answer
/// of userinfo always has one (OpenID Connect Core 1.0 §5.3.2), and names no client.
fn may_lack_subject(said: Said<'_>, rules: &IdentityRules) -> bool {
    let by_response = match said.response_kind {
        Some(ResponseKind::Introspection { .. } | ResponseKind::GoogleTokenInfo) => true,
        Some(ResponseKind::UserInfo) | None => false,
    };
    rules.accept_no_subject
        || by_response
        || (rules.dialect == Dialect::Ping && dialects::is_ping_one(said.issuer))
}

/// The address, if the provider says in so many words that it belongs to the caller. Where users
/// may write any address into their profile, an unverified one is an account take-over.
fn verified_email(
    claims: &Map<String, Value>,
    vouched: Option<bool>,
    rules: &IdentityRules,
) -> Option<String> {
    let (address, vouched) = if rules.claims_at.moves(Placed::Email) {
        // `email_verified` speaks of `email` (OpenID Connect Core 1.0 §5.1): of an address
        // elsewhere it vouches for nothing, while a no is one.
        let (address, says_no) = rules.claims_at.email(claims)?;
        let no = says_no || vouched == Some(false);
        (address, no.then_some(false))
    } else {
        (claims.get("email")?, vouched)
    };
    // An operator's trust covers silence, not a provider that says the address is unverified.
    let is_verified = vouched.unwrap_or(rules.trust_email);
    let address = address.as_str()?;
    let sound = address.is_ascii()
        && !address
            .bytes()
            .any(|byte| byte.is_ascii_control() || byte == b' ')
        && address.split('@').filter(|part| !part.is_empty()).count() == 2
        && address.matches('@').count() == 1;
    (is_verified && sound).then(|| address.to_owned())
}
