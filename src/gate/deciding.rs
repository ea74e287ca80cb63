//! How a request is decided: with its body if that is needed, once for each id, and with what it changes.

use super::connection::ConnectionOf;
use super::revocations::RevocationsAt;
use super::used_ids::Use;
use super::{Gate, HostView, RequestBody};
use crate::decide::{
    decide, Decision, DecisionContext, Need, NoRevocations, Outcome, Request, Revocations,
    UpstreamCredential,
};
use crate::facts::WaiterId;
use crate::http::RequestHead;
use crate::reply::Reason;
use crate::time::UnixMillis;

impl Gate {
    /// Decides, with the body if the decision needs it and it is there.
    pub(super) fn decide(
        &mut self,
        id: WaiterId,
        (head, body): (&RequestHead, RequestBody),
        since: UnixMillis,
        host: &HostView<'_>,
    ) -> Decision {
        let connection = ConnectionOf {
            connections: host.connections,
            request: id,
        };
        let mut request = Request {
            head,
            body: (body == RequestBody::None).then_some(&[][..]),
            connection: &connection,
        };
        let mut decision = self.decide_with(request, since, host);
        let Outcome::Await(Need::Body { max_bytes }) = decision.outcome else {
            return decision;
        };
        let announced = head.content_length().unwrap_or_default();
        if body.size().max(announced) > max_bytes {
            decision.outcome = Outcome::Reject(Reason::BodyTooLarge);
        } else if let RequestBody::Whole(size) = body {
            let bytes = host.bodies.read(id, size);
            match bytes.filter(|bytes| bytes.len() == size) {
                Some(bytes) => {
                    request.body = Some(&bytes);
                    decision = self.decide_with(request, since, host);
                }
                None => decision.outcome = Outcome::Reject(Reason::BodyUnavailable),
            }
        }
        decision
    }

    pub(super) fn decide_with(
        &mut self,
        request: Request<'_>,
        since: UnixMillis,
        host: &HostView<'_>,
    ) -> Decision {
        let now = host.now;
        let revocations = self.revocations.as_ref().map(|pushed| RevocationsAt {
            pushed,
            memory: host.memory,
            now: now.to_seconds(),
        });
        let revocations = revocations.as_ref();
        let revocations = revocations.map_or(&NoRevocations as &dyn Revocations, |pushed| pushed);
        let context = DecisionContext {
            policy: &self.policy,
            facts: &self.store.at(now).of_request(since),
            token_cache: &self.token_cache,
            revocations,
            crypto: &*self.crypto,
            nonces: self.nonces.as_ref(),
            is_recorded: self.leaves_records(),
            now: now.to_seconds(),
        };
        #[cfg(test)]
        if let Some(decide) = self.decide {
            return decide(request);
        }
        let mut decision = decide(context, request);
        if let (Some(judge), Some(shadow)) = (&mut self.judge, &self.policy.shadow) {
            decision.record.shadow = judge.compare(shadow, context, request, &decision);
        }
        if let Some(remember) = decision.remember.take() {
            self.token_cache.apply(remember);
        }
        decision
    }

    /// Refuses a request with an id that was used before.
    pub(super) fn use_once(&mut self, decision: &mut Decision, host: &HostView<'_>) {
        let Some(used) = decision.use_once.as_ref() else {
            return;
        };
        let (now, memory) = (host.now.to_seconds(), host.memory);
        // An id is used by a request that goes on. One that is refused for something else may come again,
        // and for a replay nothing is fetched.
        match &decision.outcome {
            Outcome::Await(_) if self.used_ids.knows(used, now, memory) => {
                decision.outcome = Outcome::Reject(used.replayed.clone());
                return;
            }
            Outcome::Reject(_) | Outcome::Await(_) => return,
            _ => {}
        }
        let reason = match self.used_ids.remember(used, now, memory) {
            Use::First => return,
            Use::Again => used.replayed.clone(),
            Use::NotRemembered => Reason::TooManyUsedIds,
        };
        // By no policy, so that there is nothing to compare.
        decision.record.shadow = None;
        decision.outcome = Outcome::Reject(reason);
    }

    /// Stores what a provider revokes. The provider must not believe that it is, if it is not: it would not
    /// say so again. This is before the use of its id, which a failure would use up, and a repeated event changes
    /// nothing.
    pub(super) fn revoke(&self, decision: &mut Decision, host: &HostView<'_>) {
        let (Outcome::Respond(_), Some(revocation)) = (&decision.outcome, &decision.revocation)
        else {
            return;
        };
        let now = host.now.to_seconds();
        let pushed = self.revocations.as_ref();
        if pushed.is_some_and(|pushed| pushed.add(revocation, host.memory, now)) {
            return;
        }
        decision.outcome = Outcome::Reject(Reason::RevocationNotShared);
    }

    /// Notes that what the gate made for a request is in use.
    pub(super) fn mark_used(&mut self, outcome: &Outcome, now: UnixMillis) {
        let Outcome::Forward(forward) = outcome else {
            return;
        };
        match forward.credential() {
            Some(UpstreamCredential::MintedKey(request, _)) => {
                self.store.mark_minted_used(request, now);
            }
            Some(UpstreamCredential::Session(request, _)) => {
                self.store.mark_session_used(request, now);
            }
            Some(UpstreamCredential::StaticKey(_)) | None => {}
        }
    }
}
