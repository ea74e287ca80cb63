//! When a token may be used.

use std::time::Duration;

use super::numeric_date::numeric_date;
use super::TokenFault;
use crate::formats::json::Object;
use crate::time::UnixSeconds;

/// When a token may be used.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) expires: UnixSeconds,
    not_before: Option<UnixSeconds>,
    pub(super) issued: Option<UnixSeconds>,
}

impl Times {
    /// Reads `exp`, `nbf` and `iat` (RFC 7519 §4.1.4 to §4.1.6).
    pub(super) fn read(claims: Object<'_>) -> Result<Self, TokenFault> {
        Ok(Self {
            expires: numeric_date(claims, "exp")?.ok_or(TokenFault::ExpiryMissing)?,
            not_before: numeric_date(claims, "nbf")?,
            issued: numeric_date(claims, "iat")?,
        })
    }

    /// Reads those of an introspection response that counts until then. Without `exp`, that is the
    /// end: fractions of seconds are cut off, and the provider's clock may be ahead.
    pub(super) fn of_response(claims: Object<'_>, until: UnixSeconds) -> Result<Self, TokenFault> {
        let issued = numeric_date(claims, "iat")?;
        let last = until.saturating_add(Duration::from_secs(1));
        Ok(Self {
            expires: numeric_date(claims, "exp")?
                .unwrap_or_else(|| issued.map_or(last, |issued| last.max(issued))),
            not_before: numeric_date(claims, "nbf")?,
            issued,
        })
    }

    pub(super) fn check(&self, clock_skew: Duration, now: UnixSeconds) -> Result<(), TokenFault> {
        let latest_now = now.saturating_add(clock_skew);
        if now >= self.expires.saturating_add(clock_skew) {
            return Err(TokenFault::Expired);
        }
        if self.not_before.is_some_and(|moment| moment > latest_now) {
            return Err(TokenFault::NotYetValid);
        }
        if self.issued.is_some_and(|moment| moment > latest_now) {
            return Err(TokenFault::IssuedInTheFuture);
        }
        if self.issued.is_some_and(|moment| moment > self.expires) {
            return Err(TokenFault::IssuedAfterExpiry);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
