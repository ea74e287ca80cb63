//! The events of a worker itself: ticks, and the ends of its calls.

use std::cell::{RefCell, RefMut};
use std::rc::Rc;
use std::sync::Arc;

use super::host::{now, view, Flow, Host};
use super::load::signature_verifier;
use super::state::State;
use super::{call, current};
use crate::facts::{Call, CallResponse, WaiterId};
use crate::gate::{Gate, Settled, Work};
use crate::policy::Policy;
use crate::time::UnixMillis;

/// One worker of a host. Its clones are the same worker.
pub struct Worker<H: Host> {
    shared: Rc<Shared<H>>,
}

struct Shared<H> {
    host: H,
    /// The number that the host has for the worker's own context.
    context: u32,
    state: RefCell<State>,
}

impl<H: Host> Clone for Worker<H> {
    fn clone(&self) -> Self {
        Self {
            shared: Rc::clone(&self.shared),
        }
    }
}

impl<H: Host> Worker<H> {
    /// A worker with a policy, which the host knows as this context.
    pub fn new(host: H, context: u32, policy: Arc<Policy>) -> Self {
        let crypto = signature_verifier(&host, policy.crypto);
        let mut state = State::new(Gate::new(policy, crypto));
        state.gate.set_logs_records(host.logs_information());
        state.gate.open(&host);
        state.adjust_tick(&host);
        let state = RefCell::new(state);
        let shared = Shared {
            host,
            context,
            state,
        };
        Self {
            shared: Rc::new(shared),
        }
    }

    /// Time has passed.
    pub fn tick(&self) {
        let (host, now) = (self.host(), self.now());
        let work = self.state().gate.tick(now, host);
        self.do_work(work);
        self.settle(now);
        let mut state = self.state();
        state.report_metrics(host, now);
        state.gate.set_logs_records(host.logs_information());
        state.adjust_tick(host);
    }

    /// A call has ended, with a response of so many headers and so many bytes of a body, or without
    /// one.
    pub fn call_ended(&self, number: u32, headers: usize, body: usize) {
        let host = self.host();
        let Some((call, most)) = self.state().calls.remove(&number) else {
            return;
        };
        let response = call::response(host, headers, body, most);
        let now = self.now();
        let work = self.state().gate.received(call, response, now, host);
        self.do_work(work);
        self.settle(now);
        self.state().adjust_tick(host);
    }

    /// The configuration goes away. The host cancels the calls of its context, and reports nothing of
    /// them.
    pub fn close(&self) {
        let mut state = self.state();
        state.gate.close(self.host());
        state.metrics.report(self.host());
    }

    fn host(&self) -> &H {
        &self.shared.host
    }

    pub(super) fn now(&self) -> UnixMillis {
        now(self.host())
    }

    /// The state, for one step. It is given back before the host is called in a way that may lead back
    /// here.
    pub(super) fn state(&self) -> RefMut<'_, State> {
        self.shared.state.borrow_mut()
    }

    fn do_work(&self, work: Vec<Work>) {
        for item in work {
            match item {
                Work::Call(call) => self.send(&call),
                Work::Report(event) => self.state().report_fact(self.host(), &event),
            }
        }
    }

    fn send(&self, call: &Call) {
        let host = self.host();
        if let Ok(number) = call::send(host, &call.request) {
            let call = (call.id, call.request.most);
            self.state().calls.insert(number, call);
            return;
        }
        let (response, now) = (CallResponse::NotDispatched, self.now());
        let work = self.state().gate.received(call.id, response, now, host);
        // A call that cannot be made is made again after a pause, never at once, so this ends.
        self.do_work(work);
    }

    /// Settles requests whose wait is over. Once for each event.
    fn settle(&self, now: UnixMillis) {
        if !self.state().gate.has_woken() {
            return;
        }
        let settled = self.state().gate.settle_woken(&view(self.host(), now));
        for (waiter, settled) in settled {
            self.end_wait(waiter, settled);
        }
        // Also if none was settled: decisions may have asked about a request that waits on.
        let _ = self.host().set_effective_context(self.shared.context);
    }

    /// Carries out what was decided about a request that waited, if it is still there.
    fn end_wait(&self, waiter: WaiterId, mut settled: Box<Settled>) {
        let host = self.host();
        let kept = self.state().kept(&settled);
        if host.set_effective_context(waiter.0).is_err() {
            settled.host_failed();
        } else if current::carry_out(host, &mut settled, kept) == Flow::Continue {
            // Before the host is asked: it may report the next part of the request at once.
            let edits = settled.response_edits();
            self.state().resumed.insert(waiter, edits);
            if host.resume().is_err() {
                self.state().resumed.take(waiter);
                current::refuse(host, &mut settled);
            }
        }
        let mut state = self.state();
        state.report(host, &settled);
        state.resumed.keep(waiter, settled.into_forwarded());
    }
}
