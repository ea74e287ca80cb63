//! Names that the operator chooses, in the alphabets of the places where they end up.

use super::read::Syntax;
use super::report::Message;
use crate::http::HostPattern;

/// The name of a provider: safe in headers, audit and the labels of metrics.
pub(super) struct ProviderName;

impl Syntax for ProviderName {
    const SHAPE: &'static str = "name";

    fn check(text: &str) -> Result<(), Message> {
        let word = |byte: u8| byte.is_ascii_alphanumeric();
        let hint = "use A-Z, a-z, 0-9, - and _, beginning with a letter or digit, 64 at most";
        check(
            text,
            word,
            |byte| word(byte) || matches!(byte, b'-' | b'_'),
            hint,
        )
    }
}

/// The name of a principal: safe in headers and audit.
pub(super) struct PrincipalName;

impl Syntax for PrincipalName {
    const SHAPE: &'static str = "name";

    fn check(text: &str) -> Result<(), Message> {
        let word = |byte: u8| byte.is_ascii_alphanumeric();
        let hint = "use A-Z, a-z, 0-9, ., - and _, beginning with a letter or digit, 64 at most";
        check(
            text,
            word,
            |byte| word(byte) || matches!(byte, b'-' | b'_' | b'.'),
            hint,
        )
    }
}

/// A host, or all hosts below a domain.
pub(super) struct HostName;

impl Syntax for HostName {
    const SHAPE: &'static str = "host";

    fn check(text: &str) -> Result<(), Message> {
        if HostPattern::parse(text).is_some() {
            return Ok(());
        }
        let hint = "write n8n.example.com or *.example.com, without scheme, port and path";
        Err(Message::new("is no host", hint))
    }
}

/// The name of an Envoy cluster, such as `idp` or `outbound|443||login.example.com`.
pub(super) struct ClusterName;

impl Syntax for ClusterName {
    const SHAPE: &'static str = "cluster name";

    fn check(text: &str) -> Result<(), Message> {
        if text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(());
        }
        Err(Message::new(
            "is no name of an Envoy cluster",
            "write the name of the cluster as Envoy lists it",
        ))
    }
}

fn check(
    text: &str,
    first: impl Fn(u8) -> bool,
    rest: impl Fn(u8) -> bool,
    hint: &str,
) -> Result<(), Message> {
    let begins = text.bytes().next().is_some_and(first);
    if begins && text.len() <= 64 && text.bytes().all(rest) {
        return Ok(());
    }
    Err(Message::new("is no name", hint))
}
