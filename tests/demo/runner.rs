//! Runs the commands of the steps as they are printed, and compares their results.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::stage::Stage;
use crate::steps::{Check, Step, Token, Wanted};
use crate::support::http::owned;
use crate::support::Outcome;

/// Runs steps: it holds the servers, and the shell variables so far.
pub(crate) struct Runner<'stage> {
    stage: &'stage Stage,
    variables: BTreeMap<&'static str, String>,
}

/// The result of a step.
#[derive(Debug)]
pub(crate) struct StepResult {
    /// The first line of the response.
    pub(crate) status_line: String,
    /// Name in lower case and value of each header of the response.
    pub(crate) headers: Vec<(String, String)>,
    /// The body of the response; `null` if it is not JSON.
    pub(crate) body: Value,
    /// The gate's audit record.
    pub(crate) audit: Value,
    /// The entry in n8n's event log, if the step checks one.
    pub(crate) event: Option<Value>,
    /// The variable that the step sets, and its value.
    pub(crate) left: Option<(&'static str, String)>,
    /// The unexpected results; empty if there are none.
    pub(crate) faults: Vec<String>,
}

impl<'stage> Runner<'stage> {
    pub(crate) fn on(stage: &'stage Stage) -> Self {
        Self {
            stage,
            variables: stage.variables().into_iter().collect(),
        }
    }

    /// Gets a token, stores it in its variable, and returns its claims.
    pub(crate) fn token(&mut self, token: &Token) -> Outcome<Value> {
        let script = format!("{}\nprintf %s \"${}\"", token.command, token.variable);
        let value = self.shell(&script)?;
        let claims = claims(&value)
            .ok_or_else(|| format!("the provider issued no token as ${}", token.variable))?;
        self.variables.insert(token.variable, value);
        Ok(claims)
    }

    /// Runs one step.
    pub(crate) fn step(&mut self, step: &Step) -> Outcome<StepResult> {
        let before = self.stage.envoy.audit().len();
        let printed = self.shell(step.command)?;
        let (status, mut result) = parse(&printed)?;
        if let Some((variable, pointer)) = step.leaves {
            let value = text_at(&result.body, pointer).unwrap_or_default();
            self.variables.insert(variable, value.clone());
            result.left = Some((variable, value));
        }
        let records = self.audit_after(before);
        result.audit = records.last().cloned().unwrap_or_default();
        if status != step.status {
            let line = &result.status_line;
            let fault = format!("the response is {line:?}, not {}", step.status);
            result.faults.push(fault);
        }
        if records.len() != 1 {
            result.faults.push(format!(
                "there are {} audit records, not one",
                records.len()
            ));
        }
        for check in step.checks {
            let fault = self.fault(check, &mut result)?;
            result.faults.extend(fault);
        }
        Ok(result)
    }

    /// Runs a command of a step and returns its output.
    fn shell(&self, script: &str) -> Outcome<String> {
        let output = Command::new("sh")
            .args(["-c", script])
            .envs(&self.variables)
            // Calls to loopback must not use a proxy of this machine.
            .env("no_proxy", "127.0.0.1")
            .env("NO_PROXY", "127.0.0.1")
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(format!("this ended with {}:\n{script}", output.status).into())
        }
    }

    /// The audit records after the first `before` ones. Envoy may write one a moment after the
    /// response.
    fn audit_after(&self, before: usize) -> Vec<Value> {
        let mut records = Vec::new();
        for _ in 0..100 {
            records = self.stage.envoy.audit().split_off(before);
            if !records.is_empty() {
                break;
            }
            thread::sleep(Duration::from_millis(20));
        }
        records
    }

