//! What Twilio signs: the URL, and the fields of a form.

use std::borrow::Cow;

use super::fault::SignatureFault;
use crate::formats::{form, hex};
use crate::http::RequestHead;

/// The query parameter with the hash of a body that is no form.
const BODY_HASH: &str = "bodySHA256";

/// The messages of which one is signed. Twilio names the port of the URL or leaves it out, and its
/// libraries take both.
pub(super) fn messages<'m>(
    origin: &str,
    request: &RequestHead,
    body: &[u8],
) -> Result<Vec<Vec<Cow<'m, [u8]>>>, SignatureFault> {
    let fields = fields(request, body)?;
    let messages = origins(origin).into_iter().map(|origin| {
        let url = [origin.as_bytes(), request.target()].concat();
        vec![Cow::from(url), Cow::from(fields.clone())]
    });
    Ok(messages.collect())
}

/// What is signed beside the URL. A body that no signature covers is refused: an attacker would write
/// it below the signature of another request.
fn fields(request: &RequestHead, body: &[u8]) -> Result<Vec<u8>, SignatureFault> {
    const FAULT: SignatureFault = SignatureFault::Malformed("body");
    if let Some(expected) = form::value(request.query(), BODY_HASH) {
        let hash = hmac_sha256::Hash::hash(body);
        // The expected hash is in the URL, which is signed.
        return if hex::encoded(&hash) == expected.to_ascii_lowercase() {
            Ok(Vec::new())
        } else {
            Err(SignatureFault::Invalid)
        };
    }
    if body.is_empty() {
        return Ok(Vec::new());
    }
    let mut types = request.values("content-type");
    let kind = types
        .next()
        .filter(|_| types.next().is_none())
        .ok_or(FAULT)?;
    let kind = kind.split(|byte| *byte == b';').next().unwrap_or_default();
    let is_form = kind
        .trim_ascii()
        .eq_ignore_ascii_case(b"application/x-www-form-urlencoded");
    if !is_form || request.method() != b"POST" {
        return Err(FAULT);
    }
    let mut fields = form::fields(body);
    // By name, then by value, each pair once. The other sort brings 7 KB more into the module.
    fields.sort_unstable();
    fields.dedup();
    Ok(fields
        .into_iter()
        .flat_map(|(name, value)| [name, value].concat())
        .collect())
}

/// The origin with and without a port.
fn origins(origin: &str) -> Vec<String> {
    let (scheme, rest) = origin.split_once("://").unwrap_or(("https", origin));
    let (host, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let without_port = match host.rsplit_once(':') {
        Some((name, port))
            if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            name
        }
        _ => host,
    };
    let other = if without_port == host {
        let port = if scheme == "http" { "80" } else { "443" };
        format!("{scheme}://{host}:{port}{path}")
    } else {
        format!("{scheme}://{without_port}{path}")
    };
    vec![origin.to_owned(), other]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_a_port_or_not() {
        for (origin, other) in [
            ("https://a.example", "https://a.example:443"),
            ("http://a.example", "http://a.example:80"),
            ("https://a.example:8443", "https://a.example"),
            ("https://[::1]", "https://[::1]:443"),
            ("https://[::1]:8443", "https://[::1]"),
            ("https://a.example/base", "https://a.example:443/base"),
        ] {
            assert_eq!(origins(origin), [origin, other]);
        }
    }
}
