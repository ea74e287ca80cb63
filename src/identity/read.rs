//! From the claims of a verified token to an identity.

use std::sync::Arc;

use super::claim_source::ClaimSource;
use super::dialects::is_ping_one;
use super::email::is_unambiguous;
use super::kind::{Kind, Marks};
use super::{Dialect, Identity, IdentityFault, IdentityPart, IdentityRules};
use crate::formats::json::{Object, Value};
use crate::token::{ResponseKind, VerifiedToken};

impl Identity {
    /// Reads the claims of a verified token by the rules of its provider, which has this name.
    pub fn of(
        token: &VerifiedToken,
        provider: &Arc<str>,
        rules: &IdentityRules,
    ) -> Result<Self, IdentityFault> {
        let source = ClaimSource {
            claims: token.claims(),
            issuer: token.issuer(),
            expires: token.expires(),
            keeps_rfc_9068: token.keeps_rfc_9068(),
            response_kind: token.response_kind(),
            confirmation: token.confirmation(),
        };
        Self::read(source, provider, rules)
    }

    pub(super) fn read(
        source: ClaimSource<'_>,
        provider: &Arc<str>,
        rules: &IdentityRules,
    ) -> Result<Self, IdentityFault> {
        let ClaimSource { claims, issuer, .. } = source;
        let is_userinfo = source.response_kind == Some(ResponseKind::UserInfo);
        let mut reading = rules.dialect.read(source, &rules.claims_at)?;
        // A userinfo response is about a person: neither client nor scopes of a token are in it.
        if is_userinfo {
            reading.client = None;
            reading.scopes.clear();
        }
        let text = |name| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        let subject = text("sub");
        let is_identified = match subject.as_deref() {
            Some(subject) => !subject.is_empty(),
            None => reading.client.is_some() && may_lack_subject(source, rules),
        };
        if !is_identified {
            return Err(IdentityFault::SubjectMissing);
        }
        let mut identity = Self {
            provider: Arc::clone(provider),
            issuer: Arc::clone(issuer),
            subject,
            client: reading.client,
            kind: Kind::Unknown,
            verified_email: verified_email(claims.object(), reading.email_verified, rules),
            scopes: reading.scopes,
            roles: reading.roles,
            groups: reading.groups,
            groups_left_out: reading.groups_left_out,
            hosted_domain: reading.hosted_domain,
            tenant: reading.tenant,
            token_id: text("jti"),
            expires: source.expires,
            claims: Arc::clone(claims),
        };
        // People write their own profiles: no mark in one is the provider's.
        let marks = if is_userinfo {
            Marks::default()
        } else {
            reading.marks
        };
        identity.kind = rules.kind.kind(&identity, marks);
        Ok(identity)
    }
}

/// Whether a caller needs no subject beside its client: if the operator accepts that; in a response
/// of introspection, in which `sub` is optional (RFC 7662 §2.2), or of Google's tokeninfo, which names
/// it for some scopes only; and with `PingOne`, which gives an application no subject. A userinfo
/// response always has one (OpenID Connect Core 1.0 §5.3.2), and names no client.
fn may_lack_subject(source: ClaimSource<'_>, rules: &IdentityRules) -> bool {
    let by_response = match source.response_kind {
        Some(ResponseKind::Introspection { .. } | ResponseKind::GoogleTokenInfo) => true,
        Some(ResponseKind::UserInfo) | None => false,
    };
    rules.accept_no_subject
        || by_response
        || (rules.dialect == Dialect::Ping && is_ping_one(source.issuer))
}

/// The address, if the provider says explicitly that it is the caller's. Where users can write any
/// address into their profile, an unverified one would be an account take-over.
fn verified_email(
    claims: Object<'_>,
    email_verified: Option<bool>,
    rules: &IdentityRules,
) -> Option<String> {
    let (address, is_verified) = if rules.claims_at.moves(IdentityPart::Email) {
        // `email_verified` is about `email` (OpenID Connect Core 1.0 §5.1): for another claim, `true`
        // means nothing, and `false` still counts.
        let (address, says_no) = rules.claims_at.email(claims)?;
        let is_unverified = says_no || email_verified == Some(false);
        (address, is_unverified.then_some(false))
    } else {
        (claims.get("email")?, email_verified)
    };
    // An operator's trust covers a missing claim, not a provider that says "unverified".
    let is_verified = is_verified.unwrap_or(rules.trust_email);
    let address = address.as_str()?;
    (is_verified && is_unambiguous(address)).then(|| address.to_owned())
}
