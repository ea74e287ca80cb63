//! What is changed in the head of a request that n8n gets, and in the head of its response.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use super::browser_token;
use crate::formats::percent;
use crate::http::{cookies, Cookie, RequestHead, FORWARDED_CERTIFICATE};
use crate::identity::Identity;
use crate::policy::{IdentityHeader, TokenFrom};
use crate::secret::Secret;
use crate::token::PROOF_HEADER;

/// The headers that name the caller to n8n. Only this filter sets them.
pub const IDENTITY_HEADERS: [&str; IdentityHeader::ALL.len()] = {
    let [a, b, c, d, e, f, g, h] = IdentityHeader::ALL;
    [
        a.name(),
        b.name(),
        c.name(),
        d.name(),
        e.name(),
        f.name(),
        g.name(),
        h.name(),
    ]
};

/// The header in which n8n takes its API keys.
pub const API_KEY_HEADER: &str = "x-n8n-api-key";

/// The header in which n8n takes its sessions.
pub(super) const COOKIE_HEADER: &str = "cookie";

/// The longest value of one identity header, in bytes. Node.js refuses requests with more than
/// 16 KiB of headers, and a caller with a thousand roles would exceed that.
pub(super) const MAX_VALUE: usize = 2048;

/// One change of a header of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderEdit {
    /// Removes every header of this name. The name is one that the client sent.
    Remove(String),
    /// Replaces every header of this name. It never appends: n8n would join a second value to the
    /// one that the client sent.
    Set(&'static str, HeaderValue),
}

/// One change of a header of n8n's response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseEdit {
    /// Removes every header of this name.
    Remove(&'static str),
}

impl ResponseEdit {
    /// Removes API keys.
    pub(super) const REMOVE_API_KEY: Self = Self::Remove(API_KEY_HEADER);

    /// Removes cookies.
    pub(super) const REMOVE_COOKIES: Self = Self::Remove("set-cookie");
}

/// A value that is safe in a header: checked with the configuration, or encoded by [`encode`].
#[derive(Clone, PartialEq, Eq)]
pub enum HeaderValue {
    /// A value that may be shown.
    Plain(Arc<str>),
    /// A value that may not.
    Secret(Secret),
}

impl HeaderValue {
    /// The bytes to send.
    pub fn expose(&self) -> &str {
        match self {
            Self::Plain(value) => value,
            Self::Secret(value) => value.expose(),
        }
    }
}

impl fmt::Debug for HeaderValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(value) => value.fmt(formatter),
            Self::Secret(value) => value.fmt(formatter),
        }
    }
}

/// Removes the identity headers of the client, in every spelling: some upstreams read
/// `X_Auth_Subject` as `X-Auth-Subject`. The header that names the certificate of a client is one, too.
pub fn without_made_up_identity(request: &RequestHead) -> Vec<HeaderEdit> {
    removals(request, is_made_up_identity)
}

fn is_made_up_identity(name: &str) -> bool {
    begins_with(name, b'x')
        && (IDENTITY_HEADERS.iter().any(|own| is_spelling(name, own))
            || is_spelling(name, FORWARDED_CERTIFICATE))
}

/// Removes the identity headers of the client, and every credential that it sent: the caller's rights in
/// n8n are those of the principal alone. `from`: where else a token may be.
pub(super) fn without_credentials(
    request: &RequestHead,
    keep_authorization: bool,
    from: Option<&TokenFrom>,
) -> Vec<HeaderEdit> {
    let mut edits = removals(request, |name| {
        is_made_up_identity(name)
            || is_spelling(name, API_KEY_HEADER)
            || (!keep_authorization && is_spelling(name, "authorization"))
            // A proof is used up. With it, a workflow could call this gate again in another Envoy.
            || is_spelling(name, PROOF_HEADER)
            || steers_router(name)
    });
    edits.extend(without_cookies(request, |name| {
        is_session(name)
            || matches!(from, Some(TokenFrom::Cookie(token)) if browser_token::is_named(name, token))
    }));
    edits.extend(
        from.into_iter()
            .flat_map(|from| without_query_token(request, from)),
    );
    edits
}

