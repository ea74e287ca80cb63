//! The time at which a sender signed.

use crate::time::UnixSeconds;

/// How a sender writes the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeFormat {
    /// Seconds since 1970.
    Seconds,
    /// Milliseconds since 1970.
    Milliseconds,
    /// RFC 3339 in UTC: `2026-11-29T14:30:00Z`.
    Rfc3339,
}

impl TimeFormat {
    /// Reads a time. Strictly: a blank, a sign or a zero before a number would be signed as well, and
    /// other programs may read another time in it.
    pub fn read(self, text: &str) -> Option<UnixSeconds> {
        match self {
            Self::Seconds => number(text, 11).map(UnixSeconds),
            Self::Milliseconds => number(text, 14).map(|millis| UnixSeconds(millis / 1000)),
            Self::Rfc3339 => rfc3339(text),
        }
    }
}

fn number(digits: &str, longest: usize) -> Option<u64> {
    let is_plain = !digits.is_empty()
        && digits.len() <= longest
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'));
    is_plain.then(|| digits.parse().ok())?
}

fn rfc3339(text: &str) -> Option<UnixSeconds> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let is_fraction = !fraction.is_empty()
        && fraction.len() <= 9
        && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let [year, month, day] = fields(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = fields(time, ':', [2, 2, 2])?;
    let is_date = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day);
    // A leap second is the second after it (RFC 3339 §5.7).
    let is_time = hour < 24 && minute < 60 && second <= 60;
    if !is_fraction || !is_date || !is_time {
        return None;
    }
    let years: u64 = (1970..year)
        .map(|year| if is_leap(year) { 366 } else { 365 })
        .sum();
    let months: u64 = (1..month).map(|month| days_in(year, month)).sum();
    let days = years
        .checked_add(months)?
        .checked_add(day)?
        .checked_sub(1)?;
    let hours = days.checked_mul(24)?.checked_add(hour)?;
    let minutes = hours.checked_mul(60)?.checked_add(minute)?;
    Some(UnixSeconds(minutes.checked_mul(60)?.checked_add(second)?))
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

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn days_in(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_the_sender_writes_it() {
        for (format, text, seconds) in [
            (TimeFormat::Seconds, "0", 0),
            (TimeFormat::Seconds, "1531420618", 1_531_420_618),
            (TimeFormat::Seconds, "99999999999", 99_999_999_999),
            (TimeFormat::Milliseconds, "1626125972272", 1_626_125_972),
            (TimeFormat::Milliseconds, "999", 0),
            (TimeFormat::Rfc3339, "1970-01-01T00:00:00Z", 0),
            (TimeFormat::Rfc3339, "2000-02-29T23:59:59Z", 951_868_799),
            (
                TimeFormat::Rfc3339,
                "2026-11-29T14:30:00.123Z",
                1_795_962_600,
            ),
        ] {
            assert_eq!(format.read(text), Some(UnixSeconds(seconds)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_no_time() {
        for text in [
            "",
            " 1",
            "1 ",
            "+1",
            "-1",
            "01",
            "1.0",
            "1e9",
            "0x1",
            "\u{661}",
            "999999999999",
            "1,2",
        ] {
            assert_eq!(TimeFormat::Seconds.read(text), None, "{text}");
        }
        assert_eq!(TimeFormat::Milliseconds.read("999999999999999"), None);
        for text in [
            "",
            "2026-11-29",
            "2026-11-29T14:30:00",
            "2026-11-29T14:30:00+01:00",
            "2026-11-29t14:30:00z",
            "2026-11-29 14:30:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2026-11-31T00:00:00Z",
            "2026-11-29T24:00:00Z",
            "2026-11-29T14:60:00Z",
            "2026-11-29T14:30:61Z",
            "2026-11-29T14:30:00.Z",
            "2026-11-29T14:30:00.1234567890Z",
            "1969-12-31T23:59:59Z",
            "26-11-29T14:30:00Z",
            "2026-11-29T14:30Z",
            "2026-11-29T14:30:00:00Z",
        ] {
            assert_eq!(TimeFormat::Rfc3339.read(text), None, "{text}");
        }
    }
}
