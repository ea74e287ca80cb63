//! How long to wait after a failure.

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
/// The longest pause.
pub(super) const LONGEST: Duration = Duration::from_secs(60);

/// The pause after `failures` in a row: it doubles from a second to a minute, and up to a quarter
/// is taken off by `seed`, so that the gates of a fleet do not all knock at once.
pub(super) fn pause(failures: u32, seed: u64) -> Duration {
    let doubled = FIRST.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)));
    let whole = doubled.min(LONGEST);
    let percent = u32::try_from(seed % 26).unwrap_or(0);
    whole.saturating_sub(
        whole
            .saturating_mul(percent)
            .checked_div(100)
            .unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_up_to_a_minute() {
        let seconds: Vec<u64> = (1..=8)
            .map(|failures| pause(failures, 0).as_secs())
            .collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(pause(u32::MAX, 0), LONGEST);
    }

    #[test]
    fn no_more_than_a_quarter_is_taken_off() {
        for seed in 0..1000 {
            assert!(pause(7, seed) >= Duration::from_secs(45));
            assert!(pause(7, seed) <= LONGEST);
        }
    }
}
