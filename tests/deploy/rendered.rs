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

/// Two instances.
pub(crate) const SEVERAL: &str = "tests/render/several.yaml";

/// The services of these, in Kubernetes.
pub(crate) const SERVICES: [&str; 4] = [
    "--n8n",
    "prod=n8n.prod.svc.cluster.local:5678",
    "--n8n",
    "test=flows.test.svc.cluster.local:5679",
];

const VARIABLES: [&str; 5] = [
    "N8N_KEY_TEST",
    "N8N_PROVISIONING_KEY",
    "N8N_GATE_SEED",
    "HYDRA_CLIENT_SECRET",
    "GITHUB_WEBHOOK_SECRET",
];

pub(crate) fn rendered(target: &str, file: &str, more: &[&str]) -> String {
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
    for target in ["istio", "envoy-gateway"] {
        let manifests = documents(target, &rendered(target, SEVERAL, &SERVICES));
        assert!(manifests.len() > 10, "{target}");
        assert_eq!(crds::faults(&manifests), [], "{target}");
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
    let own = ["--n8n", "prod=127.0.0.1:1", "--n8n", "test=127.0.0.1:2"];
    accept(&rendered("envoy", SEVERAL, &own));
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

/// Two instances, of which one is below a path: each request reaches the n8n of its host, with the path
/// that the gate decided on.
#[test]
fn each_instance_that_is_rendered_gets_its_own_requests() {
    let at = format!("127.0.0.1:{}", free_port());
    let own = [("prod", server("prod")), ("test", server("test"))];
    let own = own.map(|(name, at)| format!("{name}={at}"));
    let options = ["--listen", &at, "--n8n", &own[0], "--n8n", &own[1]];
    let text = rendered("envoy", SEVERAL, &options);
    let _envoy = run(&text, &at);
    each_gets_its_own_requests(&at, "envoy");
}

/// Requests to the two instances: what each response contains.
pub(crate) fn each_gets_its_own_requests(at: &str, target: &str) {
    for (host, path, expected) in [
        ("n8n.corp.test", "/healthz", "prod /healthz"),
        ("n8n.corp.test:8080", "/", "prod /"),
        ("n8n.corp.test", "/rest/push?a=1", "prod /rest/push?a=1"),
        ("n8n-test.corp.test", "/team.a/healthz", "test /healthz"),
        ("a.n8n-test.corp.test", "/team.a/", "test /"),
        (
            "n8n-test.corp.test",
            "/team.a/rest/push?a=1",
            "test /rest/push?a=1",
        ),
        ("n8n-test.corp.test", "/team.a/chat/x?b", "test /chat/x?b"),
        ("n8n-test.corp.test", "/team.a/webhook/x", "test /webhook/x"),
        (
            "n8n-test.corp.test",
            "/team.a/api/v1/workflows",
            "no_credential",
        ),
        (
            "n8n-test.corp.test",
            "/team.a//api/v1/workflows",
            "HTTP/1.1 400",
        ),
        (
            "n8n-test.corp.test",
            "/team.a/chat/../api/v1/workflows",
            "HTTP/1.1 400",
        ),
        (
            "n8n-test.corp.test",
            "/teamxa/healthz",
            "outside_path_prefix",
        ),
        ("n8n-test.corp.test", "/healthz", "outside_path_prefix"),
        (
            "n8n-test.corp.test",
            "/.well-known/oauth-protected-resource/team.a/api/v1",
            "https://login.microsoftonline.com",
        ),
        ("n8n.corp.test", "/api/v1/workflows", "no_credential"),
        ("other.corp.test", "/", "unknown_host"),
    ] {
        let response = get_of(host, at, path).unwrap();
        assert!(
            response.contains(expected),
            "{target} {host}{path}: {response}"
        );
    }
}

/// An Envoy with the rendered file, changed by `change`, before a server that plays n8n. The text is the
/// address of the gate.
pub(crate) fn start(change: impl FnOnce(&str) -> String) -> (Running, String) {
    let to = server("n8n");
    let at = format!("127.0.0.1:{}", free_port());
    let options = ["--listen", &at, "--n8n", &to];
    let text = change(&rendered("envoy", "tests/render/gate.yaml", &options));
    let running = run(&text, &at);
    (running, at)
}

/// A server that plays n8n. It says its name, and from the second word on what it was asked for. The text is
/// its address.
pub(crate) fn server(name: &'static str) -> String {
    let n8n = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = n8n.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in n8n.incoming() {
            let mut stream = stream.unwrap();
            let mut head = [0; 4096];
            let length = stream.read(&mut head).unwrap_or_default();
            let head = String::from_utf8_lossy(&head[..length]).into_owned();
            let path = head.split(' ').nth(1).unwrap_or_default();
            let body = match name {
                "n8n" => name.to_owned(),
                _ => format!("{name} {path}"),
            };
            let length = body.len();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close");
            let _ = stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes());
        }
    });
    at
}

/// An Envoy with this file, which listens at `at`.
pub(crate) fn run(text: &str, at: &str) -> Running {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("envoy.yaml");
    std::fs::write(&path, on_this_machine(text)).unwrap();
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
    while get(at, "/healthz").is_none() {
        patience -= 1;
        assert!(patience > 0, "Envoy does not start");
        thread::sleep(Duration::from_millis(100));
    }
    running
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// The whole response; `None`: there is none.
pub(crate) fn get(at: &str, path: &str) -> Option<String> {
    get_of("n8n.example.com", at, path)
}

/// The same of a host.
fn get_of(host: &str, at: &str, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(at).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .ok()?;
    let head = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).ok()?;
    let mut response = String::new();
    stream.read_to_string(&mut response).ok()?;
    (!response.is_empty()).then_some(response)
}
