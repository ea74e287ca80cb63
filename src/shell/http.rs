//! One request.

use std::cell::RefCell;
use std::rc::Rc;

use log::{error, info};
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action as Flow;

use super::root::Worker;
use super::{abi, host};
use crate::decide::API_KEY_HEADER;
use crate::facts::{Fact, WaiterId};
use crate::gate::{Action, Settled, Step};
use crate::observe::Metric;
use crate::reply::{problem, Reason};
use crate::request::RequestHead;

/// One request, as the host sees it.
pub(super) struct Request {
    id: WaiterId,
    /// `None`: there is no configuration, and nothing may pass.
    worker: Option<Rc<RefCell<Worker>>>,
    /// Whether it was decided that the request goes on. Until then, and for good where it is
    /// answered here, every part of it is held.
    goes_on: bool,
}

impl Request {
    pub(super) const fn new(id: WaiterId, worker: Option<Rc<RefCell<Worker>>>) -> Self {
        Self {
            id,
            worker,
            goes_on: false,
        }
    }

    fn head(&mut self) -> Flow {
        let (Some(worker), Ok(head)) = (&self.worker, host::request_head()) else {
            reply_host_failure();
            return Flow::Pause;
        };
        let mut worker = worker.borrow_mut();
        let step = worker
            .gate
            .request_from(self.id, head, host::now(), host::peer);
        match step {
            Step::Settled(mut settled) => {
                let flow = perform(&mut settled);
                worker.report(&settled);
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
            self.goes_on = worker.borrow_mut().resumed.remove(&self.id);
        }
        self.goes_on
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
        if self.goes_on() && host::remove_from_answer(API_KEY_HEADER).is_err() {
            error!("the host did not take a header out of an answer");
        }
        Flow::Continue
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        // The host drops a request when its stream is gone, also while it waits.
        if let Some(worker) = &self.worker {
            let mut worker = worker.borrow_mut();
            worker.resumed.remove(&self.id);
            if worker.gate.is_waiting(self.id) {
                if let Some(abandoned) = worker.gate.gone(self.id, host::now()) {
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
    pub(super) fn end_wait(&mut self, waiter: WaiterId, settled: &mut Settled) {
        if abi::set_effective_context(waiter.0).is_err() {
            settled.host_failed();
        } else if perform(settled) == Flow::Continue {
            match abi::resume_request() {
                Ok(()) => {
                    self.resumed.insert(waiter);
                }
                Err(_) => refuse(settled),
            }
        }
        self.report(settled);
    }

    /// Writes the audit record and counts the decision.
    fn report(&mut self, settled: &Settled) {
        if self.audits {
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
    reply_host_failure();
}

fn reply_host_failure() {
    error!("the host did not do what was asked; the request is refused");
    let _ = host::reply(&problem(&Reason::HostFailure, None, None));
}
