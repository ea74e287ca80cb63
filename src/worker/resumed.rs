//! Requests that waited and go on.

use crate::facts::WaiterId;
use crate::gate::{ForwardedRequest, ResponseEdits};

/// Requests that waited and go on, until the host reports their next part.
#[derive(Default)]
pub(super) struct ResumedRequests {
    /// In the order of their numbers.
    requests: Vec<Resumed>,
}

/// A request that waited and goes on.
pub(super) struct Resumed {
    waiter: WaiterId,
    /// The edits of its response.
    pub(super) response_edits: ResponseEdits,
    /// What its response is compared with.
    pub(super) forwarded: Option<Box<ForwardedRequest>>,
}

impl ResumedRequests {
    /// Notes that a request goes on.
    pub(super) fn insert(&mut self, waiter: WaiterId, response_edits: ResponseEdits) {
        if let Err(index) = self.index_of(waiter) {
            let resumed = Resumed {
                waiter,
                response_edits,
                forwarded: None,
            };
            self.requests.insert(index, resumed);
        }
    }

    /// Adds what the response to a request is compared with, unless its next part has come.
    pub(super) fn keep(&mut self, waiter: WaiterId, forwarded: Option<Box<ForwardedRequest>>) {
        let index = self.index_of(waiter).ok();
        if let Some(resumed) = index.and_then(|index| self.requests.get_mut(index)) {
            resumed.forwarded = forwarded;
        }
    }

    /// Takes a request out, if it goes on.
    pub(super) fn take(&mut self, waiter: WaiterId) -> Option<Resumed> {
        let index = self.index_of(waiter).ok()?;
        Some(self.requests.remove(index))
    }

    fn index_of(&self, waiter: WaiterId) -> Result<usize, usize> {
        self.requests
            .binary_search_by_key(&waiter, |resumed| resumed.waiter)
    }
}
