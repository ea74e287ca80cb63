//! The time at which a sender signed.

use crate::time::{rfc3339, UnixSeconds};

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
            Self::Rfc3339 => rfc3339::read(text),
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
