//! The configuration: what is refused, with which message, and what is accepted, with which meaning.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at once when something is not as it needs it"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use n8n_idp_gate::config::{self, reference, yaml, ConfigErrors, Diagnostic, Environment, Loaded};
use n8n_idp_gate::secret::Secret;
use serde_json::{json, Map, Number, Value};

/// A fixed environment, in which some variables are set badly.
struct Variables(BTreeMap<&'static str, &'static str>);

impl Environment for Variables {
    fn secret(&self, name: &str) -> Option<Secret> {
        self.0
            .get(name)
            .map(|value| Secret::new((*value).to_owned()))
    }
}

/// Part of every secret in these tests, so that a message can be searched for all of them.
const SECRET_MARK: &str = "c0ffee5ec2e7";

fn environment() -> Variables {
    Variables(BTreeMap::from([
        ("N8N_KEY_A", "c0ffee5ec2e7-a"),
        ("N8N_KEY_B", "c0ffee5ec2e7-b"),
        ("N8N_KEY_MY_DAEMON", "c0ffee5ec2e7-c"),
        ("N8N_KEY_PEOPLE", "c0ffee5ec2e7-d"),
        ("N8N_KEY_EMPTY", ""),
        ("N8N_KEY_LINE_BREAK", "c0ffee5ec2e7\n"),
        ("N8N_KEY_QUOTED", "\"c0ffee5ec2e7\""),
        ("N8N_KEY_TEMPLATE", "${c0ffee5ec2e7}"),
        ("N8N_KEY_SCHEME", "Bearer:c0ffee5ec2e7"),
        // {"iss": "https://login.example.com", "sub": "c0ffee5ec2e7"}
        ("N8N_KEY_TOKEN", "eyJhbGciOiAiUlMyNTYifQ.eyJpc3MiOiAiaHR0cHM6Ly9sb2dpbi5leGFtcGxlLmNvbSIsICJzdWIiOiAiYzBmZmVlNWVjMmU3In0.c2ln"),
    ]))
}

fn load(yaml: &str) -> Result<Loaded, ConfigErrors> {
    config::load(&yaml::to_json(yaml).unwrap(), &environment())
}

fn fixtures(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/config")
        .join(folder);
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

/// Compares with `tests/config/<name>.snap`.
fn assert_snapshot(name: &str, text: &str) {
    let settings = {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("config");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings
    };
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// One file for each error, and the messages of all of them in one snapshot.
#[test]
fn every_error_has_its_message() {
    let mut catalogue = String::new();
    for file in fixtures("refused") {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let text = fs::read_to_string(&file).unwrap();
        // What YAML makes text of, or the reader of YAML refuses, is written as JSON.
        let is_json = file
            .extension()
            .is_some_and(|extension| extension == "json");
        let loaded = if is_json {
            config::load(text.as_bytes(), &environment())
        } else {
            load(&text)
        };
        let errors = loaded
            .err()
            .unwrap_or_else(|| panic!("{name} was accepted"));
        let report = errors.to_string();
        assert!(
            !report.contains(SECRET_MARK),
            "{name} shows a secret: {report}"
        );
        assert_eq!(
            errors.iter().count(),
            1,
            "{name} must show one error: {report}"
        );
        for error in errors.iter() {
            writeln!(catalogue, "{name}\n  {error}").unwrap();
        }
    }
    assert_snapshot("refusals", &catalogue);
}

/// A wrong value may be a secret, and so may any part of a URL.
#[test]
fn no_message_repeats_a_value() {
    let canaries = [
        json!(SECRET_MARK),
        json!(format!("https://user:{SECRET_MARK}@idp.example.com/x")),
        json!(format!("http://idp.example.com/x?key={SECRET_MARK}")),
        json!(format!("https://idp.example.com/x#{SECRET_MARK}")),
        json!(format!("user:{SECRET_MARK}@idp.example.com")),
        json!(format!("/webhook/{SECRET_MARK}*/x")),
        json!(format!("HS{SECRET_MARK}")),
        json!(format!(" {SECRET_MARK}")),
        json!(format!("{SECRET_MARK}\n")),
        json!([SECRET_MARK, SECRET_MARK]),
        json!({ SECRET_MARK: null }),
        json!({ "env": SECRET_MARK }),
        json!(5_322_790_123_u64),
        json!(5_322_790.123),
    ];
    let marks = [SECRET_MARK, "5322790"];
    let mut tried = 0;
    for text in [
        include_str!("config/odd_but_legal.yaml"),
        include_str!("config/many_errors.yaml"),
        include_str!("config/every_field.yaml"),
    ] {
        let whole: Value = serde_json::from_slice(&yaml::to_json(text).unwrap()).unwrap();
        let mut pointers = Vec::new();
        leaves(&whole, "", &mut pointers);
        // Messages about paths of rules contain the endpoints, and audit records and metrics show the names
        // of providers, too.
        let is_shown = |pointer: &str| {
            let is_of_provider = pointer.starts_with("/providers/") && pointer.ends_with("/name");
            pointer.contains("/endpoints/") || pointer.ends_with("/path_prefix") || is_of_provider
        };
        pointers.retain(|pointer| !is_shown(pointer));
        for pointer in pointers {
            for canary in &canaries {
                let mut changed = whole.clone();
                *changed.pointer_mut(&pointer).unwrap() = canary.clone();
                let said = match config::load(changed.to_string().as_bytes(), &environment()) {
                    Ok(loaded) => loaded.warnings.iter().map(Diagnostic::to_string).collect(),
                    Err(errors) => errors.to_string(),
                };
                for mark in marks {
                    assert!(!said.contains(mark), "{pointer} = {canary}: {said}");
                }
                tried += 1;
            }
        }
    }
    assert!(tried > 1000, "{tried}");
}

/// The pointers of all values that hold no others.
fn leaves(value: &Value, pointer: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            let name = name.replace('~', "~0").replace('/', "~1");
            leaves(value, &format!("{pointer}/{name}"), found);
        }),
        Value::Array(items) => (items.iter().enumerate())
            .for_each(|(index, item)| leaves(item, &format!("{pointer}/{index}"), found)),
        _ => found.push(pointer.to_owned()),
    }
}

