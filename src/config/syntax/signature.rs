//! What a sender signs.

use super::Syntax;
use crate::config::report::Message;
use crate::config::shape::Description;
use crate::webhook_signature::Template;

/// What is signed.
pub(in crate::config) struct SignedTemplate;

impl Syntax for SignedTemplate {
    const DESCRIPTION: Description = Description {
        name: "signed text",
        rules: "Text in which `{body}`, `{timestamp}`, `{id}`, `{url}`, `{path}` and `{method}` stand for \
                parts of the delivery. It has `{body}`.",
        pattern: Some(r"^([^{}]|\{(body|timestamp|id|url|path|method)\})+$"),
        example: "{timestamp}.{body}",
    };

    fn check(text: &str) -> Result<(), Message> {
        Template::parse(text).map(|_| ()).map_err(|unknown| {
            Message::new(
                format!("has {unknown}, which is no part of a delivery"),
                "use {body}, {timestamp}, {id}, {url}, {path} and {method}",
            )
        })
    }
}
