//! Operations that the gate carries out itself, and the requests that wait for them.

use std::time::Duration;

use super::Source;
use crate::decide::{Decision, Job, JobEnd, Progress};
use crate::facts::{Call, CallId, CallResponse, WaiterId};
use crate::http::RequestHead;
use crate::time::UnixMillis;

/// The most jobs of one worker at a time. A caller can wait two minutes for one.
pub(super) const MAX_JOBS: usize = 128;

/// The most of them that are done as one user of n8n.
pub(super) const MAX_JOBS_OF_USER: usize = 32;

/// The most bytes of all of them: the memory of the module never shrinks.
pub(super) const MAX_JOB_BYTES: usize = 8 * 1024 * 1024;

/// The most bytes of those of one user of n8n.
const MAX_JOB_BYTES_OF_USER: usize = 2 * 1024 * 1024;

/// No pause of a job is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The jobs of one worker. They are few: a list costs less than a map.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    list: Vec<(WaiterId, UnderWay)>,
}

/// A job that is under way, and the request that waits for it.
#[derive(Debug)]
pub(super) struct UnderWay {
    pub(super) job: Job,
    pub(super) request: RequestHead,
    pub(super) source: Option<Source>,
    pub(super) decision: Decision,
    pub(super) since: UnixMillis,
    pub(super) state: State,
}

/// What a job does now.
#[derive(Debug)]
pub(super) enum State {
    /// It goes on at this time.
    Due(UnixMillis),
    /// It awaits the response to this call.
    Calling(CallId),
    /// It has ended.
    Done(JobEnd),
}

/// Too many jobs are under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooMany;

/// What a job led to.
#[derive(Debug)]
pub(super) enum Step {
    /// This call.
    Call(Call),
    /// The job of this request has ended.
    Ended(WaiterId),
    /// Nothing now.
    Nothing,
}

/// The user of n8n as which a job is done. All that are done as none count as one.
fn user_of(job: &Job) -> Option<&str> {
    job.session().map(|(user, _)| user.email())
}

impl Jobs {
    /// Whether there is room for one more.
    pub(super) fn has_room_for(&self, job: &Job) -> Result<(), TooMany> {
        let user = user_of(job);
        let all = self.list.iter().map(|(_, under_way)| &under_way.job);
        let of_user = all.clone().filter(|other| user_of(other) == user);
        let bytes = |jobs: &mut dyn Iterator<Item = &Job>| {
            let weights = jobs.map(Job::weight);
            weights.fold(job.weight(), usize::saturating_add)
        };
        let is_full = self.list.len() >= MAX_JOBS
            || of_user.clone().count() >= MAX_JOBS_OF_USER
            || bytes(&mut all.clone()) > MAX_JOB_BYTES
            || bytes(&mut of_user.clone()) > MAX_JOB_BYTES_OF_USER;
        if is_full {
            return Err(TooMany);
        }
        Ok(())
    }

    /// A request waits for its job, which begins with the next tick.
    pub(super) fn insert(&mut self, id: WaiterId, under_way: UnderWay) {
        self.list.push((id, under_way));
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn contains(&self, id: WaiterId) -> bool {
        self.index_of(id).is_some()
    }

    /// Takes out a job. A response to its call is not awaited any more.
    pub(super) fn take(&mut self, id: WaiterId) -> Option<UnderWay> {
        let index = self.index_of(id)?;
        Some(self.list.remove(index).1)
    }

    /// Takes out a job that has ended.
    pub(super) fn take_ended(&mut self, id: WaiterId) -> Option<(UnderWay, JobEnd)> {
        let (_, under_way) = self.list.get(self.index_of(id)?)?;
        let State::Done(end) = &under_way.state else {
            return None;
        };
        let end = end.clone();
        Some((self.take(id)?, end))
    }

    /// Goes on with the jobs that are due.
    pub(super) fn tick(
        &mut self,
        now: UnixMillis,
        new_call: &mut dyn FnMut() -> CallId,
    ) -> Vec<Step> {
        let mut due = Vec::new();
        for (id, under_way) in &mut self.list {
            let State::Due(at) = under_way.state else {
                continue;
            };
            // A clock that was set back must not make a pause longer.
            if now >= at || at > now.saturating_add(LONGEST_PAUSE) {
                let waited = now.since(under_way.since);
                due.push((*id, under_way.job.next(now, waited)));
            }
        }
        let steps = due.into_iter();
        let steps = steps.map(|(id, progress)| self.go_on(id, progress, now, new_call));
        steps.collect()
    }

    /// A call has ended. `Err`: it is none of a job, and the response is given back.
    pub(super) fn received(
        &mut self,
        call: CallId,
        response: CallResponse,
        now: UnixMillis,
        new_call: &mut dyn FnMut() -> CallId,
    ) -> Result<Step, CallResponse> {
        let mut jobs = self.list.iter_mut();
        let awaits = |under_way: &UnderWay| matches!(under_way.state, State::Calling(known) if known == call);
        let Some((id, under_way)) = jobs.find(|(_, under_way)| awaits(under_way)) else {
            return Err(response);
        };
        let id = *id;
        let waited = now.since(under_way.since);
        let progress = under_way.job.read(response, now, waited);
        Ok(self.go_on(id, progress, now, new_call))
    }

    /// Whether a job should go on soon.
    pub(super) fn is_busy(&self) -> bool {
        let mut jobs = self.list.iter();
        jobs.any(|(_, under_way)| matches!(under_way.state, State::Due(_)))
    }

    fn go_on(
        &mut self,
        id: WaiterId,
        progress: Progress,
        now: UnixMillis,
        new_call: &mut dyn FnMut() -> CallId,
    ) -> Step {
        let index = self.index_of(id);
        let Some((_, under_way)) = index.and_then(|index| self.list.get_mut(index)) else {
            return Step::Nothing;
        };
        match progress {
            Progress::Call(request) => {
                let call = new_call();
                under_way.state = State::Calling(call);
                Step::Call(Call { id: call, request })
            }
            Progress::Pause(pause) => {
                under_way.state = State::Due(now.saturating_add(pause.min(LONGEST_PAUSE)));
                Step::Nothing
            }
            Progress::Done(end) => {
                under_way.state = State::Done(end);
                Step::Ended(id)
            }
        }
    }

    fn index_of(&self, id: WaiterId) -> Option<usize> {
        self.list.iter().position(|(known, _)| *known == id)
    }
}