#[test]
fn all_errors_are_reported_at_once() {
    let errors = load(include_str!("config/many_errors.yaml")).unwrap_err();
    assert_snapshot("many_errors", &errors.to_string());
}

#[test]
fn what_is_odd_but_legal_is_accepted_with_warnings() {
    let loaded = load(include_str!("config/odd_but_legal.yaml")).unwrap();
    let warnings: Vec<_> = loaded.warnings.iter().map(Diagnostic::to_string).collect();
    assert_snapshot("odd_but_legal_warnings", &warnings.join("\n"));
    assert_snapshot("odd_but_legal", &format!("{:#?}", loaded.policy));
}

#[test]
fn a_provider_that_no_rule_names_is_warned_of() {
    let loaded = load(
        "providers:\n\
         - { name: used, issuer: 'https://a.example', audiences: n8n, cluster: a }\n\
         - { name: idle, issuer: 'https://b.example', audiences: n8n, cluster: b }\n\
         webhooks: [{ path: /webhook/**, require: { provider: used } }]\n",
    );
    let warning = Diagnostic {
        path: "providers[1]".to_owned(),
        problem: "no principal and no webhook takes its tokens".to_owned(),
        hint: "name it in a match or require, or remove it".to_owned(),
    };
    assert_eq!(loaded.unwrap().warnings, [warning]);
}

#[test]
fn a_provider_with_tokens_for_every_person_is_warned_of() {
    const GITHUB: &str = "https://token.actions.githubusercontent.com";
    for (members, is_open) in [
        ("type: google, typ: id_token".to_owned(), true),
        ("type: google, typ: id_token, clients: x".to_owned(), false),
        ("type: github_actions".to_owned(), true),
        (format!("type: github_actions, issuer: '{GITHUB}'"), true),
        (
            format!("type: github_actions, issuer: '{GITHUB}/example'"),
            false,
        ),
        (
            "type: github_actions, tenants: example-org".to_owned(),
            false,
        ),
    ] {
        let loaded = load(&format!(
            "providers: [{{ name: a, {members}, audiences: n8n, cluster: a }}]\n\
             webhooks: [{{ path: /webhook/**, auth: bearer }}]\n"
        ));
        let warning = Diagnostic {
            path: "providers[0].type".to_owned(),
            problem: "gives every person in the world a token for any audience".to_owned(),
            hint: "add clients, tenants, allowed_domains or claims".to_owned(),
        };
        let expected = if is_open { vec![warning] } else { Vec::new() };
        assert_eq!(loaded.unwrap().warnings, expected, "{members}");
    }
}

