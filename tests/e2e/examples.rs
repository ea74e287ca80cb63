//! The examples of the guide for callers, as they stand there.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{json, Value};

use crate::gate::{token, Gate, ISSUER, KEY_A, READER};
use crate::support::installed;
use crate::support::server::{Reply, Script};

const SECRET: &str = "secret-of-app-a";
const SCOPE: &str = "n8n.read";

/// What stands for n8n in the guide.
const N8N: &str = "https://n8n.example.com";

/// Where Entra is, and the path of its tokens.
const ENTRA: &str = "https://login.microsoftonline.com";
const TENANT: &str = "4f1e2d3c-0000-4000-8000-000000000001";

/// The blocks of a language in the guide.
fn blocks(language: &str) -> Vec<String> {
    let page = fs::read_to_string(installed::root().join("docs/guides/callers.md")).unwrap();
    let mark = format!("{language}\n");
    let blocks = page.split("```").skip(1).step_by(2);
    let blocks = blocks.filter_map(|block| block.strip_prefix(&mark).map(str::to_owned));
    blocks.collect()
}

/// A gate, and a provider with an endpoint for tokens at this path.
fn gate(token_path: &str) -> Gate {
    let gate = Gate::start();
    let found = json!({ "data": [] });
    gate.recorder.script(Script::Reply(Reply::json(&found)));
    let reply = json!({
        "access_token": token("app-a", &[READER]),
        "token_type": "Bearer",
        "expires_in": 3599,
    });
    let reply = Script::Reply(Reply::json(&reply));
    gate.provider.script(token_path, reply);
    gate
}

/// The output of a program that has the variables of the examples. It ends in a minute.
fn output(gate: &Gate, program: &Path, shape: impl FnOnce(&mut Command)) -> String {
    let provider = format!("http://127.0.0.1:{}", gate.provider.port());
    let mut command = Command::new("timeout");
    command
        .arg("60")
        .arg(program)
        .env("TOKEN_ENDPOINT", format!("{provider}/token"))
        .env("PROVIDER", provider)
        .env("CLIENT_ID", "app-a")
        .env("CLIENT_SECRET", SECRET)
        .env("SCOPE", SCOPE)
        .env("AUDIENCE", "api://n8n-api")
        .env("N8N_URL", format!("http://127.0.0.1:{}", gate.envoy.port()))
        // Only this provider has no TLS.
        .env("OAUTHLIB_INSECURE_TRANSPORT", "1");
    shape(&mut command);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}");
    text
}

/// n8n got this many requests, all of them with the key of the caller.
fn assert_reached(gate: &Gate, count: usize) {
    let requests = gate.recorder.take();
    assert_eq!(requests.len(), count);
    for request in requests {
        assert_eq!(request.values("x-n8n-api-key"), [KEY_A]);
    }
}

/// One request for a token was made, with these credentials and fields.
fn assert_asked_once(gate: &Gate, path: &str, parts: &[&str]) {
    assert_eq!(gate.provider.requests(path), 1);
    let asked = gate.provider.last(path).unwrap();
    let body = String::from_utf8_lossy(&asked.body).into_owned();
    for part in parts {
        assert!(body.contains(part), "{part}: {body}");
    }
}

