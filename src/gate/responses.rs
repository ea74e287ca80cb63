//! What the gate learns of n8n's responses.

use super::{ForwardedRequest, Gate, HostView, Settled, UpstreamFailure};
use crate::decide::{Outcome, UpstreamCredential};
use crate::time::UnixMillis;

impl Gate {
    /// n8n failed at this request. The key that the gate made for it may be good no more, and its sender
    /// may repeat it.
    pub fn note_failure(
        &mut self,
        forwarded: &ForwardedRequest,
        failure: UpstreamFailure,
        host: &HostView<'_>,
    ) {
        if let Some((request, key)) = forwarded.doubted_key(failure) {
            self.store.doubt_minted(request, key, host.now);
        }
        if let Some(used) = forwarded.freed_id(failure) {
            self.used_ids.forget(used, host.memory);
        }
    }

    /// n8n has responded with this status. `None`: there is nothing to do and nothing to report.
    pub fn responded(
        &self,
        forwarded: ForwardedRequest,
        status: u16,
        now: impl FnOnce() -> UnixMillis,
    ) -> Option<Settled> {
        forwarded.responded(status, &self.policy, now)
    }

    /// n8n has responded. If it refused an upstream credential, the next request gets another one: the
    /// principal's next key, or what the gate makes.
    pub fn note_response(&mut self, settled: &Settled) {
        if !matches!(settled.decision.outcome, Outcome::Reject(_)) {
            return;
        }
        match &settled.credential {
            Some(UpstreamCredential::StaticKey(key)) => {
                self.store.refuse_static(key, settled.now);
            }
            Some(UpstreamCredential::MintedKey(request, key)) => {
                self.store.refuse_minted(request, key, settled.now);
            }
            Some(UpstreamCredential::Session(request, cookie)) => {
                self.store.doubt_session(request, cookie);
            }
            None => {}
        }
    }
}
