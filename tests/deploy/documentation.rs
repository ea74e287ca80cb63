//! Tests of the documentation: its configurations load, its links have targets, its tests exist.

use std::collections::BTreeSet;
use std::path::Path;

use n8n_idp_gate::reply::Reason;
use serde_json::{json, Value};

use super::plugin::{load, named_variables, Plugin, FIELDS};
use super::repository::{documents, files, root, yaml_blocks, File};

/// Pages that must have at least this number of configurations.
const EXPECTED: [(&str, usize); 7] = [
    ("README.md", 1),
    ("docs/guides/metadata.md", 2),
    ("docs/guides/opaque-tokens.md", 5),
    ("docs/guides/principals-and-roles.md", 5),
    ("docs/guides/several-instances.md", 2),
    ("docs/guides/webhooks.md", 3),
    ("docs/reference/configuration.md", 1),
];

fn pages() -> Vec<File> {
    files(&["md"])
}

/// A whole configuration for a block that shows only a part of one.
fn completed(block: &Value) -> Option<Value> {
    let fields = block.as_object()?;
    if fields.is_empty() || !fields.keys().all(|name| FIELDS.contains(&name.as_str())) {
        return None;
    }
    let mut whole = json!({
        "providers": [
            { "name": "entra", "type": "entra", "tenant": "72f988bf-86f1-41af-91ab-2d7cd011db47",
              "audiences": "api://n8n-api", "roles_from": "both", "cluster": "entra" },
            { "name": "keycloak", "type": "keycloak", "domain": "keycloak.example", "realm": "main",
              "audiences": "api://n8n-api", "roles_from": "roles", "cluster": "keycloak" },
        ],
        "roles": { "N8N.Workflow.Read": "workflow:read" },
        "principals": [
            { "name": "all", "match": { "any": true }, "api_key": { "env": "N8N_KEY_ALL" } },
        ],
    });
    if fields.contains_key("instances") {
        for name in ["roles", "principals"] {
            whole.as_object_mut()?.remove(name);
        }
    }
    for (name, value) in fields {
        whole[name] = value.clone();
    }
    // The roles above are not those of the providers that a block shows.
    if fields.contains_key("providers") && !fields.contains_key("roles") {
        for provider in whole["providers"].as_array_mut()? {
            provider["roles_from"] = json!("roles");
        }
    }
    Some(whole)
}

#[test]
fn every_configuration_in_the_documentation_loads_without_warnings() {
    let mut counted: Vec<(String, usize)> = Vec::new();
    for page in pages() {
        let mut count = 0;
        for (line, block) in yaml_blocks(&page.text) {
            let position = format!("{}:{line}", page.name);
            for document in documents(&position, &block) {
                let plugins = Plugin::all_in(&document)
                    .into_iter()
                    .map(|plugin| (plugin.configuration, plugin.variables));
                let bare = completed(&document).map(|whole| {
                    let variables = named_variables(&whole);
                    (whole, variables)
                });
                for (configuration, variables) in plugins.chain(bare) {
                    let loaded = load(&configuration, &variables);
                    let loaded = loaded.unwrap_or_else(|errors| panic!("{position}: {errors}"));
                    assert_eq!(loaded.warnings, [], "{position}");
                    count += 1;
                }
            }
        }
        counted.push((page.name, count));
    }
    for (page, least) in EXPECTED {
        let found = counted.iter().find(|(name, _)| name == page);
        assert!(
            found.is_some_and(|(_, count)| *count >= least),
            "{page}: {found:?}"
        );
    }
}

#[test]
fn every_link_within_the_repository_leads_to_a_file() {
    let mut followed = 0;
    for page in pages() {
        let folder = root().join(&page.name).parent().unwrap().to_owned();
        for target in links(&page.text) {
            if target.contains("://") || target.starts_with('#') {
                continue;
            }
            let path = target.split('#').next().unwrap_or_default();
            assert!(
                folder.join(path).exists(),
                "{}: {target} leads nowhere",
                page.name
            );
            followed += 1;
        }
    }
    assert!(followed > 30, "{followed}");
}

/// A caller with a refused token finds its reason in the guide for callers.
#[test]
fn the_guide_for_callers_has_each_reason_once() {
    let mut pages = pages().into_iter();
    let guide = pages.find(|page| page.name == "docs/guides/callers.md");
    let guide = guide.unwrap().text;
    let (_, table) = guide.split_once("| reason | what you do |").unwrap();
    let mut rows = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let mut listed = Vec::new();
    for row in rows.by_ref() {
        let codes = row.split('|').nth(1).unwrap().split(',');
        listed.extend(codes.map(|code| code.trim().trim_matches('`').to_owned()));
    }
    listed.sort();
    let mut known: Vec<_> = Reason::examples().iter().map(Reason::as_str).collect();
    known.sort_unstable();
    assert_eq!(listed, known);
}

/// SECURITY.md names tests for each of its claims.
#[test]
fn every_test_that_the_threat_model_names_exists() {
    let model = pages()
        .into_iter()
        .find(|page| page.name == "SECURITY.md")
        .unwrap();
    let sources: String = files(&["rs"]).into_iter().map(|file| file.text).collect();
    let rows: Vec<&str> = model
        .text
        .lines()
        .filter(|line| line.starts_with("| ") && line.matches(" | ").count() == 2)
        .skip(1)
        .collect();
    assert!(rows.len() >= 20, "{}", rows.len());
    for row in rows {
        let shown = row.rsplit(" | ").next().unwrap_or_default();
        let tests: BTreeSet<&str> = shown.split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty(), "no test is named in: {row}");
        for test in tests {
            assert!(
                sources.contains(&format!("fn {test}(")),
                "there is no test {test}"
            );
        }
    }
}

/// Pages for maintainers name source files: from the root, or below `src` or `tests`.
#[test]
fn every_source_file_that_a_page_names_exists() {
    let sources: Vec<String> = files(&["rs"]).into_iter().map(|file| file.name).collect();
    let mut named = 0;
    for page in pages() {
        for code in page.text.split('`').skip(1).step_by(2) {
            let is_rust = Path::new(code).extension() == Some("rs".as_ref());
            let is_path = is_rust && code.contains('/') && !code.contains(['*', ' ', '<']);
            if !is_path {
                continue;
            }
            let ends = |source: &String| {
                [
                    format!("src/{code}"),
                    format!("tests/{code}"),
                    code.to_owned(),
                ]
                .contains(source)
            };
            assert!(sources.iter().any(ends), "{}: {code}", page.name);
            named += 1;
        }
    }
    assert!(named > 40, "{named}");
}

/// The targets of the links of a page. Blocks of code are ignored.
fn links(page: &str) -> Vec<String> {
    let mut is_code = false;
    let mut found = Vec::new();
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        }
        if is_code {
            continue;
        }
        for rest in line.split("](").skip(1) {
            found.extend(rest.split(')').next().map(str::to_owned));
        }
    }
    found
}

#[test]
fn links_are_found_and_code_is_ignored() {
    let page = "[a](b.md), [c](d.md#e)\n```\n[f](g)\n```\n[h](i)\n";
    assert_eq!(links(page), ["b.md", "d.md#e", "i"]);
}
