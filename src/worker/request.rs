//! One request, from its head to its end.

use log::Level;

use super::current;
use super::host::{view, Flow, Headers, Host, NotDone};
use super::root::Worker;
use crate::decide::{ResponseChange, ResponseEdit};
use crate::facts::WaiterId;
use crate::gate::{
    Action, ForwardedRequest, RequestBody, ResponseEdits, Settled, Step, UpstreamFailure,
};
use crate::http::RequestHead;

/// This status and all above are those of failures.
const SERVER_ERROR: u16 = 500;

/// n8n did not take the request, because there were too many.
const TOO_MANY_REQUESTS: u16 = 429;

/// One request, as its host reports it. The host drops it when the request ends, also while it waits.
pub struct Request<H: Host> {
    host: H,
    id: WaiterId,
    /// `None`: there is no configuration, and nothing may pass.
    worker: Option<Worker<H>>,
    /// Whether it was decided that the request goes on. Before that, and for ever after a local reply,
    /// each part of it is held.
    goes_on: bool,
    /// The edits of n8n's response.
    response_edits: ResponseEdits,
    /// What n8n's response is compared with, if it can say something about the gate.
    forwarded: Option<Box<ForwardedRequest>>,
}

impl<H: Host> Request<H> {
    /// A request that begins. Its number is that of its context in the host.
    pub const fn new(host: H, context: u32, worker: Option<Worker<H>>) -> Self {
        Self {
            host,
            id: WaiterId(context),
            worker,
            goes_on: false,
            response_edits: ResponseEdits {
                fixed: &[],
                embed: None,
            },
            forwarded: None,
        }
    }

    /// The head of the request has come. `is_end`: it has no body.
    pub fn head(&mut self, is_end: bool) -> Flow {
        let body = if is_end {
            RequestBody::None
        } else {
            RequestBody::Coming(0)
        };
        let flow = self.decide(body);
        self.goes_on = flow == Flow::Continue;
        flow
    }

    /// A part of the body has come. `size`: the bytes that the host holds, if it holds the body.
    pub fn body(&mut self, size: usize, is_end: bool) -> Flow {
        self.later_part(Some(size), is_end)
    }

    /// The trailers have come: no more of the body will.
    pub fn trailers(&mut self) -> Flow {
        self.later_part(None, true)
    }

    /// A part of the body or the trailers have come.
    ///
    /// With `allow_on_headers_stop_iteration` in the plugin's configuration the host reports body and
    /// trailers while the head is held. "Continue" for one of them would let the head go on too: a
    /// client would get past every check by sending a body.
    fn later_part(&mut self, size: Option<usize>, is_end: bool) -> Flow {
        if self.goes_on() {
            return Flow::Continue;
        }
        let Some(worker) = self.worker.clone() else {
            return Flow::Hold;
        };
        let host = &self.host;
        let now = worker.now();
        let step = {
            let mut state = worker.state();
            let step = state
                .gate
                .body_part(self.id, size, is_end, &view(host, now));
            // Another request may have to leave for this body.
            state.adjust_tick(host);
            step
        };
        let flow = step.map_or(Flow::Hold, |step| self.carry_out(&worker, step));
        self.goes_on = flow == Flow::Continue;
        flow
    }

    /// The head of the response has come.
    ///
    /// A workflow that echoes its request, or a proxy before n8n, must not show an upstream API key to
    /// the caller.
    pub fn response_head(&mut self) -> Flow {
        if !self.goes_on() {
            return Flow::Continue;
        }
        for ResponseEdit::Remove(name) in self.response_edits.fixed {
            if self.host.remove_header(Headers::Response, name).is_err() {
                self.host.log(
                    Level::Error,
                    &format!("the host did not remove {name} from a response; if it had one, the caller gets it"),
                );
            }
        }
        if self.response_edits.embed.is_some() && self.embed().is_err() {
            self.host.log(
                Level::Error,
                "the host did not change a response for frames; the browser may not show it",
            );
        }
        self.compare_response()
    }

    /// Lets pages of other origins show the response.
    fn embed(&self) -> Result<(), NotDone> {
        let Some(edits) = &self.response_edits.embed else {
            return Ok(());
        };
        let headers = self.host.response_headers().ok_or(NotDone)?;
        for change in edits.changes(&headers) {
            match change {
                ResponseChange::Remove(name) => self.host.remove_header(Headers::Response, name)?,
                ResponseChange::Add(name, value) => {
                    self.host.add_header(Headers::Response, name, &value)?;
                }
            }
        }
        Ok(())
    }

