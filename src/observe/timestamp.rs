//! Points in time in the form of logs.
//!
//! These lines are not from a library, because none may panic here: `humantime` takes a `SystemTime`,
//! to which not each moment can be added, and fails for a year after 9999, where `to_string` panics.

use crate::time::UnixMillis;

/// RFC 3339, in UTC, with milliseconds: `2026-03-04T05:06:07.089Z`.
pub fn rfc3339(moment: UnixMillis) -> String {
    let seconds = moment.0 / 1000;
    let (year, month, day) = civil(seconds / 86_400);
    let of_day = seconds % 86_400;
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
        of_day / 3600,
        of_day / 60 % 60,
        of_day % 60,
        moment.0 % 1000
    )
}

/// Year, month and day of a number of days since 1970-01-01.
fn civil(days: u64) -> (u64, u64, u64) {
    let mut left = days;
    let mut year = 1970_u64;
    // Cycles of 400 years have 146097 days, so that the loop below is short.
    year = year.saturating_add((left / 146_097).saturating_mul(400));
    left %= 146_097;
    loop {
        let length = if is_leap(year) { 366 } else { 365 };
        if left < length {
            break;
        }
        left = left.saturating_sub(length);
        year = year.saturating_add(1);
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 1_u64;
    for length in months {
        if left < length {
            break;
        }
        left = left.saturating_sub(length);
        month = month.saturating_add(1);
    }
    (year, month, left.saturating_add(1))
}

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_in_utc() {
        let cases = [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_772_600_767_089, "2026-03-04T05:06:07.089Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (13_569_465_600_000, "2400-01-01T00:00:00.000Z"),
        ];
        for (millis, text) in cases {
            assert_eq!(rfc3339(UnixMillis(millis)), text);
        }
    }

    #[test]
    fn the_end_of_time_is_written_too() {
        assert!(rfc3339(UnixMillis(u64::MAX)).ends_with('Z'));
    }
}
