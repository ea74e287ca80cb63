//! Where a call goes.

/// A URL that the gate calls through Envoy. The cluster is the operator's; the address only
/// becomes `:scheme`, `:authority` and `:path`, so no document can lead a call elsewhere (SSRF).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The Envoy cluster.
    pub cluster: String,
    /// `https` or `http`.
    pub scheme: String,
    /// Host, and port if the address names one.
    pub authority: String,
    /// Path and query.
    pub path: String,
}
