//! The addresses that a configuration may hold.

use super::read::Syntax;
use super::report::Message;
use crate::http::{Address, AddressFault};

/// An issuer, kept exactly as written: `iss` is compared with it byte by byte (RFC 8414 §4).
pub(super) struct Issuer;

impl Syntax for Issuer {
    const SHAPE: &'static str = "URL";

    fn check(text: &str) -> Result<(), Message> {
        // RFC 8414 §2: an issuer has no query.
        without_query(text, "write the iss of a token, exactly")
    }
}

/// The identifier of a protected resource (RFC 9728 §1.2), of which its metadata's address is made.
pub(super) struct Resource;

impl Syntax for Resource {
    const SHAPE: &'static str = "URL";

    fn check(text: &str) -> Result<(), Message> {
        without_query(
            text,
            "write the address of the public API, up to and with /api/v1",
        )
    }
}

fn without_query(text: &str, hint: &str) -> Result<(), Message> {
    if checked(text)?.path.contains('?') {
        return Err(Message::new("has a query (?)", hint));
    }
    Ok(())
}

/// The address of a document.
pub(super) struct DocumentUri;

impl Syntax for DocumentUri {
    const SHAPE: &'static str = "URL";

    fn check(text: &str) -> Result<(), Message> {
        checked(text).map(|_| ())
    }
}

fn checked(text: &str) -> Result<Address<'_>, Message> {
    Address::parse(text).map_err(|fault| {
        let hint = match fault {
            AddressFault::Character if text.contains(['{', '<']) => {
                "put your own value in place of the placeholder"
            }
            AddressFault::UserInfo => "take out everything up to the @",
            _ => "write a whole address, such as https://host.example.com/path",
        };
        Message::new(fault.to_string(), hint)
    })
}
