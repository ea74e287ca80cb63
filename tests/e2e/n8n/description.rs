//! n8n's own description of its public API, through the gate.

use std::fs;
use std::process::Command;

use serde_json::{json, Value};

use crate::mint::{mint, KeyKind};
use crate::minted::{list, per_client, policy, token, with_key, Accounts};
use crate::stage;
use crate::support::envoy::Setup;
use crate::support::http::Request;
use crate::support::installed;
use crate::support::recorder::Recorder;
use crate::support::server::{Reply, Script};

const DESCRIPTION: &str = "/api/v1/openapi.yml";
const PAGE: &str = "/api/v1/docs/swagger-ui-init.js";

#[test]
fn it_passes_without_a_credential_if_the_operator_says_so() {
    let stage = stage();
    let key = Accounts::of(&stage).provisioning_key();
    let gate = |is_public: bool| {
        let mut policy = policy(&stage, &per_client(), "description.invalid", "1h");
        policy["public_api"] = json!({ "public_description": is_public });
        with_key(&stage, policy, &key).start().unwrap()
    };
    let paths = [DESCRIPTION, "/api/v1/docs/", PAGE];
    let guarded = gate(false);
    for path in paths {
        let refused = Request::get(path).send(guarded.port()).unwrap();
        assert_eq!(refused.status, 401, "{path}: {}", refused.text());
    }
    let open = gate(true);
    for path in paths {
        let own = Request::get(path).send(stage.n8n.port()).unwrap();
        let shown = Request::get(path).send(open.port()).unwrap();
        // n8n sends no file below a folder with a dot in front, where the tests install it.
        let is_hidden = path == DESCRIPTION && own.status == 500;
        assert!(own.status == 200 || is_hidden, "{path}: {}", own.status);
        assert_eq!(shown.status, own.status, "{path}");
        assert_eq!(shown.text(), own.text(), "{path}");
    }
    // n8n itself names bearer tokens.
    let document = Request::get(PAGE).send(open.port()).unwrap().text();
    assert!(document.contains("BearerAuth"), "{}", document.len());
    let list = Request::get("/api/v1/workflows").send(open.port()).unwrap();
    assert_eq!(list.status, 401);
}

/// Whether `longer` is `shorter` with more between its bytes.
fn only_adds(shorter: &[u8], longer: &[u8]) -> bool {
    let mut rest = longer.iter();
    shorter
        .iter()
        .all(|byte| rest.any(|candidate| candidate == byte))
}

/// The document in the script of the page.
fn document_of(script: &str) -> Value {
    let json = script.split_once("\"swaggerDoc\":").unwrap().1;
    let mut values = serde_json::Deserializer::from_str(json).into_iter::<Value>();
    values.next().unwrap().unwrap()
}

/// How many operations take API keys, and how many of them bearer tokens, too.
fn taken(document: &Value) -> (usize, usize) {
    let schemes = |scheme: &str| {
        let paths = document["paths"].as_object().unwrap().values();
        let operations = paths.flat_map(|path| path.as_object().unwrap().values());
        let operations = operations.filter(|operation| operation.get("responses").is_some());
        let takes = |operation: &&Value| {
            let own = operation.get("security").unwrap_or(&document["security"]);
            let mut own = own.as_array().unwrap().iter();
            own.any(|alternative| alternative.get(scheme).is_some())
        };
        operations.filter(takes).count()
    };
    (schemes("ApiKeyAuth"), schemes("BearerAuth"))
}

