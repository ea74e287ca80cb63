//! Running a workflow: `POST /api/v1/workflows/{id}/run`, which n8n itself answers with 405.
//!
//! The gate reads the workflow as the user of the principal, chooses a trigger, starts it with the body of
//! the request as its input, and, if the caller wants to wait, looks for the end of the execution.

use std::sync::Arc;
use std::time::Duration;

use super::progress::{JobEnd, JobResult, Progress};
use crate::decide::Evidence;
use crate::facts::{Body, CallRequest, CallResponse, MintRequest};
use crate::n8n::runs::{
    execution_path, read_execution_id, read_has_ended, read_result, read_triggers, run_body,
    run_path, workflow_path, Choice, ExecutionId, RunInput, Trigger,
};
use crate::n8n::Endpoints;
use crate::policy::Provisioning;
use crate::reply::{LocalReply, Reason};
use crate::secret::Secret;
use crate::time::UnixMillis;

/// How long it takes between two looks at an execution: this at first, then ever longer.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A run of a workflow. Only a decision with [`Evidence`] makes one.
#[derive(Clone, Debug)]
pub struct Run {
    plan: Plan,
    stage: Stage,
}

/// What is to be run.
#[derive(Clone, Debug)]
pub(in crate::decide) struct Plan {
    /// How n8n is called.
    pub(in crate::decide) provisioning: Arc<Provisioning>,
    /// Where it serves its surfaces.
    pub(in crate::decide) endpoints: Endpoints,
    /// What clients find before the paths of n8n.
    pub(in crate::decide) path_prefix: String,
    /// As whom.
    pub(in crate::decide) user: Arc<MintRequest>,
    /// The session of that user.
    pub(in crate::decide) session: Secret,
    /// The workflow.
    pub(in crate::decide) workflow: String,
    /// The name of the trigger, if the request names one.
    pub(in crate::decide) trigger: Option<String>,
    /// The input.
    pub(in crate::decide) input: RunInput,
    /// How long the caller waits for the end; `None`: not at all.
    pub(in crate::decide) wait: Option<Duration>,
}

#[derive(Clone, Debug)]
enum Stage {
    /// Reading the workflow.
    Workflow,
    /// Starting this trigger.
    Start(Trigger),
    /// Looking for the end of the execution.
    Execution(Started),
    /// Reading its result.
    Result(Started),
}

/// An execution that was started.
#[derive(Clone, Debug)]
struct Started {
    id: ExecutionId,
    ignores_input: bool,
    pause: Duration,
}

impl Run {
    /// A run for the caller of this evidence.
    pub(in crate::decide) const fn new(plan: Plan, _: &Evidence) -> Self {
        Self {
            plan,
            stage: Stage::Workflow,
        }
    }

    pub(super) const fn session(&self) -> (&Arc<MintRequest>, &Secret) {
        (&self.plan.user, &self.plan.session)
    }

    pub(super) fn weight(&self) -> usize {
        self.plan.input.weight()
    }

    pub(super) fn execution(&self) -> Option<&str> {
        match &self.stage {
            Stage::Execution(started) | Stage::Result(started) => Some(started.id.as_str()),
            Stage::Workflow | Stage::Start(_) => None,
        }
    }

    pub(super) fn next(&mut self, now: UnixMillis, waited: Duration) -> Progress {
        let Plan {
            endpoints,
            workflow,
            input,
            ..
        } = &self.plan;
        match &self.stage {
            Stage::Workflow => self.get(&workflow_path(endpoints, workflow)),
            Stage::Start(trigger) => {
                let body = Body::Json(Secret::new(run_body(trigger, input, now)));
                let path = run_path(endpoints, workflow);
                let endpoint = self.plan.provisioning.endpoint(&path);
                let request = CallRequest::post(endpoint, body, self.plan.provisioning.timeout);
                Progress::Call(request.with("cookie", self.plan.session.clone()))
            }
            Stage::Execution(started) if self.time_left(waited).is_zero() => {
                self.is_started(started)
            }
            Stage::Execution(started) => self.get(&execution_path(endpoints, &started.id, false)),
            Stage::Result(started) => self.get(&execution_path(endpoints, &started.id, true)),
        }
    }

    pub(super) fn read(
        &mut self,
        response: CallResponse,
        now: UnixMillis,
        waited: Duration,
    ) -> Progress {
        match self.stage.clone() {
            Stage::Workflow => self.read_workflow(response, now, waited),
            Stage::Start(trigger) => self.read_started(&trigger, response, waited),
            Stage::Execution(started) => self.read_execution(started, response, now, waited),
            Stage::Result(started) => {
                let body = response.document_of(&[200]).ok();
                let result = body.and_then(|body| read_result(&body, &started.id));
                match result {
                    Some(result) => self.done(&started, 200, result),
                    // It has ended, and its data is too large for the gate, or n8n did not keep it.
                    None => self.is_started(&started),
                }
            }
        }
    }

