//! Durations: `500ms`, `30s`, `5m`, `1h30m`.

use std::fmt::Write as _;
use std::marker::PhantomData;
use std::time::Duration;

use serde_json::Value;

use super::field_path::FieldPath;
use super::read::{wrong_kind, Read};
use super::shape::Shape;

/// The default of a duration, and its bounds.
pub(super) trait Limits {
    const DEFAULT: Duration;
    const MIN: Duration;
    const MAX: Duration;
}

/// A duration within the bounds of `L`.
pub(super) struct Span<L>(pub(super) Duration, PhantomData<L>);

impl<L: Limits> Default for Span<L> {
    fn default() -> Self {
        Self(L::DEFAULT, PhantomData)
    }
}

impl<L: Limits> Read for Span<L> {
    fn shape() -> Shape {
        Shape::Duration {
            min: L::MIN,
            max: L::MAX,
        }
    }

    fn read(value: &Value, path: &FieldPath) -> Option<Self> {
        within(value, path, L::MIN, L::MAX).map(|length| Self(length, PhantomData))
    }

    fn written(&self) -> Option<Value> {
        Some(Value::String(format_duration(self.0)))
    }
}

fn within(value: &Value, path: &FieldPath, least: Duration, most: Duration) -> Option<Duration> {
    let length = duration(value, path)?;
    if (least..=most).contains(&length) {
        return Some(length);
    }
    let (least, most) = (format_duration(least), format_duration(most));
    path.error(
        format!(
            "{} is not within {least} to {most}",
            format_duration(length)
        ),
        format!("write a duration from {least} to {most}"),
    );
    None
}

fn duration(value: &Value, path: &FieldPath) -> Option<Duration> {
    match value {
        Value::String(text) => {
            let parsed = parse(text);
            if parsed.is_none() {
                path.error("is no duration", "write 500ms, 30s, 5m, 1h or 1h30m");
            }
            parsed
        }
        Value::Number(_) => {
            path.error(
                "is a number without a unit",
                "write 500ms, 30s, 5m, 1h or 1h30m",
            );
            None
        }
        _ => {
            wrong_kind(
                value,
                path,
                "a duration",
                "write 500ms, 30s, 5m, 1h or 1h30m",
            );
            None
        }
    }
}

/// The units, the largest first, each with its milliseconds.
pub(super) const UNITS: [(&str, u64); 4] =
    [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// What [`parse`] reads, as a regular expression.
pub(super) const PATTERN: &str = "^([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$";

/// Whole numbers with units, the largest unit first, each unit once.
fn parse(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut millis: u64 = 0;
    while !rest.is_empty() {
        let (number, after) = rest.split_at_checked(rest.find(|c: char| !c.is_ascii_digit())?)?;
        let end = after.find(|c: char| c.is_ascii_digit());
        let (unit, after) = after.split_at_checked(end.unwrap_or(after.len()))?;
        let (_, length) = units.find(|(name, _)| *name == unit)?;
        millis = millis.checked_add(number.parse::<u64>().ok()?.checked_mul(*length)?)?;
        rest = after;
    }
    (!text.is_empty()).then(|| Duration::from_millis(millis))
}

/// The shortest form of a duration.
pub(super) fn format_duration(length: Duration) -> String {
    let mut rest = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, millis) in UNITS {
        let count = rest.checked_div(millis).unwrap_or_default();
        rest = rest.checked_rem(millis).unwrap_or_default();
        if count > 0 {
            let _ = write!(text, "{count}{unit}");
        }
    }
    if text.is_empty() {
        return "0s".to_owned();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written() {
        for (text, millis) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("1h1m1s1ms", 3_661_001),
        ] {
            assert_eq!(parse(text), Some(Duration::from_millis(millis)), "{text}");
            assert_eq!(format_duration(Duration::from_millis(millis)), text);
        }
        assert_eq!(parse("0s"), Some(Duration::ZERO));
        assert_eq!(format_duration(Duration::ZERO), "0s");
    }

    #[test]
    fn anything_else_is_no_duration() {
        for text in [
            "",
            "30",
            "s",
            "-1s",
            "1.5h",
            "1 h",
            "30S",
            "1d",
            "30m1h",
            "1s1s",
            "1ms1s",
            "1s ",
            "99999999999999999999s",
            "18446744073709551615h",
            "١s",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
