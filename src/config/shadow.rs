//! The second policy of a configuration, which is only judged: the same configuration with the fields of
//! `shadow` in place of those in force. It is read by the same reader, so that a shadow that can be read can
//! be put in force.

use serde_json::{Map, Value};

use super::field_path::FieldPath;
use super::raw::RawN8n;
use super::section::{check_names, Section};

const NAME: &str = "shadow";

/// A configuration with its shadows in force.
pub(super) struct Promoted {
    pub(super) document: Value,
    /// The paths of the fields that came from a shadow.
    pub(super) fields: Vec<FieldPath>,
}

/// Puts the shadows of a configuration in force. `None`: it has none.
pub(super) fn promoted(mut document: Value, whole: &FieldPath) -> Option<Promoted> {
    let members = document.as_object_mut()?;
    let mut fields = Vec::new();
    let Some(instances) = members.get_mut("instances") else {
        promote(members, whole, &mut fields);
        return (!fields.is_empty()).then_some(Promoted { document, fields });
    };
    let path = whole.member("instances");
    // A shadow at the top is an error then.
    if let Value::Array(instances) = instances {
        for (index, instance) in instances.iter_mut().enumerate() {
            if let Value::Object(members) = instance {
                promote(members, &path.item(index), &mut fields);
            }
        }
    }
    (!fields.is_empty()).then_some(Promoted { document, fields })
}

fn promote(members: &mut Map<String, Value>, path: &FieldPath, fields: &mut Vec<FieldPath>) {
    let Some(Value::Object(mut shadow)) = members.remove(NAME) else {
        return;
    };
    let own = path.member(NAME);
    check_names(&shadow, &own, &[RawN8n::OWN_NAMES]);
    for name in RawN8n::OWN_NAMES {
        let Some(value) = shadow.remove(*name) else {
            continue;
        };
        if *name == NAME {
            let hint = "move its fields into the outer one";
            own.member(NAME).error("is the shadow of a shadow", hint);
            continue;
        }
        fields.push(path.member(name));
        members.insert((*name).to_owned(), value);
    }
}
