//! The head of a request as n8n would see it.

use n8n_idp_gate::decide::{Decision, HeaderEdit, HeaderValue, Outcome};
use n8n_idp_gate::http::RequestHead;

/// What is shown in place of a secret.
pub(crate) const SECRET: &str = "***";

/// What happens to a header of this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The client did not send it.
    Added,
    /// The client sent it with another value.
    Changed,
    /// The client sent it, and n8n does not get it.
    Removed,
    /// n8n gets it as the client sent it.
    Kept,
}

impl Change {
    /// The name in JSON and text.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
            Self::Kept => "kept",
        }
    }
}

/// A header, and what happens to it.
pub(crate) struct Header {
    /// Its name, in lower case.
    pub(crate) name: String,
    /// What happens to it.
    pub(crate) change: Change,
    /// What n8n gets; `None`: nothing.
    pub(crate) value: Option<String>,
}

/// Every header, if n8n would get the request.
pub(crate) fn headers(decision: &Decision, head: &RequestHead) -> Option<Vec<Header>> {
    let edits = match &decision.outcome {
        Outcome::Forward(forward) => forward.edits(),
        Outcome::Pass(edits) => edits,
        _ => return None,
    };
    let mut headers: Vec<Header> = Vec::new();
    for (name, value) in head.headers() {
        let value = String::from_utf8_lossy(value);
        headers.push(Header {
            name: name.to_owned(),
            change: Change::Kept,
            value: Some(sent(name, &value)),
        });
    }
    for edit in edits {
        match edit {
            HeaderEdit::Remove(name) => {
                for header in headers.iter_mut().filter(|header| header.name == *name) {
                    header.change = Change::Removed;
                    header.value = None;
                }
            }
            HeaderEdit::Set(name, value) => {
                let value = match value {
                    HeaderValue::Plain(value) => sent(name, value),
                    HeaderValue::Secret(_) => SECRET.to_owned(),
                };
                // A header that came several times is one afterwards.
                let count = headers.len();
                headers.retain(|header| header.name != *name);
                let was_sent = headers.len() < count;
                headers.push(Header {
                    name: (*name).to_owned(),
                    change: if was_sent {
                        Change::Changed
                    } else {
                        Change::Added
                    },
                    value: Some(value),
                });
            }
        }
    }
    Some(headers)
}

/// The value of a header that the client sent. Credentials are not shown.
fn sent(name: &str, value: &str) -> String {
    const CREDENTIALS: [&str; 5] = [
        "authorization",
        "cookie",
        "dpop",
        "proxy-authorization",
        "x-n8n-api-key",
    ];
    let name = name.replace('_', "-");
    if CREDENTIALS.contains(&name.as_str()) {
        return SECRET.to_owned();
    }
    super::step::shown(value)
}
