//! The local replies of the gate: refusals as RFC 9457 problem documents with RFC 6750 challenges,
//! and the RFC 9728 metadata of guarded resources.

mod accept;
mod challenge;
mod embed;
mod event;
mod metadata;
mod problem;
mod reason;
mod resource;
mod table;
#[cfg(test)]
mod tests;
mod told;

pub use challenge::Challenge;
pub use embed::{embed_reply, partitioned, EMBEDDED_MARK, SESSION_COOKIE};
pub use event::event_accepted;
pub use metadata::{api_metadata, metadata_preflight, trigger_metadata};
pub use problem::problem;
pub use reason::Reason;
pub use resource::{Proofs, Resource};
pub use told::Told;

use std::borrow::Cow;

use crate::secret::Secret;

/// The name of a header and its value.
pub type ReplyHeader = (&'static str, Cow<'static, str>);

/// A response that the gate makes. Its header values are constants, or values that were checked: the
/// host does not look for line breaks in them, which would split the response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalReply {
    /// HTTP status.
    pub status: u16,
    /// Headers, `content-type` among them.
    pub headers: Vec<ReplyHeader>,
    /// The values of `set-cookie`.
    pub cookies: Vec<Secret>,
    /// The body.
    pub body: String,
}
