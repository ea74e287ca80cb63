//! One row of the table of operations.

/// One operation of n8n's public API.
#[derive(Debug, PartialEq, Eq)]
pub struct Operation {
    /// The method, in capitals.
    pub method: &'static str,
    /// The path below `/api/v1`, with `{parameter}` segments.
    pub template: &'static str,
    /// The API-key scopes that are needed, all of them: those that n8n asks for, and those of
    /// everything else that a body or query can make it do, because the gate reads neither.
    pub scopes: &'static [&'static str],
    pub(super) name: &'static str,
}
