//! The repository's own `envoy.yaml`.

use crate::gate::{provider, Gate};
use crate::support::envoy::Setup;
use crate::support::envoy_file::{text, text_with, Ports};
use crate::support::http::Request;
use crate::support::ports;
use crate::support::recorder::Recorder;

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

#[test]
fn the_shipped_file_serves() {
    let recorder = Recorder::start().unwrap();
    let ports = Ports {
        gate: ports::free().unwrap(),
        admin: ports::free().unwrap(),
        n8n: recorder.port(),
        provider: provider().port(),
    };
    let envoy = Setup::shipped(ports)
        .secret("N8N_KEY_APP_A", "a")
        .secret("N8N_KEY_APP_B", "b")
        .start()
        .unwrap();
    let gate = Gate {
        provider: provider(),
        recorder,
        envoy,
    };
    let request = Request::get("/healthz")
        .header("X-Forwarded-Host", "evil.example.test")
        .header("X-Forwarded-Proto", "https");
    assert_eq!(request.send(gate.envoy.port()).unwrap().status, 200);
    let heard = gate.recorder.take();
    assert_eq!(heard[0].values("x-forwarded-host"), [""; 0]);
    // Envoy writes its own address for a peer on the same machine.
    assert_eq!(heard[0].values("x-forwarded-for").len(), 1);
    assert_eq!(heard[0].values("x-forwarded-proto"), ["http"]);
}
