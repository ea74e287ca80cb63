//! Shapes as the reference documentation writes them.

use std::fmt;

use crate::config::duration::format_duration;
use crate::config::shape::Shape;
use crate::config::size::format_size;

impl fmt::Display for Shape {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => out.write_str("boolean"),
            Self::True => out.write_str("`true`"),
            Self::Text(syntax) => link_to_syntax(out, syntax.name),
            Self::Choice(words) => {
                let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
                out.write_str(&words.join(" \\| "))
            }
            Self::Duration { min, max } => {
                link_to_syntax(out, "duration")?;
                let (min, max) = (format_duration(*min), format_duration(*max));
                write!(out, ", {min} to {max}")
            }
            Self::Size { min, max } => {
                link_to_syntax(out, "size")?;
                write!(out, ", {} to {}", format_size(*min), format_size(*max))
            }
            Self::Scalar => link_to_syntax(out, "claim value"),
            Self::ClaimPath => link_to_syntax(out, "claim path"),
            Self::Scope => link_to_syntax(out, "n8n scope"),
            Self::Secret => link_to_syntax(out, "secret"),
            Self::KeySet => out.write_str("JWK set, as a map or as JSON in a string"),
            Self::OneOrMany(item) => write!(out, "{item}, or a list of them"),
            Self::List { item, .. } => write!(out, "list of {item}"),
            Self::Map(value) => write!(out, "map of {value}"),
            Self::Section(title) => write!(out, "[{title}](#{})", anchor(title)),
            Self::Part { of, .. } => write!(out, "fields of [{of}](#{})", anchor(of)),
            Self::Either(one, other) => write!(out, "{one}; or a {other}"),
        }
    }
}

fn link_to_syntax(out: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    write!(out, "[{name}](#syntaxes)")
}

/// The anchor of a heading, by the rules of GitHub.
fn anchor(title: &str) -> String {
    let lower = title.to_ascii_lowercase().replace(' ', "-");
    let kept = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    lower.chars().filter(kept).collect()
}
