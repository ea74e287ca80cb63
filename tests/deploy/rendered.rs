//! What `render` writes, before an API server's judge and in a real Envoy.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::crds;
use super::envoy;
use super::repository::{documents, root};

const GATES: [(&str, &[&str]); 2] = [
    ("tests/render/gate.yaml", &[]),
    (
        "tests/render/signed.yaml",
        &["--key-host", "login=keys.example.net"],
    ),
];

const VARIABLES: [&str; 4] = [
    "N8N_PROVISIONING_KEY",
    "N8N_GATE_SEED",
    "HYDRA_CLIENT_SECRET",
    "GITHUB_WEBHOOK_SECRET",
];

fn rendered(target: &str, file: &str, more: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_n8n-idp-gate"))
        .current_dir(root())
        .args(["render", target, file])
        .args(more)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{target}: {:?}",
        String::from_utf8(output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn an_api_server_accepts_every_manifest_that_is_rendered() {
    for (file, more) in GATES {
        for target in ["istio", "envoy-gateway"] {
            let manifests = documents(target, &rendered(target, file, more));
            assert!(manifests.len() > 5, "{target}");
            assert_eq!(crds::faults(&manifests), [], "{target} {file}");
        }
    }
}

#[test]
fn envoy_accepts_every_file_that_is_rendered() {
    for (file, more) in GATES {
        let text = rendered("envoy", file, more);
        accept(&text);
        let compose = rendered("compose", file, more);
        let compose = documents("compose", &compose);
        let content = compose[0]["configs"]["envoy"]["content"].as_str().unwrap();
        accept(
            &content
                .replace("$$", "$")
                .replace("/etc/envoy/n8n-idp-gate.wasm", "target/n8n-idp-gate.wasm"),
        );
    }
}

fn accept(text: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("envoy.yaml");
    std::fs::write(&path, on_this_machine(text)).unwrap();
    let mut command = Command::new(envoy::installed("ENVOY_BIN", ".local/bin/envoy"));
    command.args([
        "--mode",
        "validate",
        "--use-dynamic-base-id",
        "--log-level",
        "warning",
    ]);
    command
        .args(["--concurrency", "1", "--config-path"])
        .arg(&path);
    let output = with_variables(&mut command).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn with_variables(command: &mut Command) -> &mut Command {
    for variable in VARIABLES {
        // As long as a seed must be.
        command.env(
            variable,
            format!("{variable}-0123456789abcdef0123456789abcdef"),
        );
    }
    command
}

/// With the module that was built here, and with no fixed port for the admin pages.
fn on_this_machine(text: &str) -> String {
    let module = envoy::installed("GATE_WASM", "target/n8n-idp-gate.wasm");
    let module = format!("filename: {}", module.display());
    text.replace("filename: target/n8n-idp-gate.wasm", &module)
        .replace("port_value: 9901", "port_value: 0")
}

/// Ends a program with the test.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_file_that_is_rendered_runs_and_guards_n8n() {
    let (_envoy, at) = start(str::to_owned);
    let response = get(&at, "/healthz").unwrap();
    assert!(
        response.starts_with("HTTP/1.1 200") && response.ends_with("n8n"),
        "{response}"
    );
    let response = get(&at, "/api/v1/workflows").unwrap();
    assert!(response.starts_with("HTTP/1.1 401"), "{response}");
    let metadata = get(&at, "/.well-known/oauth-protected-resource/api/v1").unwrap();
    assert!(
        metadata.contains("https://login.example.com:8443"),
        "{metadata}"
    );
}

/// An Envoy with the rendered file, changed by `change`, before a server that plays n8n. The text is the
/// address of the gate.
pub(crate) fn start(change: impl FnOnce(&str) -> String) -> (Running, String) {
    let n8n = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = n8n.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in n8n.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: close\r\n\r\nn8n");
        }
    });
    let at = format!("127.0.0.1:{}", free_port());
    let options = ["--listen", &at, "--n8n", &to];
    let text = change(&rendered("envoy", "tests/render/gate.yaml", &options));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("envoy.yaml");
    std::fs::write(&path, on_this_machine(&text)).unwrap();
    let mut command = Command::new(envoy::installed("ENVOY_BIN", ".local/bin/envoy"));
    command.args([
        "--use-dynamic-base-id",
        "--log-level",
        "warning",
        "--concurrency",
        "1",
    ]);
    command.arg("--config-path").arg(&path);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let running = Running(with_variables(&mut command).spawn().unwrap());
    let mut patience = 600;
    while get(&at, "/healthz").is_none() {
        patience -= 1;
        assert!(patience > 0, "Envoy does not start");
        thread::sleep(Duration::from_millis(100));
    }
    (running, at)
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// The whole response; `None`: there is none.
pub(crate) fn get(at: &str, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(at).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .ok()?;
    let head = format!("GET {path} HTTP/1.1\r\nhost: n8n.example.com\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).ok()?;
    let mut response = String::new();
    stream.read_to_string(&mut response).ok()?;
    (!response.is_empty()).then_some(response)
}
