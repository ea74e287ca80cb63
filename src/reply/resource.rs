//! The name by which a client knows the guarded resource.

use crate::address::Address;
use crate::policy::Instance;
use crate::request::RequestHead;

/// The identifier of the public API as a protected resource (RFC 9728 §1.2), and the address of
/// its metadata (RFC 9728 §3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// The identifier, such as `https://n8n.example.com/api/v1`.
    pub identifier: String,
    /// Where its metadata is.
    pub metadata: String,
}

impl Resource {
    /// As the operator configured it, or as this request asked for it. `None` when the request
    /// names no host that could safely be repeated in an answer.
    pub fn of(instance: &Instance, request: &RequestHead) -> Option<Self> {
        if let Some(identifier) = &instance.public_api.resource {
            let address = Address::parse(identifier).ok()?;
            let path = address.path.trim_start_matches('/');
            return Some(Self::new(address.scheme, address.authority, path));
        }
        let authority = std::str::from_utf8(request.authority()?).ok()?;
        is_plain_authority(authority)
            .then(|| Self::new(scheme(request), authority, &api_path(instance)))
    }

    fn new(scheme: &str, authority: &str, path: &str) -> Self {
        let path = path.trim_end_matches('/');
        let slash = if path.is_empty() { "" } else { "/" };
        Self {
            identifier: format!("{scheme}://{authority}{slash}{path}"),
            metadata: format!(
                "{scheme}://{authority}/.well-known/oauth-protected-resource{slash}{path}"
            ),
        }
    }
}

fn api_path(instance: &Instance) -> String {
    format!("{}/v1", instance.endpoints.api)
}

/// The scheme that the client used, as the outermost proxy says.
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

/// Whether a host may be repeated in a header and a document: nothing that could end a quoted
/// string or a line.
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
    fn metadata_of_a_resource_without_a_path_has_no_path() {
        let resource = Resource::new("https", "n8n.example.com", "/");
        assert_eq!(resource.identifier, "https://n8n.example.com");
        assert_eq!(
            resource.metadata,
            "https://n8n.example.com/.well-known/oauth-protected-resource"
        );
    }

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
