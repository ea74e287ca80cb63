//! The demo's output, for a terminal of a hundred columns or a file.

use std::env;
use std::io::{self, IsTerminal};

use serde_json::Value;

use crate::runner::StepResult;
use crate::steps::{Check, Step, Token};

/// The width of all output but commands and addresses.
const WIDTH: usize = 100;

/// The longest body that is shown, in lines.
const BODY: usize = 32;

/// The claims of a token that are shown.
const CLAIMS: [&str; 4] = ["iss", "aud", "client_id", "roles"];

/// The members that identify a workflow.
const WORKFLOW: [&str; 3] = ["id", "name", "active"];

/// Prints the steps, in colours on a terminal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Show {
    colours: bool,
}

#[derive(Clone, Copy)]
enum Colour {
    Bold,
    Dim,
    Green,
    Red,
}

impl Show {
    /// Uses colours on a terminal, unless `NO_COLOR` is set (no-color.org).
    pub(crate) fn new() -> Self {
        let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            colours: io::stdout().is_terminal() && !refused,
        }
    }

    /// A heading over the whole width.
    pub(crate) fn heading(self, text: &str) {
        let rule = WIDTH.saturating_sub(text.chars().count().saturating_add(4));
        let text = format!("── {text} {}", "─".repeat(rule));
        println!("\n{}", self.paint(Colour::Bold, &text));
    }

    /// A name and its value.
    pub(crate) fn entry(self, name: &str, value: &str) {
        println!(
            "  {} {value}",
            self.paint(Colour::Dim, &format!("{name:<20}"))
        );
    }

    /// The command for a token, and its claims.
    pub(crate) fn token(self, token: &Token, claims: &Value) {
        println!(
            "\n{}",
            self.paint(Colour::Dim, &format!("# {}", token.title))
        );
        self.command(token.command);
        let shown: Vec<String> = CLAIMS
            .iter()
            .filter_map(|name| Some(format!("{name}: {}", claims.get(name)?)))
            .collect();
        println!("{}", wrapped(&shown.join(", "), ", ", 2));
    }

    /// A step and its result.
    pub(crate) fn step(self, step: &Step, result: &StepResult) {
        println!();
        self.command(step.command);
        let colour = if step.status < 400 {
            Colour::Green
        } else {
            Colour::Red
        };
        println!("\n{}", self.paint(colour, &result.status_line));
        for (name, value) in shown_headers(step, result) {
            println!("{}", wrapped(&format!("{name}: {value}"), ", ", 4));
        }
        if !result.body.is_null() {
            println!("\n{}", body(&result.body));
        }
        self.record("the gate's audit record", &result.audit);
        if let Some(event) = &result.event {
            self.record("n8n's own event log", event);
        }
        if let Some((variable, value)) = &result.left {
            println!();
            self.command(&format!("{variable}={value}"));
        }
        for fault in &result.faults {
            println!(
                "\n{}",
                self.paint(Colour::Red, &format!("unexpected: {fault}"))
            );
        }
    }

    fn command(self, command: &str) {
        println!("{}", self.paint(Colour::Bold, &format!("$ {command}")));
    }

    fn record(self, what: &str, record: &Value) {
        println!("\n{}", self.paint(Colour::Dim, &format!("# {what}")));
        println!("{}", wrapped(&record.to_string(), ",", 1));
    }

    fn paint(self, colour: Colour, text: &str) -> String {
        let code = match colour {
            Colour::Bold => 1,
            Colour::Dim => 2,
            Colour::Green => 32,
            Colour::Red => 31,
        };
        if self.colours {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// The headers that the step checks, and the content type.
fn shown_headers<'result>(
    step: &Step,
    result: &'result StepResult,
) -> impl Iterator<Item = &'result (String, String)> {
    let checked: Vec<&str> = step
        .checks
        .iter()
        .filter_map(|check| match check {
            Check::Header(name, _) => Some(*name),
            _ => None,
        })
        .chain(["content-type"])
        .collect();
    result
        .headers
        .iter()
        .filter(move |(name, _)| checked.contains(&name.as_str()))
}

/// A body, cut to a page.
fn body(value: &Value) -> String {
    let mut lines = pretty(value, 0);
    let left = lines.len().saturating_sub(BODY);
    if left > 0 {
        lines.truncate(BODY);
        lines.push(format!("… and {left} more lines"));
    }
    for line in &mut lines {
        if line.chars().count() > WIDTH {
            *line = line.chars().take(WIDTH.saturating_sub(1)).collect();
            line.push('…');
        }
    }
    lines.join("\n")
}

/// A value as indented lines, with one line for each workflow.
fn pretty(value: &Value, indent: usize) -> Vec<String> {
    let blanks = " ".repeat(indent);
    let inner = indent.saturating_add(2);
    let (open, close, members) = match value {
        Value::Object(members) if WORKFLOW.iter().all(|name| members.contains_key(*name)) => {
            let shown: Vec<String> = WORKFLOW
                .iter()
                .filter_map(|name| Some(format!("\"{name}\": {}", members.get(*name)?)))
                .collect();
            return vec![format!("{blanks}{{ {}, … }}", shown.join(", "))];
        }
        Value::Object(members) if !members.is_empty() => {
            let members: Vec<Vec<String>> = members
                .iter()
                .map(|(name, value)| named(name, pretty(value, inner), inner))
                .collect();
            ('{', '}', members)
        }
        Value::Array(items) if !items.is_empty() => {
            let items = items.iter().map(|item| pretty(item, inner)).collect();
            ('[', ']', items)
        }
        _ => return vec![format!("{blanks}{value}")],
    };
    let mut lines = vec![format!("{blanks}{open}")];
    let last = members.len();
    for (index, member) in members.into_iter().enumerate() {
        lines.extend(member);
        if index.saturating_add(1) < last {
            if let Some(line) = lines.last_mut() {
                line.push(',');
            }
        }
    }
    lines.push(format!("{blanks}{close}"));
    lines
}

/// The lines of a member, with its name before the first.
fn named(name: &str, mut lines: Vec<String>, indent: usize) -> Vec<String> {
    if let Some(first) = lines.first_mut() {
        *first = format!("{}\"{name}\": {}", " ".repeat(indent), first.trim_start());
    }
    lines
}

/// Breaks a long line after separators; later lines are indented.
fn wrapped(text: &str, separator: &str, indent: usize) -> String {
    let mut lines = Vec::new();
    let mut line = String::new();
    for part in text.split_inclusive(separator) {
        let length = line
            .chars()
            .count()
            .saturating_add(part.trim_end().chars().count());
        if length > WIDTH && !line.trim().is_empty() {
            lines.push(line.trim_end().to_owned());
            line = " ".repeat(indent);
        }
        line.push_str(part);
    }
    lines.push(line);
    lines.join("\n")
}
