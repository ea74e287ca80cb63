//! What the commands find in files: each finding has a rule, a position, a field path, and what to do.

pub(crate) mod rules;

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use n8n_idp_gate::config::yaml::{Position, Positions};
use n8n_idp_gate::formats::printable::printable;

pub(crate) use self::rules::Rule;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    /// The gate would not work, or would not protect.
    Error,
    /// It is legal, and probably not meant.
    Warning,
}

impl Severity {
    /// The word for it in each format.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A finding of a check, before its position is looked up.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) rule: &'static Rule,
    /// The place in the file.
    pub(crate) place: Place,
    /// The field path that messages show. Empty: the whole.
    pub(crate) path: String,
    /// What is wrong, without a full stop.
    pub(crate) message: String,
    /// What to do, without a full stop.
    pub(crate) hint: String,
}

impl Finding {
    /// A finding with a sentence that may have a hint in it.
    pub(crate) fn of_sentence(
        rule: &'static Rule,
        place: Place,
        path: &str,
        sentence: &str,
        otherwise: &str,
    ) -> Self {
        let (message, hint) = sentence
            .split_once(". Hint: ")
            .unwrap_or((sentence, otherwise));
        Self {
            rule,
            place,
            path: path.to_owned(),
            message: message.to_owned(),
            hint: hint.trim_end_matches('.').to_owned(),
        }
    }
}

/// A finding within a configuration, at a field path of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) rule: &'static Rule,
    /// The field path. Empty: the configuration as a whole.
    pub(crate) path: String,
    pub(crate) message: String,
    pub(crate) hint: String,
}

impl Fault {
    pub(crate) fn new(
        rule: &'static Rule,
        path: impl Into<String>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            rule,
            path: path.into(),
            message: message.into(),
            hint: hint.into(),
        }
    }

    /// A fault with a sentence that has a hint in it.
    pub(crate) fn of_sentence(rule: &'static Rule, path: &str, sentence: &str) -> Self {
        let (message, hint) = sentence.split_once(". Hint: ").unwrap_or((sentence, ""));
        Self::new(rule, path, message, hint.trim_end_matches('.'))
    }
}

/// A place in a file.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// A value, by the number of its document and the names and numbers that lead to it there.
    Value(usize, Vec<String>),
    /// A position.
    Position(Position),
}

impl Place {
    /// The first character.
    pub(crate) const START: Self = Self::Position(Position { line: 1, column: 1 });
}

/// A finding with its position.
#[derive(Clone, Debug)]
pub(crate) struct Diagnostic {
    pub(crate) rule: &'static Rule,
    pub(crate) severity: Severity,
    /// The file, as messages show it.
    pub(crate) file: Rc<str>,
    pub(crate) position: Position,
    pub(crate) path: String,
    pub(crate) message: String,
    pub(crate) hint: String,
}

/// The longest path that is shown, in characters.
const LONGEST_PATH: usize = 500;

/// The longest sentence that is shown, in characters.
const LONGEST_SENTENCE: usize = 1000;

/// Looks up the positions of findings in the text of their file, and puts them in the order of the file.
/// Everything in the result is printable.
pub(crate) fn located(findings: Vec<Finding>, file: &Rc<str>, text: &str) -> Vec<Diagnostic> {
    let mut documents: BTreeMap<usize, Positions> = BTreeMap::new();
    for finding in &findings {
        if let Place::Value(document, steps) = &finding.place {
            documents.entry(*document).or_default().add(steps);
        }
    }
    for (document, positions) in &mut documents {
        positions.find(text, *document);
    }
    let position = |place: &Place| match place {
        Place::Position(position) => Some(*position),
        Place::Value(document, steps) => documents.get(document)?.position(steps),
    };
    let located = findings.into_iter().map(|finding| Diagnostic {
        rule: finding.rule,
        severity: finding.rule.severity,
        file: Rc::clone(file),
        position: position(&finding.place).unwrap_or(Position { line: 1, column: 1 }),
        path: printable(&finding.path, LONGEST_PATH).into_owned(),
        message: printable(&finding.message, LONGEST_SENTENCE).into_owned(),
        hint: printable(&finding.hint, LONGEST_SENTENCE).into_owned(),
    });
    let mut located: Vec<_> = located.collect();
    located.sort_by_key(|one| (one.position.line, one.position.column));
    located
}

/// The position, the field and the sentences.
impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.position;
        write!(formatter, "{}:{line}:{column}: ", self.file)?;
        if !self.path.is_empty() {
            write!(formatter, "{}: ", self.path)?;
        }
        let end = if self.hint.ends_with('?') { "" } else { "." };
        write!(formatter, "{}. Hint: {}{end}", self.message, self.hint)
    }
}
