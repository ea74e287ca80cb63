//! Versions of n8n.

use super::Syntax;
use crate::config::report::Message;
use crate::config::shape::Description;
use crate::n8n::Line;

/// A version of n8n whose operations are known.
pub(in crate::config) struct N8nVersion;

impl Syntax for N8nVersion {
    const DESCRIPTION: Description = Description {
        name: "n8n version",
        rules:
            "`2.41` or `1.123`, or a version with one more number, such as `2.41.1`. In quotes: \
                without, YAML reads the first two as one number.",
        pattern: Some(r"^(2\.41|1\.123)(\.[0-9]+)?$"),
        example: "2.41.1",
    };

    fn check(text: &str) -> Result<(), Message> {
        if Line::of_version(text).is_some() {
            return Ok(());
        }
        // The operations of a major version become more, and few change.
        let major = |version: &str| version.split('.').next().map(str::to_owned);
        let mut lines = Line::ALL.into_iter();
        let near = lines.find(|line| major(line.as_str()) == major(text));
        let known = Line::ALL.map(Line::as_str).join(", ");
        let hint = match near {
            Some(near) => format!(
                "did you mean {}? Known: {known}. Operations that this one does not have are refused then",
                near.as_str()
            ),
            None => format!("write one of: {known}"),
        };
        Err(Message::new(
            "is a version of n8n that the gate does not know",
            hint,
        ))
    }
}
