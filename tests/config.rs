//! The configuration: what is refused, with which message, and what is accepted, with which meaning.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at once when something is not as it needs it"
)]

#[path = "configuration/any_json.rs"]
mod any_json;
#[path = "configuration/warnings.rs"]
mod warnings;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use n8n_idp_gate::config::{self, reference, yaml, ConfigErrors, Diagnostic, Environment, Loaded};
use n8n_idp_gate::secret::Secret;
use serde_json::{json, Value};

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
        ("N8N_SEED", "c0ffee5ec2e7-seed"),
        ("N8N_SEED_OTHER", "c0ffee5ec2e7-other"),
        ("N8N_SEED_SHORT", "c0ffee5ec2e7"),
        ("SIGNING_SECRET", "c0ffee5ec2e7 signs"),
        ("SIGNING_SECRET_NEXT", "c0ffee5ec2e7-next"),
        ("SIGNING_SECRET_SHORT", "c0ffee5ec2e7"),
        ("SIGNING_SECRET_LINE_BREAK", "c0ffee5ec2e7-signs\n"),
        ("WHSEC_SECRET", "whsec_c0ffee5ec2e7c0ffee5ec2e7"),
        ("WHSEC_PUBLIC", "whpk_PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw="),
        ("WHSEC_SECRET_CUT", "whsec_c0ffee5ec2e7-"),
        ("WHSEC_SECRET_PUBLIC", "whpk_c0ffee5ec2e7"),
        ("WHSEC_SECRET_PRIVATE", "whsk_c0ffee5ec2e7"),
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
