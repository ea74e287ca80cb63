//! From a bearer token to a caller that was verified.

use std::rc::Rc;

use super::introspection::{confirm, introspect};
use super::{CacheOutcome, Caller, DecisionContext, DecisionRecord, Stop, TokenCacheKey};
use crate::facts::{Availability, Fact, KeyIdDigest, NewerKeys};
use crate::identity::Identity;
use crate::policy::{Instance, NotAdmitted, Provider, ProviderId};
use crate::reply::Reason;
use crate::token::{
    is_opaque, CompactToken, TokenDigest, TokenFault, UntrustedToken, UnverifiedClaims,
    VerifiedToken,
};

/// For the audit. Zitadel, Ory Hydra and Auth0 make such tokens unless they are told otherwise.
const OPAQUE: &str = "an opaque token, and no provider is asked about it: have the provider make \
    JWTs, or set introspection";

/// Verifies a token and reads who the caller is, or recalls it where the same token was verified
/// before and would still be found good. Whatever is not recalled takes the whole way, so that a
/// refusal is always the same.
pub(super) fn authenticate(
    context: DecisionContext<'_>,
    instance: &Instance,
    token: &CompactToken,
    record: &mut DecisionRecord,
) -> Result<Rc<Caller>, Stop> {
    let key = TokenCacheKey::of(instance.id, token);
    if let Some(caller) = context.token_cache.recall(&key) {
        if caller.still_holds(context) {
            record.cache = Some(CacheOutcome::Hit);
            record.note(context, caller);
            return Ok(Rc::clone(caller));
        }
        record.was_verified = true;
    }
    if let Some((id, provider, verified)) = introspect(context, token, key.digest(), record)? {
        let said = Rc::clone(verified.claims());
        let caller = admit(context, instance, (id, provider), verified, None, record);
        match &caller {
            Ok(caller) => {
                record.cache = Some(CacheOutcome::Miss(key, Rc::clone(caller)));
            }
            Err(_) if record.identity.is_none() => {
                record.claimed = Some(UnverifiedClaims::of_answer(&said, token));
            }
            Err(_) => {}
        }
        return caller;
    }
    let untrusted = UntrustedToken::parse(token.expose()).map_err(|fault| {
        if fault == TokenFault::NotAJws && is_opaque(token.expose()) {
            record.hint = Some(OPAQUE);
        }
        Reason::Token(fault)
    })?;
    let caller = verify(context, instance, &untrusted, key.digest(), record);
    if let Ok(caller) = &caller {
        record.cache = Some(CacheOutcome::Miss(key, Rc::clone(caller)));
    }
    if record.identity.is_none() {
        // Put together only for tokens that are not accepted: most are.
        record.claimed = Some(untrusted.claimed());
    }
    caller
}

/// Verifies a token with the keys and rules of the one provider that its issuer belongs to, and
/// reads who the caller is. The issuer is only believed once the signature holds.
fn verify(
    context: DecisionContext<'_>,
    instance: &Instance,
    untrusted: &UntrustedToken<'_>,
    digest: &TokenDigest,
    record: &mut DecisionRecord,
) -> Result<Rc<Caller>, Stop> {
    let policy = context.policy;
    let (id, provider) = policy
        .issuers
        .provider_of(untrusted)
        .and_then(|id| Some((id, policy.providers.get(id.0)?)))
        .ok_or_else(|| {
            record.hint = policy.issuers.hint(untrusted.claimed_issuer());
            Reason::UnknownIssuer
        })?;
    record.provider = Some(Rc::clone(&provider.name));
    let keys = match context.facts.key_set(id) {
        Availability::Known(keys) => keys,
        missing => {
            // A token that no key could save is its sender's fault, not the provider's.
            VerifiedToken::check_without_keys(untrusted, &provider.token, context.now).map_err(
                |fault| {
                    record.hint = untrusted.misfit(fault);
                    Reason::Token(fault)
                },
            )?;
            return Err(match missing {
                Availability::Unavailable(outage) => Reason::KeysUnavailable(outage).into(),
                _ => Stop::Await(Fact::KeySet(id)),
            });
        }
    };
    let verified = VerifiedToken::verify(
        untrusted,
        &provider.token,
        keys,
        context.crypto,
        context.now,
    );
    let token = verified.map_err(|fault| {
        record.hint = untrusted.misfit(fault);
        refused(context, id, (untrusted, digest), fault)
    })?;
    record.crypto_path = token.crypto_path();
    let is_asked = provider.introspection.as_ref();
    let word = is_asked.filter(|asked| asked.always).map(|_| digest);
    admit(context, instance, (id, provider), token, word, record)
}

