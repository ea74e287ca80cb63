//! Tokens that are verified by introspection.

use std::sync::Arc;

use super::draft::Stop;
use super::{DecisionContext, DecisionRecord, Need};
use crate::facts::{Availability, Fact, TokenStatus};
use crate::identity::IdentityFault;
use crate::policy::{Introspection, Protocol, Provider, ProviderId};
use crate::reply::Reason;
use crate::token::{
    is_opaque, misfit, CompactToken, TokenDigest, TokenFault, UnverifiedClaims, VerifiedToken,
    MAX_TOKEN_BYTES,
};

/// For the audit record: userinfo is for tokens of people who logged in (OpenID Connect Core 1.0 §5.3).
const NO_SUBJECT: &str = "userinfo names no subject for this token: it is an application's, or \
    unknown there; ask by introspection instead";

/// For the audit record, of tokens that userinfo refuses.
const NOT_FOR_USERINFO: &str = "userinfo takes no token without the scope openid, as applications \
    get them: have the client ask for it, or ask by introspection instead";

/// Verifies an opaque token by the introspection response of its provider. `None`: the token is not
/// opaque, or no provider is to be asked about it.
///
/// The providers whose prefix the token has are asked, or else those without a prefix. Several are
/// asked one after the other, and the token belongs to the first that calls it active.
pub(super) fn introspect<'g>(
    context: DecisionContext<'g>,
    token: &CompactToken<'_>,
    record: &mut DecisionRecord,
) -> Result<Option<(ProviderId, &'g Provider, VerifiedToken)>, Stop> {
    let policy = context.policy;
    let text = token.expose();
    if policy.introspecting.is_empty() || text.len() > MAX_TOKEN_BYTES || !is_opaque(text) {
        return Ok(None);
    }
    let introspecting = || {
        policy.introspecting.iter().filter_map(|id| {
            let provider = policy.providers.get(id.0)?;
            Some((*id, provider, provider.introspection.as_ref()?))
        })
    };
    let has_prefix = |introspection: &Introspection| {
        let mut prefixes = introspection.token_prefixes.iter();
        prefixes.any(|prefix| text.starts_with(prefix.as_str()))
    };
    let has_known_prefix = introspecting().any(|(_, _, asked)| has_prefix(asked));
    // A provider never sees a token with the prefix of another.
    let is_asked = |asked: &Introspection| {
        has_prefix(asked) || (!has_known_prefix && asked.token_prefixes.is_empty())
    };
    let digest = TokenDigest::of(token);
    let (mut pending, mut outage, mut count) = (None, None, 0_usize);
    let mut has_no_subject = false;
    for (id, provider, asked) in introspecting().filter(|(_, _, asked)| is_asked(asked)) {
        count = count.saturating_add(1);
        match context.facts.token_status_to_decide(id, &digest) {
            // Its provider counts, also if the token status at other providers is not known any more.
            Availability::Known(TokenStatus::Active(response)) => {
                record.provider = Some(Arc::clone(&provider.name));
                record.introspection = Some("active");
                // A token status at other providers says nothing.
                record.hint = None;
                let verified = VerifiedToken::introspected(
                    token,
                    &response,
                    asked.protocol.response_kind(),
                    &provider.token,
                    context.now,
                );
                let verified = verified.map_err(|fault| {
                    let accepted = &provider.token.audiences;
                    record.hint = misfit(fault, response.claims(), accepted);
                    record.claimed = Some(UnverifiedClaims::of_response(response.claims(), token));
                    Reason::Token(fault)
                })?;
                return Ok(Some((id, provider, verified)));
            }
            _ if pending.is_some() => {}
            Availability::Known(TokenStatus::Inactive) => {
                record.introspection = Some("inactive");
                if asked.protocol == Protocol::UserInfo {
                    record.hint = record.hint.or(Some(NOT_FOR_USERINFO));
                }
            }
            Availability::Known(TokenStatus::Nameless) => {
                record.introspection = Some("active");
                record.hint = Some(NO_SUBJECT);
                has_no_subject = true;
            }
            Availability::Pending => pending = Some(id),
            Availability::Unavailable(why) => outage = outage.or(Some(why)),
        }
        if pending.is_none_or(|pending| pending == id) {
            record.provider = Some(Arc::clone(&provider.name));
        }
    }
    if let Some(id) = pending {
        record.hint = None;
        return Err(Need::Fact(Fact::TokenStatusToDecide(id, digest)).into());
    }
    if count > 1 {
        record.provider = None;
    }
    match outage {
        // The token may be of the provider that cannot be asked.
        Some(outage) => {
            record.introspection = None;
            record.hint = None;
            Err(Reason::IntrospectionUnavailable(outage).into())
        }
        None if count == 0 => Ok(None),
        None if has_no_subject => Err(Reason::Identity(IdentityFault::SubjectMissing).into()),
        None => Err(Reason::Token(TokenFault::Inactive).into()),
    }
}

/// Adds the token status of the provider to a token whose signature is good.
pub(super) fn confirm(
    context: DecisionContext<'_>,
    (id, provider): (ProviderId, &Provider),
    token: VerifiedToken,
    digest: &TokenDigest,
    record: &mut DecisionRecord,
) -> Result<VerifiedToken, Stop> {
    match context.facts.token_status_to_confirm(id, digest) {
        Availability::Known(TokenStatus::Active(response)) => {
            record.introspection = Some("active");
            let token = token.confirmed(&response, &provider.token, context.now);
            token.map_err(|fault| Reason::Token(fault).into())
        }
        Availability::Known(TokenStatus::Inactive | TokenStatus::Nameless) => {
            record.introspection = Some("inactive");
            Err(Reason::Token(TokenFault::Inactive).into())
        }
        Availability::Pending => Err(Need::Fact(Fact::TokenStatusToConfirm(id, *digest)).into()),
        Availability::Unavailable(outage) => Err(Reason::IntrospectionUnavailable(outage).into()),
    }
}
