//! Paths and parts of them.

use super::Syntax;
use crate::config::report::Message;
use crate::config::shape::Description;
use crate::http::Address;
use crate::n8n::{EndpointFault, Endpoints, PathPrefix};

/// A path prefix of n8n.
pub(in crate::config) struct Prefix;

impl Syntax for Prefix {
    const DESCRIPTION: Description = Description {
        name: "endpoint",
        rules: "Path segments as n8n's own variable has them, without a slash at the ends: \
                letters, digits, `.`, `_`, `~` and `-`. Case does not count.",
        pattern: Some(r"^(?!(.*/)?\.\.?(/|$))[A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*$"),
        example: "hooks/in",
    };

    fn check(text: &str) -> Result<(), Message> {
        if text.starts_with('/') || text.ends_with('/') {
            let hint = "write it without the slash, as n8n's own variable has it";
            return Err(Message::new("has a slash at an end", hint));
        }
        Endpoints::normalize(text).map(|_| ()).map_err(|fault| {
            let problem = match fault {
                EndpointFault::Empty => "must have a segment",
                EndpointFault::Segment(_) => "has a segment with other characters than allowed",
            };
            Message::new(
                problem,
                "use letters, digits, ., _, ~ and -, as n8n's own variable has it",
            )
        })
    }
}

/// The path below which an n8n is served.
pub(in crate::config) struct OuterPath;

impl Syntax for OuterPath {
    const DESCRIPTION: Description = Description {
        name: "path",
        rules: "A slash and plain segments, as the route matches them: letters, digits, `.`, `_`, \
                `~` and `-`.",
        pattern: Some(r"^(?!.*/\.\.?(/|$))/+[A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*/*$"),
        example: "/n8n",
    };

    fn check(text: &str) -> Result<(), Message> {
        let sound = text.starts_with('/') && PathPrefix::parse(text).is_ok();
        if sound {
            return Ok(());
        }
        Err(Message::new(
            "is no plain path below which n8n can be served",
            "write it as the route matches it, such as /n8n: letters, digits, ., _, ~ and -",
        ))
    }
}

/// The path of a rule. Its other rules depend on the endpoints, and are checked with them.
pub(in crate::config) struct PathTemplate;

impl Syntax for PathTemplate {
    const DESCRIPTION: Description = Description {
        name: "path template",
        rules: "A path as n8n has it, without `path_prefix`. `*` stands for one segment, `**` at \
                the end for any number of them.",
        pattern: Some("^/"),
        example: "/webhook/orders/**",
    };

    fn check(_: &str) -> Result<(), Message> {
        Ok(())
    }
}

/// A host, and the path of a provider that is served below one.
pub(in crate::config) struct Domain;

impl Syntax for Domain {
    const DESCRIPTION: Description = Description {
        name: "host",
        rules:
            "A host without `https://`, with port and path if there are any, without a slash at \
                the end.",
        pattern: Some(
            r#"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_-][A-Za-z0-9._-]*)(:[0-9]+)?(/[^\s"<>\\^`{|}?#]*[^\s"<>\\^`{|}?#/])?$"#,
        ),
        example: "login.example.com",
    };

    fn check(text: &str) -> Result<(), Message> {
        let address = format!("https://{text}");
        let sound = Address::parse(&address).is_ok() && !text.contains('?') && !text.ends_with('/');
        if sound {
            return Ok(());
        }
        let hint = "write it without https:// and without a slash at the end";
        Err(Message::new("is no host", hint))
    }
}

/// One segment of a path.
pub(in crate::config) struct Segment;

impl Syntax for Segment {
    const DESCRIPTION: Description = Description {
        name: "path segment",
        rules: "One segment of a path, as it is in the `iss` of tokens, not beginning with a dot.",
        pattern: Some("^[A-Za-z0-9_~%-][A-Za-z0-9._~%-]*$"),
        example: "main",
    };

    fn check(text: &str) -> Result<(), Message> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte);
        if text.bytes().all(plain) && !text.starts_with('.') {
            return Ok(());
        }
        Err(Message::new(
            "is no segment of a path",
            "write it as it is in the iss of tokens",
        ))
    }
}