    fn fault(&self, check: &Check, result: &mut StepResult) -> Outcome<Option<String>> {
        Ok(match check {
            Check::Header(name, wanted) => {
                let mut values = result.headers.iter().filter(|(other, _)| other == name);
                let value = values.next().map(|(_, value)| value.as_str());
                compare(&format!("the header {name}"), value, wanted)
            }
            Check::Body(pointer, wanted) => {
                let value = text_at(&result.body, pointer);
                compare(&format!("{pointer} of the body"), value.as_deref(), wanted)
            }
            Check::Listed(pointer, name) => (!lists(&result.body, pointer, name))
                .then(|| format!("{pointer} of the body lists no {name:?}")),
            Check::NotListed(pointer, name) => lists(&result.body, pointer, name)
                .then(|| format!("{pointer} of the body lists {name:?}")),
            Check::Audit(field, wanted) => {
                let value = result.audit.get(field).map(as_text);
                compare(
                    &format!("{field} of the audit record"),
                    value.as_deref(),
                    wanted,
                )
            }
            Check::Event(name, application) => {
                result.event = self.event(name)?;
                let event = result.event.as_ref();
                let email = event.and_then(|event| text_at(event, "/payload/_email"));
                let of_application = format!("client-{application}-");
                let is_its = |email: &String| email.starts_with(&of_application);
                (!email.as_ref().is_some_and(is_its)).then(|| {
                    let found = email.unwrap_or_else(|| "no user".to_owned());
                    format!("{name} names {found}, not a user {of_application}…")
                })
            }
        })
    }

    /// The last event of this name about `$WORKFLOW`. n8n may write it a moment after its response.
    fn event(&self, name: &str) -> Outcome<Option<Value>> {
        let workflow = self.variables.get("WORKFLOW");
        for _ in 0..100 {
            let events = self.stage.n8n.events()?;
            let found = events.into_iter().rev().find(|event| {
                text_at(event, "/eventName").as_deref() == Some(name)
                    && text_at(event, "/payload/workflowId").as_ref() == workflow
            });
            if found.is_some() {
                return Ok(found);
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(None)
    }
}

/// Reads the status and the response from the output of `curl -i`.
fn parse(printed: &str) -> Outcome<(u16, StepResult)> {
    let mut slots = [httparse::EMPTY_HEADER; 64];
    let mut parsed = httparse::Response::new(&mut slots);
    let httparse::Status::Complete(head) = parsed.parse(printed.as_bytes())? else {
        return Err(format!("curl printed no complete response: {printed}").into());
    };
    let headers = owned(parsed.headers)
        .into_iter()
        .map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned()))
        .collect();
    let result = StepResult {
        status_line: printed.lines().next().unwrap_or_default().to_owned(),
        headers,
        body: serde_json::from_str(printed.get(head..).unwrap_or_default()).unwrap_or_default(),
        audit: Value::Null,
        event: None,
        left: None,
        faults: Vec::new(),
    };
    Ok((parsed.code.unwrap_or_default(), result))
}

fn compare(what: &str, value: Option<&str>, wanted: &Wanted) -> Option<String> {
    let (is_met, wish) = match wanted {
        Wanted::Is(text) => (value == Some(text), format!("not {text:?}")),
        Wanted::Has(part) => (
            value.is_some_and(|value| value.contains(part)),
            format!("without {part:?}"),
        ),
        Wanted::Absent => (value.is_none(), "and must be absent".to_owned()),
    };
    let found = value.map_or_else(|| "missing".to_owned(), |value| format!("{value:?}"));
    (!is_met).then(|| format!("{what} is {found}, {wish}"))
}

/// The claims of a token, without verification; the demo only shows them.
fn claims(token: &str) -> Option<Value> {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use base64::Engine as _;

    let payload = token.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

/// Whether the list at this JSON pointer has an element of this name.
fn lists(body: &Value, pointer: &str, name: &str) -> bool {
    let list = body.pointer(pointer).and_then(Value::as_array);
    list.is_some_and(|list| {
        list.iter()
            .any(|item| text_at(item, "/name").as_deref() == Some(name))
    })
}

fn text_at(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer).map(as_text)
}

/// A string as it is, any other value as JSON.
fn as_text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
