//! How a sender signs: names of headers, and what is signed.

use super::Syntax;
use crate::config::report::Message;
use crate::config::shape::Description;
use crate::webhook_signature::Template;

/// The name of a header of a request.
pub(in crate::config) struct HeaderName;

impl Syntax for HeaderName {
    const DESCRIPTION: Description = Description {
        name: "header name",
        rules: "Letters, digits, `-` and `_`, 64 characters at most. Case does not count.",
        pattern: Some("^[A-Za-z0-9_-]{1,64}$"),
        example: "x-signature",
    };

    fn check(text: &str) -> Result<(), Message> {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if text.len() <= 64 && text.bytes().all(known) {
            return Ok(());
        }
        Err(Message::new(
            "is no name of a header",
            "write its name alone, such as x-signature",
        ))
    }
}

/// A name in a header that holds pairs.
pub(in crate::config) struct PairName;

impl Syntax for PairName {
    const DESCRIPTION: Description = Description {
        name: "pair name",
        rules: "Letters, digits, `-` and `_`, 32 characters at most.",
        pattern: Some("^[A-Za-z0-9_-]{1,32}$"),
        example: "v1",
    };

    fn check(text: &str) -> Result<(), Message> {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if text.len() <= 32 && text.bytes().all(known) {
            return Ok(());
        }
        let hint = "write what stands before the equals sign, such as v1";
        Err(Message::new("is no name of a pair", hint))
    }
}

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
