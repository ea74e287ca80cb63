//! Networks of the Internet Protocol.

use super::Syntax;
use crate::config::report::Message;
use crate::config::shape::Description;
use crate::http::Network;

/// A network, or one address.
pub(in crate::config) struct NetworkText;

impl Syntax for NetworkText {
    const DESCRIPTION: Description = Description {
        name: "network",
        rules:
            "An IPv4 or IPv6 address, or its prefix and `/` with the number of its bits; all bits \
                behind them are zero.",
        pattern: Some("^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$"),
        example: "10.0.5.0/24",
    };

    fn check(text: &str) -> Result<(), Message> {
        if Network::parse(text).is_some() {
            return Ok(());
        }
        let hint = "write an address or a network such as 10.0.5.0/24, with all bits behind the prefix zero";
        Err(Message::new("is no network", hint))
    }
}
