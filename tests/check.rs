//! The command line on files: `n8n-idp-gate check`, and what it shares with `explain`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop at once when something is not as it needs it"
)]

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{json, Value};
use tempfile::TempDir;

/// A directory with files in it, where the command line runs.
struct Desk(TempDir);

impl Desk {
    fn new(files: &[(&str, &str)]) -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            fs::write(desk.0.path().join(name), text).unwrap();
        }
        desk
    }

    /// The exit code, and what was written to standard output and error.
    fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        self.run_with(arguments, b"")
    }

    /// The same with something on standard input, in less than 1.5 GB of memory.
    fn run_with(&self, arguments: &[&str], input: &[u8]) -> (Option<i32>, String) {
        let mut child = Command::new("sh")
            .current_dir(self.0.path())
            .args(["-c", "ulimit -v 1500000; exec \"$@\"", "sh"])
            .arg(env!("CARGO_BIN_EXE_n8n-idp-gate"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // What is not read to its end closes the pipe.
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    }
}

fn checked(file: &str) -> (Option<i32>, String) {
    Desk::new(&[("gate.yaml", file)]).run(&["check", "gate.yaml"])
}

/// A configuration, with these members beside.
fn configuration(more: &Value) -> Value {
    let mut whole = json!({
        "providers": [
            {"name": "idp", "issuer": "https://idp.example.com", "audiences": "n8n", "cluster": "idp"},
        ],
        "webhooks": [{"path": "/webhook/**", "auth": "bearer"}],
    });
    let members = whole.as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    whole
}

/// An Envoy file with the gate and these routes.
fn envoy(configuration: &Value, routes: &Value) -> Value {
    json!({"static_resources": {"listeners": [{"filter_chains": [{"filters": [{"typed_config": {
        "http_filters": [
            {"name": "gate", "typed_config": {"config": {
                "failure_policy": "FAIL_RELOAD", "configuration": {"value": configuration},
            }}},
            {"name": "envoy.filters.http.router"},
        ],
        "route_config": {"virtual_hosts": [{"name": "n8n", "domains": ["*"], "routes": routes}]},
    }}]}]}]}})
}

#[test]
fn a_good_file_is_called_good_and_a_bad_one_fails_with_every_error() {
    assert_eq!(
        checked(&configuration(&json!({})).to_string()),
        (Some(0), "gate.yaml: good\n".to_owned())
    );
    let (code, text) = checked("providers: []\nmetrics: maybe\n");
    assert_eq!(code, Some(1));
    assert_eq!(
        text,
        "gate.yaml: the configuration has 3 errors:\n  \
         gate.yaml:2:1: metrics: is an unknown word. Hint: write one of: pass, deny.\n  \
         gate.yaml:1:1: principals: is required if no webhook takes tokens: no token would open anything. Hint: \
         write a principal: which callers it matches, and the API key as which they act.\n  \
         gate.yaml:1:1: providers: must not be an empty list. Hint: list at least one item.\n\
         n8n-idp-gate: 1 configuration would be refused\n"
    );
}

#[test]
fn what_is_no_configuration_is_said_with_the_reason() {
    for (file, said) in [
        ("", "no configuration of the gate with providers in it"),
        ("a: 1", "no configuration of the gate with providers in it"),
        ("a: [", "not YAML: "),
        (
            "providers: 1\nproviders: 2",
            "line 2: two fields of one name in one map",
        ),
        ("a: 1\n~: x", "line 2: a name that is no text"),
    ] {
        let (code, text) = checked(file);
        assert_eq!(code, Some(1), "{file}");
        assert!(
            text.starts_with(&format!("n8n-idp-gate: gate.yaml: {said}")),
            "{file}: {text}"
        );
    }
    let desk = Desk::new(&[]);
    let (code, text) = desk.run(&["check", "absent.yaml"]);
    assert_eq!(code, Some(1));
    assert!(
        text.starts_with("n8n-idp-gate: absent.yaml: No such file"),
        "{text}"
    );
    let (code, text) = desk.run(&["check", "."]);
    assert_eq!(
        (code, text.as_str()),
        (Some(1), "n8n-idp-gate: .: is neither a file nor a pipe\n")
    );
    fs::write(desk.0.path().join("latin1"), b"a: \xe9").unwrap();
    let (code, text) = desk.run(&["check", "latin1"]);
    assert_eq!(
        (code, text.as_str()),
        (Some(1), "n8n-idp-gate: latin1: is not UTF-8\n")
    );
    let (code, _) = desk.run(&["check"]);
    assert_eq!(code, Some(2));
}

#[test]
fn a_secret_in_the_wrong_place_is_not_shown() {
    let address = "https://gate:hunter2-c0ffee@idp.example.com/introspect";
    let mut whole = configuration(&json!({}));
    whole["providers"][0]["introspection"] = json!({
        "uri": address, "client_id": "gate", "client_secret": "hunter2-c0ffee",
    });
    let (code, text) = checked(&whole.to_string());
    assert_eq!(code, Some(1));
    assert!(
        text.contains("introspection.uri: holds a user name or password"),
        "{text}"
    );
    assert!(!text.contains("c0ffee"), "{text}");
}

#[test]
fn nothing_in_a_file_can_forge_or_hide_a_line() {
    for odd in [
        "\u{1b}[2J",
        "\u{85}",
        "\u{7f}",
        "\u{202e}",
        "\u{200b}",
        "\u{3164}",
        "\r\n",
    ] {
        let roles = json!({"roles": {format!("a{odd}b"): "workflow:raed"}});
        let (_, text) = checked(&configuration(&roles).to_string());
        assert!(text.contains("did you mean workflow:read?"), "{text}");
        assert!(!text.contains(odd), "{odd:?}: {text:?}");
        let routes = json!([{"match": {"prefix": "/"}, "route": {"cluster": "n8n"},
            "typed_per_filter_config": {format!("gate{odd}"): {"disabled": true}}}]);
        let file = envoy(&configuration(&json!({})), &routes).to_string();
        let (_, text) =
            checked(&file.replace("\"gate\"", &json!(format!("gate{odd}")).to_string()));
        assert!(text.contains("the gate is switched off"), "{text}");
        assert!(!text.contains(odd), "{odd:?}: {text:?}");
        let name = format!("x{odd}");
        let (_, text) = Desk::new(&[]).run(&["check", &name]);
        assert!(
            text.contains("No such file") && !text.contains(odd),
            "{text:?}"
        );
    }
}

/// Each line names the one before ten times.
fn billion_laughs(width: usize) -> String {
    let mut lines = vec!["providers: 1".to_owned(), "a0: &a0 [lol]".to_owned()];
    for (line, before) in (1..12).zip(0..) {
        let before = format!("*a{before}, ").repeat(10);
        lines.push(format!("a{line}: &a{line} [{before}]"));
    }
    lines.push(format!("wide: [{}]", "x, ".repeat(width)));
    lines.join("\n")
}

#[test]
fn no_file_takes_more_than_its_bounds() {
    let text = format!(
        "a: &a {}\nb: [{}]",
        "x".repeat(100_000),
        "*a, ".repeat(50_000)
    );
    let list = format!(
        "a: &a [{}]\nb: [{}]",
        "x, ".repeat(50_000),
        "*a, ".repeat(50_000)
    );
    let inner = json!({"data": {"envoy.yaml": billion_laughs(50_000)}}).to_string();
    let mut texts = "providers: 1".to_owned();
    for _ in 0..6 {
        texts = json!({ "a": texts }).to_string();
    }
    for (name, file, said) in [
        ("laughs", billion_laughs(0), "more than 500000 values"),
        (
            "wide laughs",
            billion_laughs(100_000),
            "more than 500000 values",
        ),
        ("a list many times", list, "more than 500000 values"),
        ("a text many times", text, "more than 16 MiB of text"),
        ("laughs in a text", inner, "more than 500000 values"),
        (
            "deep flow",
            "[".repeat(4_000_000),
            "nested deeper than 64 levels",
        ),
        (
            "deep blocks",
            "- ".repeat(2_000_000),
            "nested deeper than 64 levels",
        ),
        (
            "deep maps",
            "a: {".repeat(1_000_000),
            "nested deeper than 64 levels",
        ),
        ("texts in texts", texts, "nested deeper than 64 levels"),
        ("many values", "a,".repeat(2_000_000), "no configuration"),
        (
            "many items",
            format!("[{}]", "a,".repeat(500_001)),
            "more than 500000 values",
        ),
        (
            "many documents",
            "--- a\n".repeat(500_001),
            "more than 500000 values",
        ),
        (
            "too large",
            " ".repeat(4 * 1024 * 1024 + 1),
            "is larger than 4 MiB",
        ),
    ] {
        let (code, text) = checked(&file);
        let shown: String = text.chars().take(300).collect();
        assert_eq!(code, Some(1), "{name}: {shown}");
        assert!(text.contains(said) && text.len() < 1000, "{name}: {shown}");
    }
}

#[test]
fn devices_and_endless_input_are_not_read_to_their_end() {
    let desk = Desk::new(&[("gate.yaml", &configuration(&json!({})).to_string())]);
    for device in ["/dev/zero", "/dev/urandom"] {
        let key_set = format!("idp={device}");
        for arguments in [
            &["check", device][..],
            &["explain", device],
            &["explain", "gate.yaml", "--token-file", device],
            &["explain", "gate.yaml", "--key-set", &key_set],
            &["explain", "gate.yaml", "--response", &key_set],
        ] {
            let (code, text) = desk.run(arguments);
            let is_refused = text.contains("is neither a file nor a pipe")
                || text.contains("idp is not asked about tokens");
            assert!(code == Some(1) && is_refused, "{arguments:?}: {text}");
        }
    }
    let endless = vec![b'a'; 5 * 1024 * 1024];
    for arguments in [
        &["explain", "gate.yaml", "--token-file", "-"][..],
        &["explain", "gate.yaml", "--key-set", "idp=/dev/stdin"],
        &["check", "/dev/stdin"],
    ] {
        let (code, text) = desk.run_with(arguments, &endless);
        assert!(
            code == Some(1) && text.contains("is larger than 4 MiB"),
            "{arguments:?}: {text}"
        );
    }
    let whole = configuration(&json!({})).to_string();
    let (code, text) = desk.run_with(&["check", "/dev/stdin"], whole.as_bytes());
    assert_eq!((code, text.as_str()), (Some(0), "/dev/stdin: good\n"));
}

/// What leads past the gate in a file, and what is said of it.
fn surroundings(files: &[&Value]) -> (Option<i32>, Vec<String>) {
    let names: Vec<String> = (0..files.len())
        .map(|number| format!("{number}.json"))
        .collect();
    let texts: Vec<String> = files.iter().map(ToString::to_string).collect();
    let pairs = names
        .iter()
        .map(String::as_str)
        .zip(texts.iter().map(String::as_str));
    let desk = Desk::new(&pairs.collect::<Vec<_>>());
    let arguments = std::iter::once("check").chain(names.iter().map(String::as_str));
    let (code, text) = desk.run(&arguments.collect::<Vec<_>>());
    let lines = text.lines().filter_map(|line| line.strip_prefix("  "));
    let lines = lines.map(|line| line.split(". Hint").next().unwrap().to_owned());
    (code, lines.collect())
}

const REWRITTEN: &str = "the path is rewritten after the gate has judged it, so that n8n gets one \
                         that was not judged";
const ROUTES: &str = "static_resources.listeners[0].filter_chains[0].filters[0].typed_config.\
                      route_config.virtual_hosts[0].routes[0]";

#[test]
fn every_rewrite_of_an_envoy_file_is_named() {
    for (member, value) in [
        ("prefix_rewrite", json!("/")),
        ("prefixRewrite", json!("/webhook/")),
        (
            "regex_rewrite",
            json!({"pattern": {"regex": "^/flows/(.*)$"}, "substitution": "/\\1"}),
        ),
        (
            "path_rewrite_policy",
            json!({"name": "envoy.path.rewrite.uri_template"}),
        ),
        ("path_rewrite", json!("/%REQ(x)%")),
    ] {
        let mut route = json!({"match": {"prefix": "/n8n/"}, "route": {"cluster": "n8n"}});
        route["route"][member] = value;
        let file = envoy(&configuration(&json!({})), &json!([route]));
        let member = if member == "prefixRewrite" {
            "prefix_rewrite"
        } else {
            member
        };
        let said = format!("error: {ROUTES}.route.{member}: {REWRITTEN}");
        assert_eq!(surroundings(&[&file]), (Some(1), vec![said]), "{member}");
    }
    let (_, said) = surroundings(&[&envoy(
        &configuration(&json!({})),
        &json!([
            {"match": {"prefix": "/a"}, "redirect": {"prefix_rewrite": "/b"}},
            {"match": {"prefix": "/b"}, "direct_response": {"status": 404}},
            {"match": {"prefix": "/"}, "route": {"weighted_clusters": {"clusters": [
                {"name": "n8n", "host_rewrite_literal": "n8n"},
            ]}}},
        ]),
    )]);
    assert_eq!(said, [""; 0]);
}

#[test]
fn a_route_that_takes_the_path_prefix_off_fits() {
    let below = configuration(&json!({"path_prefix": "/n8n"}));
    let doubles = "n8n gets a path with two slashes, and serves nothing there";
    for (matched, rewrite, said) in [
        (json!({"prefix": "/n8n/"}), "/", None),
        (
            json!({"prefix": "/n8n/", "case_sensitive": false}),
            "/",
            None,
        ),
        (json!({"path": "/n8n"}), "/", None),
        (json!({"prefix": "/n8n"}), "/", Some(("warning", doubles))),
        (
            json!({"path_separated_prefix": "/n8n"}),
            "/",
            Some(("warning", doubles)),
        ),
        (
            json!({"prefix": "/n8n/"}),
            "/webhook/",
            Some(("error", REWRITTEN)),
        ),
        (json!({"prefix": "/N8N/"}), "/", Some(("error", REWRITTEN))),
        (
            json!({"prefix": "/hooks/"}),
            "/",
            Some(("error", REWRITTEN)),
        ),
        (json!({"prefix": "/"}), "/", Some(("error", REWRITTEN))),
        (
            json!({"safe_regex": {"regex": "/n8n/.*"}}),
            "/",
            Some(("error", REWRITTEN)),
        ),
    ] {
        let fits = json!({"match": {"prefix": "/n8n/"}, "route": {"cluster": "n8n", "prefix_rewrite": "/"}});
        let route =
            json!({"match": matched, "route": {"cluster": "n8n", "prefix_rewrite": rewrite}});
        let (code, found) = surroundings(&[&envoy(&below, &json!([route, fits]))]);
        let said =
            said.map(|(word, said)| format!("{word}: {ROUTES}.route.prefix_rewrite: {said}"));
        let expected: Vec<String> = said.into_iter().collect();
        assert_eq!(found, expected, "{matched} {rewrite}");
        let fails = expected.iter().any(|line| line.starts_with("error"));
        assert_eq!(code, Some(i32::from(fails)), "{matched} {rewrite}");
    }
    let instances = json!({"providers": below["providers"], "instances": [{
        "name": "a", "hosts": "a.example", "path_prefix": "/n8n/", "webhooks": below["webhooks"],
    }]});
    let fits =
        json!([{"match": {"prefix": "/n8n/"}, "route": {"cluster": "n8n", "prefix_rewrite": "/"}}]);
    let (code, _) = surroundings(&[&envoy(&instances, &fits)]);
    assert_eq!(code, Some(0));
    let plain = json!([{"match": {"prefix": "/"}, "route": {"cluster": "n8n"}}]);
    let (_, said) = surroundings(&[&envoy(&below, &plain)]);
    assert_eq!(
        said,
        ["warning: path_prefix is there, and no route takes it off"]
    );
}

#[test]
fn a_route_around_the_path_prefix_is_named_where_the_gate_lets_it_pass() {
    let routes = json!([
        {"match": {"prefix": "/hooks/"}, "route": {"cluster": "n8n"}},
        {"match": {"prefix": "/docs/"}, "route": {"cluster": "docs"}},
        {"match": {"prefix": "/n8n/"}, "route": {"cluster": "n8n", "prefix_rewrite": "/"}},
    ]);
    let below = |outside: &str| {
        let gate = configuration(&json!({"path_prefix": "/n8n", "outside": outside}));
        surroundings(&[&envoy(&gate, &routes)])
    };
    let said = format!(
        "error: {ROUTES}: leads to the n8n that is below path_prefix, and outside is pass: \
         nothing is judged here"
    );
    assert_eq!(below("pass"), (Some(1), vec![said]));
    assert_eq!(below("deny"), (Some(0), vec![]));
}

#[test]
fn rewrites_of_istio_and_the_gateway_api_are_named() {
    let plugin = |gate: &Value| json!({"kind": "WasmPlugin", "spec": {"pluginConfig": gate}});
    let service = |matched: Value, rewrite: Value| json!({"kind": "VirtualService", "spec": {"http": [{"match": matched, "rewrite": rewrite}]}});
    let route = |path: Value, rewrite: Value| {
        json!({"kind": "HTTPRoute", "spec": {"rules": [{
            "matches": [{"path": path}],
            "filters": [
                {"type": "RequestRedirect", "requestRedirect": {"path": {"type": "ReplaceFullPath"}}},
                {"type": "URLRewrite", "urlRewrite": rewrite},
            ],
        }]}})
    };
    let uri = |prefix: &str| json!([{"uri": {"prefix": prefix}}]);
    let prefix = |value: &str| json!({"type": "PathPrefix", "value": value});
    let replaced =
        |with: &str| json!({"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": with}});
    let regex = json!({"uriRegexRewrite": {"match": "a", "rewrite": "b"}});
    let full = json!({"path": {"type": "ReplaceFullPath", "replaceFullPath": "/webhook/x"}});
    let own = json!({"kind": "HTTPRouteFilter", "spec": {"urlRewrite": {"path": {"type": "ReplaceRegexMatch"}}}});
    for (routes, place) in [
        (service(uri("/n8n/"), json!({"uri": "/"})), None),
        (service(uri("/n8n"), json!({"uri": "/"})), None),
        (
            service(uri("/n8n/"), json!({"uri": "/api/"})),
            Some("spec.http[0].rewrite.uri"),
        ),
        (
            service(uri("/hooks/"), json!({"uri": "/webhook/"})),
            Some("spec.http[0].rewrite.uri"),
        ),
        (
            service(json!([{"uri": {"exact": "/n8n/"}}]), json!({"uri": "/"})),
            Some("spec.http[0].rewrite.uri"),
        ),
        (
            service(
                json!([{"uri": {"prefix": "/n8n/"}}, {"uri": {"prefix": "/x/"}}]),
                json!({"uri": "/"}),
            ),
            Some("spec.http[0].rewrite.uri"),
        ),
        (
            service(uri("/n8n/"), regex),
            Some("spec.http[0].rewrite.uriRegexRewrite"),
        ),
        (route(prefix("/n8n"), replaced("/")), None),
        (
            route(prefix("/n8n"), replaced("/webhook")),
            Some("spec.rules[0].filters.urlRewrite.path"),
        ),
        (
            route(prefix("/x"), replaced("/")),
            Some("spec.rules[0].filters.urlRewrite.path"),
        ),
        (
            route(prefix("/n8n"), full),
            Some("spec.rules[0].filters.urlRewrite.path"),
        ),
        (own, Some("spec.urlRewrite.path")),
    ] {
        let gate = plugin(&configuration(&json!({"path_prefix": "/n8n"})));
        let (code, said) = surroundings(&[&gate, &routes]);
        let expected: Vec<String> = place
            .iter()
            .map(|place| format!("error: {place}: {REWRITTEN}"))
            .collect();
        assert_eq!(
            (code, said),
            (Some(i32::from(place.is_some())), expected),
            "{routes}"
        );
    }
}

