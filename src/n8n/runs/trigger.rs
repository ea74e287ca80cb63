//! From which trigger a workflow is run.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::Value;

use super::RunInput;
use crate::time::UnixMillis;

/// A trigger of a workflow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// The name of its node, as the editor shows it.
    pub name: String,
    kind: Kind,
}

/// What a trigger makes of its input. The order is that in which one is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// "When Executed by Another Workflow" takes any input.
    Workflow,
    /// A webhook: its input is the body of a request.
    Webhook,
    /// A chat message.
    Chat,
    /// A form that was sent.
    Form,
    /// "Execute Workflow" in the editor. It takes no input.
    Manual,
    /// A schedule. It takes no input.
    Schedule,
    /// A trigger of some service. It is started only if the request names it.
    Other,
}

/// The triggers of a workflow that are switched on, in the order of its nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Triggers(Vec<Trigger>);

/// From which trigger a workflow is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// From this one.
    Trigger(Trigger),
    /// From none: the workflow has no trigger that the gate can start, or none of this name.
    None,
}

impl Triggers {
    /// The trigger of this name, or else the first one of the kind that comes first: another workflow, a
    /// webhook, chat, form, manual, schedule.
    pub fn choose(&self, wanted: Option<&str>) -> Choice {
        let chosen = if let Some(name) = wanted {
            self.0.iter().find(|trigger| trigger.name == name)
        } else {
            let usable = self.0.iter().filter(|trigger| trigger.kind != Kind::Other);
            usable.min_by_key(|trigger| trigger.kind)
        };
        chosen.map_or(Choice::None, |trigger| Choice::Trigger(trigger.clone()))
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|trigger| trigger.name.as_str())
    }
}

impl Trigger {
    /// Whether the workflow gets the input.
    pub const fn takes_input(&self) -> bool {
        !matches!(self.kind, Kind::Manual | Kind::Schedule)
    }
}

/// Reads the triggers of a workflow of the internal API. `None`: the body is no workflow.
pub fn read_triggers(body: &[u8]) -> Option<Triggers> {
    let workflow: Value = serde_json::from_slice(body).ok()?;
    let nodes = workflow.get("data")?.get("nodes")?.as_array()?;
    let triggers = nodes.iter().filter_map(|node| {
        let text = |name: &str| node.get(name).and_then(Value::as_str);
        let is_off = node.get("disabled").and_then(Value::as_bool) == Some(true);
        let kind = Kind::of(text("type")?)?;
        let name = text("name")?.to_owned();
        (!is_off).then_some(Trigger { name, kind })
    });
    Some(Triggers(triggers.collect()))
}

/// The body that runs a workflow from this trigger.
///
/// The trigger gets its output with it. n8n would otherwise wait for a call of a webhook, a form or a
/// chat. It ignores the output of manual triggers and schedules.
pub fn run_body(trigger: &Trigger, input: &RunInput, now: UnixMillis) -> String {
    let is_webhook = trigger.kind == Kind::Webhook;
    let item = |json| Item {
        json: Output { is_webhook, json },
    };
    let mut items: Vec<_> = input.items().iter().map(|json| item(Some(json))).collect();
    if items.is_empty() {
        // Without input a trigger still has one item.
        items.push(item(None));
    }
    let body = Body {
        start: Start {
            name: &trigger.name,
            data: RunData {
                start_time: now.0,
                execution_time: 0,
                execution_index: 0,
                execution_status: "success",
                source: [],
                data: Main { main: [items] },
            },
        },
    };
    // Texts, numbers and JSON always have a JSON form.
    serde_json::to_string(&body).unwrap_or_default()
}

#[derive(Serialize)]
struct Body<'r> {
    #[serde(rename = "triggerToStartFrom")]
    start: Start<'r>,
}

#[derive(Serialize)]
struct Start<'r> {
    name: &'r str,
    data: RunData<'r>,
}

/// What n8n keeps of one run of a node.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RunData<'r> {
    start_time: u64,
    execution_time: u64,
    execution_index: u64,
    execution_status: &'static str,
    source: [(); 0],
    data: Main<'r>,
}

#[derive(Serialize)]
struct Main<'r> {
    main: [Vec<Item<'r>>; 1],
}

#[derive(Serialize)]
struct Item<'r> {
    json: Output<'r>,
}

/// What the trigger hands to the next node. A webhook has headers and parameters beside the body, and
/// expressions in the workflow look for them there.
struct Output<'r> {
    is_webhook: bool,
    /// `None`: an empty object.
    json: Option<&'r RawValue>,
}

