//! One request.

use std::cell::RefCell;
use std::rc::Rc;

use log::{error, info, warn};
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action as Flow;

use super::root::Worker;
use super::{abi, host};
use crate::decide::API_KEY_HEADER;
use crate::facts::{Fact, WaiterId};
use crate::gate::{Action, ForwardedRequest, Settled, Step};
use crate::http::RequestHead;
use crate::observe::Metric;
use crate::reply::{problem, Reason};

/// One request, as the host sees it.
pub(super) struct Request {
    id: WaiterId,
    /// `None`: there is no configuration, and nothing may pass.
    worker: Option<Rc<RefCell<Worker>>>,
    /// Whether it was decided that the request goes on. Until then, and for good where it is
    /// answered here, every part of it is held.
    goes_on: bool,
    /// What is to be done with n8n's answer, where the gate put its key in.
    sent: Option<Box<ForwardedRequest>>,
}

impl Request {
    pub(super) const fn new(id: WaiterId, worker: Option<Rc<RefCell<Worker>>>) -> Self {
        Self {
            id,
            worker,
            goes_on: false,
            sent: None,
        }
    }

    fn head(&mut self) -> Flow {
        let Some(worker) = &self.worker else {
            error!("there is no configuration; the request is refused");
            reply_host_failure();
            return Flow::Pause;
        };
        let Ok(head) = host::request_head() else {
            error!("the host did not hand over the head of the request; it is refused");
            reply_host_failure();
            return Flow::Pause;
        };
        let mut worker = worker.borrow_mut();
        let step = worker
            .gate
            .request_from(self.id, head, host::now(), host::source);
        match step {
            Step::Settled(mut settled) => {
                let flow = perform(&mut settled);
                worker.report_here(&mut settled);
                if flow == Flow::Continue {
                    self.sent = settled.into_forwarded();
                }
                flow
            }
            Step::Waits { fact, edits } => {
                // For the log alone: the request goes nowhere as it is.
                let _ = host::apply(&edits, &RequestHead::default());
                worker.count_wait(fact);
                worker.adjust_tick();
                Flow::Pause
            }
        }
    }

    /// Whether the host was told that the head goes on, at once or after a wait.
    fn goes_on(&mut self) -> bool {
        if let (false, Some(worker)) = (self.goes_on, &self.worker) {
            if let Some(resumed) = worker.borrow_mut().resumed(self.id) {
                self.goes_on = true;
                self.sent = resumed.sent;
            }
        }
        self.goes_on
    }

    /// Looks at n8n's answer to the key that the gate put in.
    fn answered(&mut self) -> Flow {
        let (Some(worker), Some(sent)) = (&self.worker, self.sent.take()) else {
            return Flow::Continue;
        };
        let settled = host::answer_status().and_then(|status| sent.responded(status, host::now));
        match settled {
            Some(settled) if !host::answer_is_local() => worker.borrow_mut().end(settled),
            _ => Flow::Continue,
        }
    }

    /// What becomes of a part of the request that comes after its head.
    ///
    /// Where the plugin's configuration says `allow_on_headers_stop_iteration`, the host hands body
    /// and trailers over while the head is held, and "go on" for one of them would let go of the
    /// head too: a client would get past every check by sending a body.
    fn later_part(&mut self) -> Flow {
        if self.goes_on() {
            Flow::Continue
        } else {
            Flow::Pause
        }
    }
}

impl Context for Request {}

impl HttpContext for Request {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Flow {
        let flow = self.head();
        self.goes_on = flow == Flow::Continue;
        flow
    }