#[test]
fn the_examples_for_curl_get_a_token_and_find_the_provider() {
    let gate = gate("/token");
    let blocks = blocks("sh");
    assert_eq!(blocks.len(), 3);
    let url = format!("http://127.0.0.1:{}", gate.envoy.port());
    let outputs = blocks.iter().map(|block| {
        let script = block.replace(N8N, &url);
        output(&gate, Path::new("bash"), |command| {
            let good = token("app-a", &[READER]);
            command.args(["-euo", "pipefail", "-c", &script]);
            command.env("TOKEN", good);
        })
    });
    let outputs: Vec<_> = outputs.collect();
    assert_eq!(outputs[0], r#"{"data":[]}"#);
    let challenge = outputs[1].to_ascii_lowercase();
    assert!(
        challenge.starts_with("www-authenticate: bearer"),
        "{challenge}"
    );
    assert!(
        outputs[1].contains("authorization_servers"),
        "{}",
        outputs[1]
    );
    assert!(outputs[1].contains(ISSUER), "{}", outputs[1]);
    assert_eq!(outputs[2], r#"{"data":[]}"#);
    let fields = ["grant_type=client_credentials", "scope=n8n.read"];
    assert_asked_once(&gate, "/token", &fields);
    assert_reached(&gate, 2);
}

/// Runs an example in Python between a beginning and an end.
fn python(gate: &Gate, head: &str, example: &str, tail: &str) -> String {
    let variables = "\
import os
CLIENT_ID, CLIENT_SECRET, TOKEN_ENDPOINT, SCOPE, N8N_URL = (os.environ[name] for name in
    ('CLIENT_ID', 'CLIENT_SECRET', 'TOKEN_ENDPOINT', 'SCOPE', 'N8N_URL'))
";
    let program = format!("{variables}{head}{example}{tail}");
    let python = installed::callers().unwrap().join("python/bin/python");
    output(gate, &python, |command| {
        command.args(["-c", &program]);
    })
}

#[test]
fn the_example_in_python_keeps_its_token() {
    let gate = gate("/token");
    let example = &blocks("python")[1];
    let again = "print(get('/api/v1/workflows').status_code)\n";
    let text = python(&gate, "", example, again);
    assert_eq!(text, "{'data': []}\n200\n");
    let fields = ["grant_type=client_credentials", "scope=n8n.read"];
    assert_asked_once(&gate, "/token", &fields);
    assert_reached(&gate, 2);
}

/// MSAL knows Entra's address: requests to it go to the provider here.
#[test]
fn the_example_with_msal_keeps_its_token() {
    let path = format!("/{TENANT}/oauth2/v2.0/token");
    let gate = gate(&path);
    let document: Value = json!({
        "issuer": format!("{ENTRA}/{TENANT}/v2.0"),
        "authorization_endpoint": format!("{ENTRA}/{TENANT}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{ENTRA}{path}"),
    });
    let at = format!("/{TENANT}/v2.0/.well-known/openid-configuration");
    let document = Script::Reply(Reply::json(&document));
    gate.provider.script(&at, document);
    let head = format!(
        "\
import requests.adapters
send = requests.adapters.HTTPAdapter.send
def here(self, request, **options):
    request.url = request.url.replace('{ENTRA}', os.environ['PROVIDER'])
    return send(self, request, **options)
requests.adapters.HTTPAdapter.send = here
TENANT = '{TENANT}'
"
    );
    let tail = "token()\nprint(response.status_code)\n";
    let text = python(&gate, &head, &blocks("python")[0], tail);
    assert_eq!(text, "200\n");
    let fields = [
        "grant_type=client_credentials",
        "scope=api%3A%2F%2FAPP-ID%2F.default",
        "client_id=app-a",
        "client_secret=secret-of-app-a",
    ];
    assert_asked_once(&gate, &path, &fields);
    assert_reached(&gate, 1);
}

#[test]
fn the_example_in_go_keeps_its_token() {
    let gate = gate("/token");
    let callers = installed::callers().unwrap();
    let from = installed::root().join("tests/real/callers");
    let desk = tempfile::tempdir().unwrap();
    for name in ["go.mod", "go.sum"] {
        fs::copy(from.join(name), desk.path().join(name)).unwrap();
    }
    let around = fs::read_to_string(from.join("main.go")).unwrap();
    assert!(around.contains("// EXAMPLE"));
    let program = around.replace("// EXAMPLE", &blocks("go")[0]);
    fs::write(desk.path().join("main.go"), program).unwrap();
    let text = output(&gate, Path::new("go"), |command| {
        command
            .args(["run", "."])
            .current_dir(desk.path())
            .env("GOTOOLCHAIN", "local")
            .env("GOFLAGS", "-mod=readonly -modcacherw")
            .env("GOPROXY", "off")
            .env("GOMODCACHE", callers.join("modules"))
            .env("GOCACHE", callers.join("objects"));
    });
    assert_eq!(text, "200 200 {\"data\":[]}\n");
    let fields = [
        "grant_type=client_credentials",
        "scope=n8n.read",
        "audience=api",
    ];
    assert_asked_once(&gate, "/token", &fields);
    assert_reached(&gate, 2);
}