/// Whether this header makes Envoy's router send a request several times, or give up on it early. A client
/// that Envoy takes for one of its own network may write it. A delivery or a proof would count several
/// times then.
fn steers_router(name: &str) -> bool {
    const ALL: [&str; 4] = [
        "x-envoy-retr",
        "x-envoy-max-retries",
        "x-envoy-hedge",
        "x-envoy-upstream-rq-",
    ];
    let starts_with = |start: &&str| {
        let own = name.get(..start.len());
        own.is_some_and(|own| own.eq_ignore_ascii_case(start))
    };
    begins_with(name, b'x') && ALL.iter().any(starts_with)
}

/// Removes the token of a request that passes without a look at it, such as a preflight.
pub(super) fn without_browser_token(request: &RequestHead, from: &TokenFrom) -> Vec<HeaderEdit> {
    let mut edits = without_made_up_identity(request);
    match from {
        TokenFrom::Cookie(token) => edits.extend(without_cookies(request, |name| {
            browser_token::is_named(name, token)
        })),
        TokenFrom::Query(_) => edits.extend(without_query_token(request, from)),
    }
    edits
}

/// Removes a token from the query, and the page that led here: its address may hold the token, too, and
/// n8n stores both with the execution (RFC 6750 §5.3).
fn without_query_token(request: &RequestHead, from: &TokenFrom) -> Vec<HeaderEdit> {
    let TokenFrom::Query(name) = from else {
        return Vec::new();
    };
    let mut edits = removals(request, |name| is_spelling(name, "referer"));
    let target = browser_token::target_without(request.target(), name);
    edits.extend(target.map(|target| HeaderEdit::Set(":path", HeaderValue::Plain(target.into()))));
    edits
}

/// Moves an API key that came as a bearer token to the header in which n8n looks for it. Another
/// spelling of that header does not go on.
pub(super) fn with_key_of_bearer(request: &RequestHead, key: &[u8]) -> Vec<HeaderEdit> {
    let mut edits = without_made_up_identity(request);
    edits.extend(removals(request, |name| {
        is_spelling(name, API_KEY_HEADER) || is_spelling(name, "authorization")
    }));
    let key = Secret::new(String::from_utf8_lossy(key).into_owned());
    edits.push(HeaderEdit::Set(API_KEY_HEADER, HeaderValue::Secret(key)));
    edits
}

/// Removes what ties a request of n8n's editor to its browser: to the session of that browser, and to its
/// connection for messages.
pub(super) fn without_browser(request: &RequestHead) -> Vec<HeaderEdit> {
    without_headers(request, &["browser-id", "push-ref"])
}

/// Removes these headers, in every spelling.
pub(super) fn without_headers(request: &RequestHead, names: &[&str]) -> Vec<HeaderEdit> {
    removals(request, |name| {
        names.iter().any(|own| is_spelling(name, own))
    })
}

/// These identity headers of a caller. One without a value is not there.
pub(super) fn identity_headers(
    wanted: &[IdentityHeader],
    identity: &Identity,
    principal: Option<&str>,
) -> Vec<HeaderEdit> {
    fn single(value: &str) -> Option<Cow<'_, str>> {
        (!value.is_empty()).then(|| encode(value))
    }
    let list = |values: &[String]| {
        let encoded: Vec<_> = values.iter().map(|value| encode(value)).collect();
        (!encoded.is_empty()).then(|| encoded.join(",").into())
    };
    let value = |header| match header {
        IdentityHeader::Subject => identity.subject.as_deref().and_then(single),
        IdentityHeader::Client => identity.client.as_deref().and_then(single),
        IdentityHeader::Issuer => single(&identity.issuer),
        IdentityHeader::Kind => single(identity.kind.as_str()),
        IdentityHeader::Email => identity.verified_email.as_deref().and_then(single),
        IdentityHeader::Roles => list(&identity.roles),
        IdentityHeader::Scopes => list(&identity.scopes),
        IdentityHeader::Principal => principal.and_then(single),
    };
    let edit = |header: &IdentityHeader| {
        let value = value(*header).filter(|value| value.len() <= MAX_VALUE)?;
        let value = HeaderValue::Plain(value.into());
        Some(HeaderEdit::Set(header.name(), value))
    };
    wanted.iter().filter_map(edit).collect()
}

