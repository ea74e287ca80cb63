//! Decisions about runs: `POST /api/v1/workflows/{id}/run`, which n8n itself answers with 405.

use std::sync::Arc;
use std::time::Duration;

use super::caller::UpstreamKey;
use super::draft::Stop;
use super::job::{Plan, Run};
use super::session::session;
use super::{DecisionContext, Evidence, Job, Outcome, Request};
use crate::formats::form;
use crate::n8n::runs::RunInput;
use crate::policy::Instance;
use crate::reply::Reason;

/// The longest input, in bytes.
const MAX_INPUT: usize = 1024 * 1024;

/// The longest time that a caller can wait for the end of an execution.
const LONGEST_WAIT: u64 = 120;

/// Decides about a run by a caller that is granted it.
pub(super) fn decide(
    context: DecisionContext<'_>,
    (instance, workflow): (&Instance, &str),
    request: Request<'_>,
    evidence: &Evidence,
) -> Result<Outcome, Stop> {
    let (user, provisioning) = match &evidence.caller().principal()?.upstream {
        UpstreamKey::Minted(user) => (user, instance.provisioning.as_ref()),
        UpstreamKey::NoUser => return Err(Reason::NoUser.into()),
        UpstreamKey::Static(_) => return Err(Reason::RunNeedsUser.into()),
    };
    let provisioning = provisioning.ok_or(Reason::RunNeedsUser)?;
    let query = request.head.query();
    let wait = form::value(query, "wait");
    let wait = wait.map(|wait| read_wait(&wait).ok_or(Reason::WaitMalformed));
    let wait = wait.transpose()?;
    // The body comes last: it is held in memory.
    let session = session(context, user)?;
    let input = RunInput::read(request.body(MAX_INPUT)?).map_err(Reason::InputMalformed)?;
    let plan = Plan {
        provisioning: Arc::clone(provisioning),
        endpoints: instance.endpoints().clone(),
        path_prefix: instance.path_prefix().to_owned(),
        user: Arc::clone(user),
        session,
        workflow: workflow.to_owned(),
        trigger: form::value(query, "trigger"),
        input,
        wait,
    };
    let run = Run::new(plan, evidence);
    Ok(Outcome::Job(Job::Run(Box::new(run))))
}

/// A number of seconds, with or without its unit.
fn read_wait(text: &str) -> Option<Duration> {
    let digits = text.strip_suffix('s').unwrap_or(text);
    let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = digits.parse().ok().filter(|_| is_plain)?;
    (seconds <= LONGEST_WAIT).then(|| Duration::from_secs(seconds))
}
