//! Names that the operator chooses, with the characters that are safe where the names appear.

use super::Syntax;
use crate::config::report::Message;
use crate::config::shape::Description;
use crate::http::HostPattern;

/// The longest name of a provider, an instance or a principal.
const MAX_NAME: usize = 64;

/// The name of a provider or of an instance: safe in headers, audit records and the labels of metrics.
pub(in crate::config) struct ShortName;

impl Syntax for ShortName {
    const DESCRIPTION: Description = Description {
        name: "short name",
        rules: "`A-Z`, `a-z`, `0-9`, `-` and `_`, first a letter or digit, 64 characters at most.",
        pattern: Some("^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"),
        example: "entra",
    };

    fn check(text: &str) -> Result<(), Message> {
        let hint = "use A-Z, a-z, 0-9, - and _, first a letter or digit, 64 characters at most";
        check(text, b"-_", hint)
    }
}

/// The name of a principal: safe in headers and audit records.
pub(in crate::config) struct PrincipalName;

impl Syntax for PrincipalName {
    const DESCRIPTION: Description = Description {
        name: "principal name",
        rules: "As a short name, and `.`.",
        pattern: Some("^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"),
        example: "my-daemon",
    };

    fn check(text: &str) -> Result<(), Message> {
        let hint = "use A-Z, a-z, 0-9, ., - and _, first a letter or digit, 64 characters at most";
        check(text, b"-_.", hint)
    }
}

/// A host, or all hosts below a domain.
pub(in crate::config) struct HostName;

impl Syntax for HostName {
    const DESCRIPTION: Description = Description {
        name: "host pattern",
        rules:
            "A host without scheme, port and path, or `*.` and a domain for all hosts below it. \
                Case does not count.",
        pattern: Some(r"^(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$"),
        example: "*.example.com",
    };

    fn check(text: &str) -> Result<(), Message> {
        if HostPattern::parse(text).is_some() {
            return Ok(());
        }
        let hint = "write n8n.example.com or *.example.com, without scheme, port and path";
        Err(Message::new("is no host", hint))
    }
}

/// The name of an Envoy cluster, such as `idp` or `outbound|443||login.example.com`.
pub(in crate::config) struct ClusterName;

impl Syntax for ClusterName {
    const DESCRIPTION: Description = Description {
        name: "cluster name",
        rules: "The name as Envoy has it: visible ASCII characters.",
        pattern: Some("^[!-~]+$"),
        example: "outbound|443||login.example.com",
    };

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

/// Letters and digits, and after the first character those of `more`, too.
fn check(text: &str, more: &[u8], hint: &str) -> Result<(), Message> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric();
    let begins = text.as_bytes().first().is_some_and(plain);
    let mut bytes = text.bytes();
    if begins && text.len() <= MAX_NAME && bytes.all(|byte| plain(&byte) || more.contains(&byte)) {
        return Ok(());
    }
    Err(Message::new("is no name", hint))
}
