//! YAML, for the command-line twin and the tests: the filter itself is handed JSON.

use serde_norway::Value as Yaml;
use thiserror::Error;

/// Why a text is no YAML that could be a configuration.
#[derive(Debug, Error)]
pub enum YamlFault {
    /// Not YAML, or with two fields of one name in one map.
    #[error("not YAML: {0}")]
    NotYaml(serde_norway::Error),
    /// YAML that JSON cannot say, such as a map from lists.
    #[error("not a YAML that JSON can say: {0}")]
    NotJson(serde_json::Error),
}

/// Turns YAML into the JSON that Envoy and Istio would hand to the filter.
pub fn to_json(text: &str) -> Result<Vec<u8>, YamlFault> {
    // By way of a YAML value, which refuses two fields of one name.
    let value: Yaml = serde_norway::from_str(text).map_err(YamlFault::NotYaml)?;
    serde_json::to_vec(&value).map_err(YamlFault::NotJson)
}
