//! Log-ins of browsers that pages of other origins begin.

use std::sync::Arc;

/// Log-ins of browsers that pages of other origins begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Embed {
    /// Whether they are offered.
    pub enabled: bool,
    /// The directive of a `Content-Security-Policy` that lets these pages, and n8n's own, show n8n.
    pub frame_ancestors: Arc<str>,
}

impl Embed {
    /// Whether this is one of their origins.
    pub fn is_origin(&self, origin: &[u8]) -> bool {
        let mut own = self.frame_ancestors.split(' ').skip(2);
        own.any(|own| own.as_bytes().eq_ignore_ascii_case(origin))
    }

    /// For pages of these origins.
    pub fn new(enabled: bool, origins: impl Iterator<Item = String>) -> Self {
        let mut directive = "frame-ancestors 'self'".to_owned();
        for origin in origins {
            directive.push(' ');
            directive.push_str(&origin);
        }
        Self {
            enabled,
            frame_ancestors: directive.into(),
        }
    }
}
