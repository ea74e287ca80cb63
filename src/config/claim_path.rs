//! Paths of claims, as a configuration has them.

use serde_json::Value;

use super::field_path::FieldPath;
use super::read::{OneOrMany, Read};
use super::shape::Shape;
use super::syntax::{Plain, Syntax as _, Text};
use crate::identity::ClaimPath;

impl Read for ClaimPath {
    fn shape() -> Shape {
        Shape::ClaimPath
    }

    /// Names with a dot between each two, or a list of names, in which dots are part of a name.
    fn read(value: &Value, path: &FieldPath) -> Option<Self> {
        let Value::String(text) = value else {
            let OneOrMany(names) = OneOrMany::<Text>::read(value, path)?;
            let names: Vec<_> = names.into_iter().map(|name| name.text).collect();
            return Some(names.into());
        };
        // Names that are known to have dots: split there, the path would never find its claim.
        if text.contains("://") || text.starts_with("kubernetes.io") {
            path.error(
                "has a name with dots in it, which would be split",
                "write a list of names: [https://example.com/roles], or [kubernetes.io, namespace]",
            );
            return None;
        }
        let names: Vec<_> = text.split('.').map(str::to_owned).collect();
        if names
            .iter()
            .any(|name| name.trim() != name || name.is_empty())
        {
            path.error(
                "has an empty name or a blank in it",
                "write names with a dot between each two",
            );
            return None;
        }
        Some(names.into())
    }
}

/// One path, or a list of several. A list of names is one path, so that each of several is a list
/// of its own: `[[roles], [role]]`.
pub(super) struct ClaimPaths(pub(super) Vec<ClaimPath>);

impl Read for ClaimPaths {
    fn shape() -> Shape {
        let names = Shape::List {
            item: Box::new(Shape::Text(Plain::DESCRIPTION)),
            may_be_empty: false,
        };
        let lists = Shape::List {
            item: Box::new(names),
            may_be_empty: false,
        };
        Shape::Either(Box::new(Shape::ClaimPath), Box::new(lists))
    }

    fn read(value: &Value, path: &FieldPath) -> Option<Self> {
        paths(value, path).map(Self)
    }
}

fn paths(value: &Value, path: &FieldPath) -> Option<Vec<ClaimPath>> {
    let items = value.as_array().map_or(&[][..], Vec::as_slice);
    let lists = items.iter().filter(|item| item.is_array()).count();
    let mut paths = Vec::new();
    if lists == 0 {
        let claim = ClaimPath::read(value, path)?;
        // Names without dots need no list, and a dot says what is meant.
        if items.len() > 1 && !claim.names().iter().any(|name| name.contains('.')) {
            path.warn(
                "is the path of one claim, name by name",
                "write a dot between each two names if that is meant, or [[a], [b]] for several claims",
            );
        }
        paths.push(claim);
    } else if lists < items.len() {
        path.error(
            "has both lists and other items",
            "make each path a list of names, such as [[roles], [role]]",
        );
        return None;
    }
    for (index, item) in items.iter().enumerate().take(lists) {
        let path = path.item(index);
        let claim = ClaimPath::read(item, &path)?;
        if paths.contains(&claim) {
            path.error("is listed twice", "remove one of them");
        }
        paths.push(claim);
    }
    Some(paths)
}
