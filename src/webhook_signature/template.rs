//! What a sender signs, as the operator writes it: `{timestamp}.{body}`.

/// One part of what is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// This text.
    Text(String),
    /// The body, as it was sent.
    Body,
    /// The text of the timestamp.
    Timestamp,
    /// The text of the delivery id.
    Id,
    /// The URL as the sender called it.
    Url,
    /// Path and query as they were sent.
    Path,
    /// The method.
    Method,
}

/// What a sender signs, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(pub(super) Vec<Part>);

/// Each part that has a name.
const NAMED: [(&str, Part); 6] = [
    ("body", Part::Body),
    ("timestamp", Part::Timestamp),
    ("id", Part::Id),
    ("url", Part::Url),
    ("path", Part::Path),
    ("method", Part::Method),
];

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// The name in braces that is none, or the brace that stands alone.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (plain, braced) = rest.split_once('{').unwrap_or((rest, ""));
            if plain.contains('}') {
                return Err("}".to_owned());
            }
            if !plain.is_empty() {
                parts.push(Part::Text(plain.to_owned()));
            }
            if plain.len() == rest.len() {
                break;
            }
            let (name, after) = braced.split_once('}').ok_or("{")?;
            let known = NAMED.iter().find(|(known, _)| *known == name);
            let (_, part) = known.ok_or_else(|| format!("{{{name}}}"))?;
            parts.push(part.clone());
            rest = after;
        }
        Ok(Self(parts))
    }

    /// Whether this part is signed.
    pub fn has(&self, part: &Part) -> bool {
        self.0.contains(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_read_in_order() {
        let text = |text: &str| Part::Text(text.to_owned());
        for (template, parts) in [
            ("{body}", vec![Part::Body]),
            (
                "v0:{timestamp}:{body}",
                vec![text("v0:"), Part::Timestamp, text(":"), Part::Body],
            ),
            (
                "{method}{url}{path}{id}.{body}!",
                vec![
                    Part::Method,
                    Part::Url,
                    Part::Path,
                    Part::Id,
                    text("."),
                    Part::Body,
                    text("!"),
                ],
            ),
            ("", vec![]),
        ] {
            assert_eq!(Template::parse(template), Ok(Template(parts)), "{template}");
        }
    }

    #[test]
    fn what_is_no_part_is_named() {
        for (template, fault) in [
            ("{Body}", "{Body}"),
            ("{body }", "{body }"),
            ("{}", "{}"),
            ("{{body}}", "{{body}"),
            ("{body", "{"),
            ("body}", "}"),
            ("{body}}", "}"),
            ("a{", "{"),
        ] {
            assert_eq!(
                Template::parse(template),
                Err(fault.to_owned()),
                "{template}"
            );
        }
    }
}
