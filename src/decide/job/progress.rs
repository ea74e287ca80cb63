//! What comes next in a job.

use std::time::Duration;

use crate::facts::CallRequest;
use crate::reply::{LocalReply, Reason};

/// What comes next in a job.
#[derive(Clone, Debug)]
pub enum Progress {
    /// This call.
    Call(CallRequest),
    /// A pause, and then [`Job::next`].
    Pause(Duration),
    /// The end.
    Done(JobEnd),
}

/// The end of a job.
#[derive(Clone, Debug)]
pub struct JobEnd {
    /// What happens to the request.
    pub result: JobResult,
    /// n8n refused the session with which the job was done.
    pub is_session_refused: bool,
}

/// What happens to the request of a job that has ended.
#[derive(Clone, Debug)]
pub enum JobResult {
    /// The gate sends a local reply.
    Reply(LocalReply),
    /// It is refused.
    Reject(Reason),
    /// There is nothing to show, for this reason: what the decision has for that case happens.
    Otherwise(String),
}
