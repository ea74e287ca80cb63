//! Wrong files, as a reviewer may get them. A comment names the rules that must be found in its line.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::Desk;

#[test]
fn each_wrong_file_has_its_findings_in_their_lines_and_no_others() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check/wrong");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert_eq!(files.len(), 11);
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let mut expected: Vec<(u64, String)> = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let rules = line.split_once("# wrong: ").map(|(_, rules)| rules);
            let rules = rules.into_iter().flat_map(str::split_whitespace);
            expected.extend(rules.map(|rule| (number, rule.to_owned())));
        }
        let desk = Desk::new(&[("gate.yaml", &text)]);
        let (_, report) = desk.run(&["check", "--format", "json", "gate.yaml"]);
        let report = report.split("n8n-idp-gate: ").next().unwrap();
        let report: Value = serde_json::from_str(report).unwrap();
        let list = report["diagnostics"].as_array().unwrap();
        let found = list.iter().map(|one| {
            assert!(one["column"].as_u64().unwrap() > 0);
            let rule = one["rule"].as_str().unwrap().to_owned();
            (one["line"].as_u64().unwrap(), rule)
        });
        let mut found: Vec<_> = found.collect();
        assert!(found.is_sorted_by_key(|(line, _)| *line), "{found:?}");
        found.sort();
        expected.sort();
        assert!(!expected.is_empty());
        assert_eq!(found, expected, "{}", path.display());
    }
}
