//! Tokens that their provider must speak for.

use std::rc::Rc;

use super::{DecisionContext, DecisionRecord, Stop};
use crate::facts::{Availability, Fact, TokenStatus};
use crate::identity::IdentityFault;
use crate::policy::{Introspection, Protocol, Provider, ProviderId};
use crate::reply::Reason;
use crate::token::{
    is_opaque, misfit, CompactToken, TokenDigest, TokenFault, UnverifiedClaims, VerifiedToken,
    MAX_TOKEN_BYTES,
};

/// For the audit: userinfo is for tokens of people who logged in (OpenID Connect Core 1.0 §5.3).
const OF_NO_PERSON: &str = "userinfo names no subject for this token: it is an application's, or \
    unknown there; ask by introspection instead";

/// For the audit, of tokens that userinfo refuses.
const NOT_FOR_USERINFO: &str = "userinfo takes no token without the scope openid, as applications \
    get them: have the client ask for it, or ask by introspection instead";

/// Takes the word of the provider that an opaque token belongs to. `None`: the token is not opaque,
/// or nobody is to be asked about it.
///
/// Those are asked whose prefix the token has, else those that have none. Where there are several,
/// they are asked one after the other, and the first that calls the token active is the one that it
/// belongs to.
pub(super) fn introspect<'g>(
    context: DecisionContext<'g>,
    token: &CompactToken,
    digest: &TokenDigest,
    record: &mut DecisionRecord,
) -> Result<Option<(ProviderId, &'g Provider, VerifiedToken)>, Stop> {
    let text = token.expose();
    if text.len() > MAX_TOKEN_BYTES || !is_opaque(text) {
        return Ok(None);
    }
    let providers = &context.policy.providers;
    let has_prefix = |asked: &Introspection| {
        let mut prefixes = asked.token_prefixes.iter();
        prefixes.any(|prefix| text.starts_with(prefix.as_str()))
    };
    let mut asked = providers
        .iter()
        .filter_map(|one| one.introspection.as_ref());
    let is_somebodys = asked.any(has_prefix);
    // A provider never sees a token with the prefix of another.
    let is_asked = |asked: &Introspection| {
        has_prefix(asked) || (!is_somebodys && asked.token_prefixes.is_empty())
    };
    let (mut pending, mut outage, mut count) = (None, None, 0_usize);
    let mut is_nameless = false;
    for (index, provider) in providers.iter().enumerate() {
        let Some(asked) = provider.introspection.as_ref().filter(|one| is_asked(one)) else {
            continue;
        };
        count = count.saturating_add(1);
        let id = ProviderId(index);
        match context.facts.introspection(id, digest) {
            // Whoever speaks for it counts, though what others said before was forgotten since.
            Availability::Known(TokenStatus::Active(answer)) => {
                record.provider = Some(Rc::clone(&provider.name));
                record.introspection = Some("active");
                // What others said of a token that is not theirs is nothing to look at.
                record.hint = None;
                let verified = VerifiedToken::introspected(
                    token,
                    &answer,
                    asked.protocol.response_kind(),
                    &provider.token,
                    context.now,
                );
                let verified = verified.map_err(|fault| {
                    record.hint = misfit(fault, answer.claims());
                    record.claimed = Some(UnverifiedClaims::of_answer(answer.claims(), token));
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
                record.hint = Some(OF_NO_PERSON);
                is_nameless = true;
            }
            Availability::Pending => pending = Some(id),
            Availability::Unavailable(why) => outage = outage.or(Some(why)),
        }
        if pending.is_none_or(|pending| pending == id) {
            record.provider = Some(Rc::clone(&provider.name));
        }
    }
    if let Some(id) = pending {
        record.hint = None;
        return Err(Stop::Await(Fact::Introspection(id, *digest)));
    }
    if count > 1 {
        record.provider = None;
    }
    match outage {
        // It may be the token of the very provider that cannot be asked.
        Some(outage) => {
            record.introspection = None;
            record.hint = None;
            Err(Reason::IntrospectionUnavailable(outage).into())
        }
        None if count == 0 => Ok(None),
        None if is_nameless => Err(Reason::Identity(IdentityFault::SubjectMissing).into()),
        None => Err(Reason::Token(TokenFault::Inactive).into()),
    }
}

/// Adds the provider's word to a token whose signature is good.
pub(super) fn confirm(
    context: DecisionContext<'_>,
    (id, provider): (ProviderId, &Provider),
    token: VerifiedToken,
    digest: &TokenDigest,
    record: &mut DecisionRecord,
) -> Result<VerifiedToken, Stop> {
    match context.facts.confirmation(id, digest) {
        Availability::Known(TokenStatus::Active(answer)) => {
            record.introspection = Some("active");
            let token = token.confirmed(&answer, &provider.token, context.now);
            token.map_err(|fault| Reason::Token(fault).into())
        }
        Availability::Known(TokenStatus::Inactive | TokenStatus::Nameless) => {
            record.introspection = Some("inactive");
            Err(Reason::Token(TokenFault::Inactive).into())
        }
        Availability::Pending => Err(Stop::Await(Fact::Confirmation(id, *digest))),
        Availability::Unavailable(outage) => Err(Reason::IntrospectionUnavailable(outage).into()),
    }
}