#[test]
fn a_rewritten_host_is_warned_of_where_instances_go_by_host() {
    let plain = configuration(&json!({}));
    let instances = json!({"providers": plain["providers"], "instances": [{
        "name": "a", "hosts": "*.example", "webhooks": plain["webhooks"],
    }]});
    for member in [
        "host_rewrite_literal",
        "host_rewrite_header",
        "host_rewrite_path_regex",
        "hostRewriteLiteral",
    ] {
        let routes = json!([{"match": {"prefix": "/"}, "route": {"cluster": "n8n", member: "x"}}]);
        let (code, said) = surroundings(&[&envoy(&plain, &routes)]);
        assert_eq!((code, said.len()), (Some(0), 0), "{member}");
        let (code, said) = surroundings(&[&envoy(&instances, &routes)]);
        let expected = format!(
            "warning: {ROUTES}.route.{member}: the host is rewritten after the gate has chosen an instance by it"
        );
        assert!(
            code == Some(0) && said.contains(&expected),
            "{member}: {said:?}"
        );
    }
}

#[test]
fn what_switches_the_gate_off_or_lets_it_fail_open_is_named() {
    let gate = configuration(&json!({}));
    let plain = json!([{"match": {"prefix": "/"}, "route": {"cluster": "n8n"}}]);
    let good = envoy(&gate, &plain);
    assert_eq!(surroundings(&[&good]), (Some(0), vec![]));
    let filters =
        "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/http_filters/0";
    let host = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/route_config/virtual_hosts/0";
    let disabled = json!({"gate": {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "disabled": true}});
    let off = "the gate is switched off, and everything passes here";
    let open = "every request passes when the module cannot be loaded or fails";
    for (place, member, value, said) in [
        (
            host.to_owned(),
            "typed_per_filter_config",
            disabled.clone(),
            off,
        ),
        (
            format!("{host}/routes/0"),
            "typed_per_filter_config",
            disabled.clone(),
            off,
        ),
        (
            format!("{host}/routes/0"),
            "typedPerFilterConfig",
            disabled.clone(),
            off,
        ),
        (
            format!("{host}/routes/0/route"),
            "weighted_clusters",
            json!({"clusters": [{"name": "n8n", "typed_per_filter_config": disabled}]}),
            off,
        ),
        (filters.to_owned(), "disabled", json!(true), off),
        (filters.to_owned(), "is_optional", json!(true), off),
        (
            format!("{filters}/typed_config/config"),
            "failure_policy",
            json!("FAIL_OPEN"),
            open,
        ),
        (
            format!("{filters}/typed_config/config"),
            "failure_policy",
            json!(3),
            open,
        ),
        (
            format!("{filters}/typed_config/config"),
            "fail_open",
            json!(true),
            open,
        ),
        (
            format!("{filters}/typed_config/config"),
            "capability_restriction_config",
            json!({"allowed_capabilities": {
                "proxy_on_request_headers": {}, "proxy_on_request_trailers": {},
            }}),
            "the gate is not called for this part of a request, which then goes on unjudged",
        ),
    ] {
        let mut file = good.clone();
        file.pointer_mut(&place).unwrap()[member] = value;
        let (code, found) = surroundings(&[&file]);
        assert_eq!((code, found.len()), (Some(1), 1), "{member}: {found:?}");
        assert!(
            found[0].starts_with("error: ") && found[0].ends_with(said),
            "{found:?}"
        );
    }
    let mut file = good.clone();
    file.pointer_mut(host).unwrap()["typed_per_filter_config"] =
        json!({"envoy.filters.http.cors": {"disabled": true}});
    assert_eq!(surroundings(&[&file]), (Some(0), vec![]));
    for plugin in [
        json!({"kind": "WasmPlugin", "spec": {"failStrategy": "FAIL_OPEN", "pluginConfig": gate}}),
        json!({"kind": "EnvoyExtensionPolicy", "spec": {"wasm": [{"failOpen": true, "config": gate}]}}),
    ] {
        let (code, found) = surroundings(&[&plugin]);
        assert!(
            code == Some(1) && found.len() == 1 && found[0].ends_with(open),
            "{found:?}"
        );
    }
    // Another plugin's.
    let other = json!({"a": {"failStrategy": "FAIL_OPEN"}, "b": {"spec": {"pluginConfig": gate}}});
    assert_eq!(surroundings(&[&other]), (Some(0), vec![]));
}