    fn decide(&mut self, body: RequestBody) -> Flow {
        let host = &self.host;
        let Some(worker) = self.worker.clone() else {
            host.log(
                Level::Error,
                "there is no configuration; the request is refused",
            );
            current::reply_host_failure(host);
            return Flow::Hold;
        };
        let Ok(head) = host.request_head() else {
            host.log(
                Level::Error,
                "the host did not give the head of the request; it is refused",
            );
            current::reply_host_failure(host);
            return Flow::Hold;
        };
        let now = worker.now();
        let step = {
            let mut state = worker.state();
            let source = || current::source(host);
            let view = view(host, now);
            state
                .gate
                .request_from(self.id, (head, body), &view, source)
        };
        self.carry_out(&worker, step)
    }

    /// Does what was decided about this request, which is the current one.
    fn carry_out(&mut self, worker: &Worker<H>, step: Step) -> Flow {
        let host = &self.host;
        match step {
            Step::Settled(mut settled) => {
                let kept = worker.state().kept(&settled);
                let flow = current::carry_out(host, &mut settled, kept);
                worker.state().report_current(host, &mut settled);
                if flow == Flow::Continue {
                    self.response_edits = settled.response_edits();
                    self.forwarded = settled.into_forwarded();
                }
                flow
            }
            Step::Waits { need, edits } => {
                // These are for the log alone: this head does not go on.
                let _ = current::edit(host, &edits, &RequestHead::default());
                let mut state = worker.state();
                state.count_wait(host, need.as_ref());
                state.adjust_tick(host);
                Flow::Hold
            }
        }
    }

    /// Whether the host may let the parts of this request go on, at once or after a wait.
    fn goes_on(&mut self) -> bool {
        if let (false, Some(worker)) = (self.goes_on, &self.worker) {
            let resumed = worker.state().resumed.take(self.id);
            if let Some(resumed) = resumed {
                self.goes_on = true;
                self.response_edits = resumed.response_edits;
                self.forwarded = resumed.forwarded;
            }
        }
        self.goes_on
    }

    /// Looks at what n8n says about the upstream API key.
    fn compare_response(&mut self) -> Flow {
        let (Some(worker), Some(forwarded)) = (&self.worker, self.forwarded.take()) else {
            return Flow::Continue;
        };
        let status = current::response_status(&self.host);
        let is_failure = |status: &u16| *status >= SERVER_ERROR || *status == TOO_MANY_REQUESTS;
        if let Some(status) = status.filter(is_failure) {
            let failure = UpstreamFailure {
                status,
                is_local: current::response_is_local(&self.host),
            };
            let view = view(&self.host, worker.now());
            let mut state = worker.state();
            state.gate.note_failure(&forwarded, failure, &view);
        }
        let settled = status.and_then(|status| {
            let state = worker.state();
            state.gate.responded(*forwarded, status, || worker.now())
        });
        match settled {
            Some(settled) if !current::response_is_local(&self.host) => {
                replace_response(&self.host, worker, settled)
            }
            _ => Flow::Continue,
        }
    }
}

/// Does what the decision about n8n's response says.
fn replace_response<H: Host>(host: &H, worker: &Worker<H>, mut settled: Settled) -> Flow {
    let mut flow = Flow::Continue;
    if let Action::Reply(_, local_reply) = settled.action() {
        flow = Flow::Hold;
        if current::reply(host, local_reply).is_err() {
            host.log(
                Level::Error,
                "the host did not replace n8n's response; it goes to the caller as 502",
            );
            let _ = host.replace_header(Headers::Response, ":status", "502");
            flow = Flow::Continue;
        }
    }
    let mut state = worker.state();
    if state.kept(&settled).record {
        // In place of the record of the forward, which this one implies.
        let _ = current::keep_record(host, &mut settled);
    }
    state.gate.note_response(&settled);
    state.report_upstream_refusal(host, &settled, flow == Flow::Hold);
    state.report_current(host, &mut settled);
    flow
}

impl<H: Host> Drop for Request<H> {
    fn drop(&mut self) {
        let Some(worker) = &self.worker else {
            return;
        };
        let mut state = worker.state();
        state.resumed.take(self.id);
        if state.gate.is_waiting(self.id) {
            if let Some(abandoned) = state.gate.abandon(self.id, worker.now()) {
                state.report(&self.host, &abandoned);
            }
        }
    }
}
