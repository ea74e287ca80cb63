//! One request.

use std::cell::RefCell;
use std::rc::Rc;

use log::{error, info};
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action as Flow;

use super::{abi, host};
use super::root::Worker;
use crate::facts::{Fact, WaiterId};
use crate::gate::{Action, Settled, Step};
use crate::observe::Metric;
use crate::reply::{problem, Reason};

/// One request, as the host sees it.
pub(super) struct Request {
    pub(super) id: WaiterId,
    /// `None`: there is no configuration, and nothing may pass.
    pub(super) worker: Option<Rc<RefCell<Worker>>>,
}

impl Context for Request {}

impl HttpContext for Request {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Flow {
        let (Some(worker), Ok(head)) = (&self.worker, host::request_head()) else {
            refuse();
            return Flow::Pause;
        };
        let mut worker = worker.borrow_mut();
        match worker.gate.request(self.id, head, host::now()) {
            Step::Settled(mut settled) => {
                let flow = perform(&mut settled);
                worker.report(&settled);
                flow
            }
            Step::Waits(fact) => {
                worker.count_wait(fact);
                worker.adjust_tick();
                Flow::Pause
            }
        }
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        // The host drops a request when its stream is gone, also while it waits.
        if let Some(worker) = &self.worker {
            let mut worker = worker.borrow_mut();
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

    /// Writes the audit record and counts the decision.
    pub(super) fn report(&mut self, settled: &Settled) {
        if self.audits {
            info!("{}", settled.audit());
        }
        self.metrics.tally.count(&settled.decision);
    }
}

/// Does what was decided about the request that is the host's current one, and notes in it if the
/// host did not.
pub(super) fn perform(settled: &mut Settled) -> Flow {
    let (done, flow) = match &settled.action {
        Action::Continue(edits) => (host::apply(edits, settled.request()), Flow::Continue),
        Action::Reply(reply) => (host::reply(reply), Flow::Pause),
    };
    if done.is_ok() {
        return flow;
    }
    // A head that was changed by half must not go on.
    refuse();
    settled.host_failed();
    Flow::Pause
}

/// Does what was decided about a request that waited: the host stopped it and must be told to
/// let it go on.
pub(super) fn perform_after_wait(settled: &mut Settled) {
    if perform(settled) == Flow::Continue {
        let _ = abi::resume_request();
    }
}

fn refuse() {
    error!("the host did not do what was asked; the request is refused");
    let _ = host::reply(&problem(&Reason::HostFailure, None, None));
}
