//! When to call next: after a failure, and after a success.

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
/// The longest pause for which no provider asked.
const LONGEST: Duration = Duration::from_secs(60);
/// The longest pause that a provider may ask for: the gate does not stay without a fact for longer.
pub(in crate::facts) const LONGEST_ASKED_FOR: Duration = Duration::from_secs(300);

/// The pause after `failures` in a row. It doubles from a second to a minute, and `seed` subtracts up
/// to a quarter, so that the gates of a fleet do not all call at once. `asked_for` by the provider
/// makes it longer, never shorter.
pub(super) fn pause(failures: u32, asked_for: Option<Duration>, seed: u64) -> Duration {
    let doubled = FIRST.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)));
    let own = less(doubled.min(LONGEST), 25, seed);
    let asked_for = asked_for.unwrap_or_default().min(LONGEST_ASKED_FOR);
    own.max(asked_for)
}

/// An interval of `length`, from which `seed` subtracts up to a tenth, so that gates that were started
/// together do not call together.
pub(in crate::facts) fn rhythm(length: Duration, seed: u64) -> Duration {
    // The seed is a moment, of which only the low bits differ from gate to gate: spread them.
    less(length, 10, seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32)
}

/// `length` less 0 to `most` percent.
fn less(length: Duration, most: u32, seed: u64) -> Duration {
    let steps = u64::from(most).saturating_add(1);
    let percent = seed.checked_rem(steps).unwrap_or_default();
    let percent = u32::try_from(percent).unwrap_or_default();
    let off = length.saturating_mul(percent).checked_div(100);
    length.saturating_sub(off.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_pause_doubles_up_to_a_minute() {
        let seconds: Vec<u64> = (1..=8)
            .map(|failures| pause(failures, None, 0).as_secs())
            .collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(pause(u32::MAX, None, 0), LONGEST);
    }

    #[test]
    fn no_more_than_a_quarter_is_taken_off() {
        for seed in 0..1000 {
            assert!(pause(7, None, seed) >= Duration::from_secs(45));
            assert!(pause(7, None, seed) <= LONGEST);
        }
    }

    #[test]
    fn a_provider_can_ask_for_a_longer_pause_up_to_five_minutes_and_for_no_shorter_one() {
        let seconds = [0, 3, 4, 100, 301, u64::MAX].map(|asked_for| {
            let pause = pause(3, Some(Duration::from_secs(asked_for)), 0);
            pause.as_secs()
        });
        assert_eq!(seconds, [4, 4, 4, 100, 300, 300]);
    }

    #[test]
    fn a_rhythm_loses_up_to_a_tenth_and_gates_fall_out_of_step() {
        let length = Duration::from_secs(1000);
        let seconds: BTreeSet<u64> = (0..1000)
            .map(|moment| rhythm(length, 1_800_000_000_000 + moment).as_secs())
            .collect();
        assert_eq!(seconds.len(), 11);
        assert_eq!((seconds.first(), seconds.last()), (Some(&900), Some(&1000)));
    }
}
