//! Tokens that their provider must speak for.

use std::rc::Rc;

use super::{Findings, Grounds, Stop};
use crate::facts::{Fact, Introspected};
use crate::policy::{Introspection, Provider, ProviderId};
use crate::reply::Reason;
use crate::token::{
    is_opaque, CompactToken, TokenDigest, TokenFault, VerifiedToken, MAX_TOKEN_BYTES,
};

/// Takes the word of the provider that an opaque token belongs to. `None`: the token is not opaque,
/// or nobody is to be asked about it.
///
/// Those are asked whose prefix the token has, else those that have none. Where there are several,
/// they are asked one after the other, and the first that calls the token active is the one that it
/// belongs to.
pub(super) fn introspect<'g>(
    grounds: Grounds<'g>,
    token: &CompactToken,
    digest: &TokenDigest,
    findings: &mut Findings,
) -> Result<Option<(ProviderId, &'g Provider, VerifiedToken)>, Stop> {
    let text = token.expose();
    if text.len() > MAX_TOKEN_BYTES || !is_opaque(text) {
        return Ok(None);
    }
    let providers = &grounds.policy.providers;
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
    for (index, provider) in providers.iter().enumerate() {
        if !provider.introspection.as_ref().is_some_and(is_asked) {
            continue;
        }
        count = count.saturating_add(1);
        let id = ProviderId(index);
        match grounds.facts.introspection(id, digest) {
            // Whoever speaks for it counts, though what others said before was forgotten since.
            Introspected::Active(answer) => {
                findings.provider = Some(Rc::clone(&provider.name));
                findings.introspection = Some("active");
                let token = VerifiedToken::introspected(token, answer, provider, grounds.now);
                let token = token.map_err(Reason::Token)?;
                return Ok(Some((id, provider, token)));
            }
            _ if pending.is_some() => {}
            Introspected::Inactive => findings.introspection = Some("inactive"),
            Introspected::Pending => pending = Some(id),
            Introspected::Unavailable(why) => outage = outage.or(Some(why)),
        }
        if pending.is_none_or(|pending| pending == id) {
            findings.provider = Some(Rc::clone(&provider.name));
        }
    }
    if let Some(id) = pending {
        return Err(Stop::Await(Fact::Introspection(id, *digest)));
    }
    if count > 1 {
        findings.provider = None;
    }
    match outage {
        // It may be the token of the very provider that cannot be asked.
        Some(outage) => {
            findings.introspection = None;
            Err(Reason::IntrospectionUnavailable(outage).into())
        }
        None if count == 0 => Ok(None),
        None => Err(Reason::Token(TokenFault::Inactive).into()),
    }
}

/// Adds the provider's word to a token whose signature is good.
pub(super) fn confirm(
    grounds: Grounds<'_>,
    (id, provider): (ProviderId, &Provider),
    token: VerifiedToken,
    digest: &TokenDigest,
    findings: &mut Findings,
) -> Result<VerifiedToken, Stop> {
    match grounds.facts.confirmation(id, digest) {
        Introspected::Active(answer) => {
            findings.introspection = Some("active");
            let token = token.confirmed(answer, &provider.token, grounds.now);
            token.map_err(|fault| Reason::Token(fault).into())
        }
        Introspected::Inactive => {
            findings.introspection = Some("inactive");
            Err(Reason::Token(TokenFault::Inactive).into())
        }
        Introspected::Pending => Err(Stop::Await(Fact::Confirmation(id, *digest))),
        Introspected::Unavailable(outage) => Err(Reason::IntrospectionUnavailable(outage).into()),
    }
}
