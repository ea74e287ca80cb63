//! From a bearer token to a verified caller.

use std::sync::Arc;

use super::draft::{Draft, Stop};
use super::introspection::{confirm, introspect};
use super::possession::{Scheme, Sender};
use super::{CacheOutcome, Caller, DecisionContext, DecisionRecord, Evidence, Need, Remember};
use crate::facts::{Availability, Fact, KeyIdDigest, NewerKeys};
use crate::identity::Identity;
use crate::policy::{Instance, NotAdmitted, Provider, ProviderId};
use crate::reply::Reason;
use crate::token::{
    is_opaque, CompactToken, TokenDigest, TokenFault, UntrustedToken, UnverifiedClaims,
    VerifiedToken,
};

/// For the audit record. Zitadel, Ory Hydra and Auth0 make such tokens by default.
const OPAQUE: &str = "an opaque token, and no provider is asked about it: have the provider make \
    JWTs, or set introspection";

/// Verifies a token and reads its caller, or finds the caller in the token cache. A token that the
/// cache does not have, or that is not good any more, passes all checks, so that a refusal is always
/// the same. In both cases the client must have what the token is bound to.
pub(super) fn authenticate(
    context: DecisionContext<'_>,
    instance: &Instance,
    sender: &Sender<'_>,
    draft: &mut Draft,
) -> Result<Evidence, Stop> {
    if sender.scheme == Scheme::Dpop && instance.public_origins.is_empty() {
        return Err(Reason::DpopNotOffered.into());
    }
    let token = sender.token;
    let key = context.token_cache.key_of(instance.id, token);
    if let Some(caller) = context.token_cache.get(&key) {
        if let Some(evidence) = Evidence::of_cached(context, instance, sender, caller) {
            draft.remember = Some(Remember::Used(key));
            draft.record.cache = Some(CacheOutcome::Hit);
            draft.record.set_caller(context, caller);
            let evidence = evidence?;
            draft.use_once = evidence.use_once();
            return Ok(evidence);
        }
        draft.record.was_verified = true;
    }
    let caller = verify(context, instance, token, &mut draft.record);
    if let Err(Stop::Await(Need::Fact(
        Fact::TokenStatusToDecide(..) | Fact::TokenStatusToConfirm(..),
    ))) = &caller
    {
        draft.asked_about = Some(token.clone().into_owned());
    }
    let caller = caller?;
    draft.record.cache = Some(CacheOutcome::Miss);
    let evidence = Evidence::of_token(context, instance, sender, caller)?;
    draft.use_once = evidence.use_once();
    draft.remember = Some(Remember::Verified(key, Arc::clone(evidence.caller())));
    Ok(evidence)
}

/// Verifies a token: an opaque one by introspection, a JWT by its signature.
fn verify(
    context: DecisionContext<'_>,
    instance: &Instance,
    token: &CompactToken<'_>,
    record: &mut DecisionRecord,
) -> Result<Caller, Stop> {
    if let Some((id, provider, verified)) = introspect(context, token, record)? {
        let claims = Arc::clone(verified.claims());
        let caller = admit(context, instance, (id, provider), verified, None, record);
        if caller.is_err() && record.identity.is_none() {
            record.claimed = Some(UnverifiedClaims::of_response(&claims, token));
        }
        return caller;
    }
    let untrusted = UntrustedToken::parse(token.expose()).map_err(|fault| {
        if fault == TokenFault::NotAJws && is_opaque(token.expose()) {
            record.hint = Some(OPAQUE);
        }
        Reason::Token(fault)
    })?;
    let caller = verify_signed(context, instance, (&untrusted, token), record);
    // A request that waits counts against the key that its token names.
    let is_used = context.is_recorded || matches!(caller, Err(Stop::Await(_)));
    if record.identity.is_none() && is_used {
        record.claimed = Some(untrusted.claimed());
    }
    caller
}