/// Reads whom a verified token stands for, and whether he may come in. Where the provider has the
/// last word on each token, it is asked only about those that would come in.
fn admit(
    context: DecisionContext<'_>,
    instance: &Instance,
    (id, provider): (ProviderId, &Provider),
    mut token: VerifiedToken,
    word_on: Option<&TokenDigest>,
    record: &mut DecisionRecord,
) -> Result<Rc<Caller>, Stop> {
    let mut identity = Rc::new(
        Identity::of(&token, &provider.name, &provider.identity).map_err(Reason::Identity)?,
    );
    record.identity = Some(Rc::clone(&identity));
    let admission = &provider.admission;
    let admitted = admission.check(&identity);
    if let Some(digest) = word_on {
        match admitted {
            // The provider may say which client it is.
            Err(NotAdmitted::Client) if identity.client.is_none() => {}
            admitted => admitted.map_err(Reason::NotAdmitted)?,
        }
        token = confirm(context, (id, provider), token, digest, record)?;
        identity = Rc::new(
            Identity::of(&token, &provider.name, &provider.identity).map_err(Reason::Identity)?,
        );
        record.identity = Some(Rc::clone(&identity));
        admission.check(&identity).map_err(Reason::NotAdmitted)?;
    } else {
        admitted.map_err(Reason::NotAdmitted)?;
    }
    // The caller lets go of what nothing needs any more; a second hold on it would mean a copy.
    record.identity = None;
    let caller = Rc::new(Caller::new(instance, (id, provider), token, identity));
    record.note(context, &caller);
    Ok(caller)
}

impl DecisionRecord {
    /// Notes who the caller is.
    fn note(&mut self, context: DecisionContext<'_>, caller: &Caller) {
        let provider = context.policy.providers.get(caller.provider.0);
        self.provider = provider.map(|provider| Rc::clone(&provider.name));
        self.identity = Some(Rc::clone(&caller.identity));
        self.hint = caller.hint();
        let standing = caller.standing.as_ref();
        self.principal = standing.map(|standing| Rc::clone(&standing.principal));
    }
}

/// What becomes of a request whose token is not accepted: that is final, unless the provider may
/// have changed its keys since they were fetched.
///
/// A key may change under a `kid` that stays. But anybody can write a known `kid` under a signature
/// that is none: such a token waits for newer keys only where a fetch may still be made for it, and
/// is refused as what it is in all other cases.
fn refused(
    context: DecisionContext<'_>,
    provider: ProviderId,
    (token, digest): (&UntrustedToken<'_>, &TokenDigest),
    fault: TokenFault,
) -> Stop {
    let key_id = match (fault, token.key_id()) {
        (TokenFault::UnknownKeyId(_), Some(key_id)) => KeyIdDigest::of(key_id),
        // A token without a `kid` asks for a new key only by a signature that no known key made.
        (TokenFault::BadSignature | TokenFault::NoKeyFits, None) => KeyIdDigest::of_token(digest),
        (TokenFault::BadSignature | TokenFault::NoKeyFits, Some(_)) => {
            let token = KeyIdDigest::of_token(digest);
            return if context.facts.may_have_changed(provider, token) {
                Stop::Await(Fact::ChangedKeySet(provider, token, fault))
            } else {
                Reason::Token(fault).into()
            };
        }
        _ => return Reason::Token(fault).into(),
    };
    match context.facts.newer_keys(provider, key_id) {
        NewerKeys::MayCome => Stop::Await(Fact::NewerKeySet(provider, key_id)),
        NewerKeys::NotYet(wait) => Reason::KeysNotCurrent(wait).into(),
        NewerKeys::Unavailable(outage) => Reason::KeysUnavailable(outage).into(),
        NewerKeys::Unlikely => Reason::Token(fault).into(),
    }
}
