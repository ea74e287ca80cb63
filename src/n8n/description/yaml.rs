//! YAML in blocks, as n8n writes it.
//!
//! What is below a name is indented more than the name. So the lines with the indentation of a block are
//! its members, whatever is in texts of several lines below them.

use super::edit::{is_method, Edit, Requirement, API_KEY, BEARER};
use super::flow::Flow;

/// The most members of a block whose names are compared with each other. n8n has some hundred paths.
const MAX_MEMBERS: usize = 1_000;

/// Lines of a text, one below the other.
#[derive(Clone, Copy)]
struct Block<'t> {
    text: &'t str,
    from: usize,
    to: usize,
}

/// A line that is neither empty nor a comment.
#[derive(Clone, Copy)]
struct Line<'t> {
    /// Where it begins.
    start: usize,
    /// Where the next one begins.
    next: usize,
    indent: usize,
    /// Without indentation and line end.
    content: &'t str,
}

/// A member of a block.
struct Member<'t> {
    name: &'t str,
    /// What is on the line of its name, without a comment; not if it is longer than the line.
    value: &'t str,
    line: Line<'t>,
    below: Block<'t>,
}

pub(super) fn edit(edit: &mut Edit<'_>) -> Option<()> {
    // A carriage return alone ends a line in YAML, too.
    let mut returns = edit.text.split('\r').skip(1);
    returns.all(|rest| rest.starts_with('\n')).then_some(())?;
    let whole = Block {
        text: edit.text,
        from: if edit.text.starts_with('\u{feff}') {
            3
        } else {
            0
        },
        to: edit.text.len(),
    };
    let members = whole.without_mark().members()?;
    let named = |name| members.iter().find(|member| member.name == name);
    let is_known = unquoted(named("openapi")?.value).starts_with("3.");
    is_known.then_some(())?;
    if let Some(security) = named("security") {
        requirement(edit, security)?;
    }
    paths(edit, named("paths")?.block()?)?;
    components(edit, named("components")?.block()?)
}

fn paths(edit: &mut Edit<'_>, paths: Block<'_>) -> Option<()> {
    for path in paths.members()? {
        for member in path.block()?.members()? {
            if is_method(member.name) {
                for member in member.block()?.members()? {
                    if member.name == "security" {
                        requirement(edit, &member)?;
                    }
                }
            } else if member.name == "$ref" {
                return None;
            }
        }
    }
    Some(())
}

/// The requirement of an operation, or of all that have none.
fn requirement(edit: &mut Edit<'_>, member: &Member<'_>) -> Option<()> {
    let Member { line, below, .. } = member;
    if !member.value.is_empty() {
        let start = line.next.min(below.text.len());
        let value = below.text.get(line.start..start)?.find('[')?;
        let mut flow = Flow::new(below.text, line.start.checked_add(value)?);
        member.value.starts_with('[').then_some(())?;
        let requirement = flow.requirement()?;
        // Nothing follows before the next member.
        let rest = below.text.get(flow.at..below.to)?;
        let is_end =
            |line: &str| line.trim_ascii().is_empty() || line.trim_ascii().starts_with('#');
        rest.lines().all(is_end).then_some(())?;
        edit.require(&requirement, format!(", {{\"{BEARER}\": []}}"));
        return Some(());
    }
    let mut requirement = Requirement {
        api_key_end: None,
        has_bearer: false,
    };
    let mut last = *line;
    let mut api_key = None;
    for item in below.lines() {
        let text = item.content.strip_prefix("- ")?;
        if last.start != line.start && item.indent != last.indent {
            return None;
        }
        last = item;
        let text = text.trim_start_matches(' ');
        if text.starts_with('{') {
            let mut flow = Flow::new(text, 0);
            flow.alternative(&mut requirement)?;
            without_comment(text.get(flow.at..)?)
                .is_empty()
                .then_some(())?;
        } else {
            let (name, value) = named(text)?;
            (value.starts_with('[') && value.ends_with(']')).then_some(())?;
            requirement.add(name, item.next);
        }
        if requirement.api_key_end.is_some() && api_key.is_none() {
            api_key = Some(item);
        }
    }
    let item = api_key.unwrap_or(last);
    requirement.api_key_end = requirement.api_key_end.map(|_| item.next);
    let indent = " ".repeat(item.indent);
    let alternative = item.and_below(below.text, &format!("{indent}- {BEARER}: []"));
    edit.require(&requirement, alternative);
    Some(())
}

