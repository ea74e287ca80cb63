//! The files that the arguments name.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::diagnostic::Finding;
use crate::file::input;
use crate::file::manifest::Manifest;

/// The files to check, and what could not be read.
pub(super) struct Inputs {
    pub(super) inputs: Vec<Input>,
    pub(super) unread: Vec<String>,
}

/// A file to check.
pub(super) struct Input {
    path: PathBuf,
    /// The folder of the arguments in which it was found; `None`: it was named itself.
    pub(super) folder: Option<PathBuf>,
    text: OnceCell<String>,
}

impl Inputs {
    /// The files that these paths stand for, each once.
    pub(super) fn of(paths: &[PathBuf]) -> Self {
        let mut all = Self {
            inputs: Vec::new(),
            unread: Vec::new(),
        };
        let mut known = BTreeSet::new();
        for path in paths {
            if !path.is_dir() {
                all.add(path.clone(), None, &mut known);
                continue;
            }
            let mut files = Vec::new();
            all.walk(path, &mut files);
            files.sort();
            for file in files {
                all.add(file, Some(path.clone()), &mut known);
            }
        }
        all
    }

    fn add(&mut self, path: PathBuf, folder: Option<PathBuf>, known: &mut BTreeSet<PathBuf>) {
        if known.insert(path.clone()) {
            self.inputs.push(Input {
                path,
                folder,
                text: OnceCell::new(),
            });
        }
    }

    /// The files below a folder. Hidden folders are left out, and links to folders, which may be rings.
    fn walk(&mut self, folder: &Path, files: &mut Vec<PathBuf>) {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => {
                let problem = format!("{}: {error}", input::shown(folder));
                self.unread.push(problem);
                return;
            }
        };
        for entry in entries.flatten() {
            let path = entry.path();
            let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if !is_hidden {
                    self.walk(&path, files);
                }
            } else if path.is_file() && is_of_a_known_kind(&path) {
                files.push(path);
            }
        }
    }
}

fn is_of_a_known_kind(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| ["yaml", "yml", "json"].contains(&extension))
}

impl Input {
    /// Reads it. The error of the outer result: it could not be read. The inner one: it is not YAML or JSON.
    pub(super) fn read(&self) -> Result<Result<Manifest, Finding>, String> {
        let text = input::text_or_stdin(&self.path)?;
        let text = self.text.get_or_init(|| text);
        Ok(Manifest::of_text(&self.path, text))
    }

    /// Its text, if it was read.
    pub(super) fn text(&self) -> String {
        self.text.get().cloned().unwrap_or_default()
    }

    /// Whether a file that is no YAML or JSON may have been meant for the gate.
    pub(super) fn may_be_of_the_gate(&self) -> bool {
        let text = self.text();
        ["n8n-idp-gate", "n8n_idp_gate", "providers"]
            .into_iter()
            .any(|word| text.contains(word))
    }

    /// Its name, as messages show it.
    pub(super) fn shown(&self) -> Rc<str> {
        input::shown(&self.path).into()
    }
}