#[test]
fn configurations_and_routes_in_texts_are_read_too() {
    let text = configuration(&json!({})).to_string();
    let routes =
        json!([{"match": {"prefix": "/x/"}, "route": {"cluster": "n8n", "prefix_rewrite": "/"}}]);
    let file = envoy(&json!(text), &routes).to_string();
    let map = json!({"kind": "ConfigMap", "data": {"envoy.yaml": file}}).to_string();
    let desk = Desk::new(&[("map.json", &map)]);
    let (code, said) = desk.run(&["check", "map.json"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.starts_with("map.json: good\n"), "{said}");
    assert!(
        said.ends_with("n8n-idp-gate: 1 setting leads past the gate\n"),
        "{said}"
    );
    let (code, said) = desk.run(&["check", "--accept-bypasses", "map.json"]);
    assert!(
        code == Some(0) && said.contains("  warning: data.envoy.yaml.static"),
        "{said}"
    );
}

/// What only looks like a configuration of the gate: other filters have providers, too.
#[test]
#[allow(clippy::too_many_lines, reason = "one table, a line for each form")]
fn a_configuration_is_known_by_where_it_stands() {
    let gate = configuration(&json!({}));
    let routes = json!([{"match": {"prefix": "/"}, "route": {"cluster": "n8n"}}]);
    let jwt = json!({"name": "jwt", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        "providers": {"idp": {"issuer": "https://idp.example.com", "from_headers": []}},
    }});
    let filters =
        "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/http_filters";
    let mut beside = envoy(&gate, &routes);
    let list = beside.pointer_mut(filters).unwrap().as_array_mut().unwrap();
    list.insert(0, jwt.clone());
    let other = json!({"name": "other", "typed_config": {"config": {
        "vm_config": {"code": {"local": {"filename": "/etc/other.wasm"}}},
        "configuration": {"value": {"rules": []}},
    }}});
    list.insert(0, other.clone());
    assert_eq!(
        checked(&beside.to_string()),
        (Some(0), "gate.yaml: good\n".to_owned())
    );
    let mut without = beside.clone();
    let list = without
        .pointer_mut(filters)
        .unwrap()
        .as_array_mut()
        .unwrap();
    list.retain(|filter| filter["name"] != "gate");
    let routes = without
        .pointer_mut(filters.trim_end_matches("/http_filters"))
        .unwrap();
    routes.as_object_mut().unwrap().remove("route_config");
    let (code, text) = checked(&without.to_string());
    assert!(
        code == Some(1) && text.contains("no configuration of the gate"),
        "{text}"
    );
    let security = json!({"apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": "SecurityPolicy",
        "spec": {"jwt": {"providers": [{"name": "idp"}]}}});
    let proxy = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "data": {"oauth2.yaml": json!({"providers": [{"id": "a"}], "upstreamConfig": {}}).to_string()}});
    for other in [security, proxy] {
        let (code, text) = checked(&other.to_string());
        assert!(
            code == Some(1) && text.contains("no configuration of the gate"),
            "{text}"
        );
    }
    // One that is named, and has a slip where its providers should be.
    let mut slip = gate.clone();
    let members = slip.as_object_mut().unwrap();
    let providers = members.remove("providers").unwrap();
    members.insert("provider".to_owned(), providers);
    let kind = |kind: &str, spec: Value| json!({"apiVersion": "a/v1", "kind": kind, "metadata": {"name": "p"}, "spec": spec});
    let filter = |config: &Value| {
        json!({"name": "envoy.filters.http.wasm", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {"name": "n8n-idp-gate", "configuration": {
                "@type": "type.googleapis.com/google.protobuf.Struct", "value": config,
            }},
        }})
    };
    let typed = |config: &Value| {
        json!({"name": "x", "typedConfig": {
            "@type": "type.googleapis.com/udpa.type.v1.TypedStruct",
            "typeUrl": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "value": {"config": {"rootId": "n8n-idp-gate", "configuration": {
                "@type": "type.googleapis.com/google.protobuf.StringValue", "value": config.to_string(),
            }}},
        }})
    };
    let places = |config: &Value| {
        [
            config.clone(),
            json!({"static_resources": {"listeners": [filter(config)]}}),
            json!({"static_resources": {"listeners": [typed(config)]}}),
            json!({"resources": [filter(config)]}),
            kind(
                "WasmPlugin",
                json!({"url": "oci://x/n8n-idp-gate:1", "pluginConfig": config}),
            ),
            kind(
                "EnvoyFilter",
                json!({"configPatches": [{"patch": {"value": filter(config)}}]}),
            ),
            kind(
                "EnvoyExtensionPolicy",
                json!({"wasm": [{"name": "n8n-idp-gate", "config": config}]}),
            ),
            kind(
                "EnvoyPatchPolicy",
                json!({"jsonPatches": [{"operation": {"value": typed(config)}}]}),
            ),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": config.to_string()}}),
        ]
    };
    for (good, wrong) in places(&gate).into_iter().zip(places(&slip)) {
        assert_eq!(
            checked(&good.to_string()),
            (Some(0), "gate.yaml: good\n".to_owned()),
            "{good}"
        );
        let (code, text) = checked(&wrong.to_string());
        let is_told = text.contains("providers: is required") || wrong["kind"] == "ConfigMap";
        assert!(code == Some(1) && is_told, "{wrong}: {text}");
    }
}