/// Makes a claim safe in a header: everything but visible ASCII is percent-encoded (RFC 3986
/// §2.1), and so are `%` itself and the comma that separates the items of a list. So no claim can
/// end a line, or become two items.
pub(super) fn encode(value: &str) -> Cow<'_, str> {
    let length = encoded_length(value);
    if length == value.len() {
        return value.into();
    }
    let mut encoded = String::with_capacity(length);
    for byte in value.bytes() {
        if is_safe(byte) {
            encoded.push(char::from(byte));
        } else {
            percent::push(&mut encoded, byte);
        }
    }
    encoded.into()
}

/// How many bytes [`encode`] makes of a value.
pub(super) fn encoded_length(value: &str) -> usize {
    let lengths = value.bytes().map(|byte| if is_safe(byte) { 1 } else { 3 });
    lengths.fold(0, usize::saturating_add)
}

const fn is_safe(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'%' && byte != b','
}

/// Whether some upstream could read `name` as `own`, which is in lower case: without regard to
/// case, and with underscores for hyphens.
pub(super) fn is_spelling(name: &str, own: &str) -> bool {
    let fold = |byte: u8| match byte {
        b'_' => b'-',
        byte => byte.to_ascii_lowercase(),
    };
    name.len() == own.len() && name.bytes().map(fold).eq(own.bytes())
}

/// Whether a name begins with this letter, in lower case. Each header of each request is compared with some
/// fifteen names, and this tells most of them apart.
fn begins_with(name: &str, letter: u8) -> bool {
    let first = name.as_bytes().first();
    first.is_some_and(|first| first.eq_ignore_ascii_case(&letter))
}

fn removals(request: &RequestHead, chosen: impl Fn(&str) -> bool) -> Vec<HeaderEdit> {
    // A header that came a hundred times is removed once, and found in one look-up.
    let mut seen = BTreeSet::new();
    let names = request.headers().map(|(name, _)| name);
    let names = names.filter(|name| chosen(name) && seen.insert(*name));
    names
        .map(|name| HeaderEdit::Remove(name.to_owned()))
        .collect()
}

/// The session cookie of n8n's user interface.
const SESSION_COOKIE: &[u8] = b"n8n-auth";

/// Whether this is the name of n8n's session: on the public API n8n lets a session override the user
/// of the API key, so that the request would run as another user than the principal's.
fn is_session(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(SESSION_COOKIE)
}

/// Removes cookies by their names. The names have no byte at their ends that some parser may trim, so
/// that no parser finds a cookie that was missed here.
fn without_cookies(request: &RequestHead, chosen: impl Fn(&[u8]) -> bool) -> Option<HeaderEdit> {
    let is_chosen = |cookie: &Cookie<'_>| chosen(cookie.name);
    if !cookies(request).any(|cookie| is_chosen(&cookie)) {
        return None;
    }
    let left: Vec<&[u8]> = cookies(request)
        .filter(|cookie| !is_chosen(cookie))
        .map(|cookie| cookie.whole.trim_ascii())
        .filter(|cookie| !cookie.is_empty())
        .collect();
    // A header whose other cookies are not text cannot be set again as text. It is removed.
    Some(match String::from_utf8(left.join(b"; ".as_slice())) {
        Ok(left) if !left.is_empty() => {
            HeaderEdit::Set(COOKIE_HEADER, HeaderValue::Plain(left.into()))
        }
        _ => HeaderEdit::Remove(COOKIE_HEADER.to_owned()),
    })
}
