//! API keys that n8n made.

use crate::secret::Secret;
use crate::time::UnixMillis;

/// A key of n8n.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LiveKey {
    /// n8n's identifier of it.
    pub(super) id: String,
    pub(super) secret: Secret,
    pub(super) made: UnixMillis,
    pub(super) expires: UnixMillis,
    /// n8n refused it.
    pub(super) is_refused: bool,
}

/// A superseded key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Retired {
    pub(super) id: String,
    /// When no worker uses it any more.
    pub(super) unused: UnixMillis,
}

impl LiveKey {
    /// Whether n8n accepts it, as far as is known.
    pub(super) fn is_good(&self, now: UnixMillis) -> bool {
        now < self.expires && !self.is_refused
    }

    /// When the next one is made: after four fifths of its life, and some keys up to a tenth earlier. Keys
    /// that were made together need not be renewed together.
    pub(super) fn renewal(&self) -> UnixMillis {
        renewal(self.made, self.expires, &self.id)
    }
}

/// After four fifths of a life, or up to a tenth earlier: `id` decides.
pub(super) fn renewal(made: UnixMillis, expires: UnixMillis, id: &str) -> UnixMillis {
    // In milliseconds: a lifetime is at most a week.
    let life = expires.0.saturating_sub(made.0);
    let spread = id.bytes().fold(0_u64, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(byte.into())
    });
    let percent = 80_u64.saturating_sub(spread.checked_rem(10).unwrap_or_default());
    let wait = life.saturating_mul(percent).div_ceil(100);
    UnixMillis(made.0.saturating_add(wait))
}
