//! E-mail addresses and their domains.

use super::Syntax;
use crate::config::report::Message;
use crate::config::shape::Description;

/// An e-mail address with exactly one `@`: programs disagree on the domain of `a@b@c`.
pub(in crate::config) struct Email;

impl Syntax for Email {
    const DESCRIPTION: Description = Description {
        name: "e-mail address",
        rules: "Exactly one `@`, a name before it, a domain after it, no blanks.",
        pattern: Some(r"^[^\s@]+@[^\s@*/:,;.]+(\.[^\s@*/:,;.]+)*$"),
        example: "ada@example.com",
    };

    fn check(text: &str) -> Result<(), Message> {
        let sound = text
            .split_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && is_domain(domain));
        if sound && !text.contains(char::is_whitespace) {
            return Ok(());
        }
        Err(Message::new(
            "is no e-mail address",
            "write one address, such as ada@example.com",
        ))
    }
}

/// The domain of an e-mail address.
pub(in crate::config) struct EmailDomain;

impl Syntax for EmailDomain {
    const DESCRIPTION: Description = Description {
        name: "e-mail domain",
        rules: "The part after the `@`. No wildcard: list each subdomain. Case does not count.",
        pattern: Some(r"^[^\s@*/:,;.]+(\.[^\s@*/:,;.]+)*$"),
        example: "example.com",
    };

    fn check(text: &str) -> Result<(), Message> {
        if is_domain(text) {
            return Ok(());
        }
        let hint = match text {
            _ if text.contains('@') => "write only the part after the @",
            _ if text.contains('*') => "list each domain: subdomains are other domains",
            _ => "write a domain, such as example.com",
        };
        Err(Message::new("is no domain", hint))
    }
}

fn is_domain(text: &str) -> bool {
    let odd = |letter: char| letter.is_whitespace() || "@*/:,;".contains(letter);
    !text.contains(odd) && text.split('.').all(|label| !label.is_empty())
}
