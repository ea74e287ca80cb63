//! Points in time.

use super::Syntax;
use crate::config::report::Message;
use crate::config::shape::Description;
use crate::webhook_signature::TimeFormat;

/// A point in time.
pub(in crate::config) struct Moment;

impl Syntax for Moment {
    const DESCRIPTION: Description = Description {
        name: "time",
        rules: "Date and time in UTC, as RFC 3339 has them.",
        pattern: Some(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z$"),
        example: "2026-11-29T14:30:00Z",
    };

    fn check(text: &str) -> Result<(), Message> {
        let hint = "write it in UTC, such as 2026-11-29T14:30:00Z";
        let moment = TimeFormat::Rfc3339.read(text);
        moment
            .map(|_| ())
            .ok_or_else(|| Message::new("is no time", hint))
    }
}
