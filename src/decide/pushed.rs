//! Events that a provider sends to the gate: log-out tokens and security events.
//!
//! Any client can send one, so that nothing of it is kept before its signature is good.

use std::borrow::Cow;
use std::sync::Arc;

use super::authenticate::refused;
use super::draft::{Draft, Stop};
use super::{DecisionContext, IdDigest, Need, Outcome, Request, Revocation, UseOnce};
use crate::facts::{Availability, Fact};
use crate::formats::form;
use crate::http::RequestHead;
use crate::n8n::Surface;
use crate::policy::{Policy, Provider, ProviderId, Push};
use crate::reply::{event_accepted, Reason};
use crate::token::{CompactToken, EventFault, EventKind, UntrustedToken, VerifiedEvent};

/// The longest body that is read. The longest token has a quarter of it.
const MAX_BODY: usize = 64 * 1024;

/// The endpoint at a path of n8n; `None`: there is none.
pub(super) fn endpoint<'p>(
    policy: &'p Policy,
    path: &[u8],
) -> Option<(ProviderId, &'p Provider, &'p Push)> {
    let mut providers = policy.providers.iter().enumerate();
    providers.find_map(|(index, provider)| {
        let mut pushes = provider.pushes.iter();
        let push = pushes.find(|push| push.path.as_bytes() == path)?;
        Some((ProviderId(index), provider, push))
    })
}

/// Decides about an event.
pub(super) fn decide(
    context: DecisionContext<'_>,
    (id, provider, push): (ProviderId, &Provider, &Push),
    request: Request<'_>,
    draft: &mut Draft,
) -> Result<Outcome, Stop> {
    let kind = push.rules.kind;
    draft.record.surface = Some(Surface::Gate);
    draft.record.operation = Some(match kind {
        EventKind::Logout => "logout",
        EventKind::Security => "security_event",
    });
    draft.record.provider = Some(Arc::clone(&provider.name));
    if request.head.method() != b"POST" {
        return Err(Reason::EventMethod.into());
    }
    check_media_type(kind, request.head)?;
    let body = request.body(MAX_BODY)?;
    let token = token_in(kind, body).ok_or(EventFault::Form)?;
    let untrusted = UntrustedToken::parse(&token).map_err(EventFault::from)?;
    draft.record.claimed = Some(untrusted.claimed());
    // The issuer chooses the keys: one of another provider must not end the sessions of this one.
    if context.policy.issuers.provider_of(&untrusted) != Some(id) {
        return Err(EventFault::Issuer.into());
    }
    let event = verify(context, (id, provider, push), &token, &untrusted)?;
    if kind == EventKind::Logout {
        draft.use_once = Some(Box::new(UseOnce {
            digest: IdDigest::of(&[b"logout", provider.name.as_bytes(), event.id.as_bytes()]),
            until: event.accepted_until,
            replayed: Reason::EventRefused(EventFault::Replayed),
            free_after_failure: false,
        }));
    }
    if !event.ends.is_empty() {
        let revocation = Revocation::new(provider, &event.ends, event.issued);
        draft.revocation = Some(Box::new(revocation));
    }
    Ok(Outcome::Respond(event_accepted(kind)))
}

fn verify(
    context: DecisionContext<'_>,
    (id, provider, push): (ProviderId, &Provider, &Push),
    token: &str,
    untrusted: &UntrustedToken<'_>,
) -> Result<VerifiedEvent, Stop> {
    let rules = (&provider.token, &push.rules);
    let keys = match context.facts.key_set(id) {
        Availability::Known(keys) => keys,
        missing => {
            VerifiedEvent::check_without_keys(untrusted, rules, context.now)?;
            return Err(match missing {
                Availability::Unavailable(outage) => Reason::KeysUnavailable(outage).into(),
                _ => Need::Fact(Fact::KeySet(id)).into(),
            });
        }
    };
    let verified = VerifiedEvent::verify(untrusted, rules, keys, context.crypto, context.now);
    verified.map_err(|fault| {
        let (EventFault::Token(fault), Some(compact)) = (fault, CompactToken::of(token.as_bytes()))
        else {
            return fault.into();
        };
        // The provider may have changed its keys.
        match refused(context, id, (untrusted, &compact), fault) {
            Stop::Reject(Reason::Token(fault)) => EventFault::Token(fault).into(),
            other => other,
        }
    })
}

fn check_media_type(kind: EventKind, request: &RequestHead) -> Result<(), EventFault> {
    let wanted = match kind {
        EventKind::Logout => "application/x-www-form-urlencoded",
        EventKind::Security => "application/secevent+jwt",
    };
    let sent = request.first("content-type").unwrap_or_default();
    let sent = sent.split(|byte| *byte == b';').next().unwrap_or_default();
    let is_wanted = sent.trim_ascii().eq_ignore_ascii_case(wanted.as_bytes());
    is_wanted.then_some(()).ok_or(EventFault::Form)
}

/// The token of a body. Of two log-out tokens neither counts.
fn token_in(kind: EventKind, body: &[u8]) -> Option<Cow<'_, str>> {
    if kind == EventKind::Security {
        return std::str::from_utf8(body.trim_ascii()).ok().map(Cow::from);
    }
    let fields = form::fields(body).into_iter();
    let mut tokens = fields.filter(|(name, _)| name == b"logout_token");
    let (_, token) = tokens.next()?;
    let is_alone = tokens.next().is_none();
    String::from_utf8(token)
        .ok()
        .filter(|_| is_alone)
        .map(Cow::from)
}

impl From<EventFault> for Stop {
    fn from(fault: EventFault) -> Self {
        Self::Reject(Reason::EventRefused(fault))
    }
}
