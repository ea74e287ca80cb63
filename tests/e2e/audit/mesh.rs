//! The access logs of Istio and of Envoy Gateway, as these write them into the configuration of Envoy.

use std::fs;
use std::path::Path;

use n8n_idp_gate::config::yaml::{Budget, Reader};
use serde_json::{json, Value};

use super::{Audited, MARK, TO};
use crate::gate::READER;
use crate::support::http::Request;
use crate::support::installed;

/// How far the access loggers are indented in the shipped file.
const LOGGERS: &str = "                access_log:\n";

/// A shipped file, with its lines for audit records in force.
fn shipped(path: &str) -> String {
    let text = fs::read_to_string(installed::root().join(path)).unwrap();
    text.replace(MARK, "")
}

fn documents(text: &str) -> Vec<Value> {
    let read = Budget::default().documents(text, Reader::Either).unwrap();
    read.into_iter().map(|document| document.value).collect()
}

/// An access logger of Envoy that writes lines of this format to a file, for requests that the expression matches.
fn logger(format: &Value, expression: Option<&Value>, file: &Path) -> Value {
    let filter = expression.map(|expression| {
        json!({ "extension_filter": {
            "name": "envoy.access_loggers.extension_filters.cel",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter",
                "expression": expression,
            },
        }})
    });
    let format = match format {
        Value::String(text) => json!({ "text_format_source": { "inline_string": text } }),
        fields => json!({ "json_format": fields }),
    };
    json!({
        "name": "envoy.access_loggers.file",
        "filter": filter,
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": file,
            "log_format": format,
        },
    })
}

/// The loggers that Istio makes of the shipped Telemetry and of the providers in its comment.
fn of_istio(file: &Path) -> Vec<Value> {
    let text = shipped("deploy/istio/access-log.yaml");
    let comments = text.lines().filter_map(|line| line.strip_prefix('#'));
    let mesh = comments.skip_while(|line| line.trim() != "meshConfig:");
    // The part with the providers ends at the first empty comment.
    let mesh = mesh.take_while(|line| !line.is_empty());
    let mesh: String = mesh.flat_map(|line| [line, "\n"]).collect();
    let mesh = &documents(&mesh)[0]["meshConfig"]["extensionProviders"];
    let telemetry = &documents(&text)[0]["spec"]["accessLogging"];
    let rules = telemetry.as_array().unwrap().iter();
    let loggers = rules.map(|rule| {
        let name = &rule["providers"][0]["name"];
        let mut providers = mesh.as_array().unwrap().iter();
        let provider = providers.find(|provider| provider["name"] == *name);
        let provider = &provider.unwrap()["envoyFileAccessLog"];
        assert_eq!(provider["path"], "/dev/stdout");
        let format = &provider["logFormat"];
        let format = format.get("text").unwrap_or(&format["labels"]);
        logger(format, rule.pointer("/filter/expression"), file)
    });
    loggers.collect()
}

/// The loggers that Envoy Gateway makes of the shipped `EnvoyProxy`.
fn of_envoy_gateway(file: &Path) -> Vec<Value> {
    let proxy = &documents(&shipped("deploy/envoy-gateway/proxy.yaml"))[0];
    let settings = &proxy["spec"]["telemetry"]["accessLog"]["settings"];
    let settings = settings.as_array().unwrap().iter();
    let loggers = settings.map(|setting| {
        let format = &setting["format"];
        let format = format.get("text").unwrap_or(&format["json"]);
        assert_eq!(setting["sinks"][0]["file"]["path"], "/dev/stdout");
        logger(format, setting.pointer("/matches/0"), file)
    });
    loggers.collect()
}

#[test]
fn the_access_logs_of_istio_and_envoy_gateway_have_the_record_of_each_request() {
    for loggers in [of_istio, of_envoy_gateway] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("stdout");
        let loggers = loggers(&file);
        assert_eq!(loggers.len(), 2, "the access log, and the audit records");
        let items = loggers
            .iter()
            .map(|one| format!("                  - {one}\n"));
        let all: String = std::iter::once(LOGGERS.to_owned()).chain(items).collect();
        let audited = Audited::start(TO, |setup| setup.edited(LOGGERS, &all));
        let count = audited.decide();
        // Envoy refuses it before the gate.
        let long = Request::get("/api/v1/workflows").header("x-long", "a".repeat(30_000));
        assert_eq!(audited.gate.status(&long), 431);
        let good = audited.gate.token("app-a", &[READER]);
        let list = Request::get("/api/v1/workflows?code=query-secret");
        assert_eq!(audited.gate.status(&list.bearer(&good)), 200);
        // Those in the file of the shipped recipe.
        let records = audited.records(count + 1);
        let mut lines: Vec<Value> = Vec::new();
        for _ in 0..300 {
            let text = fs::read_to_string(&file).unwrap_or_default();
            let whole = text
                .split_inclusive('\n')
                .filter(|line| line.ends_with('\n'));
            lines = whole.map(|line| line.parse().unwrap()).collect();
            if lines.len() > records.len() * 2 {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        let (own, access): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| line["v"] == 1);
        assert_eq!(own, records);
        // The access log has the request of Envoy's own refusal, too.
        assert_eq!(access.len(), records.len() + 1, "{access:?}");
        let forwarded = access.last().unwrap();
        assert_eq!(
            [
                &forwarded["principal"],
                &forwarded["client_id"],
                &forwarded["path"]
            ],
            ["applications", "app-a", "/api/v1/workflows"]
        );
    }
}
