//! The repository's own `envoy.yaml`.

use std::thread;
use std::time::Duration;

use crate::gate::{provider, Gate, READER};
use crate::shipped_gate::ShippedGate;
use crate::support::envoy::Setup;
use crate::support::envoy_file::{text, text_with, Ports};
use crate::support::http::Request;
use crate::support::ports;
use crate::support::recorder::Recorder;
use crate::support::server::{Reply, Script};

fn other_ports() -> Ports {
    Ports {
        gate: 21_001,
        admin: 21_002,
        n8n: 21_003,
        provider: 21_004,
    }
}

#[test]
fn the_file_that_runs_differs_from_the_shipped_one_in_its_ports_alone() {
    let (shipped, running) = (text().unwrap(), text_with(other_ports()).unwrap());
    assert_eq!(text_with(Ports::default()).unwrap(), shipped);
    let changed: Vec<(String, String)> = shipped
        .lines()
        .zip(running.lines())
        .filter(|(before, after)| before != after)
        .map(|(before, after)| (before.trim().to_owned(), after.trim().to_owned()))
        .collect();
    let address =
        |port: u16| format!("socket_address: {{ address: 127.0.0.1, port_value: {port} }}");
    let issuer = |port: u16| format!("issuer: http://127.0.0.1:{port}");
    let expected = [
        (address(9901), address(21_002)),
        (address(8080), address(21_001)),
        (issuer(9000), issuer(21_004)),
        (address(5678), address(21_003)),
        (address(9000), address(21_004)),
    ];
    assert_eq!(changed, expected);
    assert_eq!(shipped.lines().count(), running.lines().count());
}

/// A gate with the shipped file.
fn start() -> Gate {
    let recorder = Recorder::start().unwrap();
    let ports = Ports {
        gate: ports::free().unwrap(),
        admin: ports::free().unwrap(),
        n8n: recorder.port(),
        provider: provider().port(),
    };
    let envoy = Setup::shipped(ports)
        .secret("N8N_PROVISIONING_KEY", "key-for-provisioning")
        .secret("N8N_GATE_SEED", "a-seed-of-enough-characters")
        .start()
        .unwrap();
    Gate {
        provider: provider(),
        recorder,
        envoy,
    }
}

#[test]
fn the_shipped_files_metrics_have_labels() {
    let gate = start();
    let request = Request::get("/api/v1/workflows");
    assert_eq!(request.send(gate.envoy.port()).unwrap().status, 401);
    // No server listens at the provider's port, so Envoy itself responds to the fetch with 503.
    for (metric, labels) in [
        (
            "n8n_idp_gate_decisions{",
            [
                "surface=\"public_api\"",
                "outcome=\"reject\"",
                "reason=\"no_credential\"",
                "provider=\"none\"",
            ]
            .as_slice(),
        ),
        (
            "n8n_idp_gate_key_set_failures{",
            &["fault=\"unavailable\"", "provider=\"demo\""],
        ),
    ] {
        let line = counted(&gate, metric);
        for label in labels {
            assert!(line.contains(label), "{label} in {line}");
        }
    }
}

/// The line of a metric, as soon as there is one. Workers report their counts from time to time.
fn counted(gate: &Gate, metric: &str) -> String {
    for _ in 0..50 {
        let stats = gate.envoy.stats().unwrap();
        if let Some(line) = stats.lines().find(|line| line.starts_with(metric)) {
            return line.to_owned();
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("{metric} is not counted");
}

#[test]
fn the_shipped_file_serves() {
    let gate = start();
    let request = Request::get("/healthz")
        .header("X-Forwarded-Host", "evil.example.test")
        .header("X-Forwarded-Proto", "https");
    assert_eq!(request.send(gate.envoy.port()).unwrap().status, 200);
    let recorded = gate.recorder.take();
    assert_eq!(recorded[0].values("x-forwarded-host"), [""; 0]);
    // Envoy writes its own address for a client on the same machine.
    assert_eq!(recorded[0].values("x-forwarded-for").len(), 1);
    assert_eq!(recorded[0].values("x-forwarded-proto"), ["http"]);
}

#[test]
fn the_shipped_file_removes_a_key_from_a_response() {
    let gate = ShippedGate::start(|setup| setup);
    let echo = Reply::status(200).header("X-N8N-Api-Key", "a");
    gate.recorder.script(Script::Reply(echo));
    for request in [
        Request::get("/api/v1/workflows").bearer(&gate.token("app-a", &[READER])),
        Request::get("/webhook/a"),
    ] {
        let response = request.send(gate.envoy.port()).unwrap();
        assert_eq!(response.status, 200);
        assert_eq!(response.header("x-n8n-api-key"), None);
    }
}