#[test]
fn a_domain_in_which_any_person_can_get_an_address_is_warned_of() {
    let loaded = load(
        "providers:\n\
         - name: google\n  \
           type: google\n  \
           typ: id_token\n  \
           audiences: n8n\n  \
           cluster: a\n  \
           allowed_domains: [example.com, Developer.gserviceaccount.com]\n\
         principals:\n\
         - { name: a, match: { email_domain: gmail.com }, api_key: { env: N8N_KEY_A }, grant: '*' }\n",
    );
    let warning = |path: &str, domain: &str| Diagnostic {
        path: path.to_owned(),
        problem: format!("matches every person who gets an address at {domain}"),
        hint: "list the addresses that you mean, as `email` of a principal".to_owned(),
    };
    let domains = "providers[0].allowed_domains";
    let expected = [
        warning("principals[0].match.email_domain", "gmail.com"),
        warning(domains, "developer.gserviceaccount.com"),
    ];
    assert_eq!(loaded.unwrap().warnings, expected);
}

/// Warnings of a configuration with one provider, which has these members beside the usual ones, and
/// one principal of `rule`.
fn warnings(members: &str, rule: &str) -> Vec<(String, String)> {
    let loaded = load(&format!(
        "providers: [{{ name: a, audiences: [n8n], cluster: a, {members} }}]\n\
         principals: [{{ name: p, match: {rule}, grant: '*', api_key: {{ env: N8N_KEY_A }} }}]\n"
    ));
    let warnings = loaded.unwrap_or_else(|errors| panic!("{members}: {errors}"));
    let warnings = warnings.warnings.into_iter();
    warnings
        .map(|warning| (warning.path, warning.problem))
        .collect()
}

#[test]
fn a_rule_for_a_kind_that_tokens_need_not_name_is_warned_of() {
    const OIDC: &str = "issuer: 'https://a.example'";
    for (members, apps, people) in [
        (OIDC.to_owned(), true, false),
        (
            format!("{OIDC}, kind: {{ user: [{{ claim: who, equals: human }}] }}"),
            true,
            true,
        ),
        (format!("{OIDC}, kind: {{ app: [{{ claim: a, exists: true }}] }}"), true, false),
        ("type: entra, tenant: 72f988bf-86f1-41af-91ab-2d7cd011db47".to_owned(), true, true),
        ("type: okta, domain: example.okta.com".to_owned(), true, true),
        ("type: auth0, domain: example.eu.auth0.com".to_owned(), true, true),
        ("type: keycloak, domain: sso.example.com, realm: main".to_owned(), true, true),
        ("type: google, typ: id_token, tenants: example.com".to_owned(), true, true),
        ("type: ping, tenant: e".to_owned(), true, true),
        (format!("type: ping, {OIDC}"), true, false),
        ("type: workos, domain: a.authkit.app".to_owned(), true, true),
        (format!("type: kubernetes, {OIDC}"), true, false),
        ("type: github_actions, tenants: o".to_owned(), true, false),
        ("type: authentik, domain: sso.example.com, realm: n8n".to_owned(), false, false),
        (
            "type: authentik, domain: sso.example.com, realm: n8n, kind: { app: [{ claim: a, exists: true }], user: [{ claim: u, exists: true }] }".to_owned(),
            true,
            true,
        ),
    ] {
        for (kind, who, tells) in [("app", "an application", apps), ("user", "a person", people)] {
            let expected = [(
                "principals[0].match.kind".to_owned(),
                format!("not every token of a says that {who} calls, and those without do not match"),
            )];
            let expected = if tells { &[][..] } else { &expected };
            let rule = format!("{{ kind: {kind} }}");
            assert_eq!(warnings(&members, &rule), expected, "{members} {kind}");
        }
    }
    let other = "providers:\n\
         - { name: a, issuer: 'https://a.example', audiences: n8n, cluster: a }\n\
         - { name: b, type: okta, domain: example.okta.com, audiences: n8n, cluster: b }\n\
         webhooks:\n\
         - { path: /webhook/a/**, require: { provider: b, kind: user } }\n\
         - { path: /webhook/**, require: { kind: user } }\n";
    let paths: Vec<_> = load(other)
        .unwrap()
        .warnings
        .into_iter()
        .map(|warning| warning.path)
        .collect();
    assert_eq!(paths, ["webhooks[1].require.kind"]);
}

