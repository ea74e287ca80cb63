//! Requests that wait for their bodies.

use super::held_bodies::{Full, LONGEST_UNREPORTED};
use super::waiting::{WaitingRequest, Woken};
use super::{Gate, HostView, RequestBody, Step};
use crate::decide::{Need, Outcome};
use crate::facts::{Peer, WaiterId};
use crate::reply::Reason;
use crate::time::UnixMillis;

impl Gate {
    /// A part of the body of a request that is held has come, or its end. `size`: the bytes that the host
    /// holds now, if it says so. `None`: the request still waits, or it does not wait.
    pub fn body_part(
        &mut self,
        id: WaiterId,
        size: Option<usize>,
        is_end: bool,
        host: &HostView<'_>,
    ) -> Option<Step> {
        let waiting = self.waiting.get_mut(&id)?;
        self.has_seen_bodies = true;
        if let Some(size) = size {
            waiting.body.grow(size);
        }
        if is_end {
            waiting.body.end();
        }
        let Outcome::Await(Need::Body { max_bytes }) = waiting.decision.outcome else {
            return None;
        };
        let size = waiting.body.size();
        if !is_end && size <= max_bytes {
            let displaced = self.bodies.grow(id, size);
            self.woken.extend(displaced.map(Woken::body_displaced));
            return None;
        }
        let waiting = self.take(id)?;
        // What it waits for next has its own time.
        let source = waiting.source.clone();
        let request = (waiting.request, waiting.body);
        let step = self.settle(id, request, host.now, host, || source, false);
        Some(match step {
            Step::Settled(mut settled) => {
                settled.set_source(|| waiting.source);
                Step::Settled(settled)
            }
            waits @ Step::Waits { .. } => waits,
        })
    }

    /// Holds a request until its body has come.
    pub(super) fn hold_for_body(
        &mut self,
        id: WaiterId,
        body: RequestBody,
        peer: Option<Peer>,
        now: UnixMillis,
    ) -> Result<(), Reason> {
        // What is there was read, and the decision asks for it again.
        if !matches!(body, RequestBody::Coming(_)) {
            return Err(Reason::BodyUnavailable);
        }
        let displaced = self.bodies.admit(id, peer, now);
        let displaced = displaced.map_err(|Full| Reason::TooManyBodies)?;
        self.woken.extend(displaced.map(Woken::body_displaced));
        let displaced = self.bodies.grow(id, body.size());
        self.woken.extend(displaced.map(Woken::body_displaced));
        Ok(())
    }

    /// Requests whose host should have reported a part of their bodies by now, and has never reported any.
    pub(super) fn unreported_bodies(&mut self, now: UnixMillis) -> Vec<WaiterId> {
        let Self {
            bodies, waiting, ..
        } = self;
        let is_unreported = |id: WaiterId| waiting.get(&id).is_some_and(is_unreported);
        if self.has_seen_bodies {
            return Vec::new();
        }
        bodies.overdue_where(now, LONGEST_UNREPORTED, is_unreported)
    }

    /// Why a body that did not come in time is missing. Without `allow_on_headers_stop_iteration` the host
    /// reports no part of any body while the head is held. That is a fault of the configuration and none
    /// of the client.
    pub(super) fn late_body(&self, waiting: &WaitingRequest) -> Reason {
        if !self.has_seen_bodies && is_unreported(waiting) {
            Reason::BodyUnavailable
        } else {
            Reason::BodyTimeout
        }
    }
}

/// Whether the client announced a body of which no part has come.
fn is_unreported(waiting: &WaitingRequest) -> bool {
    let announced = waiting.request.content_length().unwrap_or_default();
    waiting.body == RequestBody::Coming(0) && announced > 0
}
