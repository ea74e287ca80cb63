//! Field paths, and the diagnostics that are reported at them.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use super::report::{Diagnostic, Message};
use crate::formats::printable::quoted;

/// The most errors, and the most warnings, that one reading reports. After so many corrections, it is
/// read again.
const MOST_DIAGNOSTICS: usize = 500;

/// The path of a field in a configuration. Problems are reported to it; all paths of
/// one reading report to the same list.
#[derive(Clone)]
pub(super) struct FieldPath {
    steps: Steps,
    diagnostics: Rc<RefCell<Diagnostics>>,
}

#[derive(Default)]
struct Diagnostics {
    errors: Vec<(Steps, Message)>,
    warnings: Vec<(Steps, Message)>,
}

/// The steps from the whole configuration to a path in it. Ordered, so that a report lists
/// `providers[2]` before `providers[10]`, and all of one provider together.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Steps(Vec<Step>);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Member(String),
    Item(usize),
}

impl FieldPath {
    /// The configuration as a whole, with nothing found yet.
    pub(super) fn whole() -> Self {
        Self {
            steps: Steps::default(),
            diagnostics: Rc::default(),
        }
    }

    /// The member `name` of the object here.
    pub(super) fn member(&self, name: &str) -> Self {
        self.step(Step::Member(name.to_owned()))
    }

    /// The item at `index` of the list here.
    pub(super) fn item(&self, index: usize) -> Self {
        self.step(Step::Item(index))
    }

    /// Reports something that keeps the configuration from being loaded.
    pub(super) fn error(&self, problem: impl Into<String>, hint: impl Into<String>) {
        self.report(Message::new(problem, hint));
    }

    /// Reports a message that was made before the path was known.
    pub(super) fn report(&self, message: Message) {
        let mut diagnostics = self.diagnostics.borrow_mut();
        if diagnostics.errors.len() < MOST_DIAGNOSTICS {
            diagnostics.errors.push((self.steps.clone(), message));
        }
    }

    /// Reports something that is legal and probably not what was meant.
    pub(super) fn warn(&self, problem: impl Into<String>, hint: impl Into<String>) {
        let mut diagnostics = self.diagnostics.borrow_mut();
        if diagnostics.warnings.len() < MOST_DIAGNOSTICS {
            let warning = (self.steps.clone(), Message::new(problem, hint));
            diagnostics.warnings.push(warning);
        }
    }

    /// Whether an error was reported here or further in, so that what follows from it would only
    /// say the same again.
    pub(super) fn has_errors(&self) -> bool {
        let diagnostics = self.diagnostics.borrow();
        let within = |steps: &Steps| steps.0.starts_with(&self.steps.0);
        diagnostics.errors.iter().any(|(steps, _)| within(steps))
    }

    /// Every error of the reading, in the order of the paths.
    pub(super) fn errors(&self) -> Vec<Diagnostic> {
        listed(&self.diagnostics.borrow().errors)
    }

    /// Every warning of the reading, in the order of the paths.
    pub(super) fn warnings(&self) -> Vec<Diagnostic> {
        listed(&self.diagnostics.borrow().warnings)
    }

    /// Takes over what a second reading found beyond the first one: that of the same configuration with the
    /// fields of its shadows in force, which are at these paths.
    pub(super) fn adopt(&self, second: &Self, promoted: &[Self]) {
        let mut diagnostics = self.diagnostics.borrow_mut();
        let second = second.diagnostics.borrow();
        add_new(&mut diagnostics.errors, &second.errors, promoted);
        add_new(&mut diagnostics.warnings, &second.warnings, promoted);
    }

    fn step(&self, step: Step) -> Self {
        let mut path = self.clone();
        path.steps.0.push(step);
        path
    }
}

fn add_new(to: &mut Vec<(Steps, Message)>, found: &[(Steps, Message)], promoted: &[FieldPath]) {
    for (steps, message) in found {
        let mut steps = steps.clone();
        let mut message = message.clone();
        let of_shadow = promoted
            .iter()
            .find(|field| steps.0.starts_with(&field.steps.0));
        if let Some(field) = of_shadow {
            let before = field.steps.0.len().saturating_sub(1);
            steps.0.insert(before, Step::Member("shadow".to_owned()));
        } else if to
            .iter()
            .any(|known| (&known.0, &known.1) == (&steps, &message))
        {
            continue;
        } else {
            message.problem.insert_str(0, "with the shadow in force: ");
        }
        if to.len() < MOST_DIAGNOSTICS {
            to.push((steps, message));
        }
    }
}

fn listed(found: &[(Steps, Message)]) -> Vec<Diagnostic> {
    // A configuration has few faults, and the sort of the standard library takes 12 KB of the module.
    let mut sorted: Vec<&(Steps, Message)> = Vec::with_capacity(found.len());
    for one in found {
        let index = sorted.partition_point(|(path, _)| *path <= one.0);
        sorted.insert(index, one);
    }
    sorted
        .into_iter()
        .map(|(path, message)| Diagnostic {
            path: path.to_string(),
            problem: message.problem.clone(),
            hint: message.hint.clone(),
        })
        .collect()
}

impl fmt::Display for FieldPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps.fmt(formatter)
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Item(index) => write!(formatter, "[{index}]")?,
                Step::Member(name) if !is_plain(name) => write!(formatter, "[{}]", quoted(name))?,
                Step::Member(name) if position == 0 => formatter.write_str(name)?,
                Step::Member(name) => write!(formatter, ".{name}")?,
            }
        }
        Ok(())
    }
}

/// Whether a name needs no quotes in a path.
fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty() && name.len() <= 40 && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_as_in_javascript() {
        let path = FieldPath::whole()
            .member("roles")
            .member("N8N.Admin")
            .item(1);
        assert_eq!(path.to_string(), r#"roles["N8N.Admin"][1]"#);
        let path = FieldPath::whole()
            .member("providers")
            .item(0)
            .member("name");
        assert_eq!(path.to_string(), "providers[0].name");
    }

    #[test]
    fn findings_are_listed_in_the_order_of_their_paths_with_numbers_as_numbers() {
        let whole = FieldPath::whole();
        let providers = whole.member("providers");
        for index in [10, 2] {
            providers.item(index).error("is odd", "make it even");
        }
        whole.member("metrics").error("is odd", "make it even");
        let paths: Vec<_> = whole.errors().into_iter().map(|found| found.path).collect();
        assert_eq!(paths, ["metrics", "providers[2]", "providers[10]"]);
        assert_eq!(whole.warnings(), []);
    }

    #[test]
    fn a_report_has_a_bound() {
        let whole = FieldPath::whole();
        for index in 0..=MOST_DIAGNOSTICS {
            whole.item(index).error("is odd", "make it even");
            whole.item(index).warn("is odd", "make it even");
        }
        assert_eq!(whole.errors().len(), MOST_DIAGNOSTICS);
        assert_eq!(whole.warnings().len(), MOST_DIAGNOSTICS);
    }
}
