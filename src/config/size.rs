//! Sizes: `64KiB`, `1MiB`.

use std::marker::PhantomData;

use serde_json::Value;

use super::field_path::FieldPath;
use super::read::{wrong_kind, Read};
use super::shape::Shape;

/// The default of a size, and its bounds, in bytes.
pub(super) trait SizeLimits {
    const DEFAULT: usize;
    const MIN: usize;
    const MAX: usize;
}

/// A number of bytes within the bounds of `L`.
pub(super) struct Size<L>(pub(super) usize, PhantomData<L>);

impl<L: SizeLimits> Default for Size<L> {
    fn default() -> Self {
        Self(L::DEFAULT, PhantomData)
    }
}

impl<L: SizeLimits> Read for Size<L> {
    fn shape() -> Shape {
        Shape::Size {
            min: L::MIN,
            max: L::MAX,
        }
    }

    fn read(value: &Value, path: &FieldPath) -> Option<Self> {
        within(value, path, L::MIN, L::MAX).map(|bytes| Self(bytes, PhantomData))
    }

    fn written(&self) -> Option<Value> {
        Some(Value::String(format_size(self.0)))
    }
}

const HINT: &str = "write 512B, 64KiB or 1MiB";

fn within(value: &Value, path: &FieldPath, least: usize, most: usize) -> Option<usize> {
    let bytes = match value {
        Value::String(text) => {
            let parsed = parse(text);
            if parsed.is_none() {
                path.error("is no size", HINT);
            }
            parsed?
        }
        Value::Number(_) => {
            path.error("is a number without a unit", HINT);
            return None;
        }
        _ => {
            wrong_kind(value, path, "a size", HINT);
            return None;
        }
    };
    if (least..=most).contains(&bytes) {
        return Some(bytes);
    }
    let (least, most) = (format_size(least), format_size(most));
    let problem = format!("{} is not within {least} to {most}", format_size(bytes));
    path.error(problem, format!("write a size from {least} to {most}"));
    None
}

/// The units, the largest first, each with its bytes.
pub(super) const SIZE_UNITS: [(&str, usize); 3] = [("MiB", 1024 * 1024), ("KiB", 1024), ("B", 1)];

/// What [`parse`] reads, as a regular expression.
pub(super) const SIZE_PATTERN: &str = "^[0-9]+(MiB|KiB|B)$";

/// A whole number with one unit.
fn parse(text: &str) -> Option<usize> {
    let (number, unit) = text.split_at_checked(text.find(|c: char| !c.is_ascii_digit())?)?;
    let (_, bytes) = SIZE_UNITS.iter().find(|(name, _)| *name == unit)?;
    number.parse::<usize>().ok()?.checked_mul(*bytes)
}

/// The shortest form of a size.
pub(super) fn format_size(bytes: usize) -> String {
    let whole = |(_, unit): &&(&str, usize)| bytes > 0 && bytes.is_multiple_of(*unit);
    let (name, unit) = SIZE_UNITS.iter().find(whole).unwrap_or(&("B", 1));
    let count = bytes.checked_div(*unit).unwrap_or_default();
    format!("{count}{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_written() {
        for (text, bytes) in [
            ("0B", 0),
            ("1B", 1),
            ("1025B", 1025),
            ("64KiB", 65_536),
            ("1MiB", 1_048_576),
            ("3MiB", 3_145_728),
        ] {
            assert_eq!(parse(text), Some(bytes), "{text}");
            assert_eq!(format_size(bytes), text);
        }
        assert_eq!(parse("1024KiB"), Some(1_048_576));
    }

    #[test]
    fn anything_else_is_no_size() {
        for text in [
            "",
            "1",
            "MiB",
            "1MB",
            "1mib",
            "1 MiB",
            "-1B",
            "1.5MiB",
            "1MiB1KiB",
            "1GiB",
            "99999999999999999999B",
            "18446744073709551615MiB",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
