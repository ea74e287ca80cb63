//! The files for Docker Compose, without Docker: Envoy discovers its listener in a file, and
//! `apply.sh` changes it.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::support::envoy::is_ready;
use crate::support::http::Request;
use crate::support::installed;
use crate::support::ports;
use crate::support::process::{Ending, Process};
use crate::support::recorder::Recorder;

/// The folder of compose with the ports of this test, and an Envoy that reads it.
struct Compose {
    folder: TempDir,
    gate: u16,
    metrics: u16,
    recorder: Recorder,
    _envoy: Process,
}

impl Compose {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let recorder = Recorder::start().unwrap();
        let [gate, metrics, admin] = [(); 3].map(|()| ports::free().unwrap());
        let live = folder.path().join("live");
        let module = installed::wasm().unwrap();
        let edits = [
            (
                "0.0.0.0, port_value: 8080",
                format!("127.0.0.1, port_value: {gate}"),
            ),
            (
                "0.0.0.0, port_value: 9902",
                format!("127.0.0.1, port_value: {metrics}"),
            ),
            (
                "127.0.0.1, port_value: 9901",
                format!("127.0.0.1, port_value: {admin}"),
            ),
            (
                "address: n8n, port_value: 5678",
                format!("address: 127.0.0.1, port_value: {}", recorder.port()),
            ),
            (
                "address: keycloak, port_value: 8080",
                "address: 127.0.0.1, port_value: 9".to_owned(),
            ),
            ("/etc/envoy/live", live.display().to_string()),
            ("/etc/envoy/n8n-idp-gate.wasm", module.display().to_string()),
        ];
        let shipped = installed::root().join("deploy/compose");
        for name in ["envoy.yaml", "listener.yaml"] {
            let text = fs::read_to_string(shipped.join(name)).unwrap();
            let edit = |text: String, (from, to): &(&str, String)| text.replace(from, to);
            let text = edits.iter().fold(text, edit);
            fs::write(folder.path().join(name), text).unwrap();
        }
        fs::copy(shipped.join("apply.sh"), folder.path().join("apply.sh")).unwrap();
        // Envoy does not run yet, so the script only puts the file to where Envoy reads it.
        let applied = apply(folder.path(), metrics);
        assert!(applied.status.success(), "{applied:?}");
        let file = folder.path().join("envoy.yaml");
        let log = folder.path().join("log");
        let mut envoy = Process::start(
            "Envoy",
            &installed::envoy().unwrap(),
            &log,
            Ending::Kill,
            |command| {
                command
                    .env("N8N_PROVISIONING_KEY", "key-for-provisioning")
                    .env("N8N_GATE_SEED", "a-seed-of-enough-characters")
                    .arg("--config-path")
                    .arg(file)
                    .args([
                        "--use-dynamic-base-id",
                        "--reject-unknown-dynamic-fields",
                        "--drain-strategy",
                        "immediate",
                        "--concurrency",
                        "1",
                        "--log-level",
                        "warning",
                    ]);
            },
        )
        .unwrap();
        envoy
            .wait_until(Duration::from_secs(60), |_| {
                is_ready(admin) && TcpStream::connect((Ipv4Addr::LOCALHOST, gate)).is_ok()
            })
            .unwrap();
        Self {
            folder,
            gate,
            metrics,
            recorder,
            _envoy: envoy,
        }
    }

    fn listener(&self) -> String {
        fs::read_to_string(self.folder.path().join("listener.yaml")).unwrap()
    }

    /// Changes one text of the listener and applies it.
    fn change(&self, from: &str, to: &str) -> Output {
        let text = self.listener();
        assert_eq!(text.matches(from).count(), 1, "{from}");
        fs::write(
            self.folder.path().join("listener.yaml"),
            text.replace(from, to),
        )
        .unwrap();
        apply(self.folder.path(), self.metrics)
    }

    fn status(&self, path: &str) -> u16 {
        Request::get(path).send(self.gate).unwrap().status
    }

    /// What a restart of Envoy would read.
    fn live(&self) -> String {
        fs::read_to_string(self.folder.path().join("live/listener.yaml")).unwrap()
    }
}

fn apply(folder: &Path, metrics: u16) -> Output {
    Command::new("sh")
        .arg("apply.sh")
        .env("METRICS", format!("http://127.0.0.1:{metrics}/metrics"))
        .current_dir(folder)
        .output()
        .unwrap()
}

