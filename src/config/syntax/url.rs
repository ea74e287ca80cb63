//! URLs: issuers, resources and documents.

use super::Syntax;
use crate::config::report::Message;
use crate::config::shape::Description;
use crate::http::{Address, AddressFault};

/// An absolute URL without user name and fragment.
const ABSOLUTE: &str = r#"^https?://[^\s"<>\\^`{|}/?#@]+([/?][^\s"<>\\^`{|}#]*)?$"#;

/// The same without a query.
const WITHOUT_QUERY: &str = r#"^https?://[^\s"<>\\^`{|}/?#@]+(/[^\s"<>\\^`{|}?#]*)?$"#;

/// An issuer, kept exactly as written: `iss` is compared with it byte by byte (RFC 8414 §4).
pub(in crate::config) struct Issuer;

impl Syntax for Issuer {
    const DESCRIPTION: Description = Description {
        name: "issuer URL",
        rules: "An absolute URL as in the `iss` of tokens, byte by byte: without user name, query \
                and fragment (RFC 8414 section 2).",
        pattern: Some(WITHOUT_QUERY),
        example: "https://login.example.com/realms/main",
    };

    fn check(text: &str) -> Result<(), Message> {
        // RFC 8414 §2: an issuer has no query.
        without_query(text, "write the iss of a token, exactly")
    }
}

/// The identifier of a protected resource (RFC 9728 §1.2), from which the URL of its metadata is made.
pub(in crate::config) struct Resource;

impl Syntax for Resource {
    const DESCRIPTION: Description = Description {
        name: "resource URL",
        rules: "An absolute URL without user name, query and fragment.",
        pattern: Some(WITHOUT_QUERY),
        example: "https://n8n.example.com/api/v1",
    };

    fn check(text: &str) -> Result<(), Message> {
        without_query(
            text,
            "write the URL of the public API, up to and with /api/v1",
        )
    }
}

fn without_query(text: &str, hint: &str) -> Result<(), Message> {
    if checked(text)?.path.contains('?') {
        return Err(Message::new("has a query (?)", hint));
    }
    Ok(())
}

/// The URL of a document.
pub(in crate::config) struct DocumentUri;

impl Syntax for DocumentUri {
    const DESCRIPTION: Description = Description {
        name: "URL",
        rules: "An absolute URL without user name and fragment.",
        pattern: Some(ABSOLUTE),
        example: "https://login.example.com/keys",
    };

    fn check(text: &str) -> Result<(), Message> {
        checked(text).map(|_| ())
    }
}

/// The beginning of the URL of a page, or of a place on it.
pub(in crate::config) struct PageUri;

impl Syntax for PageUri {
    const DESCRIPTION: Description = Description {
        name: "page URL",
        rules:
            "An absolute URL without user name. It may have a fragment, or the beginning of one.",
        pattern: Some(
            r#"^https?://[^\s"<>\\^`{|}/?#@]+([/?][^\s"<>\\^`{|}#]*)?(#[^\s"<>\\^`{|}#]*)?$"#,
        ),
        example: "https://wiki.example.com/n8n-gate/reasons#",
    };

    fn check(text: &str) -> Result<(), Message> {
        let (page, fragment) = text.split_once('#').unwrap_or((text, ""));
        checked(page)?;
        let is_plain =
            |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(&byte);
        if fragment.bytes().all(is_plain) {
            return Ok(());
        }
        let hint = "write letters, digits, - and _ after the #";
        Err(Message::new(
            "has characters in its fragment that no URL has",
            hint,
        ))
    }
}

/// The address of a server, to which paths are added.
pub(in crate::config) struct Server;

impl Syntax for Server {
    const DESCRIPTION: Description = Description {
        name: "server URL",
        rules: "`http://` or `https://`, a host and a port if there is one, without a path.",
        pattern: Some(r#"^https?://[^\s"<>\\^`{|}/?#@]+$"#),
        example: "http://n8n:5678",
    };

    fn check(text: &str) -> Result<(), Message> {
        if checked(text)?.path.is_empty() {
            return Ok(());
        }
        let hint = "write scheme, host and port alone, such as http://n8n:5678";
        Err(Message::new("has a path", hint))
    }
}

/// An origin (RFC 6454 §6.1), as a source of a `Content-Security-Policy`.
pub(in crate::config) struct Origin;

impl Syntax for Origin {
    const DESCRIPTION: Description = Description {
        name: "origin",
        rules: "`https://` or `http://`, a host in lower case and a port if there is one, without a path.",
        pattern: Some(r"^https?://[a-z0-9.\-]+(:[0-9]{1,5})?$"),
        example: "https://portal.example.com",
    };

    fn check(text: &str) -> Result<(), Message> {
        checked(text)?;
        let rest = text
            .strip_prefix("https://")
            .or(text.strip_prefix("http://"));
        let is_plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:".contains(&byte);
        if rest.is_some_and(|rest| rest.bytes().all(is_plain)) {
            return Ok(());
        }
        let hint = "write scheme, host and port alone, such as https://portal.example.com";
        Err(Message::new("is no origin", hint))
    }
}

fn checked(text: &str) -> Result<Address<'_>, Message> {
    Address::parse(text).map_err(|fault| {
        let hint = match fault {
            AddressFault::Character if text.contains(['{', '<']) => {
                "write your own value instead of the placeholder"
            }
            AddressFault::UserInfo => "remove everything up to the @",
            _ => "write an absolute URL, such as https://host.example.com/path",
        };
        Message::new(fault.to_string(), hint)
    })
}
