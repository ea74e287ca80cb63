//! Points in time and lengths of time, always handed in, never read from a clock.

pub mod rfc3339;

use std::time::Duration;

/// Seconds since 1970-01-01T00:00:00Z, the `NumericDate` of RFC 7519 §2 without its fraction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixSeconds(pub u64);

impl UnixSeconds {
    /// This moment moved later, stopping at the end of time instead of wrapping.
    #[must_use]
    pub const fn saturating_add(self, length: Duration) -> Self {
        Self(self.0.saturating_add(length.as_secs()))
    }

    /// This moment moved earlier, stopping at 1970 instead of wrapping.
    #[must_use]
    pub const fn saturating_sub(self, length: Duration) -> Self {
        Self(self.0.saturating_sub(length.as_secs()))
    }
}

/// Milliseconds since 1970-01-01T00:00:00Z: the host's clock as the fact store sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(pub u64);

impl UnixMillis {
    /// The same moment in whole seconds, rounded down.
    #[must_use]
    pub const fn to_seconds(self) -> UnixSeconds {
        UnixSeconds(self.0 / 1000)
    }

    /// This moment moved later, stopping at the end of time instead of wrapping.
    #[must_use]
    pub fn saturating_add(self, length: Duration) -> Self {
        let millis = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(millis))
    }

    /// How long after `earlier` this is; zero when the clock went backwards.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}