#[test]
fn several_configurations_of_a_file_are_all_checked_and_counted() {
    let plain = json!([{"match": {"prefix": "/"}, "route": {"cluster": "n8n"}}]);
    let mut file = envoy(&configuration(&json!({})), &plain);
    let filters =
        "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/http_filters";
    let list = file.pointer_mut(filters).unwrap().as_array_mut().unwrap();
    let mut other = list[0].clone();
    other["name"] = json!("second");
    other["typed_config"]["config"]["configuration"]["value"]["metrics"] = json!("maybe");
    list.insert(1, other);
    let (code, text) = checked(&file.to_string());
    assert_eq!(code, Some(1));
    assert!(
        text.starts_with("gate.yaml: 1 of 2, gate: good\ngate.yaml: 2 of 2, second: the configuration has 1 error:\n  gate.yaml:1:420: metrics: "),
        "{text}"
    );
    assert!(
        text.ends_with("n8n-idp-gate: 1 configuration would be refused\n"),
        "{text}"
    );
}

#[test]
fn a_cluster_that_the_file_does_not_have_fails_the_check() {
    let plain = json!([{"match": {"prefix": "/"}, "route": {"cluster": "n8n"}}]);
    let file = |cluster: &str, clusters: Value| {
        let mut gate = configuration(&json!({}));
        gate["providers"][0]["cluster"] = json!(cluster);
        let mut file = envoy(&gate, &plain);
        file["static_resources"]["clusters"] = clusters;
        file
    };
    let tls = json!([{"name": "n8n"}, {"name": "idp", "transport_socket": {}}]);
    assert_eq!(
        checked(&file("idp", tls.clone()).to_string()),
        (Some(0), "gate.yaml: good\n".to_owned())
    );
    let (code, text) = checked(&file("idpp", tls.clone()).to_string());
    assert_eq!(
        (code, text.as_str()),
        (
            Some(1),
            "gate.yaml: would not work\n  error: providers[0].cluster: the file has no cluster of \
             this name, so that every call fails. Hint: did you mean \"idp\"?\n\
             n8n-idp-gate: 1 cluster is not in its file\n"
        )
    );
    let (code, text) = checked(&file("idp", json!([{"name": "idp"}])).to_string());
    assert!(
        code == Some(0) && text.contains("  warning: providers[0].cluster: an https address is called through a cluster without transport_socket"),
        "{text}"
    );
    // Clusters that come from elsewhere are not known.
    let mut elsewhere = file("idpp", tls);
    elsewhere["dynamic_resources"] = json!({"cds_config": {"ads": {}}});
    assert_eq!(checked(&elsewhere.to_string()).0, Some(0));
}

