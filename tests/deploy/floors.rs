//! The rooms of `src` stand on floors: a room imports from lower floors only.
//!
//! So every room can be read, tested and changed without the rooms above it, and there is no ring.

use std::collections::{BTreeMap, BTreeSet};

use super::imports::{Crate, Import, Module};
use super::repository::files;

/// The rooms, from the lowest floor to the highest. Rooms of one floor do not import each other.
const FLOORS: [&[&str]; 14] = [
    &["secret", "time"],
    &["formats", "http"],
    &["n8n"],
    &["crypto"],
    &["token", "webhook_signature"],
    &["identity"],
    &["policy"],
    &["config", "facts"],
    &["reply"],
    &["decide"],
    &["observe"],
    &["gate"],
    &["worker"],
    &["shell"],
];

fn library() -> Crate {
    Crate::read(&files(&["rs"]))
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&room))
}

#[test]
fn a_room_imports_from_lower_floors_only() {
    let library = library();
    let mut faults: Vec<String> = library
        .files
        .iter()
        .filter(|(module, _)| floor(&module[0]).is_none())
        .map(|(module, file)| format!("{file}: {} has no floor in FLOORS", module[0]))
        .collect();
    for import in library.imports() {
        let (from, to) = (&import.from[0], &import.to[0]);
        if from == to || floor(to) < floor(from) {
            continue;
        }
        let file = &library.files[&import.from];
        let fault = if floor(to) == floor(from) {
            format!("which stands beside {from} on one floor")
        } else {
            format!("which stands above {from}")
        };
        faults.push(format!(
            "{file}:{} imports {}, {fault}",
            import.line, import.path
        ));
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn no_files_of_a_room_import_each_other_in_a_ring() {
    let library = library();
    let imports: Vec<Import> = library
        .imports()
        .into_iter()
        .filter(|import| import.from[0] == import.to[0])
        .collect();
    let file = |module: &Module| library.files[module].as_str();
    let mut graph: BTreeMap<&Module, BTreeMap<&Module, &Import>> = BTreeMap::new();
    for import in &imports {
        let of_file = graph.entry(&import.from).or_default();
        of_file.entry(&import.to).or_insert(import);
    }
    let mut rings = BTreeMap::new();
    for import in graph.values().flat_map(BTreeMap::values) {
        let Some(mut ring) = way(&graph, &import.to, &import.from) else {
            continue;
        };
        ring.push(import);
        // One ring for each set of files: the shortest, with its lines.
        let files: BTreeSet<_> = ring.iter().map(|import| file(&import.from)).collect();
        rings.entry(files).or_insert_with(|| {
            let lines = ring.iter().map(|import| {
                let file = file(&import.from);
                format!("  {file}:{} imports {}", import.line, import.path)
            });
            lines.collect::<Vec<_>>().join("\n")
        });
    }
    let rings: Vec<String> = rings.into_values().collect();
    assert!(rings.is_empty(), "rings:\n{}", rings.join("\n\n"));
}

/// The shortest way by imports from one file to another.
fn way<'g>(
    graph: &BTreeMap<&'g Module, BTreeMap<&'g Module, &'g Import>>,
    from: &'g Module,
    to: &'g Module,
) -> Option<Vec<&'g Import>> {
    let mut ways = vec![(from, Vec::new())];
    let mut seen = BTreeSet::from([from]);
    let mut next = 0;
    while let Some((module, way)) = ways.get(next).cloned() {
        if module == to {
            return Some(way);
        }
        for (target, import) in graph.get(module).into_iter().flatten() {
            if seen.insert(target) {
                let mut longer = way.clone();
                longer.push(*import);
                ways.push((target, longer));
            }
        }
        next += 1;
    }
    None
}
