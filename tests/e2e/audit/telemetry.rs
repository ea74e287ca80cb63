//! What an OpenTelemetry collector gets.

use std::fs;
use std::sync::mpsc;
use std::time::Duration;

use super::Audited;
use crate::gate::READER;
use crate::support::envoy::Setup;
use crate::support::http::Request;
use crate::support::installed;
use crate::support::server::{Reply, Script, Server};

/// How far the fields of the connection manager are indented in the shipped file.
const INDENT: &str = "                ";

/// The block of the guide, with this collector.
fn with_telemetry(setup: Setup, port: u16) -> Setup {
    let guide = installed::root().join("docs/guides/audit.md");
    let guide = fs::read_to_string(guide).unwrap();
    let block = guide.split("### OpenTelemetry").nth(1).unwrap();
    let block = block.split("```yaml\n").nth(1).unwrap();
    let block = block.split("```").next().unwrap();
    let block = block.replace("otel.example.com:4318", &format!("127.0.0.1:{port}"));
    let lines = block.lines().map(|line| format!("{INDENT}{line}\n"));
    let block: String = lines.collect();
    // The logger of the guide stands before that of the shipped file.
    let (logger, tracing) = block.split_once(&format!("{INDENT}tracing:")).unwrap();
    let head = format!("{INDENT}access_log:\n");
    let cluster = format!(
        "  clusters:\n    - name: telemetry\n      type: STATIC\n      load_assignment:\n        \
         cluster_name: telemetry\n        endpoints:\n          - lb_endpoints:\n              \
         - endpoint: {{ address: {{ socket_address: {{ address: 127.0.0.1, port_value: {port} }} }} }}\n"
    );
    setup
        .edited(&head, &format!("{INDENT}tracing:{tracing}{logger}"))
        .edited("  clusters:\n", &cluster)
}

fn contains(body: &[u8], text: &str) -> bool {
    body.windows(text.len()).any(|part| part == text.as_bytes())
}

/// Protobuf has texts as they are, and a text of this length after its length.
fn has_pair(body: &[u8], key: &str, value: &str) -> bool {
    // KeyValue: 1 = key, 2 = AnyValue, whose 1 = string_value.
    let length = |text: &str| u8::try_from(text.len()).unwrap();
    let mut pair = vec![0x0a, length(key)];
    pair.extend(key.as_bytes());
    pair.extend([0x12, length(value) + 2, 0x0a, length(value)]);
    pair.extend(value.as_bytes());
    body.windows(pair.len()).any(|part| part == pair)
}

#[test]
fn log_records_and_spans_of_opentelemetry_name_the_verified_caller() {
    let (sender, received) = mpsc::channel();
    let collector = Server::start(move |request| {
        let _ = sender.send((request.target, request.body));
        Script::Reply(Reply::status(200))
    })
    .unwrap();
    let port = collector.port();
    let audited = Audited::start("audit: { to: access_log }", |setup| {
        with_telemetry(setup, port)
    });
    let list = Request::get("/api/v1/workflows");
    let good = list.clone().bearer(&audited.gate.token("app-a", &[READER]));
    assert_eq!(audited.gate.status(&good), 200);
    let forged = list.header("X-Auth-Client", "forged");
    assert_eq!(audited.gate.status(&forged), 401);
    let pairs = [
        ("n8n_idp_gate.principal", "applications"),
        ("n8n_idp_gate.client", "app-a"),
    ];
    let (mut logs, mut spans) = (Vec::new(), Vec::new());
    let named = |body: &[u8]| pairs.iter().all(|(key, value)| has_pair(body, key, value));
    let is_whole = |logs: &[u8]| named(logs) && contains(logs, "no_credential");
    for _ in 0..100 {
        if is_whole(&logs) && named(&spans) {
            break;
        }
        if let Ok((target, body)) = received.recv_timeout(Duration::from_millis(300)) {
            let of: &mut Vec<u8> = match target.as_str() {
                "/v1/logs" => &mut logs,
                "/v1/traces" => &mut spans,
                other => panic!("{other}"),
            };
            of.extend(body);
        }
    }
    assert!(named(&spans), "{}", String::from_utf8_lossy(&spans));
    let shown = String::from_utf8_lossy(&logs);
    assert!(named(&logs), "{shown}");
    // The whole record too.
    assert!(contains(&logs, "\"decision\":\"forward\""), "{shown}");
    assert!(contains(&logs, "\"reason\":\"no_credential\""), "{shown}");
    assert!(!contains(&logs, "forged") && !contains(&spans, "forged"));
}