    fn read_workflow(
        &mut self,
        response: CallResponse,
        now: UnixMillis,
        waited: Duration,
    ) -> Progress {
        let body = match read_body(response) {
            Ok(body) => body,
            Err(end) => return Progress::Done(end),
        };
        let Some(triggers) = read_triggers(&body) else {
            return rejected(Reason::RunFailed);
        };
        match triggers.choose(self.plan.trigger.as_deref()) {
            Choice::Trigger(trigger) => {
                self.stage = Stage::Start(trigger);
                self.next(now, waited)
            }
            Choice::None => {
                let names = triggers.names().map(str::to_owned).collect();
                rejected(Reason::NoTrigger { names })
            }
        }
    }

    fn read_started(
        &mut self,
        trigger: &Trigger,
        response: CallResponse,
        waited: Duration,
    ) -> Progress {
        let body = match read_body(response) {
            Ok(body) => body,
            Err(end) => return Progress::Done(end),
        };
        let Some(id) = read_execution_id(&body) else {
            return rejected(Reason::RunFailed);
        };
        let started = Started {
            id,
            ignores_input: !self.plan.input.is_empty() && !trigger.takes_input(),
            pause: FIRST_PAUSE,
        };
        // A caller may wait for two minutes, and n8n has the input.
        self.plan.input = RunInput::default();
        self.stage = Stage::Execution(started.clone());
        if self.time_left(waited).is_zero() {
            return self.is_started(&started);
        }
        Progress::Pause(FIRST_PAUSE)
    }

    /// The execution was started, so that nothing that goes wrong from now on is a refusal.
    fn read_execution(
        &mut self,
        started: Started,
        response: CallResponse,
        now: UnixMillis,
        waited: Duration,
    ) -> Progress {
        let body = response.document_of(&[200]).ok();
        let has_ended = body.and_then(|body| read_has_ended(&body));
        if has_ended == Some(true) {
            self.stage = Stage::Result(started);
            return self.next(now, waited);
        }
        let left = self.time_left(waited);
        if left.is_zero() {
            return self.is_started(&started);
        }
        let pause = started.pause.saturating_mul(2).min(LONGEST_PAUSE);
        let this = started.pause.min(left);
        self.stage = Stage::Execution(Started { pause, ..started });
        Progress::Pause(this)
    }

    fn time_left(&self, waited: Duration) -> Duration {
        let wait = self.plan.wait.unwrap_or_default();
        wait.saturating_sub(waited)
    }

    fn get(&self, path: &str) -> Progress {
        let Plan {
            provisioning,
            session,
            ..
        } = &self.plan;
        let request = CallRequest::get(provisioning.endpoint(path), provisioning.timeout);
        Progress::Call(request.with("cookie", session.clone()))
    }

    fn is_started(&self, started: &Started) -> Progress {
        let body = serde_json::json!({"executionId": started.id.as_str()});
        self.done(started, 202, body.to_string())
    }

    fn done(&self, started: &Started, status: u16, body: String) -> Progress {
        let path = execution_path(&self.plan.endpoints, &started.id, false);
        let mut headers = vec![
            ("content-type", "application/json".into()),
            ("cache-control", "no-store".into()),
            (
                "location",
                format!("{}{path}", self.plan.path_prefix).into(),
            ),
        ];
        if started.ignores_input {
            headers.push(("x-n8n-idp-gate-input", "ignored".into()));
        }
        Progress::Done(JobEnd {
            result: JobResult::Reply(LocalReply {
                cookies: Vec::new(),
                status,
                headers,
                body,
            }),
            is_session_refused: false,
        })
    }
}

/// The body of a response, or why the run is refused without one.
fn read_body(response: CallResponse) -> Result<Vec<u8>, JobEnd> {
    let status = response.status();
    response.document_of(&[200]).map_err(|_| {
        let reason = match status {
            Some(401) => Reason::UpstreamSessionRefused,
            Some(403) => Reason::WorkflowNotAccessible,
            Some(404) => Reason::WorkflowNotFound,
            Some(400 | 409 | 422) => Reason::WorkflowNotRunnable,
            _ => Reason::RunFailed,
        };
        JobEnd {
            result: JobResult::Reject(reason),
            is_session_refused: status == Some(401),
        }
    })
}

const fn rejected(reason: Reason) -> Progress {
    Progress::Done(JobEnd {
        result: JobResult::Reject(reason),
        is_session_refused: false,
    })
}
