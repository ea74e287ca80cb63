//! What becomes of a run.

use serde_json::{json, Map, Value};

use crate::n8n::Endpoints;

/// The longest id of an execution. n8n numbers them.
const MAX_ID: usize = 64;

/// The id of an execution, safe in a path and a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionId(String);

impl ExecutionId {
    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `GET` reads an execution of the public API.
pub fn execution_path(endpoints: &Endpoints, id: &ExecutionId, with_data: bool) -> String {
    let query = if with_data { "?includeData=true" } else { "" };
    format!("/{}/v1/executions/{}{query}", endpoints.api, id.0)
}

/// Reads the response to a run. `None`: none was started, because n8n waits for a call of the trigger, or
/// the body is something else.
pub fn read_execution_id(body: &[u8]) -> Option<ExecutionId> {
    let response: Value = serde_json::from_slice(body).ok()?;
    let id = response.get("data")?.get("executionId")?.as_str()?;
    let is_plain = id
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (is_plain && (1..=MAX_ID).contains(&id.len())).then(|| ExecutionId(id.to_owned()))
}

/// Whether an execution has ended. `None`: the body is none.
pub fn read_has_ended(body: &[u8]) -> Option<bool> {
    let execution: Value = serde_json::from_slice(body).ok()?;
    let status = execution.get("status")?.as_str()?;
    Some(!matches!(status, "new" | "running" | "waiting" | "unknown"))
}

/// The result of an execution that has ended, read with its data: what its last node put out, and its
/// error if it has one. `None`: the body is none.
pub fn read_result(body: &[u8], id: &ExecutionId) -> Option<String> {
    let mut execution: Value = serde_json::from_slice(body).ok()?;
    let mut result = Map::new();
    result.insert("executionId".to_owned(), json!(id.0));
    for name in ["status", "startedAt", "stoppedAt"] {
        result.insert(name.to_owned(), execution.get_mut(name)?.take());
    }
    let data = execution.get_mut("data")?.get_mut("resultData")?;
    if let Some(error) = data.get("error") {
        let mut shown = Map::new();
        let message = error.get("message").filter(|message| message.is_string());
        shown.insert("message".to_owned(), message.cloned().unwrap_or_default());
        // Errors that a node throws name none.
        let node = error.get("node").and_then(|node| node.get("name"));
        let node = node.or_else(|| data.get("lastNodeExecuted"));
        shown.insert("node".to_owned(), node.cloned().unwrap_or_default());
        result.insert("error".to_owned(), shown.into());
    }
    let last = data.get("lastNodeExecuted").and_then(Value::as_str);
    let last = last.map(str::to_owned);
    let runs = last
        .as_deref()
        .and_then(|name| data.get_mut("runData")?.get_mut(name));
    let last_run = runs
        .and_then(Value::as_array_mut)
        .and_then(|runs| runs.last_mut());
    let outputs = last_run.and_then(|run| run.get_mut("data")?.get_mut("main"));
    let outputs = outputs.and_then(Value::as_array_mut);
    let items = outputs
        .into_iter()
        .flatten()
        .filter_map(Value::as_array_mut);
    let items = items
        .flatten()
        .filter_map(|item| Some(item.get_mut("json")?.take()));
    result.insert("output".to_owned(), items.collect());
    result.insert("lastNode".to_owned(), json!(last));
    serde_json::to_string(&result).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> ExecutionId {
        ExecutionId("7".to_owned())
    }

    #[test]
    fn a_run_has_an_id_that_is_safe_in_a_path() {
        let read = |body: &str| read_execution_id(body.as_bytes());
        assert_eq!(read(r#"{"data":{"executionId":"7"}}"#), Some(id()));
        for body in [
            r#"{"data":{"waitingForWebhook":true}}"#,
            r#"{"data":{"executionId":7}}"#,
            r#"{"data":{"executionId":""}}"#,
            r#"{"data":{"executionId":"7/../8"}}"#,
            r#"{"executionId":"7"}"#,
            "",
        ] {
            assert_eq!(read(body), None, "{body}");
        }
        let endpoints = Endpoints {
            api: "n8n-api".to_owned(),
            ..Endpoints::default()
        };
        assert_eq!(
            execution_path(&endpoints, &id(), true),
            "/n8n-api/v1/executions/7?includeData=true"
        );
        assert_eq!(
            execution_path(&endpoints, &id(), false),
            "/n8n-api/v1/executions/7"
        );
    }

    #[test]
    fn an_execution_runs_waits_or_has_ended() {
        let read = |status: &str| {
            let body = json!({"id": 7, "status": status}).to_string();
            read_has_ended(body.as_bytes())
        };
        for status in ["new", "running", "waiting", "unknown"] {
            assert_eq!(read(status), Some(false), "{status}");
        }
        for status in ["success", "error", "canceled", "crashed"] {
            assert_eq!(read(status), Some(true), "{status}");
        }
        assert_eq!(read_has_ended(b"{}"), None);
        assert_eq!(read_has_ended(b"<html>"), None);
    }

    #[test]
    fn the_result_is_what_the_last_node_put_out() {
        let result = |data: &Value| {
            let body = json!({"id": "7", "status": "success", "startedAt": "a", "stoppedAt": "b",
                "data": {"resultData": data}});
            let result = read_result(body.to_string().as_bytes(), &id()).unwrap();
            serde_json::from_str::<Value>(&result).unwrap()
        };
        let run = |items: &Value| {
            json!([{"data": {"main": [[{"json": "first run"}]]}},
            {"data": {"main": items}}])
        };
        let two = run(
            &json!([[{"json": {"a": 1}, "pairedItem": {"item": 0}}], null, [{"json": {"a": 2}}]]),
        );
        assert_eq!(
            result(&json!({"lastNodeExecuted": "Out", "runData": {"Start": [], "Out": two}})),
            json!({"executionId": "7", "status": "success", "startedAt": "a", "stoppedAt": "b",
                "lastNode": "Out", "output": [{"a": 1}, {"a": 2}]})
        );
        let error = json!({"message": "no such thing", "stack": "at secret",
            "node": {"name": "Http", "parameters": {"secret": 1}}});
        assert_eq!(
            result(&json!({"lastNodeExecuted": "Http", "error": error, "runData": {}})),
            json!({"executionId": "7", "status": "success", "startedAt": "a", "stoppedAt": "b",
                "lastNode": "Http", "output": [],
                "error": {"message": "no such thing", "node": "Http"}})
        );
        let thrown = json!({"lastNodeExecuted": "Out", "error": {"message": "thrown"}});
        assert_eq!(result(&thrown)["error"]["node"], "Out");
        assert_eq!(result(&json!({}))["output"], json!([]));
        for body in ["", "{}", r#"{"status":"success"}"#] {
            assert_eq!(read_result(body.as_bytes(), &id()), None, "{body}");
        }
    }
}
