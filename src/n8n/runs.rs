//! What the gate asks n8n to run a workflow, and what n8n sends back, as version 2.41.1 has it.
//!
//! n8n's public API has no such operation. The internal API of its editor has one, for the session of a
//! user: it runs the draft of the workflow, as the editor shows it, from one trigger.

mod execution;
mod input;
mod trigger;

pub use execution::{execution_path, read_execution_id, read_has_ended, read_result, ExecutionId};
pub use input::{InputFault, RunInput};
pub use trigger::{read_triggers, run_body, Choice, Trigger, Triggers};

use super::segment::segment;
use super::Endpoints;

/// `GET` reads a workflow.
pub fn workflow_path(endpoints: &Endpoints, workflow: &str) -> String {
    format!("/{}/workflows/{}", endpoints.rest, segment(workflow))
}

/// `POST` runs it.
pub fn run_path(endpoints: &Endpoints, workflow: &str) -> String {
    format!("{}/run", workflow_path(endpoints, workflow))
}
