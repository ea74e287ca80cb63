//! Where in a text values are: for messages that name a line and a column.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, Span};

/// A position in a text. Both numbers begin with 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

impl Position {
    fn of(span: Span) -> Self {
        Self {
            line: span.start.line(),
            column: span.start.col().saturating_add(1),
        }
    }
}

/// The values whose positions are looked for. They are found in one pass over the text, however many they
/// are.
#[derive(Debug)]
pub struct Positions {
    /// The first is the document itself.
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    /// The members and items below, by their names and numbers.
    below: BTreeMap<String, usize>,
    position: Option<Position>,
}

/// A collection in which the pass is, and its node if something below it is looked for.
enum Open {
    List(Option<usize>, usize),
    Map(Option<usize>, Next),
}

/// What comes next in a map.
enum Next {
    Name,
    /// The value of a member, with its node if something in it is looked for.
    Value(Option<usize>),
}

impl Default for Positions {
    fn default() -> Self {
        Self {
            nodes: vec![Node::default()],
        }
    }
}

impl Positions {
    /// Adds a value, by the names and numbers that lead to it.
    pub fn add(&mut self, steps: &[String]) {
        let mut at = 0;
        for step in steps {
            let next = self.nodes.len();
            let Some(node) = self.nodes.get_mut(at) else {
                return;
            };
            at = *node.below.entry(step.clone()).or_insert(next);
            if at == next {
                self.nodes.push(Node::default());
            }
        }
    }

    /// The position of a value that was added, or of the innermost one around it that the text has.
    pub fn position(&self, steps: &[String]) -> Option<Position> {
        let mut node = self.nodes.first()?;
        let mut position = node.position;
        for step in steps {
            let below = node.below.get(step).and_then(|at| self.nodes.get(*at));
            let Some(below) = below.filter(|below| below.position.is_some()) else {
                break;
            };
            node = below;
            position = node.position;
        }
        position
    }

    /// Looks for the values in the document of this number. A member is where its name is.
    pub fn find(&mut self, text: &str, document: usize) {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut open: Vec<Open> = Vec::new();
        let mut number = 0_usize;
        for event in Parser::new_from_str(text) {
            let Ok((event, span)) = event else { return };
            let is_here = number == document;
            match event {
                Event::DocumentEnd => number = number.saturating_add(1),
                Event::Scalar(text, ..) if is_here => self.scalar(&mut open, &text, span),
                Event::Alias(_) if is_here => {
                    self.value(&mut open, span);
                }
                Event::SequenceStart(..) if is_here => {
                    let node = self.value(&mut open, span);
                    open.push(Open::List(node, 0));
                }
                Event::MappingStart(..) if is_here => {
                    let node = self.value(&mut open, span);
                    open.push(Open::Map(node, Next::Name));
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    open.pop();
                }
                _ => {}
            }
        }
    }

    /// Takes the name of a member, or a value.
    fn scalar(&mut self, open: &mut [Open], text: &str, span: Span) {
        let Some(Open::Map(node, next @ Next::Name)) = open.last_mut() else {
            self.value(open, span);
            return;
        };
        let below = node.and_then(|node| self.below(node, text));
        *next = Next::Value(below);
        self.found(below, span);
    }

    /// Takes the beginning of a value, and gives its node.
    fn value(&mut self, open: &mut [Open], span: Span) -> Option<usize> {
        match open.last_mut() {
            None => {
                self.found(Some(0), span);
                Some(0)
            }
            Some(Open::Map(_, next)) => match std::mem::replace(next, Next::Name) {
                Next::Value(node) => node,
                Next::Name => None,
            },
            Some(Open::List(node, index)) => {
                let item = index.to_string();
                *index = index.saturating_add(1);
                let below = node.and_then(|node| self.below(node, &item));
                self.found(below, span);
                below
            }
        }
    }

    fn below(&self, node: usize, step: &str) -> Option<usize> {
        self.nodes.get(node)?.below.get(step).copied()
    }

    fn found(&mut self, node: Option<usize>, span: Span) {
        if let Some(node) = node.and_then(|node| self.nodes.get_mut(node)) {
            node.position.get_or_insert(Position::of(span));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(path: &str) -> Vec<String> {
        let steps = path.split('/').filter(|step| !step.is_empty());
        steps.map(str::to_owned).collect()
    }

    #[test]
    fn a_value_has_the_position_of_its_name_or_of_its_first_character() {
        let text = "x: 1\n---\na:\n  - b: {c: 1, d: [2,\n      3]}\n  - é: \"q\"\n    e: 1\n";
        for (path, line, column) in [
            ("", 3, 1),
            ("/a", 3, 1),
            ("/a/0", 4, 5),
            ("/a/0/b", 4, 5),
            ("/a/0/b/c", 4, 9),
            ("/a/0/b/d/1", 5, 7),
            ("/a/1/e", 7, 5),
            // What the text does not have is where the object around it is.
            ("/a/1/f/g", 6, 5),
            ("/a/7", 3, 1),
            ("/z", 3, 1),
        ] {
            let mut positions = Positions::default();
            positions.add(&steps(path));
            positions.find(text, 1);
            let position = Some(Position { line, column });
            assert_eq!(positions.position(&steps(path)), position, "{path}");
        }
    }

    #[test]
    fn many_values_are_found_in_one_pass() {
        let mut positions = Positions::default();
        let paths = ["/a/0", "/a/2", "/b/c"].map(steps);
        for path in &paths {
            positions.add(path);
        }
        positions.find("a: [1, 2,\n  3]\nb: {c: x}\n", 0);
        let lines = paths.map(|path| positions.position(&path).map(|position| position.line));
        assert_eq!(lines, [Some(1), Some(2), Some(3)]);
    }

    #[test]
    fn a_text_that_is_no_yaml_has_what_comes_before_the_fault() {
        let mut positions = Positions::default();
        positions.add(&steps("/a"));
        positions.find("a: 1\nb: [\n", 0);
        assert_eq!(positions.position(&steps("/a")).map(|at| at.line), Some(1));
        assert_eq!(Positions::default().position(&[]), None);
    }
}