#[test]
fn a_client_whose_id_tokens_have_an_audience_is_warned_of() {
    const OIDC: &str = "issuer: 'https://a.example'";
    let expected = |path: &str| {
        let problem = "names a client that is also an audience of a: its ID tokens may be taken for access tokens";
        vec![(path.to_owned(), problem.to_owned())]
    };
    let in_rule = expected("principals[0].match.client");
    let listed = expected("providers[0].clients");
    let asked = "introspection: { uri: 'https://a.example/i', cluster: a, client_id: g, client_secret: { env: N8N_KEY_A } }";
    for (members, rule, expected) in [
        (OIDC.to_owned(), "{ client: n8n }", in_rule.clone()),
        (OIDC.to_owned(), "{ client: [x, n8n] }", in_rule),
        (OIDC.to_owned(), "{ client: x }", Vec::new()),
        (
            format!("{OIDC}, typ: at+jwt"),
            "{ client: n8n }",
            Vec::new(),
        ),
        (
            format!("{OIDC}, typ: id_token"),
            "{ client: n8n }",
            Vec::new(),
        ),
        (
            format!("{OIDC}, clients: [x, n8n]"),
            "{ any: true }",
            listed,
        ),
        (format!("{OIDC}, clients: x"), "{ any: true }", Vec::new()),
        (
            "type: keycloak, domain: sso.example.com, realm: m".to_owned(),
            "{ client: n8n }",
            Vec::new(),
        ),
        (
            "type: okta, domain: example.okta.com".to_owned(),
            "{ client: n8n }",
            Vec::new(),
        ),
    ] {
        assert_eq!(warnings(&members, rule), expected, "{members} {rule}");
    }
    // JWTs are not taken there at all.
    let loaded = load(&format!(
        "providers: [{{ name: a, {OIDC}, audiences: n8n, {asked} }}]\n\
         principals: [{{ name: p, match: {{ client: n8n }}, grant: '*', api_key: {{ env: N8N_KEY_A }} }}]\n"
    ));
    assert_eq!(loaded.unwrap().warnings, []);
}

#[test]
fn a_name_that_may_be_a_role_or_a_scope_is_warned_of() {
    let of = |members: &str, rest: &str| {
        let loaded = load(&format!(
            "providers: [{{ name: a, audiences: n8n, {members} }}]\n{rest}\n"
        ));
        let warnings = loaded
            .unwrap_or_else(|errors| panic!("{members}: {errors}"))
            .warnings;
        warnings
            .into_iter()
            .map(|warning| warning.path)
            .collect::<Vec<_>>()
    };
    let oidc = "issuer: 'https://a.example', cluster: a";
    let roles = "roles: { reader: ['workflow:read'] }\n\
         principals: [{ name: p, match: { provider: a }, api_key: { env: N8N_KEY_A } }]";
    let grant = "principals: [{ name: p, match: { provider: a }, grant: '*', api_key: { env: N8N_KEY_A } }]";
    let expected = ["providers[0].roles_from"];
    assert_eq!(of(oidc, roles), expected);
    for word in ["roles", "scopes", "both"] {
        assert_eq!(of(&format!("{oidc}, roles_from: {word}"), roles), [""; 0]);
    }
    assert_eq!(of(oidc, grant), [""; 0]);
    assert_eq!(
        of("type: github_actions, tenants: o, cluster: a", roles),
        [""; 0]
    );
    let userinfo = "issuer: 'https://a.example', userinfo: { uri: 'https://a.example/me', cluster: a, accept_any_audience: true }";
    assert_eq!(
        of(userinfo, roles),
        [""; 0],
        "a userinfo response has no scopes"
    );
}

#[test]
fn a_key_that_two_instances_share_is_warned_of() {
    let loaded = load(
        "providers: [{ name: idp, issuer: 'https://a.example', audiences: n8n, cluster: a }]\n\
         instances:\n\
         - name: prod\n  \
           hosts: n8n.example.com\n  \
           principals: [{ name: a, match: { any: true }, grant: '*', api_key: { env: N8N_KEY_A } }]\n\
         - name: test\n  \
           hosts: '*.example.com'\n  \
           principals: [{ name: a, match: { any: true }, grant: '*', api_key: { env: N8N_KEY_A } }]\n",
    );
    let warning = Diagnostic {
        path: "instances[1].principals[0].api_key".to_owned(),
        problem: "is also the key at instances[0].principals[0].api_key".to_owned(),
        hint: "give each an API key of its own: n8n sees one user for both".to_owned(),
    };
    assert_eq!(loaded.unwrap().warnings, [warning]);
}

