//! What is changed in responses so that pages of other origins can show n8n.

use std::sync::Arc;

use crate::http::RequestHead;
use crate::reply::{partitioned, EMBEDDED_MARK, SESSION_COOKIE};

/// What is changed in the response to a request of the editor, where pages of other origins may show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbedEdits {
    /// The directive that names these origins.
    pub frame_ancestors: Arc<str>,
    /// The browser was logged in by such a page. Only then is a session one that such a page gets: any
    /// other browser keeps the `SameSite` of n8n, which protects it from forged requests.
    pub is_embedded: bool,
}

/// One change of the head of a response. Removals come before what is added under the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResponseChange {
    /// Removes every header of this name.
    Remove(&'static str),
    /// Adds this header.
    Add(&'static str, String),
}

impl EmbedEdits {
    /// Of a request.
    pub(super) fn of(request: &RequestHead, frame_ancestors: &Arc<str>) -> Self {
        let cookies = request.values("cookie");
        let mut cookies = cookies.flat_map(|value| value.split(|byte| *byte == b';'));
        let is_mark = |cookie: &[u8]| cookie.trim_ascii() == EMBEDDED_MARK.as_bytes();
        Self {
            frame_ancestors: Arc::clone(frame_ancestors),
            is_embedded: cookies.any(is_mark),
        }
    }

    /// What to change in a response with these headers.
    pub fn changes(&self, headers: &[(String, Vec<u8>)]) -> Vec<ResponseChange> {
        let values = |name: &'static str| {
            let own = headers
                .iter()
                .filter(move |(own, _)| own.eq_ignore_ascii_case(name));
            own.filter_map(|(_, value)| std::str::from_utf8(value).ok())
        };
        let mut changes = vec![ResponseChange::Remove("x-frame-options")];
        // A browser follows every policy that it gets, so that each one with the directive would count.
        changes.push(ResponseChange::Remove(POLICY));
        let policies = values(POLICY).flat_map(|value| value.split(','));
        let policies = policies.map(without_frame_ancestors);
        let policies = policies.filter(|policy| !policy.is_empty());
        let policies = policies.chain([(*self.frame_ancestors).to_owned()]);
        changes.extend(policies.map(|policy| ResponseChange::Add(POLICY, policy)));
        let is_session = |cookie: &str| {
            let name = cookie.split('=').next().unwrap_or_default();
            name.trim().eq_ignore_ascii_case(SESSION_COOKIE)
        };
        if self.is_embedded && values(COOKIES).any(is_session) {
            changes.push(ResponseChange::Remove(COOKIES));
            let cookies = values(COOKIES).map(|cookie| {
                if is_session(cookie) {
                    partitioned(cookie)
                } else {
                    cookie.to_owned()
                }
            });
            changes.extend(cookies.map(|cookie| ResponseChange::Add(COOKIES, cookie)));
        }
        changes
    }
}

const POLICY: &str = "content-security-policy";
const COOKIES: &str = "set-cookie";

/// A policy without the directive that says which pages may show the response.
fn without_frame_ancestors(policy: &str) -> String {
    let directives = policy.split(';').map(str::trim);
    let others = directives.filter(|directive| {
        let name = directive.split_ascii_whitespace().next();
        name.is_some_and(|name| !name.eq_ignore_ascii_case("frame-ancestors"))
    });
    others.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edits(cookie: &str) -> EmbedEdits {
        let head = RequestHead::new(vec![("cookie".to_owned(), cookie.as_bytes().to_vec())]);
        EmbedEdits::of(
            &head,
            &"frame-ancestors 'self' https://portal.example".into(),
        )
    }

    fn after(edits: &EmbedEdits, headers: &[(&str, &str)]) -> Vec<(String, String)> {
        let mut left: Vec<(String, Vec<u8>)> = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect();
        for change in edits.changes(&left.clone()) {
            match change {
                ResponseChange::Remove(name) => left.retain(|(own, _)| own != name),
                ResponseChange::Add(name, value) => left.push((name.to_owned(), value.into())),
            }
        }
        let text = |(name, value)| (name, String::from_utf8(value).unwrap());
        left.into_iter().map(text).collect()
    }

    fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
        all.iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    const OURS: (&str, &str) = (
        "content-security-policy",
        "frame-ancestors 'self' https://portal.example",
    );

    #[test]
    fn the_origins_may_show_the_page_and_no_older_rule_keeps_them_from_it() {
        let headers = [("x-frame-options", "SAMEORIGIN"), ("x", "1")];
        assert_eq!(after(&edits(""), &headers), pairs(&[("x", "1"), OURS]));
        for (before, left) in [
            (
                "default-src 'self'; frame-ancestors 'none'",
                Some("default-src 'self'"),
            ),
            ("FRAME-ANCESTORS *;sandbox;", Some("sandbox")),
            ("frame-ancestors 'self'", None),
            ("frame-ancestors a, script-src b", Some("script-src b")),
            ("", None),
        ] {
            let name = "content-security-policy";
            let left = left.map(|left| (name, left));
            let expected: Vec<_> = left.into_iter().chain([OURS]).collect();
            assert_eq!(
                after(&edits(""), &[(name, before)]),
                pairs(&expected),
                "{before}"
            );
        }
    }

    #[test]
    fn only_a_browser_that_such_a_page_logged_in_gets_a_session_for_frames() {
        let session = (
            "set-cookie",
            "n8n-auth=a.b; Max-Age=9; Path=/; HttpOnly; SameSite=Lax",
        );
        let other = ("set-cookie", "theme=dark; Path=/");
        let plain = edits(
            "theme=dark; __Host-x=1; n8n-idp-gate-embedded=1; __Host-n8n-idp-gate-embedded=0",
        );
        assert_eq!(
            after(&plain, &[session, other]),
            pairs(&[session, other, OURS])
        );
        let marked = edits("theme=dark; __Host-n8n-idp-gate-embedded=1");
        let moved = (
            "set-cookie",
            "n8n-auth=a.b; Max-Age=9; Path=/; HttpOnly; Secure; SameSite=None; Partitioned",
        );
        assert_eq!(
            after(&marked, &[session, other]),
            pairs(&[OURS, moved, other])
        );
        assert_eq!(after(&marked, &[other]), pairs(&[other, OURS]));
    }
}
