//! The ends of operations that the gate carries out, and what they need on the way.

use super::jobs::{self, UnderWay};
use super::waiting::Woken;
use super::{Gate, Settled, Source, Work};
use crate::decide::{JobEnd, JobResult, Outcome};
use crate::reply::Reason;
use crate::time::UnixMillis;

impl Gate {
    /// Settles a request whose client left while its operation was carried out.
    pub(super) fn settle_job(&self, under_way: UnderWay, now: UnixMillis) -> Box<Settled> {
        let mut decision = under_way.decision;
        decision.record.execution = under_way.job.execution().map(str::to_owned);
        decision.record.address = under_way.source.map(Source::into_address);
        self.settled(decision, under_way.request, now)
    }

    /// Settles a request whose operation was carried out.
    pub(super) fn end_job(
        &mut self,
        mut under_way: UnderWay,
        end: JobEnd,
        now: UnixMillis,
    ) -> Box<Settled> {
        if let (true, Some((user, session))) = (end.is_session_refused, under_way.job.session()) {
            self.store.doubt_session(user, session);
        }
        self.descriptions.keep(&under_way.job, &end.result, now);
        let decision = &mut under_way.decision;
        decision.outcome = match end.result {
            JobResult::Reply(reply) => Outcome::Respond(reply),
            JobResult::Reject(reason) => Outcome::Reject(reason),
            JobResult::Otherwise(why) => {
                decision.not_shown = Some(why);
                let otherwise = decision.otherwise.take();
                otherwise.map_or(Outcome::Reject(Reason::ProxyFailure), |outcome| *outcome)
            }
        };
        self.mark_used(&under_way.decision.outcome, now);
        self.settle_job(under_way, now)
    }

    pub(super) fn job_work(&mut self, step: jobs::Step) -> Option<Work> {
        match step {
            jobs::Step::Call(call) => Some(Work::Call(call)),
            jobs::Step::Ended(waiter) => {
                self.woken.push_back(Woken::job_done(waiter));
                None
            }
            jobs::Step::Nothing => None,
        }
    }
}
