//! What a scalar means to the programs that read YAML for the filter.
//!
//! Envoy reads its files with yaml-cpp and then has rules of its own: the words of YAML 1.1 are
//! booleans, numbers have the prefixes of C, what does not fit in 32 bits becomes text, and so does
//! every fraction. Kubernetes reads manifests with go-yaml by the rules of YAML 1.1. Where both see
//! the same, so does this; for the rest there is a [`Form`].

use std::fmt;

use serde_json::Value;

use super::reader::Reader;

/// A scalar, or the name of a member, that is not safe to read in a configuration: readers see
/// different things in it, or other ones than the file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `0x1f`, `017`, `+7`, `-0`: a whole number that is not in plain digits.
    Disguised,
    /// `2147483648`: text for Envoy, a number for Kubernetes.
    Beyond32Bits,
    /// `7.0`, `1e3`, `0o17`, `1_000`, `.inf`: text for Envoy, a number for Kubernetes.
    OtherNumber,
    /// A whole number that a double does not hold exactly.
    Inexact,
    /// A block of text (`|`, `>`) whose end readers see differently: one that keeps empty lines at its
    /// end, or one at the end of a file without a line break.
    Block,
    /// `!!str 7`: Envoy ignores tags, and Kubernetes does not.
    Tag,
    /// `<<`: Kubernetes merges, and Envoy has a member of that name.
    Merge,
    /// `yes:`, `0x1f:`: Envoy takes the text for the name, and Kubernetes what it means.
    Name,
}

impl fmt::Display for Form {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Disguised => {
                "a number with a prefix, a plus or a zero before it, which Envoy reads as another \
                 number than it looks like. Hint: write plain digits, or put it in quotes"
            }
            Self::Beyond32Bits => {
                "a whole number beyond 32 bits without quotes: Envoy reads text, Kubernetes a \
                 number. Hint: put it in quotes"
            }
            Self::OtherNumber => {
                "a number without quotes that is not in plain digits: Envoy reads text, \
                 Kubernetes a number. Hint: put it in quotes, or write plain digits"
            }
            Self::Inexact => {
                "a whole number that is too large to stay exact. Hint: put it in quotes"
            }
            Self::Block => {
                "a block of text at whose end readers see other line breaks. Hint: end the file \
                 with a line break, and remove >+"
            }
            Self::Tag => {
                "a tag: Envoy ignores it, and Kubernetes does not. Hint: remove it; quotes \
                 make a text of a number"
            }
            Self::Merge => {
                "a merge (<<), which Envoy does not do. Hint: write out what is to be there"
            }
            Self::Name => {
                "a name that looks like a number or a boolean: Envoy takes it as written, \
                 Kubernetes does not. Hint: put it in quotes"
            }
        })
    }
}

/// Whole numbers beyond this are not exact as doubles, which is what JSON becomes on the way.
const LARGEST_EXACT: i128 = (1 << 53) - 1;

/// What a scalar without quotes means.
pub(super) fn plain(text: &str, reader: Reader) -> (Value, Option<Form>) {
    if is_null(text) {
        return (Value::Null, None);
    }
    if let Some(flag) = boolean(text) {
        return (Value::Bool(flag), None);
    }
    let plain = plain_digits(text);
    let is_number = is_number_to_kubernetes(text);
    if reader == Reader::Kubernetes {
        return match plain {
            Some(whole) if whole.abs() <= LARGEST_EXACT => (number(whole), None),
            Some(_) => (Value::String(text.to_owned()), Some(Form::Inexact)),
            None if is_number => (Value::String(text.to_owned()), Some(Form::OtherNumber)),
            None => (Value::String(text.to_owned()), None),
        };
    }
    let read = as_envoy(text);
    let form = match (plain, whole_to_envoy(text)) {
        (None, Some(_)) => Some(Form::Disguised),
        _ if reader == Reader::Envoy || !is_number || read.is_number() => None,
        (Some(_), _) => Some(Form::Beyond32Bits),
        (None, None) => Some(Form::OtherNumber),
    };
    (read, form)
}

/// What Envoy makes of a scalar that has a tag, with or without quotes: it ignores the tag, but
/// then sees no `null`.
pub(super) fn tagged(text: &str) -> Value {
    boolean(text).map_or_else(|| as_envoy(text), Value::Bool)
}

/// What is odd about the name of a member, which Envoy takes as written.
pub(super) fn name(text: &str, reader: Reader) -> Option<Form> {
    if text == "<<" {
        return Some(Form::Merge);
    }
    let other_flag = boolean(text).is_some() && !matches!(text, "true" | "false");
    let other_number = is_number_to_kubernetes(text)
        && plain_digits(text).is_none_or(|whole| i64::try_from(whole).is_err());
    (reader != Reader::Envoy && (other_flag || other_number)).then_some(Form::Name)
}

pub(super) fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// The words of YAML 1.1, in lower case, in upper case, or with a capital.
fn boolean(text: &str) -> Option<bool> {
    let lower = text.to_ascii_lowercase();
    let rest = text.get(1..)?;
    let is_flexible =
        text == lower || text == text.to_ascii_uppercase() || rest == rest.to_ascii_lowercase();
    match &*lower {
        _ if !is_flexible => None,
        "y" | "yes" | "true" | "on" => Some(true),
        "n" | "no" | "false" | "off" => Some(false),
        _ => None,
    }
}

fn as_envoy(text: &str) -> Value {
    match whole_to_envoy(text) {
        Some(whole) if i32::try_from(whole).is_ok() => Value::from(whole),
        Some(whole) => Value::String(whole.to_string()),
        None => Value::String(text.to_owned()),
    }
}

/// What `strtoll` reads in any base, if that is the whole text.
fn whole_to_envoy(text: &str) -> Option<i64> {
    let (sign, unsigned) = signed(text);
    let (radix, digits) = match unsigned.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, unsigned.get(2..)?),
        [b'0', _, ..] => (8, unsigned),
        _ => (10, unsigned),
    };
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    i64::from_str_radix(&format!("{sign}{digits}"), radix).ok()
}

/// Digits without sign, zeros before them or separators, except a minus.
fn plain_digits(text: &str) -> Option<i128> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'))
        && text != "-0";
    // What is longer is beyond every bound anyway.
    is_plain.then(|| text.parse().unwrap_or(i128::MAX))
}

/// Whether go-yaml sees a number: without underscores one of Go's literals, or a fraction.
fn is_number_to_kubernetes(text: &str) -> bool {
    let (_, after_sign) = signed(text);
    if matches!(after_sign, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    // Underscores are taken out of what begins with a digit or a sign.
    if !text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) {
        return false;
    }
    let text = text.replace('_', "");
    let (_, unsigned) = signed(&text);
    let is_in = |digits: &str, radix| {
        !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix))
    };
    let prefix = unsigned.get(..2).map(str::to_ascii_lowercase);
    let rest = unsigned.get(2..).unwrap_or_default();
    match prefix.as_deref() {
        Some("0x") => is_in(rest, 16),
        Some("0o") => is_in(rest, 8),
        Some("0b") => is_in(rest, 2),
        _ => is_decimal(unsigned),
    }
}

/// Digits with at most one point among them, and an exponent.
fn is_decimal(unsigned: &str) -> bool {
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    all_digits(whole)
        && all_digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|exponent| {
            let (_, digits) = signed(exponent);
            !digits.is_empty() && all_digits(digits)
        })
}

/// A sign, of which a plus says nothing, and what follows it.
fn signed(text: &str) -> (&str, &str) {
    match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    }
}

fn number(whole: i128) -> Value {
    i64::try_from(whole).map_or(Value::Null, Value::from)
}
