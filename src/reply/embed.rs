//! The response that logs a browser in.

use super::LocalReply;
use crate::secret::Secret;

/// n8n's session cookie.
pub const SESSION_COOKIE: &str = "n8n-auth";

/// The cookie that marks a browser that a page of another origin logged in. Browsers take one of this name
/// from this host alone, so that no page of a neighbouring host can mark a browser.
pub const EMBEDDED_MARK: &str = "__Host-n8n-idp-gate-embedded=1";

/// What a cookie needs to reach a frame below a page of another site: browsers block others there. It is
/// stored apart for each such site.
const IN_FRAMES: &str = "; HttpOnly; Secure; SameSite=None; Partitioned";

/// Sends a browser to a path of n8n with this session, a pair of name and value.
pub fn embed_reply(path: &str, session: &Secret) -> LocalReply {
    let cookies = [
        format!("{}; Path=/{IN_FRAMES}", session.expose()),
        format!("{EMBEDDED_MARK}; Path=/{IN_FRAMES}"),
    ];
    LocalReply {
        status: 302,
        headers: vec![
            ("location", path.to_owned().into()),
            ("cache-control", "no-store".into()),
            // The token is in the address of this response.
            ("referrer-policy", "no-referrer".into()),
        ],
        cookies: cookies.map(Secret::new).into(),
        body: String::new(),
    }
}

/// The same `Set-Cookie` for frames.
pub fn partitioned(cookie: &str) -> String {
    let mut parts = cookie.split(';').map(str::trim);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let name = part.split('=').next().unwrap_or_default().trim();
        let is_replaced = ["httponly", "secure", "samesite", "partitioned", ""]
            .iter()
            .any(|own| name.eq_ignore_ascii_case(own));
        if !is_replaced {
            text.push_str("; ");
            text.push_str(part);
        }
    }
    text + IN_FRAMES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_sent_to_n8n_with_a_session_that_reaches_a_frame() {
        let reply = embed_reply("/workflows", &Secret::new("n8n-auth=a.b".to_owned()));
        assert_eq!(reply.status, 302);
        let header = |name: &str| {
            let mut all = reply.headers.iter();
            all.find(|(own, _)| *own == name).map(|(_, value)| &**value)
        };
        assert_eq!(header("location"), Some("/workflows"));
        assert_eq!(header("cache-control"), Some("no-store"));
        assert_eq!(header("referrer-policy"), Some("no-referrer"));
        assert_eq!(
            reply.cookies[0].expose(),
            "n8n-auth=a.b; Path=/; HttpOnly; Secure; SameSite=None; Partitioned"
        );
        assert!(!format!("{reply:?}").contains("a.b"), "{reply:?}");
    }

    #[test]
    fn a_cookie_keeps_its_life_and_loses_what_keeps_it_out_of_frames() {
        for (before, expected) in [
            (
                "n8n-auth=a; Max-Age=604800; Path=/; Expires=Sun, 06 Dec 2026 00:00:00 GMT; HttpOnly; SameSite=Lax",
                "n8n-auth=a; Max-Age=604800; Path=/; Expires=Sun, 06 Dec 2026 00:00:00 GMT; HttpOnly; Secure; SameSite=None; Partitioned",
            ),
            (
                "n8n-auth=; Path=/;secure;; samesite=strict;PARTITIONED",
                "n8n-auth=; Path=/; HttpOnly; Secure; SameSite=None; Partitioned",
            ),
        ] {
            assert_eq!(partitioned(before), expected);
        }
    }
}