#[test]
fn the_example_of_the_documentation_is_accepted() {
    let loaded = load(reference::EXAMPLE).unwrap();
    assert_eq!(loaded.warnings, []);
    assert_snapshot("example", &format!("{:#?}", loaded.policy));
}

#[test]
fn the_reference_documentation_is_in_step() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/configuration.md");
    let page = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        page == reference::page(),
        "{} is out of step; `make docs` writes it",
        path.display()
    );
}

#[test]
fn every_link_of_the_reference_documentation_leads_somewhere() {
    let page = reference::page();
    let headings: Vec<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .map(|title| {
            title
                .to_lowercase()
                .replace(' ', "-")
                .replace(['[', ']', '.'], "")
        })
        .collect();
    let links: Vec<_> = page
        .split("](#")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(anchor, _)| anchor.to_owned())
        .collect();
    assert!(links.len() > 80, "{}", links.len());
    for link in links {
        assert!(headings.contains(&link), "no heading for #{link}");
    }
}

#[test]
fn two_fields_of_one_name_are_refused() {
    let text = br#"{"metrics":"pass","metrics":"deny"}"#;
    let errors = config::load(text, &environment()).unwrap_err();
    assert_eq!(
        errors.to_string(),
        "the configuration has 1 error:\n  configuration: has two fields of one name in one map. \
         Hint: remove one of the two: programs disagree on which one counts."
    );
}

#[test]
fn what_is_no_json_is_refused_with_its_place_and_without_its_text() {
    let text = b"{\"api_key\":\n c0ffee5ec2e7}";
    let errors = config::load(text, &environment()).unwrap_err();
    assert_eq!(
        errors.to_string(),
        "the configuration has 1 error:\n  configuration: is not JSON: line 2, column 2. \
         Hint: write YAML under `configuration` with its @type, or JSON in its value."
    );
}

#[test]
fn keys_can_be_written_into_the_configuration_as_a_map_or_as_json() {
    let map = r#"{ "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }] }"#;
    for keys in [map.to_owned(), format!("'{map}'")] {
        let text = format!(
            "providers: [{{ name: idp, issuer: 'https://a.example', audiences: n8n, jwks: {keys} }}]\n\
             webhooks: [{{ path: /webhook/**, auth: bearer }}]\n"
        );
        let loaded = load(&text).unwrap();
        assert_eq!(loaded.warnings, []);
    }
}

mod any_json {
    //! For any input, nothing panics, and what is accepted keeps the promises of a policy.

    use proptest::prelude::*;

    use super::*;

    fn value() -> impl Strategy<Value = Value> {
        let number = prop_oneof![
            any::<i64>().prop_map(Number::from),
            Just(Number::from_f64(30.5).unwrap())
        ];
        let word = prop_oneof![
            prop::sample::select(vec![
                "",
                "*",
                "n8n",
                "none",
                "RS256",
                "30s",
                "0s",
                "https://a.example",
                "any",
                "pass",
                "bearer",
                "/webhook/**",
                "workflow:read",
                "idp",
                "N8N_KEY_A",
                "\u{0}",
                "é",
            ])
            .prop_map(str::to_owned),
            ".*",
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            number.prop_map(Value::Number),
            word.prop_map(Value::String),
        ];
        let name = prop::sample::select(vec![
            "env", "any", "client", "provider", "keys", "ttl", "path", "auth", "name", "x",
        ]);
        leaf.prop_recursive(3, 12, 4, move |inner| {
            let members = prop::collection::vec((name.clone(), inner.clone()), 0..4);
            prop_oneof![
                prop::collection::vec(inner, 0..4).prop_map(Value::Array),
                members.prop_map(|members| {
                    let members = members
                        .into_iter()
                        .map(|(name, value)| (name.to_owned(), value));
                    Value::Object(members.collect::<Map<_, _>>())
                }),
            ]
        })
    }

