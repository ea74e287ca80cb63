//! OAuth scopes.

use super::Syntax;
use crate::config::report::Message;
use crate::config::shape::Description;

/// A scope of OAuth (RFC 6749 §3.3).
pub(in crate::config) struct ScopeToken;

impl Syntax for ScopeToken {
    const DESCRIPTION: Description = Description {
        name: "OAuth scope",
        rules: "One scope (RFC 6749 section 3.3): visible ASCII characters except `\"` and `\\`.",
        pattern: Some(r"^[!#-\[\]-~]+$"),
        example: "api://n8n-api/.default",
    };

    fn check(text: &str) -> Result<(), Message> {
        let may_be_in_it = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
        if text.bytes().all(may_be_in_it) {
            return Ok(());
        }
        Err(Message::new(
            "is no OAuth scope",
            "write each scope as an item of its own, without blanks",
        ))
    }
}