#[test]
fn a_changed_policy_takes_effect_without_a_lost_request() {
    let compose = Compose::start();
    assert_eq!(compose.status("/webhook/orders/a"), 401);
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        let client = scope.spawn(|| {
            let mut sent = 0;
            // Bounded, in case the script fails.
            while sent < 100_000 && !ended.load(Ordering::SeqCst) {
                // A guarded path is refused and an open one served, before, during and after.
                assert_eq!(compose.status("/webhook/orders/a"), 401);
                assert_eq!(compose.status("/healthz"), 200);
                sent += 1;
            }
            sent
        });
        let open = r#"{ path: "/webhook/**", auth: open }"#;
        assert_eq!(compose.status("/webhook/b"), 200);
        let applied = compose.change(open, r#"{ path: "/webhook/**", auth: bearer }"#);
        ended.store(true, Ordering::SeqCst);
        assert!(applied.status.success(), "{applied:?}");
        assert!(client.join().unwrap() > 0);
    });
    for _ in 0..100 {
        if compose.status("/webhook/b") == 401 {
            break;
        }
        thread::sleep(Duration::from_millis(100));
    }
    let _ = compose.recorder.take();
    assert_eq!(compose.status("/webhook/b"), 401);
    assert_eq!(compose.recorder.take().len(), 0);
}

/// Sends a request on a connection that stays open, and returns the head of the response.
fn head_on(stream: &mut BufReader<TcpStream>) -> String {
    let request = b"GET /webhook/b HTTP/1.1\r\nHost: n8n\r\n\r\n";
    stream.get_mut().write_all(request).unwrap();
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(stream.read_line(&mut head).unwrap() > 0, "{head}");
    }
    head.make_ascii_lowercase();
    let mut lines = head.lines();
    let length = lines.find_map(|line| line.strip_prefix("content-length: "));
    let length = length.map_or(0, |length| length.parse().unwrap());
    stream.read_exact(&mut vec![0; length]).unwrap();
    head
}

#[test]
fn an_open_connection_makes_one_more_request_under_the_old_policy() {
    let compose = Compose::start();
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, compose.gate)).unwrap();
    let patience = Some(Duration::from_secs(10));
    stream.set_read_timeout(patience).unwrap();
    let mut stream = BufReader::new(stream);
    let head = head_on(&mut stream);
    assert!(head.starts_with("http/1.1 200 "), "{head}");
    assert!(!head.contains("connection: close"), "{head}");
    let open = r#"{ path: "/webhook/**", auth: open }"#;
    let applied = compose.change(open, r#"{ path: "/webhook/**", auth: bearer }"#);
    assert!(applied.status.success(), "{applied:?}");
    let head = head_on(&mut stream);
    assert!(head.contains("connection: close"), "{head}");
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    assert_eq!(compose.status("/webhook/b"), 401);
}

#[test]
fn a_wrong_listener_is_refused_and_the_last_good_one_serves_on() {
    let compose = Compose::start();
    let good = compose.live();
    for (what, from, to) in [
        ("a wrong policy", "audiences: [n8n]", "audience: [n8n]"),
        (
            "an unknown field of Envoy",
            "use_remote_address:",
            "use_remote_addresses:",
        ),
        ("no YAML", "resources:\n", "resources: }\n"),
    ] {
        let applied = compose.change(from, to);
        assert!(!applied.status.success(), "{what}: {applied:?}");
        assert_eq!(compose.status("/webhook/orders/a"), 401, "{what}");
        assert_eq!(compose.status("/webhook/b"), 200, "{what}");
        assert!(compose.live() == good, "{what}: a restart would read it");
        fs::write(compose.folder.path().join("listener.yaml"), &good).unwrap();
    }
}

#[test]
fn the_listener_for_metrics_shows_no_other_page_of_envoy() {
    let compose = Compose::start();
    assert_eq!(compose.status("/webhook/orders/a"), 401);
    let page = |request: Request| request.send(compose.metrics).unwrap();
    let metrics = page(Request::get("/metrics"));
    assert_eq!(metrics.status, 200);
    assert!(metrics
        .text()
        .contains("envoy_listener_manager_lds_update_success{} 1"));
    for path in [
        "/",
        "/config_dump",
        "/stats/prometheus",
        "/metrics/../config_dump",
        "/metrics/",
    ] {
        assert_eq!(page(Request::get(path)).status, 404, "{path}");
    }
    assert_eq!(page(Request::new("POST", "/metrics")).status, 404);
}
