//! Whether a request with a cookie was made by a page of the same site, or by the person.
//!
//! A browser sends cookies by itself, also with a request that a page of another site causes (cross-site
//! request forgery). It says where a request comes from (Fetch Metadata: `Sec-Fetch-Site`), and scripts
//! cannot write these headers.

use crate::http::RequestHead;
use crate::policy::Embed;

/// Whether the cookie of a request may count. From another site only a navigation of the whole page may use
/// it, as with `SameSite=Lax` (RFC 6265bis §5.6.7.1): a link in a mail works, and a form, a script, an
/// image or a frame of that site does not.
pub(super) fn may_use_cookies(request: &RequestHead) -> bool {
    let is_read = matches!(request.method(), b"GET" | b"HEAD");
    let has = |name: &str, value: &[u8]| only(request, name) == Some(value);
    match (
        request.first("sec-fetch-site").is_some(),
        only(request, "sec-fetch-site"),
    ) {
        (_, Some(b"same-origin" | b"none")) => true,
        (_, Some(_)) => {
            is_read && has("sec-fetch-mode", b"navigate") && has("sec-fetch-dest", b"document")
        }
        (true, None) => false,
        // Browsers before 2023, every browser over plain HTTP, and other clients.
        (false, None) => match request.first("origin") {
            None => is_read,
            Some(_) => only(request, "origin").is_some_and(|origin| is_own(request, origin)),
        },
    }
}

/// Whether a request may log a browser in: as far as the browser names the page that causes it, that is a
/// page of this n8n or of one of these origins. Any other page would log a person in to an account of its
/// own, and wait for what that person leaves there.
pub(super) fn may_log_in(request: &RequestHead, embed: &Embed) -> bool {
    let is_known = |origin| embed.is_origin(origin) || is_own(request, origin);
    request.first("origin").is_none() || only(request, "origin").is_some_and(is_known)
}

/// The value of a header; `None`: there is none, or more than one.
fn only<'r>(request: &'r RequestHead, name: &'r str) -> Option<&'r [u8]> {
    let mut values = request.values(name);
    let value = values.next().map(<[u8]>::trim_ascii);
    value.filter(|_| values.next().is_none())
}

/// Whether an origin (RFC 6454 §6.1) is that of the request itself.
fn is_own(request: &RequestHead, origin: &[u8]) -> bool {
    let scheme = request
        .first("x-forwarded-proto")
        .or_else(|| request.first(":scheme"));
    let own = scheme
        .zip(request.authority())
        .map(|(scheme, authority)| [scheme, b"://", authority].concat());
    own.is_some_and(|own| own.eq_ignore_ascii_case(origin))
}
