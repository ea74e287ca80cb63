//! Objects of Kubernetes that are written once, though several n8n need them.

use serde_json::Value;

use super::yaml;

/// The objects of a file, made for each n8n.
#[derive(Default)]
pub(crate) struct Objects(Vec<(usize, Value)>);

impl Objects {
    /// Adds an object, which has this number in its file. One that differs from another in nothing but its name is
    /// left out.
    pub(crate) fn add(&mut self, number: usize, object: Value) {
        let same = |(_, other): &&(usize, Value)| {
            ["/kind", "/metadata/namespace", "/spec"]
                .into_iter()
                .all(|part| other.pointer(part) == object.pointer(part))
        };
        if !self.0.iter().any(|other| same(&other)) {
            self.0.push((number, object));
        }
    }

    /// All of them, in the order of their file.
    pub(crate) fn text(mut self) -> String {
        self.0.sort_by_key(|(number, _)| *number);
        yaml::documents(self.0.iter().map(|(_, object)| object))
    }
}
