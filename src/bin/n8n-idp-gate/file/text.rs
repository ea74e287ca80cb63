//! The texts of files, read as the programs read them that send them to the filter.

use n8n_idp_gate::config::yaml::{Budget, Document, Position, Reader, YamlFault};
use n8n_idp_gate::formats::json::{self, JsonFault};
use serde::de::IgnoredAny;
use serde_json::Value;

/// How deep a JSON file may be nested.
const MAX_DEPTH: usize = 64;

/// How much may still be read of one file and the texts in it, by each of the readers.
#[derive(Default)]
pub(crate) struct Texts {
    envoy: Budget,
    kubernetes: Budget,
    either: Budget,
}

impl Texts {
    /// Reads YAML as Envoy does, except manifests of Kubernetes, which it reads as Kubernetes does, and
    /// configurations that may come to the filter either way.
    pub(crate) fn yaml(&self, text: &str) -> Result<Vec<Document>, YamlFault> {
        let mut documents = self.envoy.documents(text, Reader::Envoy)?;
        let is_envoy = |value: &Value| !is_manifest(value) && is_of_envoy(value);
        if documents.len() > 1 && documents.iter().any(|document| is_envoy(&document.value)) {
            return Err(YamlFault::SeveralDocuments);
        }
        if documents
            .iter()
            .any(|document| is_manifest(&document.value))
        {
            let others = self.kubernetes.documents(text, Reader::Kubernetes)?;
            for (document, other) in documents.iter_mut().zip(others) {
                if is_manifest(&document.value) {
                    *document = other;
                }
            }
        }
        let is_unknown = |value: &Value| !is_manifest(value) && !is_of_envoy(value);
        let has_unknown = |document: &Document| {
            is_unknown(&document.value) && document.value.get("providers").is_some()
        };
        if documents.iter().any(has_unknown) {
            let others = self.either.documents(text, Reader::Either)?;
            for (document, other) in documents.iter_mut().zip(others) {
                if has_unknown(document) {
                    *document = other;
                }
            }
        }
        Ok(documents)
    }
}

/// Why a JSON file is not read.
pub(crate) struct Unreadable {
    pub(crate) problem: String,
    pub(crate) position: Option<Position>,
}

/// Reads a JSON file, which Envoy does not read as YAML.
pub(crate) fn json(text: &str) -> Result<Vec<Document>, Unreadable> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let read = json::Document::read(text.as_bytes(), MAX_DEPTH).map_err(|fault| {
        let problem = match fault {
            JsonFault::DuplicateMember => "two fields of one name in one map".to_owned(),
            JsonFault::TooDeep => format!("nested deeper than {MAX_DEPTH} levels"),
            JsonFault::NotAnObject => "no map".to_owned(),
            JsonFault::NotJson => "not JSON".to_owned(),
        };
        // Neither says where: another reader finds the same.
        let position = match fault {
            JsonFault::NotJson => serde_json::from_str::<IgnoredAny>(text).err().map(|error| {
                let (line, column) = (error.line(), error.column().max(1));
                Position { line, column }
            }),
            JsonFault::DuplicateMember => {
                let read = Budget::default().documents(text, Reader::Either);
                read.err().and_then(|fault| fault.position(text))
            }
            _ => None,
        };
        Unreadable { problem, position }
    })?;
    let odd = Vec::new();
    let value = Value::Object(read.object().to_map());
    Ok(vec![Document { value, odd }])
}

/// Whether a document is a manifest of Kubernetes.
pub(crate) fn is_manifest(value: &Value) -> bool {
    value["apiVersion"].is_string() && value["kind"].is_string()
}

/// Whether a document is a file of Envoy.
fn is_of_envoy(value: &Value) -> bool {
    let fields = [
        "static_resources",
        "dynamic_resources",
        "admin",
        "node",
        "resources",
    ];
    fields.into_iter().any(|name| !value[name].is_null())
}