/// Verifies a JWT with the keys and rules of the one provider that its issuer belongs to, and reads
/// its caller. The issuer is trusted only when the signature is good.
fn verify_signed(
    context: DecisionContext<'_>,
    instance: &Instance,
    (untrusted, compact): (&UntrustedToken<'_>, &CompactToken<'_>),
    record: &mut DecisionRecord,
) -> Result<Caller, Stop> {
    let policy = context.policy;
    let (id, provider) = policy
        .issuers
        .provider_of(untrusted)
        .and_then(|id| Some((id, policy.providers.get(id.0)?)))
        .ok_or_else(|| {
            record.hint = policy.issuers.hint(untrusted.claimed_issuer());
            Reason::UnknownIssuer
        })?;
    record.provider = Some(Arc::clone(&provider.name));
    let keys = match context.facts.key_set(id) {
        Availability::Known(keys) => keys,
        missing => {
            // A token that no key could make good is the client's fault, not the provider's.
            VerifiedToken::check_without_keys(untrusted, &provider.token, context.now).map_err(
                |fault| {
                    record.hint = untrusted.misfit(fault, &provider.token);
                    Reason::Token(fault)
                },
            )?;
            return Err(match missing {
                Availability::Unavailable(outage) => Reason::KeysUnavailable(outage).into(),
                _ => Need::Fact(Fact::KeySet(id)).into(),
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
        record.hint = untrusted.misfit(fault, &provider.token);
        refused(context, id, (untrusted, compact), fault)
    })?;
    record.crypto_path = token.crypto_path();
    let introspection = provider.introspection.as_ref();
    let to_confirm = introspection
        .filter(|introspection| introspection.always)
        .map(|_| TokenDigest::of(compact));
    admit(
        context,
        instance,
        (id, provider),
        token,
        to_confirm.as_ref(),
        record,
    )
}

/// Reads the caller of a verified token, and checks whether the provider's rules admit it. If the
/// provider must confirm each token, it is asked only about those that would be admitted.
fn admit(
    context: DecisionContext<'_>,
    instance: &Instance,
    (id, provider): (ProviderId, &Provider),
    mut token: VerifiedToken,
    to_confirm: Option<&TokenDigest>,
    record: &mut DecisionRecord,
) -> Result<Caller, Stop> {
    let mut identity = identify(context, provider, &token, record)?;
    let admission = &provider.admission;
    let admitted = admission.check(&identity);
    if let Some(digest) = to_confirm {
        match admitted {
            // The provider may name the OAuth client.
            Err(NotAdmitted::Client) if identity.client.is_none() => {}
            admitted => admitted.map_err(Reason::NotAdmitted)?,
        }
        token = confirm(context, (id, provider), token, digest, record)?;
        identity = identify(context, provider, &token, record)?;
        admission.check(&identity).map_err(Reason::NotAdmitted)?;
    } else {
        admitted.map_err(Reason::NotAdmitted)?;
    }
    // The caller drops the claims that no rule needs. A second reference would make that a copy.
    record.identity = None;
    let caller = Caller::new(instance, (id, provider), token, identity);
    record.set_caller(context, &caller);
    Ok(caller)
}

/// Reads the caller of a verified token. Refuses a token that the operator revoked: one that is remembered
/// was none of these, because another configuration remembers nothing of the one before.
fn identify(
    context: DecisionContext<'_>,
    provider: &Provider,
    token: &VerifiedToken,
    record: &mut DecisionRecord,
) -> Result<Arc<Identity>, Reason> {
    let identity = Identity::of(token, &provider.name, &provider.identity);
    let mut identity = identity.map_err(Reason::Identity)?;
    let is_revoked = context.policy.revoked.contain(&identity, token);
    // An identity is kept, and its id is in the audit record.
    if token.id_shows_token() {
        identity.token_id = None;
        Arc::make_mut(&mut identity.claims).remove(&["jti"]);
    }
    let identity = Arc::new(identity);
    record.identity = Some(Arc::clone(&identity));
    if is_revoked {
        return Err(Reason::TokenRevoked);
    }
    Ok(identity)
}

impl DecisionRecord {
    fn set_caller(&mut self, context: DecisionContext<'_>, caller: &Caller) {
        let provider = context.policy.providers.get(caller.provider.0);
        self.provider = provider.map(|provider| Arc::clone(&provider.name));
        self.identity = Some(Arc::clone(&caller.identity));
        self.hint = caller.hint();
        let principal = caller.principal().ok();
        self.principal = principal.map(|principal| Arc::clone(&principal.name));
    }
}

/// What happens to a request whose token is not accepted. That is final, unless the provider may
/// have changed its keys since they were fetched.
///
/// A key may change under a `kid` that stays. But any client can write a known `kid` into a token
/// with a signature that is not good. Such a token waits for newer keys only while a fetch for it is
/// allowed, and is refused for its fault in all other cases.
pub(super) fn refused(
    context: DecisionContext<'_>,
    provider: ProviderId,
    (token, compact): (&UntrustedToken<'_>, &CompactToken<'_>),
    fault: TokenFault,
) -> Stop {
    let of_token = || KeyIdDigest::of_token(&TokenDigest::of(compact));
    let key_id = match (fault, token.key_id()) {
        (TokenFault::UnknownKeyId(_), Some(key_id)) => KeyIdDigest::of(key_id),
        // A token without a `kid` needs a new key only if no known key made its signature.
        (TokenFault::BadSignature | TokenFault::NoKeyFits, None) => of_token(),
        (TokenFault::BadSignature | TokenFault::NoKeyFits, Some(_)) => {
            return if context.facts.may_have_changed(provider, &of_token) {
                Need::Fact(Fact::ChangedKeySet(provider, of_token(), fault)).into()
            } else {
                Reason::Token(fault).into()
            };
        }
        _ => return Reason::Token(fault).into(),
    };
    match context.facts.newer_keys(provider, key_id) {
        NewerKeys::MayCome => Need::Fact(Fact::NewerKeySet(provider, key_id)).into(),
        NewerKeys::NotYet(wait) => Reason::KeysNotCurrent(wait).into(),
        NewerKeys::Unavailable(outage) => Reason::KeysUnavailable(outage).into(),
        NewerKeys::Unlikely => Reason::Token(fault).into(),
    }
}