    /// Every pointer in a document that something can be put to.
    fn pointers(value: &Value, here: &str, found: &mut Vec<String>) {
        found.push(here.to_owned());
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    pointers(item, &format!("{here}/{index}"), found);
                }
            }
            Value::Object(members) => {
                for (name, member) in members {
                    let name = name.replace('~', "~0").replace('/', "~1");
                    pointers(member, &format!("{here}/{name}"), found);
                }
            }
            _ => {}
        }
    }

    fn example() -> Value {
        serde_json::from_slice(&yaml::to_json(reference::EXAMPLE).unwrap()).unwrap()
    }

    /// The example, or the same as one of two instances.
    fn example_of(several: bool) -> Value {
        let mut whole = example();
        if several {
            let mut rest = whole.as_object_mut().unwrap().clone();
            let providers = rest.remove("providers").unwrap();
            let hosts = [json!(["n8n.example.com"]), json!(["*.example.com"])];
            let instances = hosts
                .into_iter()
                .zip(["prod", "test"])
                .map(|(hosts, name)| {
                    let mut instance = rest.clone();
                    instance.insert("name".to_owned(), json!(name));
                    instance.insert("hosts".to_owned(), hosts);
                    Value::Object(instance)
                });
            whole = json!({"providers": providers, "instances": instances.collect::<Vec<_>>()});
        }
        whole
    }

    #[test]
    fn both_examples_are_accepted() {
        for several in [false, true] {
            let document = example_of(several).to_string();
            let loaded = config::load(document.as_bytes(), &environment()).unwrap();
            let instances = loaded.policy.instances.iter().count();
            assert_eq!(instances, if several { 2 } else { 1 });
        }
    }

    fn check(document: &Value) {
        let Ok(loaded) = config::load(document.to_string().as_bytes(), &environment()) else {
            return;
        };
        let policy = loaded.policy;
        assert!(!policy.providers.is_empty());
        for provider in &policy.providers {
            assert!(!provider.token.audiences.is_empty());
            assert!(!provider.token.audiences.contains(""));
            assert!(!provider.token.algorithms.is_empty());
            assert!(provider
                .admission
                .clients
                .as_ref()
                .is_none_or(|clients| !clients.is_empty()));
            for issuer in provider.token.issuers.iter() {
                assert!(policy.issuers.contains(issuer));
            }
        }
        for (issuer, owner) in policy.issuers.iter() {
            let owner = &policy.providers[owner.0];
            assert!(owner.token.issuers.contains(issuer));
        }
        for principal in policy
            .instances
            .iter()
            .flat_map(|instance| instance.principals.iter())
        {
            assert!(principal
                .api_key
                .expose()
                .bytes()
                .all(|byte| byte.is_ascii_graphic()));
        }
    }

    proptest! {
        #[test]
        fn any_json_is_read_without_a_panic(document in value()) {
            check(&document);
        }

        #[test]
        fn a_good_configuration_with_one_thing_changed_keeps_the_promises(
            pointer in any::<prop::sample::Index>(),
            several in any::<bool>(),
            value in value(),
        ) {
            let mut document = example_of(several);
            let mut found = Vec::new();
            pointers(&document, "", &mut found);
            *document.pointer_mut(pointer.get(&found).as_str()).unwrap() = value;
            check(&document);
        }

        #[test]
        fn a_good_configuration_with_one_thing_missing_keeps_the_promises(
            pointer in any::<prop::sample::Index>(),
            several in any::<bool>(),
        ) {
            let mut document = example_of(several);
            let mut found = Vec::new();
            pointers(&document, "", &mut found);
            let (parent, name) = pointer.get(&found).rsplit_once('/').unwrap_or(("", ""));
            if let Some(Value::Object(members)) = document.pointer_mut(parent) {
                members.remove(&name.replace("~1", "/").replace("~0", "~"));
            }
            check(&document);
        }
    }

    #[test]
    fn the_search_for_places_finds_all_of_them() {
        let mut found = Vec::new();
        pointers(&json!({ "a/b": [1, { "c": 2 }] }), "", &mut found);
        assert_eq!(found, ["", "/a~1b", "/a~1b/0", "/a~1b/1", "/a~1b/1/c"]);
    }
}

#[test]
fn a_principal_that_may_do_nothing_is_warned_of() {
    let loaded = load(
        "providers: [{ name: Idp, issuer: 'https://a.example', audiences: n8n, cluster: a }]\n\
         principals: [{ name: idle, match: { client: c }, api_key: { env: N8N_KEY_A } }]\n",
    );
    let warning = Diagnostic {
        path: "principals[0]".to_owned(),
        problem: "allows nothing on the public API: there are no roles, and it has no grant"
            .to_owned(),
        hint: "add grant: [workflow:read], or roles beside principals".to_owned(),
    };
    assert_eq!(loaded.unwrap().warnings, [warning]);
}
