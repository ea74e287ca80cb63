//! YAML and JSON files with configurations: alone, or inside a manifest of Envoy or Istio.

use std::path::Path;
use std::rc::Rc;

use n8n_idp_gate::config::yaml::YamlFault;
use serde_json::Value;

use super::found::{Found, Origin};
use super::input;
use super::search::{is_whole_configuration, Around, Search};
use super::text::{json, Texts};
use crate::diagnostic::rules::UNREADABLE;
use crate::diagnostic::{Finding, Place};

/// A YAML or JSON file. Texts in it that are YAML themselves are replaced by their content.
pub(crate) struct Manifest {
    /// Its name, as messages show it.
    pub(crate) file: Rc<str>,
    /// Its text.
    pub(crate) text: Rc<str>,
    /// Its documents, with a mark instead of each configuration.
    pub(crate) documents: Vec<Value>,
    /// Every configuration of this filter in it.
    pub(crate) configurations: Vec<Found>,
}

/// How many texts may be within one another: a configuration in an Envoy file in a `ConfigMap` is two.
const MAX_TEXTS: usize = 3;

impl Manifest {
    /// Reads a file, with or without configurations.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let text = input::text(path)?;
        Self::of_text(path, &text).map_err(|fault| {
            let Finding { message, hint, .. } = fault;
            format!("{}: {message}. Hint: {hint}", input::shown(path))
        })
    }

    /// Reads the text of a file.
    pub(crate) fn of_text(path: &Path, text: &str) -> Result<Self, Finding> {
        let texts = Texts::default();
        let is_json = path
            .extension()
            .is_some_and(|extension| extension == "json");
        let unreadable = |fault: &YamlFault| {
            let place = fault.position(text).map_or(Place::START, Place::Position);
            unreadable(place, &fault.to_string())
        };
        let read = if is_json {
            json(text).map_err(|fault| {
                let place = fault.position.map_or(Place::START, Place::Position);
                self::unreadable(place, &fault.problem)
            })
        } else {
            texts.yaml(text).map_err(|fault| unreadable(&fault))
        };
        let mut search = Search {
            texts,
            found: Vec::new(),
        };
        let mut documents = Vec::new();
        let file: Rc<str> = input::shown(path).into();
        let text: Rc<str> = text.into();
        for (number, document) in read?.into_iter().enumerate() {
            let mut value = document.value;
            let origin = Origin {
                file: Rc::clone(&file),
                text: Rc::clone(&text),
                document: number,
                steps: Vec::new(),
                is_in_text: false,
            };
            let root = Around::of(&value, &document.odd, MAX_TEXTS, origin);
            let is_whole = is_whole_configuration(&value, true);
            let done = search.root(&mut value, &root, is_whole);
            done.map_err(|fault| self::unreadable(Place::START, &fault.to_string()))?;
            documents.push(value);
        }
        Ok(Self {
            file,
            text,
            documents,
            configurations: search.found,
        })
    }

    /// The configuration of this name or number in a file; without one, the only configuration.
    pub(crate) fn one_configuration(path: &Path, choice: Option<&str>) -> Result<Found, String> {
        let found = Self::read(path)?.configurations;
        if found.is_empty() {
            return Err(without_configuration(path));
        }
        let list = || {
            let names = (1_usize..).zip(&found);
            let names = names.map(|(number, found)| format!("\n  {number}: {}", found.name));
            names.collect::<String>()
        };
        let shown = input::shown(path);
        let chosen: Vec<usize> = match choice {
            None => (0..found.len()).collect(),
            Some(choice) => {
                let number = choice
                    .parse::<usize>()
                    .ok()
                    .and_then(|number| number.checked_sub(1));
                let numbered = number.filter(|number| *number < found.len());
                let names = found.iter().enumerate();
                let matching = names.filter(|(_, found)| found.name == choice);
                let matching = matching.map(|(number, _)| number);
                numbered.map_or_else(|| matching.collect(), |number| vec![number])
            }
        };
        match *chosen {
            [only] => found
                .into_iter()
                .nth(only)
                .ok_or_else(|| without_configuration(path)),
            [] => Err(format!(
                "{shown}: no configuration of that name or number:{}",
                list()
            )),
            _ => Err(format!(
                "{shown}: {} configurations; choose one with --name, by its name or number:{}",
                chosen.len(),
                list()
            )),
        }
    }
}

/// A fault because of which a text is not read. Its line is in the position.
fn unreadable(place: Place, sentence: &str) -> Finding {
    let numbered = sentence
        .strip_prefix("line ")
        .and_then(|rest| rest.split_once(": "));
    let sentence = match numbered {
        Some((number, rest)) if number.bytes().all(|byte| byte.is_ascii_digit()) => rest,
        _ => sentence,
    };
    Finding::of_sentence(UNREADABLE, place, "", sentence, "correct the text here")
}

fn without_configuration(path: &Path) -> String {
    let path = input::shown(path);
    format!("{path}: no configuration of the gate with providers in it: {WITHOUT_CONFIGURATION}")
}

/// Where configurations are looked for.
pub(crate) const WITHOUT_CONFIGURATION: &str =
    "looked at the whole file, at wasm filters, and at plugins of Istio and Envoy Gateway";