/// A rule on a claim, with this value in YAML.
fn rule(value: &str) -> String {
    format!(
        "providers:\n- {{name: idp, issuer: https://idp.example.com, audiences: n8n, cluster: idp}}\n\
         webhooks:\n- path: /webhook/**\n  require:\n    claims:\n    - {{claim: num, equals: {value}}}\n"
    )
}

fn indented(text: &str, by: &str) -> String {
    text.lines().flat_map(|line| [by, line, "\n"]).collect()
}

#[test]
fn what_envoy_and_kubernetes_read_differently_is_refused_with_its_line() {
    let bare = |value: &str| checked(&rule(value));
    let envoy = |value: &str| {
        checked(&format!(
            "static_resources:\n  listeners:\n  - name: n8n-idp-gate\n    typed_config:\n      config:\n        \
             configuration:\n          \"@type\": type.googleapis.com/google.protobuf.Struct\n          value:\n{}",
            indented(&rule(value), "            ")
        ))
    };
    let plugin = |value: &str| {
        checked(&format!(
            "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nspec:\n  url: x\n  pluginConfig:\n{}",
            indented(&rule(value), "    ")
        ))
    };
    let good = |found: (Option<i32>, String)| found.0 == Some(0);
    for value in ["7", "'7'", "\"2147483648\"", "yes", "text", "'1e3'", "-1"] {
        assert!(
            good(bare(value)) && good(envoy(value)) && good(plugin(value)),
            "{value}"
        );
    }
    // Both mean one thing for each of these.
    for value in ["2147483648", "-2147483649"] {
        assert!(good(envoy(value)) && good(plugin(value)), "{value}");
        let (code, text) = bare(value);
        assert!(
            code == Some(1) && text.contains("\n  line 7: a whole number beyond 32 bits"),
            "{value}: {text}"
        );
    }
    // Envoy makes text of these, as it is written.
    for value in ["7.0", "1e3", ".5", "0o17", "1_000", ".inf", "08"] {
        let (code, text) = envoy(value);
        assert_eq!(code, Some(0), "{value}: {text}");
        let (code, text) = bare(value);
        assert!(
            code == Some(1) && text.contains("\n  line 7: a number without"),
            "{value}: {text}"
        );
        let (code, text) = plugin(value);
        assert!(
            code == Some(1) && text.contains("\n  line 12: a number without"),
            "{value}: {text}"
        );
    }
    let (_, text) = envoy("7.0");
    assert!(
        text.contains(
            "warning: gate.yaml:15:32: webhooks[0].require.claims[0].equals: looks like a number"
        ),
        "{text}"
    );
    for value in ["007", "0x1f", "+7", "0x7fffffffff", "!!str 7", "!own a"] {
        for (code, text) in [bare(value), envoy(value), plugin(value)] {
            assert!(
                code == Some(1) && text.contains("\n  line "),
                "{value}: {text}"
            );
        }
    }
    // Outside of a configuration they do no harm.
    let plugin = format!(
        "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nspec:\n  pluginConfig:\n{}",
        indented(&rule("7"), "    ")
    );
    let other = "apiVersion: v1\nkind: ConfigMap\nweight: 0.5\nmode: 0644\n";
    let (code, text) = checked(&format!("{plugin}\n---\n{other}"));
    assert_eq!(code, Some(0), "{text}");
}

