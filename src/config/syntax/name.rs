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

/// The name of a cookie with a token.
pub(in crate::config) struct CookieName;

impl Syntax for CookieName {
    const DESCRIPTION: Description = Description {
        name: "cookie name",
        rules: "`A-Z`, `a-z`, `0-9`, `-`, `_` and `.`, and not `n8n-auth`. With `__Host-` at its \
                beginning, browsers take the cookie from this host only, and over TLS only.",
        pattern: Some("^[A-Za-z0-9._-]{1,64}$"),
        example: "__Host-n8n-token",
    };

    fn check(text: &str) -> Result<(), Message> {
        if text.eq_ignore_ascii_case("n8n-auth") {
            let hint = "choose another name, such as __Host-n8n-token";
            return Err(Message::new("is the session of n8n itself", hint));
        }
        check_field(text)
    }
}

/// The name of a field of the query with a token.
pub(in crate::config) struct FieldName;

impl Syntax for FieldName {
    const DESCRIPTION: Description = Description {
        name: "query field",
        rules: "`A-Z`, `a-z`, `0-9`, `-`, `_` and `.`.",
        pattern: Some("^[A-Za-z0-9._-]{1,64}$"),
        example: "access_token",
    };

    fn check(text: &str) -> Result<(), Message> {
        check_field(text)
    }
}

fn check_field(text: &str) -> Result<(), Message> {
    let is_sound = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if text.len() <= MAX_NAME && text.bytes().all(is_sound) {
        return Ok(());
    }
    let hint = "use A-Z, a-z, 0-9, ., - and _, 64 characters at most";
    Err(Message::new(
        "has a character that is not safe there, or is too long",
        hint,
    ))
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
