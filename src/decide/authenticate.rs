//! From a bearer token to a verified identity.

use std::rc::Rc;

use super::{Findings, Grounds, Stop};
use crate::facts::{Availability, Fact, NewerKeys};
use crate::identity::Identity;
use crate::policy::ProviderId;
use crate::reply::Reason;
use crate::token::{CompactToken, TokenFault, UntrustedToken, VerifiedToken};

/// A caller whose token was verified.
pub(super) struct Caller {
    pub(super) token: VerifiedToken,
    pub(super) identity: Rc<Identity>,
}

/// Verifies a token and reads who the caller is. What a token that was not accepted says of itself
/// is put together only then: most tokens are good.
pub(super) fn authenticate(
    grounds: Grounds<'_>,
    token: &CompactToken,
    findings: &mut Findings,
) -> Result<Caller, Stop> {
    let untrusted = UntrustedToken::parse(token.expose()).map_err(Reason::Token)?;
    let caller = verify(grounds, &untrusted, findings);
    if findings.identity.is_none() {
        findings.claimed = Some(untrusted.claimed());
    }
    caller
}

/// Verifies a token with the keys and rules of the one provider that its issuer belongs to, and
/// reads who the caller is. The issuer is only believed once the signature holds.
fn verify(
    grounds: Grounds<'_>,
    untrusted: &UntrustedToken<'_>,
    findings: &mut Findings,
) -> Result<Caller, Stop> {
    let policy = grounds.policy;
    let (id, provider) = policy
        .issuers
        .get(untrusted.claimed_issuer())
        .and_then(|id| Some((*id, policy.providers.get(id.0)?)))
        .ok_or(Reason::UnknownIssuer)?;
    findings.provider = Some(provider.name.clone());
    let keys = match grounds.facts.key_set(id) {
        Availability::Known(keys) => keys,
        Availability::Pending => return Err(Stop::Await(Fact::KeySet(id))),
        Availability::Unavailable { retry_after } => {
            return Err(Reason::KeysUnavailable { retry_after }.into());
        }
    };
    let verified = VerifiedToken::verify(
        untrusted,
        &provider.token,
        keys,
        grounds.crypto,
        grounds.now,
    );
    let token = verified.map_err(|fault| refused(grounds, id, untrusted, fault))?;
    findings.crypto_path = Some(token.crypto_path());
    let identity = Rc::new(Identity::of(&token, provider).map_err(Reason::Identity)?);
    findings.identity = Some(Rc::clone(&identity));
    let allowed = provider.clients.as_ref().is_none_or(|clients| {
        identity
            .client
            .as_ref()
            .is_some_and(|client| clients.contains(client))
    });
    if !allowed {
        return Err(Reason::ClientNotAllowed.into());
    }
    Ok(Caller { token, identity })
}

/// What becomes of a request whose token is not accepted: that is final, unless the provider may
/// have changed its keys since they were fetched.
fn refused(
    grounds: Grounds<'_>,
    provider: ProviderId,
    token: &UntrustedToken<'_>,
    fault: TokenFault,
) -> Stop {
    // A token without a `kid` asks for a new key only by a signature that no known key made.
    let names_no_known_key = match fault {
        TokenFault::UnknownKeyId => true,
        TokenFault::BadSignature | TokenFault::NoKeyFits => token.key_id().is_none(),
        _ => false,
    };
    match grounds.facts.newer_keys(provider) {
        NewerKeys::MayCome if names_no_known_key => Stop::Await(Fact::NewerKeySet(provider)),
        NewerKeys::Unavailable { retry_after } if names_no_known_key => {
            Reason::KeysUnavailable { retry_after }.into()
        }
        _ => Reason::Token(fault).into(),
    }
}
