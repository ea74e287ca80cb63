//! The cookies of a request (RFC 6265 §4.2).

use super::RequestHead;

/// One cookie of a request.
#[derive(Clone, Copy)]
pub struct Cookie<'r> {
    /// Name and value, as they came.
    pub whole: &'r [u8],
    /// The name, without every byte at its ends that some parser may trim.
    pub name: &'r [u8],
    /// What follows the first `=`, as it came; `None`: there is none.
    pub value: Option<&'r [u8]>,
}

/// Shows nothing: the value may be a credential.
impl std::fmt::Debug for Cookie<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Cookie(redacted)")
    }
}

/// The cookies of a request, in the order of the wire.
pub fn cookies(request: &RequestHead) -> impl Iterator<Item = Cookie<'_>> {
    let headers = request.values("cookie");
    headers
        .flat_map(|value| value.split(|byte| *byte == b';'))
        .map(cookie)
}

fn cookie(whole: &[u8]) -> Cookie<'_> {
    let mut parts = whole.splitn(2, |byte| *byte == b'=');
    let name = parts.next().unwrap_or_default();
    let visible = |byte: &u8| byte.is_ascii_graphic();
    let start = name.iter().position(visible).unwrap_or(name.len());
    let end = name
        .iter()
        .rposition(visible)
        .map_or(0, |last| last.saturating_add(1));
    Cookie {
        whole,
        name: name.get(start..end).unwrap_or_default(),
        value: parts.next(),
    }
}
