//! Descriptions of public APIs that were edited a while ago.
//!
//! Clients can ask for one without a credential, and each edit takes some milliseconds of a worker that
//! others wait for. So the result is kept, also that there is nothing to show.

use std::time::Duration;

use crate::decide::{Decision, DescriptionKey, Job, JobResult, Outcome};
use crate::reply::LocalReply;
use crate::time::UnixMillis;

/// How long a description is shown before it is read again. It changes when n8n is updated.
const KEPT: Duration = Duration::from_secs(300);

/// How long n8n is not asked again after it had none that can be shown.
const NOT_ASKED: Duration = Duration::from_secs(10);

/// The most that are kept. The oldest ones leave: their memory is used again.
const MOST: usize = 4;

/// The descriptions of one worker, the newest last.
#[derive(Debug, Default)]
pub(super) struct Descriptions(Vec<Kept>);

#[derive(Debug)]
struct Kept {
    key: DescriptionKey,
    since: UnixMillis,
    reply: Option<LocalReply>,
}

impl Descriptions {
    /// Ends a decision for a job whose result is known.
    pub(super) fn recall(&self, decision: &mut Decision, now: UnixMillis) {
        let Outcome::Job(Job::Describe(job)) = &decision.outcome else {
            return;
        };
        let kept = self.0.iter().find(|kept| kept.key == *job.key());
        let Some(kept) = kept.filter(|kept| kept.is_fresh(now)) else {
            return;
        };
        let otherwise = decision.otherwise.take();
        let reply = kept.reply.clone().map(Outcome::Respond);
        if let Some(outcome) = reply.or(otherwise.map(|outcome| *outcome)) {
            decision.outcome = outcome;
        }
    }

    /// Keeps what a job has led to.
    pub(super) fn keep(&mut self, job: &Job, result: &JobResult, now: UnixMillis) {
        let Job::Describe(job) = job else {
            return;
        };
        self.0.retain(|kept| kept.key != *job.key());
        if self.0.len() >= MOST {
            self.0.remove(0);
        }
        self.0.push(Kept {
            key: job.key().clone(),
            since: now,
            reply: match result {
                JobResult::Reply(reply) => Some(reply.clone()),
                JobResult::Reject(_) | JobResult::Otherwise(_) => None,
            },
        });
    }
}

impl Kept {
    fn is_fresh(&self, now: UnixMillis) -> bool {
        let kept = if self.reply.is_some() {
            KEPT
        } else {
            NOT_ASKED
        };
        now >= self.since && now.since(self.since) < kept
    }
}