impl Serialize for Output<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Empty {}

        let Some(json) = self.json.filter(|_| !self.is_webhook) else {
            let members = if self.is_webhook { 4 } else { 0 };
            let mut output = serializer.serialize_map(Some(members))?;
            if self.is_webhook {
                for name in ["headers", "params", "query"] {
                    output.serialize_entry(name, &Empty {})?;
                }
                match self.json {
                    Some(json) => output.serialize_entry("body", json)?,
                    None => output.serialize_entry("body", &Empty {})?,
                }
            }
            return output.end();
        };
        json.serialize(serializer)
    }
}

impl Kind {
    /// `None`: the node is no trigger.
    fn of(node_type: &str) -> Option<Self> {
        let name = node_type.rsplit('.').next().unwrap_or_default();
        Some(match name {
            "executeWorkflowTrigger" => Self::Workflow,
            "webhook" => Self::Webhook,
            "chatTrigger" => Self::Chat,
            "formTrigger" => Self::Form,
            "manualTrigger" => Self::Manual,
            "scheduleTrigger" => Self::Schedule,
            // An error starts it, and no caller.
            "errorTrigger" => return None,
            _ if name.ends_with("Trigger") => Self::Other,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn workflow(nodes: &Value) -> Triggers {
        let body = json!({"data": {"id": "w", "nodes": nodes}});
        read_triggers(body.to_string().as_bytes()).unwrap()
    }

    fn node(name: &str, node_type: &str) -> Value {
        json!({"name": name, "type": node_type, "parameters": {}})
    }

    fn chosen(triggers: &Triggers, wanted: Option<&str>) -> Option<String> {
        match triggers.choose(wanted) {
            Choice::Trigger(trigger) => Some(trigger.name),
            Choice::None => None,
        }
    }

    #[test]
    fn the_trigger_that_takes_input_best_comes_first() {
        let all = [
            node("schedule", "n8n-nodes-base.scheduleTrigger"),
            node("manual", "n8n-nodes-base.manualTrigger"),
            node("form", "n8n-nodes-base.formTrigger"),
            node("chat", "@n8n/n8n-nodes-langchain.chatTrigger"),
            node("hook", "n8n-nodes-base.webhook"),
            node("other", "n8n-nodes-base.executeWorkflowTrigger"),
            node("mail", "n8n-nodes-base.gmailTrigger"),
            node("http", "n8n-nodes-base.httpRequest"),
        ];
        for (left, expected) in [
            (6, "other"),
            (5, "hook"),
            (4, "chat"),
            (3, "form"),
            (2, "manual"),
        ] {
            let triggers = workflow(&json!(all[..left]));
            assert_eq!(chosen(&triggers, None).as_deref(), Some(expected));
        }
        let triggers = workflow(&json!(all));
        assert_eq!(chosen(&triggers, Some("mail")).as_deref(), Some("mail"));
        assert_eq!(chosen(&triggers, Some("http")), None, "no trigger");
        assert_eq!(chosen(&triggers, Some("none")), None);
        assert_eq!(triggers.names().count(), 7);
        let other = workflow(&json!([node("mail", "n8n-nodes-base.gmailTrigger")]));
        assert_eq!(chosen(&other, None), None, "it must be named");
    }

    #[test]
    fn a_trigger_that_is_off_is_none() {
        let mut off = node("hook", "n8n-nodes-base.webhook");
        off["disabled"] = json!(true);
        let triggers = workflow(&json!([off, node("error", "n8n-nodes-base.errorTrigger")]));
        assert_eq!(triggers, Triggers::default());
        for body in ["", "{}", r#"{"data":{}}"#, r#"{"nodes":[]}"#, "<html>"] {
            assert_eq!(read_triggers(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn a_run_has_the_output_of_its_trigger() {
        let now = UnixMillis(1_800_000_000_000);
        let body = |node_type: &str, input: &str| {
            let triggers = workflow(&json!([node("start \"here\"", node_type)]));
            let Choice::Trigger(trigger) = triggers.choose(None) else {
                panic!("no trigger");
            };
            let input = RunInput::read(input.as_bytes()).unwrap();
            let body = run_body(&trigger, &input, now);
            let mut body: Value = serde_json::from_str(&body).unwrap();
            let start = body["triggerToStartFrom"].take();
            assert_eq!(start["name"], "start \"here\"");
            assert_eq!(start["data"]["startTime"], now.0);
            start["data"]["data"]["main"][0].clone()
        };
        let workflow = "n8n-nodes-base.executeWorkflowTrigger";
        assert_eq!(
            body(workflow, r#"[{"a":1},{"a":2}]"#),
            json!([{"json": {"a": 1}}, {"json": {"a": 2}}])
        );
        assert_eq!(body(workflow, ""), json!([{"json": {}}]));
        assert_eq!(
            body("n8n-nodes-base.webhook", r#"{"a":1}"#),
            json!([{"json": {"headers": {}, "params": {}, "query": {}, "body": {"a": 1}}}])
        );
    }
}