/// The whole way of a client: it reads the description, learns how to authenticate, and calls n8n.
#[test]
fn a_client_generated_from_it_calls_n8n_with_a_token() {
    let stage = stage();
    let key = Accounts::of(&stage).provisioning_key();
    let mut policy = policy(&stage, &per_client(), "described.invalid", "1h");
    policy["public_api"] = json!({ "public_description": true, "bearer_in_description": {} });
    let gate = with_key(&stage, policy, &key).start().unwrap();
    let token = token(&stage, "app-a");
    // The token brings the discovery document, which names the token endpoint.
    assert_eq!(list(&gate, &token).status, 200);

    let own = Request::get(PAGE).send(stage.n8n.port()).unwrap();
    let conditional = Request::get(PAGE)
        .header("If-None-Match", own.header("etag").unwrap())
        .header("Range", "bytes=0-9")
        .header("Accept-Encoding", "gzip, br");
    for _ in 0..2 {
        let shown = conditional.send(gate.port()).unwrap();
        assert_eq!(shown.status, 200, "{}", shown.text());
        for name in ["etag", "last-modified", "content-encoding", "content-range"] {
            assert_eq!(shown.header(name), None, "{name}");
        }
        assert_eq!(shown.header("content-type"), own.header("content-type"));
        assert!(only_adds(own.text().as_bytes(), shown.text().as_bytes()));
        assert!(own.text().len() < shown.text().len());
    }
    let shown = Request::get(PAGE).send(gate.port()).unwrap();
    let head = Request::new("HEAD", PAGE).send(gate.port()).unwrap();
    assert_eq!((head.status, &*head.text()), (200, ""));
    let document = document_of(&shown.text());
    let (before, after) = (taken(&document_of(&own.text())), taken(&document));
    assert!(before.1 < before.0, "n8n names them everywhere: {before:?}");
    assert_eq!(after, (before.0, before.0));
    let scheme = &document["components"]["securitySchemes"]["BearerAuth"];
    assert_eq!(scheme["scheme"], "bearer");
    let endpoint = scheme["x-token-endpoints"][0].as_str().unwrap();
    assert!(endpoint.starts_with(&stage.provider.issuer()), "{endpoint}");
    // The rest of the page, and paths beside it, are n8n's.
    let page = "/api/v1/docs/swagger-ui-bundle.js";
    let own = Request::get(page).send(stage.n8n.port()).unwrap();
    assert_eq!(
        Request::get(page).send(gate.port()).unwrap().text(),
        own.text()
    );

    let name = "Described";
    let workflow = json!({ "name": name, "nodes": [], "connections": {}, "settings": {} });
    let made = Request::post("/api/v1/workflows", &workflow).bearer(&token);
    assert_eq!(made.send(gate.port()).unwrap().status, 200);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("n8n.json");
    // n8n adds this for its page, and OpenAPI does not know it.
    let mut document = document;
    document.as_object_mut().unwrap().remove("server");
    fs::write(&file, document.to_string()).unwrap();
    let output = Command::new(installed::clients().unwrap().join("python/bin/python"))
        .arg(installed::root().join("tests/real/clients/described.py"))
        .args([&file, folder.path()])
        .arg(format!("http://127.0.0.1:{}/api/v1", gate.port()))
        .arg(&token)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let listed: Vec<String> = serde_json::from_slice(&output.stdout).unwrap();
    assert!(listed.iter().any(|listed| listed == name), "{listed:?}");
}

/// n8n's own file, which n8n does not send where the tests install it.
#[test]
fn the_file_of_n8n_has_bearer_tokens_beside_keys_and_no_other_line_changes() {
    let file = installed::n8n().unwrap();
    let file = file.join("node_modules/n8n/dist/public-api/v1/openapi.yml");
    let own = fs::read_to_string(file).unwrap();
    let n8n = Recorder::start().unwrap();
    let policy = json!({
        "providers": [{ "name": "idp", "issuer": "https://id.example", "audiences": ["api"],
            "jwks": { "keys": [mint(KeyKind::Ed25519).jwk("one")] } }],
        "principals": [{ "name": "all", "match": { "any": true }, "grant": ["workflow:list"],
            "api_key": { "env": "N8N_KEY" } }],
        "public_api": { "public_description": true, "bearer_in_description": { "cluster": "n8n" } },
    });
    let gate = || {
        let setup = Setup::minimal(policy.clone(), n8n.port()).unwrap();
        let setup = setup.cluster("n8n", n8n.port());
        setup.secret("N8N_KEY", "n8n-key").start().unwrap()
    };
    n8n.script(Script::Reply(Reply::new(200, "text/yaml", own.clone())));
    let first = gate();
    let conditional = Request::get(DESCRIPTION).header("If-None-Match", "*");
    let shown = conditional.send(first.port()).unwrap();
    let text = shown.text();
    assert_eq!(shown.header("content-type").as_deref(), Some("text/yaml"));
    let added = "\n        - BearerAuth: []\n";
    assert!(text.matches(added).count() > 10, "{}", text.len());
    assert_eq!(text.replace(added, "\n"), own);
    let calls = n8n.take();
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert_eq!(calls[0].values("accept-encoding"), ["identity"]);
    assert!(calls[0].values("if-none-match").is_empty());
    // It is kept.
    let again = Request::get(DESCRIPTION).send(first.port()).unwrap();
    assert!(again.text() == text && n8n.take().is_empty());
    drop(first);

    // A form that is not known goes through as it is, and the log says so.
    let other = own.replace("openapi: 3.0.0", "openapi: 4.0.0");
    n8n.script(Script::Reply(Reply::new(200, "text/yaml", other.clone())));
    let second = gate();
    let shown = Request::get(DESCRIPTION).send(second.port()).unwrap();
    assert!(shown.status == 200 && shown.text() == other);
    let log = second.log_text();
    assert!(log.contains("bearer_in_description"), "{log}");
    // Once for the gate, and once for the client.
    assert_eq!(n8n.take().len(), 2);
}
