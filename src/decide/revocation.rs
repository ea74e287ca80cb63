//! Revocations that a provider pushes: what they end, and which tokens they may end.

use std::time::Duration;

use super::IdDigest;
use crate::formats::json::Value;
use crate::policy::Provider;
use crate::time::UnixSeconds;
use crate::token::{Ended, EndedBy, VerifiedToken};

/// The revocations that were pushed, as a decision sees them.
pub trait Revocations {
    /// Whether a token was revoked. Asked for each request with a token of a provider that pushes
    /// revocations, and for no other.
    fn is_revoked(&self, token: &Revocable) -> bool;
}

/// No provider pushed any.
#[derive(Clone, Copy, Debug)]
pub struct NoRevocations;

impl Revocations for NoRevocations {
    fn is_revoked(&self, _: &Revocable) -> bool {
        false
    }
}

/// A revocation that a provider pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Stands for the provider.
    pub provider: IdDigest,
    /// Stand for what the ended tokens have in common.
    pub ids: Vec<IdDigest>,
    /// When it happened, by the clock of the provider.
    pub at: UnixSeconds,
}

/// What may revoke a token. Digests, because tokens are many and remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocable {
    /// Stands for the provider.
    pub provider: IdDigest,
    /// What may be revoked, and whether that ends the token whenever it was issued.
    pub ids: Vec<(IdDigest, bool)>,
    /// When the token was issued; `None`: long ago, perhaps.
    pub issued: Option<UnixSeconds>,
    /// A token that was issued so much later than a revocation may be older: the parts of a provider have
    /// clocks of their own.
    pub clock_skew: Duration,
}

impl Revocation {
    pub(super) fn new(provider: &Provider, ends: &[Ended], at: UnixSeconds) -> Self {
        let mut ids = Vec::new();
        for end in ends {
            ids.push(id(provider, end.by, &end.value));
        }
        Self {
            provider: of_provider(provider),
            ids,
            at,
        }
    }
}

impl Revocable {
    /// `None`: the provider pushes no revocations.
    pub(super) fn of(provider: &Provider, token: &VerifiedToken) -> Option<Box<Self>> {
        if provider.pushes.is_empty() {
            return None;
        }
        let claims = token.claims();
        let claim = |name: &str| claims.get(name).and_then(Value::as_str);
        let (session, subject) = (claim("sid"), claim("sub"));
        let email = claim("email").map(str::to_ascii_lowercase);
        let mut ids = Vec::new();
        for (by, value) in [
            (EndedBy::Session, session),
            (EndedBy::TokenId, claim("jti")),
            (EndedBy::Subject, subject),
            (
                EndedBy::SubjectWithoutSession,
                subject.filter(|_| session.is_none()),
            ),
            (EndedBy::Email, email.as_deref()),
        ] {
            if let Some(value) = value {
                let at_any_time = matches!(by, EndedBy::Session | EndedBy::TokenId);
                ids.push((id(provider, by, value), at_any_time));
            }
        }
        Some(Box::new(Self {
            provider: of_provider(provider),
            ids,
            issued: token.issued(),
            clock_skew: provider.token.clock_skew,
        }))
    }

    /// Whether something that was revoked at this time ends the token.
    pub fn is_ended_by(&self, at: UnixSeconds) -> bool {
        let last = at.saturating_add(self.clock_skew);
        self.issued.is_none_or(|issued| issued <= last)
    }

    /// The bytes that this takes in memory.
    pub(super) fn weight(&self) -> usize {
        let ids = self.ids.len().saturating_mul(size_of::<(IdDigest, bool)>());
        size_of::<Self>().saturating_add(ids)
    }
}

/// A subject is one at its provider only.
fn of_provider(provider: &Provider) -> IdDigest {
    IdDigest::of(&[b"provider", provider.name.as_bytes()])
}

fn id(provider: &Provider, by: EndedBy, value: &str) -> IdDigest {
    let by: &[u8] = match by {
        EndedBy::Session => b"sid",
        EndedBy::Subject => b"sub",
        EndedBy::SubjectWithoutSession => b"sub without sid",
        EndedBy::TokenId => b"jti",
        EndedBy::Email => b"email",
    };
    IdDigest::of(&[b"revoked", provider.name.as_bytes(), by, value.as_bytes()])
}