    fn on_http_request_body(&mut self, _: usize, _: bool) -> Flow {
        self.later_part()
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Flow {
        self.later_part()
    }

    /// A workflow that echoes what it was sent, or a proxy before n8n, must not show a key of n8n's
    /// to the caller.
    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Flow {
        if !self.goes_on() {
            return Flow::Continue;
        }
        if host::remove_from_answer(API_KEY_HEADER).is_err() {
            error!("an answer goes to its caller with X-N8N-API-KEY, if it had one: the host did not take it out");
        }
        self.answered()
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        // The host drops a request when its stream is gone, also while it waits.
        if let Some(worker) = &self.worker {
            let mut worker = worker.borrow_mut();
            worker.resumed(self.id);
            if worker.gate.is_waiting(self.id) {
                if let Some(abandoned) = worker.gate.abandon(self.id, host::now()) {
                    worker.report(&abandoned);
                }
            }
        }
    }
}

impl Worker {
    fn count_wait(&mut self, fact: Fact) {
        if let Fact::NewerKeySet(provider, _) = fact {
            let provider = self.gate.provider_name(provider);
            self.metrics.count(&Metric::KeyIdMiss { provider });
        }
    }

    /// Does what was decided about a request that waited, if it is still there.
    pub(super) fn end_wait(&mut self, waiter: WaiterId, mut settled: Settled) {
        let mut resumed = false;
        if abi::set_effective_context(waiter.0).is_err() {
            settled.host_failed();
        } else if perform(&mut settled) == Flow::Continue {
            match abi::resume_request() {
                Ok(()) => resumed = true,
                Err(_) => refuse(&mut settled),
            }
        }
        self.report(&settled);
        if resumed {
            self.resume(waiter, settled.into_forwarded());
        }
    }

    /// Does what n8n's answer asks for.
    fn end(&mut self, mut settled: Settled) -> Flow {
        let mut flow = Flow::Continue;
        if let Action::Reply(_, reply) = &settled.action {
            flow = Flow::Pause;
            if host::reply(reply).is_err() {
                error!("the host did not answer for n8n; its answer goes to the caller as 502");
                let _ = host::fail_answer();
                flow = Flow::Continue;
            }
        }
        if let Some((status, principal)) = settled.upstream_refusal() {
            let principal = &*principal;
            let metric = Metric::UpstreamRefusal { status, principal };
            self.metrics.count(&metric);
            if flow == Flow::Pause && self.may_warn(settled.now()) {
                warn!("n8n refused the API key of principal {principal} (401); there may be more: see upstream_refusals");
            }
        }
        self.report_here(&mut settled);
        flow
    }

    /// Reports on the request that is the host's current one, whose address the host knows.
    fn report_here(&mut self, settled: &mut Settled) {
        if self.audits && self.gate.is_recorded(settled) {
            settled.set_source(host::source);
        }
        self.report(settled);
    }

    /// Writes the audit record and counts the decision.
    fn report(&mut self, settled: &Settled) {
        if self.audits && self.gate.is_recorded(settled) {
            info!("{}", settled.audit());
        }
        self.metrics.tally.count(&settled.decision);
    }
}

/// Does what was decided about the request that is the host's current one, and notes in it if the
/// host did not.
fn perform(settled: &mut Settled) -> Flow {
    for (name, value) in settled.caller_properties() {
        // A log that lacks a name is no reason to treat a request differently.
        let _ = abi::set_property(name, &value);
    }
    let head = settled.request();
    let (done, flow) = match &settled.action {
        Action::Continue(edits) => (host::apply(edits, head), Flow::Continue),
        Action::Reply(edits, reply) => {
            // These are for the log alone: the request is answered whether they are made or not.
            let _ = host::apply(edits, head);
            (host::reply(reply), Flow::Pause)
        }
    };
    if done.is_ok() {
        return flow;
    }
    // A head that was changed by half must not go on.
    refuse(settled);
    Flow::Pause
}

/// Answers a request with which the host did not do what was decided.
fn refuse(settled: &mut Settled) {
    settled.host_failed();
    error!("the host did not do what was asked; the request is refused");
    reply_host_failure();
}

fn reply_host_failure() {
    let _ = host::reply(&problem(
        &Reason::ProxyFailure,
        None,
        &RequestHead::default(),
    ));
}
