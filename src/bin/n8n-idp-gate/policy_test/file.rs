//! A file of policy tests.

use std::collections::BTreeMap;
use std::path::Path;

use n8n_idp_gate::config::yaml;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::schema;
use crate::file::input;

/// A file of policy tests. The schema describes the fields.
#[derive(Deserialize)]
pub(crate) struct TestFile {
    pub(crate) config: String,
    pub(crate) name: Option<String>,
    at: Option<u64>,
    pub(crate) tests: Vec<Test>,
}

/// One test.
#[derive(Deserialize)]
pub(crate) struct Test {
    pub(crate) name: String,
    pub(crate) at: Option<u64>,
    #[serde(default)]
    pub(crate) request: Request,
    pub(crate) provider: Option<String>,
    pub(crate) claims: Option<Map<String, Value>>,
    #[serde(default)]
    pub(crate) token_header: Map<String, Value>,
    pub(crate) token_file: Option<String>,
    #[serde(default)]
    pub(crate) key_sets: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) responses: BTreeMap<String, Value>,
    pub(crate) expect: Map<String, Value>,
}

/// Its request.
#[derive(Default, Deserialize)]
pub(crate) struct Request {
    pub(crate) method: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) host: Option<String>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Option<String>,
    pub(crate) body_file: Option<String>,
}

impl TestFile {
    /// Reads a file. An error has a line for each problem.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let shown = input::shown(path);
        let say = |problem: String| format!("{shown}: {problem}");
        let json = yaml::to_json(&input::text(path)?).map_err(|fault| say(fault.to_string()))?;
        let document: Value =
            serde_json::from_slice(&json).map_err(|error| say(error.to_string()))?;
        let problems = schema::problems(&document);
        if !problems.is_empty() {
            let lines: Vec<_> = problems.into_iter().map(say).collect();
            return Err(lines.join("\n"));
        }
        let mut file: Self =
            serde_json::from_value(document).map_err(|error| say(error.to_string()))?;
        for test in &mut file.tests {
            test.at = test.at.or(file.at);
        }
        Ok(file)
    }
}
