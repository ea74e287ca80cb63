//! Programs that read YAML for the filter.

/// The program that reads a file for the filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// Envoy.
    Envoy,
    /// `kubectl` and other programs that send manifests to Kubernetes.
    Kubernetes,
    /// It may be either: what they do not agree on has a [`Form`](super::Form).
    Either,
}
