//! The identifiers of guarded resources.

use crate::http::{hostname, Address, RequestHead};
use crate::n8n::{Location, Surface, WELL_KNOWN};
use crate::policy::Instance;

/// The longest path of a resource that has an identifier.
const MAX_PATH: usize = 512;

/// The identifier of a protected resource (RFC 9728 §1.2), and the address of its metadata
/// (RFC 9728 §3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource<'r> {
    /// Such as `https://n8n.example.com`, in parts.
    pub(super) origin: [&'r str; 3],
    /// Such as `/api/v1`, in parts; all empty for the root.
    pub(super) path: [&'r str; 4],
    /// Whether it takes tokens with proofs.
    pub proofs: Proofs,
}

/// Whether a resource takes tokens with `DPoP` proofs (RFC 9449).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proofs {
    /// It does not.
    NotTaken,
    /// It takes bearer tokens, too.
    Taken,
    /// It takes no others.
    Required,
}

impl<'r> Resource<'r> {
    /// The resource that a request asks for. `None`: the gate does not describe it, or a response
    /// cannot safely repeat its name.
    pub fn asked_for(
        instance: &'r Instance,
        surface: Option<Surface>,
        request: &'r RequestHead,
    ) -> Option<Self> {
        match surface? {
            Surface::PublicApi => Self::public_api(instance, request),
            Surface::Webhook
            | Surface::WebhookTest
            | Surface::WebhookWaiting
            | Surface::Form
            | Surface::Chat
            | Surface::Agent
            | Surface::Mcp => match instance.locate(request.path()) {
                Ok(Location::Inside(path)) => Self::trigger(instance, path, request),
                _ => None,
            },
            _ => None,
        }
    }

    /// The public API: as the operator named it, or as this request asked for it.
    pub fn public_api(instance: &'r Instance, request: &'r RequestHead) -> Option<Self> {
        if let Some(address) = configured(instance) {
            let path = address.path.trim_matches('/');
            let slash = if path.is_empty() { "" } else { "/" };
            let origin = [address.scheme, "://", address.authority];
            return Some(Self::new(instance, origin, [slash, path, "", ""]));
        }
        let origin = [scheme(request), "://", authority(request)?];
        let path = [
            instance.path_prefix(),
            "/",
            &instance.endpoints().api,
            "/v1",
        ];
        Some(Self::new(instance, origin, path))
    }

    /// The webhook, form or MCP trigger at `path` in n8n. Each is a resource of its own. Its
    /// identifier is the URL that the client called: a client must discard metadata with another one
    /// (RFC 9728 §3.3). The scheme is that of `public_api.resource`, if the operator set it.
    pub fn trigger(
        instance: &'r Instance,
        path: &'r [u8],
        request: &'r RequestHead,
    ) -> Option<Self> {
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(byte);
        if path.len() > MAX_PATH || !path.iter().all(is_plain) {
            return None;
        }
        let path = std::str::from_utf8(path).ok()?;
        let scheme = configured(instance).map_or_else(|| scheme(request), |named| named.scheme);
        let origin = [scheme, "://", authority(request)?];
        let path = [instance.path_prefix(), path, "", ""];
        Some(Self::new(instance, origin, path))
    }

    /// The identifier, such as `https://n8n.example.com/api/v1`.
    pub fn identifier(&self) -> String {
        [self.origin.concat(), self.path.concat()].concat()
    }

    /// Where its metadata is, in parts.
    pub const fn metadata(&self) -> [&[&'r str]; 3] {
        [&self.origin, &["/", WELL_KNOWN], &self.path]
    }

    /// The same, which takes no bearer tokens.
    #[must_use]
    pub fn requiring_proofs(mut self, are_required: bool) -> Self {
        if are_required {
            self.proofs = Proofs::Required;
        }
        self
    }

    fn new(instance: &Instance, origin: [&'r str; 3], path: [&'r str; 4]) -> Self {
        Self {
            origin,
            path,
            proofs: Proofs::of(instance),
        }
    }
}

impl Proofs {
    fn of(instance: &Instance) -> Self {
        if instance.public_origins.is_empty() {
            Self::NotTaken
        } else {
            Self::Taken
        }
    }
}

fn configured(instance: &Instance) -> Option<Address<'_>> {
    Address::parse(instance.public_api.resource.as_deref()?).ok()
}

/// The host of the request with its port, if a response may repeat it.
fn authority(request: &RequestHead) -> Option<&str> {
    let authority = std::str::from_utf8(request.authority()?).ok()?;
    let is_host = hostname::as_written(request).is_some() || authority.starts_with('[');
    (is_host && is_plain_authority(authority)).then_some(authority)
}

/// The scheme that the client used, as the outermost proxy reports it.
fn scheme(request: &RequestHead) -> &'static str {
    let scheme = request
        .first("x-forwarded-proto")
        .or_else(|| request.first(":scheme"))
        .unwrap_or_default();
    if scheme.eq_ignore_ascii_case(b"https") {
        "https"
    } else {
        "http"
    }
}

/// Whether a header and a document may repeat a host: it cannot end a quoted string or a line
/// (response splitting).
fn is_plain_authority(authority: &str) -> bool {
    (1..=255).contains(&authority.len())
        && authority
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_could_break_out_of_a_header_is_not_repeated() {
        for authority in ["", "a\"b", "a b", "a\r\nb", "a,b", "a/b", "ä"] {
            assert!(!is_plain_authority(authority), "{authority:?}");
        }
        for authority in ["n8n.example.com", "127.0.0.1:8080", "[::1]:443", "a_b-c"] {
            assert!(is_plain_authority(authority), "{authority:?}");
        }
    }
}
