//! What is done to the current request of the host.

use log::Level;

use super::call::status_code;
use super::host::{Attribute, Flow, Headers, Host, NotDone};
use super::kept::Kept;
use crate::decide::{HeaderEdit, AUDIT_PROPERTY};
use crate::gate::{Action, Settled, Source};
use crate::http::RequestHead;
use crate::reply::{problem, LocalReply, Reason, Told};

/// What Envoy says about a response that came from n8n.
const VIA_UPSTREAM: &[u8] = b"via_upstream";

/// Carries out what was decided, and has the host keep what it is to keep of the request. If the host
/// does not do it, the request is refused, and its decision says so afterwards.
pub(super) fn carry_out<H: Host>(host: &H, settled: &mut Settled, kept: Kept) -> Flow {
    let mut named = if kept.record {
        keep_record(host, settled)
    } else {
        Ok(())
    };
    for (name, value) in settled.caller_properties(kept.caller) {
        named = named.and(host.set_property(name, &value));
    }
    let head = settled.request();
    let (done, flow) = match settled.action() {
        // Another module can write these properties before, and declare them read-only. The access log
        // would then name another caller for a request that reaches n8n, or have a made-up record of it.
        Action::Continue(edits) => {
            let done = named.and_then(|()| edit(host, edits, head));
            (done, Flow::Continue)
        }
        Action::Reply(edits, local_reply) => {
            // These are for the log alone: the request is refused whether they are made or not.
            let _ = edit(host, edits, head);
            (reply(host, local_reply), Flow::Hold)
        }
    };
    if done.is_ok() {
        return flow;
    }
    // A head of which only some headers were changed must not go on.
    refuse(host, settled);
    Flow::Hold
}

/// Has the host keep the audit record, in place of one from before, for its access logs. They are written
/// when the request ends.
pub(super) fn keep_record<H: Host>(host: &H, settled: &mut Settled) -> Result<(), NotDone> {
    settled.set_source(|| source(host));
    let kept = host.set_property(AUDIT_PROPERTY, &settled.audit());
    settled.is_kept = kept.is_ok();
    kept
}

/// Refuses a request because the host did not do what was decided.
pub(super) fn refuse<H: Host>(host: &H, settled: &mut Settled) {
    settled.host_failed();
    if settled.is_kept {
        let _ = keep_record(host, settled);
    }
    host.log(
        Level::Error,
        "the host did not do what was asked; the request is refused",
    );
    reply_host_failure(host);
}

/// Refuses a request about which nothing is known.
pub(super) fn reply_host_failure<H: Host>(host: &H) {
    let local_reply = problem(
        &Reason::ProxyFailure,
        None,
        &RequestHead::default(),
        Told::default(),
    );
    let _ = reply(host, &local_reply);
}

/// Changes the head of the request, which came as `head`.
pub(super) fn edit<H: Host>(
    host: &H,
    edits: &[HeaderEdit],
    head: &RequestHead,
) -> Result<(), NotDone> {
    for edit in edits {
        match edit {
            HeaderEdit::Remove(name) => host.remove_header(Headers::Request, name)?,
            // Without such a header there is none to replace, and the host adds one in half the time.
            HeaderEdit::Set(name, value) if head.first(name).is_none() => {
                host.add_header(Headers::Request, name, value.expose())?;
            }
            HeaderEdit::Set(name, value) => {
                host.replace_header(Headers::Request, name, value.expose())?;
            }
        }
    }
    Ok(())
}

/// Sends a local reply.
pub(super) fn reply<H: Host>(host: &H, reply: &LocalReply) -> Result<(), NotDone> {
    let headers = reply.headers.iter();
    let cookies = reply.cookies.iter();
    let headers: Vec<_> = headers
        .map(|(name, value)| (*name, &**value))
        .chain(cookies.map(|cookie| ("set-cookie", cookie.expose())))
        .collect();
    host.reply(reply.status, &headers, &reply.body)
}

/// Where the request came from, as the host says. This is not a header, which a client could write.
pub(super) fn source<H: Host>(host: &H) -> Option<Source> {
    let address = host.attribute(Attribute::SourceAddress)?;
    Some(Source::new(std::str::from_utf8(&address).ok()?))
}

/// The status of the response, while the host reports it.
pub(super) fn response_status<H: Host>(host: &H) -> Option<u16> {
    status_code(&host.header(Headers::Response, ":status")?)
}

/// Whether the response is one that the host or another filter made. Such a response says nothing
/// about n8n.
pub(super) fn response_is_local<H: Host>(host: &H) -> bool {
    let details = host.attribute(Attribute::ResponseDetails);
    details.is_some_and(|details| details != VIA_UPSTREAM)
}
