//! What goes back to a caller that is not let through: RFC 6750 challenges, RFC 9457 problem
//! documents, and the RFC 9728 metadata of guarded resources.

mod accept;
mod catalog;
mod metadata;
mod problem;
mod reason;
mod remedy;
mod resource;
#[cfg(test)]
mod tests;

pub use metadata::{api_metadata, metadata_preflight, trigger_metadata};
pub use problem::problem;
pub use reason::{Answer, Challenge, Reason};
pub use resource::Resource;

/// An answer of this filter's own. Its header values are made of our own words and of values
/// that were checked, because the host does not look for line breaks in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalReply {
    /// HTTP status.
    pub status: u16,
    /// Headers, `content-type` among them.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}
