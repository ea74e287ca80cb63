//! Settings around the gate that let requests reach n8n without a decision.

use serde_json::{json, Value};

use super::{configuration, envoy, Desk};

/// The exit code for files, and the lines of the report.
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
    let lines = lines.map(|line| {
        let (word, rest) = line.split_once(": ").unwrap();
        let (_, said) = rest.split_once(": ").unwrap();
        format!("{word}: {}", said.split(". Hint").next().unwrap())
    });
    (code, lines.collect())
}

const REWRITTEN: &str = "the path is rewritten after the gate decided on it, so that n8n gets one \
                         without a decision";
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
    let doubles = "n8n gets a path with two slashes, below which it serves nothing";
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
        ["warning: path_prefix is there, and no route removes it"]
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
         the gate takes no decision here"
    );
    assert_eq!(below("pass"), (Some(1), vec![said]));
    assert_eq!(below("deny"), (Some(0), vec![]));
}

#[test]
fn rewrites_of_istio_and_the_gateway_api_are_named() {
    const RULE: &str = "spec.rules[0].filters.urlRewrite.path";
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
    let exact = |value: &str| json!({"type": "Exact", "value": value});
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
        (route(prefix("/n8n"), replaced("/webhook")), Some(RULE)),
        (route(prefix("/x"), replaced("/")), Some(RULE)),
        (route(prefix("/n8n/chat"), replaced("/chat")), None),
        (route(prefix("/n8n/chat"), replaced("/webhook")), Some(RULE)),
        (route(prefix("/n8nchat"), replaced("chat")), Some(RULE)),
        (route(exact("/n8n/webhook/x"), full.clone()), None),
        (route(exact("/n8n/rest/push"), full.clone()), Some(RULE)),
        (route(prefix("/n8n/webhook/x"), full.clone()), Some(RULE)),
        (route(exact("/n8n/chat"), replaced("/chat")), Some(RULE)),
        (route(prefix("/n8n"), full), Some(RULE)),
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
            "warning: {ROUTES}.route.{member}: the host is rewritten after the gate chose an instance by it"
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
            "the gate is not called for this part of a request, which then passes without a decision",
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

/// Any client can make a certificate with any name, and a rule trusts the names.
#[test]
fn certificates_that_are_not_verified_are_a_bypass() {
    const CHAIN: &str =
        "static_resources.listeners[0].filter_chains[0].transport_socket.typed_config";
    let by_certificate = configuration(&json!({
        "client_certificates": {"from": "connection", "verified": true},
        "webhooks": [{"path": "/webhook/**", "auth": "certificate", "certificate": {"dns": "a"}},
            {"path": "/form/**", "auth": "bearer"}],
    }));
    let serving = |configuration: &Value, context: &Value| {
        let mut file = envoy(configuration, &json!([]));
        file["static_resources"]["listeners"][0]["filter_chains"][0]["transport_socket"] = json!({
            "name": "tls",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                "common_tls_context": context,
            },
        });
        surroundings(&[&file])
    };
    let verified = json!({"validation_context": {"trusted_ca": {"filename": "ca.pem"}}});
    let untrusted = json!({"validation_context": {"trusted_ca": {"filename": "ca.pem"},
        "trust_chain_verification": "ACCEPT_UNTRUSTED"}});
    let none = json!({"tls_certificates": []});
    assert_eq!(serving(&by_certificate, &verified), (Some(0), vec![]));
    let said = format!(
        "error: {CHAIN}.common_tls_context.validation_context.trust_chain_verification: \
         ACCEPT_UNTRUSTED: the listener accepts certificates that it has not verified, and a rule with \
         auth: certificate trusts the names in them: any client could make one"
    );
    assert_eq!(serving(&by_certificate, &untrusted), (Some(1), vec![said]));
    let said = format!(
        "warning: {CHAIN}.common_tls_context: the listener asks no client for a certificate, and a rule \
         with auth: certificate refuses all"
    );
    assert_eq!(serving(&by_certificate, &none), (Some(0), vec![said]));
    // For tokens that are bound to a certificate, both are fine.
    for context in [untrusted, none] {
        let of_tokens = serving(&configuration(&json!({})), &context);
        assert_eq!(of_tokens, (Some(0), vec![]));
    }
}
