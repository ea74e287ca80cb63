//! Operations that the gate carries out itself, by calls to n8n.
//!
//! A job is a state machine without a clock: it names a call, reads the response, and says what comes next.

mod describe;
mod progress;
mod run;

pub use describe::{Describe, DescriptionKey};
pub use progress::{JobEnd, JobResult, Progress};
pub(super) use run::{Plan, Run};

use std::sync::Arc;
use std::time::Duration;

use crate::facts::{CallResponse, MintRequest};
use crate::secret::Secret;
use crate::time::UnixMillis;

/// An operation that the gate carries out itself.
#[derive(Clone, Debug)]
pub enum Job {
    /// Running a workflow.
    Run(Box<Run>),
    /// Showing the description of the public API.
    Describe(Box<Describe>),
}

impl Job {
    /// The first call, or the one after a pause. `waited`: how long the request waits for the job.
    pub fn next(&mut self, now: UnixMillis, waited: Duration) -> Progress {
        match self {
            Self::Run(run) => run.next(now, waited),
            Self::Describe(describe) => describe.next(),
        }
    }

    /// Reads the response to the last call.
    pub fn read(&mut self, response: CallResponse, now: UnixMillis, waited: Duration) -> Progress {
        match self {
            Self::Run(run) => run.read(response, now, waited),
            Self::Describe(describe) => describe.read(response),
        }
    }

    /// The bytes that it takes in memory, approximately.
    pub fn weight(&self) -> usize {
        match self {
            Self::Run(run) => run.weight(),
            // The description itself is there while it is edited, and one is edited at a time.
            Self::Describe(_) => 0,
        }
    }

    /// The execution of n8n that it has started.
    pub fn execution(&self) -> Option<&str> {
        match self {
            Self::Run(run) => run.execution(),
            Self::Describe(_) => None,
        }
    }

    /// The user of n8n as which it is done, and the session. `None`: it is done as none.
    pub fn session(&self) -> Option<(&Arc<MintRequest>, &Secret)> {
        match self {
            Self::Run(run) => Some(run.session()),
            Self::Describe(_) => None,
        }
    }
}
