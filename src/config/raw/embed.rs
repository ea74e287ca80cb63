//! The fields of log-ins of browsers.

use crate::config::defaults;
use crate::config::field::{default_flag, required};
use crate::config::read::OneOrMany;
use crate::config::section::section;
use crate::config::syntax::{Origin, Text};

section! {
    /// Log-ins of browsers that pages of other origins begin. A page leads the browser to
    /// `/rest/auth/embed?token=…&redirectTo=…` with a token of a provider that lives for 60 seconds at
    /// most; the browser is logged in to n8n as the caller's `user`, if it is granted `embed`.
    RawEmbed at "embed" {
        /// The origins whose pages may show n8n in a frame, such as `https://portal.example.com`.
        origins: OneOrMany<Text<Origin>> = required("list the origins of the pages that show n8n"),
        /// Whether log-ins are offered. `false` sends 501.
        enabled: bool = default_flag(defaults::EMBED_ENABLED),
    }
}