#[test]
fn a_text_that_envoy_hands_on_as_it_is_must_be_json() {
    let file = |value: &str| {
        checked(&format!(
            "static_resources:\n  listeners:\n  - name: n8n-idp-gate\n    typed_config:\n      config:\n        \
             configuration:\n          \"@type\": type.googleapis.com/google.protobuf.StringValue\n          value: {value}"
        ))
    };
    let json = configuration(&json!({})).to_string();
    assert_eq!(file(&format!("|\n            {json}\n")).0, Some(0));
    let yaml = indented(&rule("7"), "            ");
    let (code, text) = file(&format!("|\n{yaml}"));
    assert!(
        code == Some(1) && text.contains("is not JSON: line 1, column 1"),
        "{text}"
    );
    let (code, text) = file(&format!("\n{yaml}"));
    assert!(
        code == Some(1) && text.contains("`value` is not of the `@type` beside it"),
        "{text}"
    );
}

#[test]
fn envoy_reads_the_first_document_of_a_file_alone() {
    let plain = json!([{"match": {"prefix": "/"}, "route": {"cluster": "n8n"}}]);
    let file = envoy(&configuration(&json!({})), &plain);
    let (code, text) = checked(&format!("a: 1\n---\n{file}\n"));
    assert!(
        code == Some(1) && text.contains("more than one document"),
        "{text}"
    );
}

/// Envoy reads a file by its name: JSON has numbers where its YAML has text.
#[test]
fn a_json_file_is_read_as_json() {
    let file = |number: &str| {
        let rule = json!({"webhooks": [{"path": "/webhook/**", "require": {"claims": [
            {"claim": "num", "equals": "NUMBER"},
        ]}}]});
        let text = configuration(&rule)
            .to_string()
            .replace("\"NUMBER\"", number);
        Desk::new(&[("gate.json", &text)]).run(&["check", "gate.json"])
    };
    assert_eq!(
        file("2147483648"),
        (Some(0), "gate.json: good\n".to_owned())
    );
    let (code, text) = file("7.5");
    assert!(
        code == Some(1) && text.contains("equals: is no whole number"),
        "{text}"
    );
    let (code, text) = file("1, \"equals\": 2");
    assert!(
        code == Some(1) && text.contains("two fields of one name"),
        "{text}"
    );
    let (code, text) = file("7 # a");
    assert!(code == Some(1) && text.contains("not JSON"), "{text}");
}
