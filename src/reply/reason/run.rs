//! Refusals of runs of workflows.

macro_rules! run {
    ($go_on:ident { $($rows:tt)* } $($rest:tt)*) => {
        $go_on! { {
            $($rows)*

            /// Only a user that the gate made can run a workflow.
            RunNeedsUser => {
                status: 501,
                challenge: Challenge::None,
                code: "run_needs_user",
                detail: "This caller cannot run workflows: n8n runs none for an API key.",
                meaning: "the principal has an `api_key`; n8n runs workflows only for the session of a user, which the gate has for a principal with `user`",
                remedy: "give the principal a `user` in place of its `api_key`",
            }
            /// The input of a run is not what n8n takes.
            InputMalformed(InputFault) => {
                status: 400,
                challenge: Challenge::None,
                code: "input_malformed",
                detail: "The body must be empty, a JSON object, or an array of at most 1000 JSON objects.",
                meaning: "the input of a run is no JSON, no object and no array of objects, or has more than 1000 items; `fault` in the audit says which",
                remedy: "have the client send a JSON object",
                example: Self::InputMalformed(InputFault::NoJson),
            }
            /// `wait` of a run is no time.
            WaitMalformed => {
                status: 400,
                challenge: Challenge::None,
                code: "wait_malformed",
                detail: "wait must be a number of seconds from 0 to 120, such as wait=30s.",
                meaning: "`wait` in the query of a run is no number of seconds, or more than 120",
                remedy: "have the client ask for less, and read the execution later",
            }
            /// The workflow to run does not exist.
            WorkflowNotFound => {
                status: 404,
                challenge: Challenge::None,
                code: "workflow_not_found",
                detail: "There is no such workflow for this caller.",
                meaning: "n8n has no workflow of this id, or hides it from the user of `principal`",
                remedy: "look for the id in n8n; move the workflow to a project of that user",
            }
            /// The user of the caller may not run it.
            WorkflowNotAccessible => {
                status: 403,
                challenge: Challenge::None,
                code: "workflow_not_accessible",
                detail: "The workflow belongs to another user of n8n.",
                meaning: "n8n's response was 403: the user of `principal` has no share in the workflow",
                remedy: "move the workflow to a project of that user, or let a workflow of that user call it",
            }
            /// It has no trigger that the gate can start.
            NoTrigger {
                /// The names of the triggers that it has.
                names: Vec<String>,
            } => {
                status: 409,
                challenge: Challenge::None,
                code: "no_trigger",
                detail: "The workflow has no such trigger, or none that can be started without a name.",
                meaning: "the workflow has no trigger of the name in `trigger` of the query, or without it none for other workflows, webhooks, chats, forms, schedules or manual runs",
                remedy: "name one of its triggers in `trigger`, or add the trigger \"When Executed by Another Workflow\"",
                example: Self::NoTrigger { names: vec!["Gmail".to_owned()] },
            }
            /// n8n does not run it.
            WorkflowNotRunnable => {
                status: 409,
                challenge: Challenge::None,
                code: "workflow_not_runnable",
                detail: "n8n does not run the workflow as it is. Open it in the editor to see why.",
                meaning: "n8n's response to the run was 400, 409 or 422: the workflow is archived, or a node lacks something",
                remedy: "run it in n8n's editor, which says what is missing",
            }
            /// The run failed before it began.
            RunFailed => {
                status: 502,
                challenge: Challenge::None,
                code: "run_failed",
                detail: "n8n did not run the workflow.",
                meaning: "n8n did not respond to the run, or not as version 2.41.1 does; it may have begun all the same",
                remedy: "look at n8n's log, and at its list of executions before the call is repeated",
            }
            /// Too many runs are under way.
            TooManyRuns => {
                status: 503,
                challenge: Challenge::None,
                code: "too_many_runs",
                detail: "Too many runs are under way at the moment.",
                meaning: "128 runs of one worker, or 32 of one user of n8n, are being started or waited for, or their input takes 8 MiB, or 2 MiB of one user",
                remedy: "call without `wait`, and read the executions later",
            }
        } $($rest)* }
    };
}

pub(super) use run;