fn components(edit: &mut Edit<'_>, components: Block<'_>) -> Option<()> {
    let schemes = components.members()?.into_iter();
    let mut schemes = schemes.filter(|member| member.name == "securitySchemes");
    let schemes = schemes.next()?.block()?.members()?;
    let scheme = |name| schemes.iter().find(|member| member.name == name);
    let api_key = scheme(API_KEY)?;
    let known = scheme(BEARER);
    let members = match known {
        Some(bearer) => bearer.block()?.members()?,
        None => api_key.block()?.members()?,
    };
    // Members of the new scheme are written like those of the old one.
    let first = members.first()?.line;
    let values = members.iter().filter(|_| known.is_some());
    let values = values.map(|member| (member.name, unquoted(member.value)));
    let missing = edit.missing(&values)?;
    let before = known.map_or(api_key.line, |_| first);
    let mut text = String::new();
    let mut add = |indent: usize, content: String| {
        let line = format!("{}{content}", " ".repeat(indent));
        text.push_str(&before.and_below(components.text, &line));
    };
    if known.is_none() {
        add(before.indent, format!("{BEARER}:"));
    }
    for (name, value) in missing {
        add(first.indent, format!("{name}: {value}"));
    }
    edit.insert(before.start, text);
    Some(())
}

impl<'t> Block<'t> {
    /// What follows a mark of the beginning of a document.
    fn without_mark(self) -> Self {
        let first = self.lines().next();
        let mark = first.filter(|line| line.content == "---");
        let from = mark.map_or(self.from, |line| line.next);
        Self { from, ..self }
    }

    /// Its lines, but for empty ones and comments.
    fn lines(self) -> impl Iterator<Item = Line<'t>> {
        let text = self.text.get(self.from..self.to).unwrap_or_default();
        let mut next = self.from;
        text.split_inclusive('\n').filter_map(move |whole| {
            let start = next;
            next = next.saturating_add(whole.len());
            let unindented = whole.trim_start_matches(' ');
            let content = unindented.trim_ascii_end();
            if content.is_empty() || content.starts_with('#') {
                return None;
            }
            // Tabs indent nothing. Such a line can be part of a text above it, and no member.
            let indent = if content.starts_with('\t') {
                usize::MAX
            } else {
                whole.len().saturating_sub(unindented.len())
            };
            Some(Line {
                start,
                next,
                indent,
                content,
            })
        })
    }

    /// Its members. `None`: it has something else, or one of them twice.
    fn members(self) -> Option<Vec<Member<'t>>> {
        let mut members: Vec<Member<'t>> = Vec::new();
        let mut indent = None;
        for line in self.lines() {
            let own = *indent.get_or_insert(line.indent);
            let is_item = line.content == "-" || line.content.starts_with("- ");
            if line.indent > own || (is_item && line.indent == own && !members.is_empty()) {
                members.last_mut()?.below.to = line.next;
                continue;
            }
            if line.indent < own {
                return None;
            }
            let (name, value) = named(line.content)?;
            let is_twice = members.iter().any(|member| member.name == name);
            if is_twice || members.len() >= MAX_MEMBERS {
                return None;
            }
            members.push(Member {
                name,
                value,
                line,
                below: Block {
                    text: self.text,
                    from: line.next,
                    to: line.next,
                },
            });
        }
        Some(members)
    }
}

impl<'t> Member<'t> {
    /// The block below its name, where its value is one.
    fn block(&self) -> Option<Block<'t>> {
        self.value.is_empty().then_some(self.below)
    }
}

impl Line<'_> {
    /// A line like this one, with its line end. Where the text ends without one, the line before gets it.
    fn and_below(&self, text: &str, content: &str) -> String {
        let own = text.get(self.start..self.next).unwrap_or_default();
        if own.ends_with("\r\n") {
            format!("{content}\r\n")
        } else if own.ends_with('\n') {
            format!("{content}\n")
        } else {
            format!("\n{content}")
        }
    }
}

/// The name of a member and what follows it on the line. `None`: it is written in another way.
fn named(content: &str) -> Option<(&str, &str)> {
    let (name, rest) = match content.as_bytes().first()? {
        quote @ (b'"' | b'\'') => {
            let quote = char::from(*quote);
            let (name, rest) = content.get(1..)?.split_once(quote)?;
            let is_plain = !name.contains('\\');
            (name, rest.strip_prefix(':').filter(|_| is_plain)?)
        }
        // An anchor, an alias, a tag, a collection in brackets, an item, a mark or a directive.
        b'&' | b'*' | b'!' | b'{' | b'[' | b'?' | b'-' | b'%' | b'<' | b'|' | b'>' | b'@'
        | b'`' | b'.' => {
            return None;
        }
        _ => match content.split_once(": ") {
            Some(parts) => parts,
            None => (content.strip_suffix(':')?, ""),
        },
    };
    if !rest.is_empty() && !rest.starts_with([' ', '\t']) && content.starts_with(['"', '\'']) {
        return None;
    }
    let is_plain = !name.contains(" #") && !name.contains(['\t']);
    is_plain.then_some((name.trim_end_matches(' '), without_comment(rest)))
}

/// A value without the comment behind it. A `#` in quotes ends it, too: no value that is looked at has one.
fn without_comment(value: &str) -> &str {
    let value = value.trim_ascii();
    if value.starts_with('#') {
        return "";
    }
    let value = value.split_once(" #").map_or(value, |(value, _)| value);
    value.trim_ascii_end()
}

fn unquoted(value: &str) -> &str {
    value.trim_matches(['"', '\''])
}
