//! Why a JSON document is refused.

/// Why a document is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonFault {
    /// Not one JSON text in UTF-8 (RFC 8259 §2, §8.1), or bytes follow it (RFC 7515 §10.12).
    #[error("not JSON")]
    NotJson,
    /// JSON, but not an object.
    #[error("not a JSON object")]
    NotAnObject,
    /// Two members of one object have the same name after unescaping (RFC 7515 §4, RFC 7519 §4):
    /// programs that keep the first and programs that keep the last would disagree.
    #[error("two members of one name")]
    DuplicateMember,
    /// Nested deeper than the caller allows: depth costs stack, and no honest document needs it.
    #[error("nested too deep")]
    TooDeep,
}
