//! Points in time as RFC 3339 has them, in UTC: `2026-03-04T05:06:07.089Z`.
//!
//! These lines are not from a library, because none may panic here: `humantime` takes a `SystemTime`,
//! to which not each moment can be added, and fails for a year after 9999, where `to_string` panics.

use super::{UnixMillis, UnixSeconds};

/// The last moment that RFC 3339 can say: the end of the year 9999.
const LAST: UnixMillis = UnixMillis(253_402_300_799_999);

/// Days between 0000-03-01 and 1970-01-01.
const BEFORE_1970: u64 = 719_468;

/// Days in 1, 4, 100 and 400 years that begin in March, so that a leap day is the last of them.
const YEAR: u64 = 365;
const YEARS_4: u64 = 4 * YEAR + 1;
const YEARS_100: u64 = 25 * YEARS_4 - 1;
const YEARS_400: u64 = 4 * YEARS_100 + 1;

/// The months of such a year, the last one first, each with its first day.
const MONTHS: [(u64, u64); 12] = [
    (2, 337),
    (1, 306),
    (12, 275),
    (11, 245),
    (10, 214),
    (9, 184),
    (8, 153),
    (7, 122),
    (6, 92),
    (5, 61),
    (4, 31),
    (3, 0),
];

/// With milliseconds: `2026-03-04T05:06:07.089Z`. A later moment than [`LAST`] is written as that.
// `format!` has much code of its own, which would run for each record.
pub fn write(moment: UnixMillis) -> String {
    let millis = moment.min(LAST).0;
    let seconds = millis / 1000;
    let (year, month, day) = civil(seconds / 86_400);
    let parts = [
        (year / 100, ""),
        (year, "-"),
        (month, "-"),
        (day, "T"),
        (seconds / 3600 % 24, ":"),
        (seconds / 60 % 60, ":"),
        (seconds % 60, "."),
    ];
    let mut text = String::with_capacity(24);
    for (number, end) in parts {
        text.extend([digit(number / 10), digit(number)]);
        text.push_str(end);
    }
    text.extend([digit(millis / 100), digit(millis / 10), digit(millis), 'Z']);
    text
}

/// Reads a moment of the years 1970 to 9999 strictly, and without its fraction: in what is refused, other programs
/// may read another time.
pub fn read(text: &str) -> Option<UnixSeconds> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let is_fraction = !fraction.is_empty()
        && fraction.len() <= 9
        && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let [year, month, day] = fields(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = fields(time, ':', [2, 2, 2])?;
    // A leap second is the second after it (RFC 3339 §5.7).
    let is_time = hour < 24 && minute < 60 && second <= 60;
    if !is_fraction || !is_time {
        return None;
    }
    let days = days(year, month, day)?;
    let hours = days.checked_mul(24)?.checked_add(hour)?;
    let minutes = hours.checked_mul(60)?.checked_add(minute)?;
    Some(UnixSeconds(minutes.checked_mul(60)?.checked_add(second)?))
}

/// The last digit of a number.
fn digit(number: u64) -> char {
    let digit = u8::try_from(number % 10).unwrap_or_default();
    char::from(b'0'.saturating_add(digit))
}

/// Three numbers with exactly so many digits.
fn fields(text: &str, separator: char, lengths: [usize; 3]) -> Option<[u64; 3]> {
    let mut values = [0; 3];
    let mut parts = text.split(separator);
    for (value, length) in values.iter_mut().zip(lengths) {
        let part = parts.next()?;
        let is_plain = part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
        *value = is_plain.then(|| part.parse().ok())??;
    }
    parts.next().is_none().then_some(values)
}

/// Year, month and day of a number of days since 1970-01-01.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days.saturating_add(BEFORE_1970);
    let (eras, days) = (days / YEARS_400, days % YEARS_400);
    // The last century of an era, and the last year of four, are longer by a leap day.
    let centuries = (days / YEARS_100).min(3);
    let days = days.saturating_sub(centuries.saturating_mul(YEARS_100));
    let (fours, days) = (days / YEARS_4, days % YEARS_4);
    let years = (days / YEAR).min(3);
    let day = days.saturating_sub(years.saturating_mul(YEAR));
    let month = MONTHS.iter().find(|(_, first)| *first <= day);
    let (month, first) = month.copied().unwrap_or_default();
    let year = [
        eras.saturating_mul(400),
        centuries.saturating_mul(100),
        fours.saturating_mul(4),
        years,
        // January and February are in the year after that of their March.
        u64::from(month < 3),
    ];
    let day = day.saturating_sub(first).saturating_add(1);
    (year.into_iter().sum(), month, day)
}

/// The number of days from 1970-01-01 to a date; `None`: there is no such date, or it is earlier.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let (_, first) = MONTHS.iter().find(|(number, _)| *number == month)?;
    let years = year.checked_sub(u64::from(month < 3))?;
    let leap_days = (years / 4)
        .checked_sub(years / 100)?
        .checked_add(years / 400)?;
    let days = years.checked_mul(YEAR)?.checked_add(leap_days)?;
    let days = days.checked_add(*first)?.checked_add(day)?;
    let days = days.checked_sub(1)?.checked_sub(BEFORE_1970)?;
    // A day that its month does not have is one of another month.
    (civil(days) == (year, month, day)).then_some(days)
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
            assert_eq!(write(UnixMillis(millis)), text);
        }
    }

    /// A calendar that counts day by day says the same, over more than one cycle of 400 years.
    #[test]
    fn each_day_follows_the_one_before() {
        let (mut year, mut month, mut day) = (1970, 1, 1);
        for days in 0..200_000 {
            assert_eq!(civil(days), (year, month, day));
            let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let last = match month {
                2 => 28 + u64::from(is_leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            (year, month, day) = match (month, day) {
                (12, 31) => (year + 1, 1, 1),
                (_, day) if day == last => (year, month + 1, 1),
                _ => (year, month, day + 1),
            };
        }
    }

    #[test]
    fn a_moment_after_the_last_year_is_written_as_its_end() {
        for millis in [LAST.0, LAST.0 + 1, u64::MAX] {
            assert_eq!(write(UnixMillis(millis)), "9999-12-31T23:59:59.999Z");
        }
    }

    /// Only the dates that the calendar has are dates.
    #[test]
    fn each_date_is_read_as_it_is_written() {
        for number in 0..200_000 {
            let (year, month, day) = civil(number);
            assert_eq!(days(year, month, day), Some(number));
        }
        for year in [1970, 1999, 2000, 2024, 2026, 2100, 9999] {
            let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            for month in 0..100 {
                let last = match month {
                    2 => 28 + u64::from(is_leap),
                    4 | 6 | 9 | 11 => 30,
                    1..=12 => 31,
                    _ => 0,
                };
                for day in 0..100 {
                    let is_date = (1..=last).contains(&day);
                    let found = days(year, month, day);
                    assert_eq!(found.is_some(), is_date, "{year}-{month}-{day}");
                }
            }
        }
        assert_eq!(days(1969, 12, 31), None);
        assert_eq!(days(0, 1, 1), None);
    }
}
