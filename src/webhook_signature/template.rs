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

    /// The text that follows the id, in which the id must not have a share: bytes could move from it.
    pub(super) fn after_id(&self) -> Option<&str> {
        let at = self.0.iter().position(|part| *part == Part::Id)?;
        match self.0.get(at.saturating_add(1)) {
            Some(Part::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Whether the id stands beside another part without a text between them: bytes could move from one to
    /// the other, and the signature would stay good.
    pub fn has_id_without_borders(&self) -> bool {
        let is_id = |part: &Part| *part == Part::Id;
        let is_text = |part: &Part| matches!(part, Part::Text(_));
        self.0.windows(2).any(|pair| match pair {
            [one, other] => is_id(one) && !is_text(other) || is_id(other) && !is_text(one),
            _ => false,
        })
    }

    /// Whether the body stands behind the URL without a text between them. Some senders sign so.
    pub fn joins_url_and_body(&self) -> bool {
        let mut pairs = self.0.windows(2);
        pairs.any(|pair| matches!(pair, [Part::Url | Part::Path, Part::Body]))
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
    fn parts_between_which_bytes_could_move_are_found() {
        for (template, id, url) in [
            ("{id}.{timestamp}.{body}", false, false),
            ("{timestamp}{body}", false, false),
            ("{method}{url}\n{body}", false, false),
            ("{id}{body}", true, false),
            ("{timestamp}{id}.{body}", true, false),
            ("{url}{body}", false, true),
            ("{method}{path}{body}", false, true),
        ] {
            let parsed = Template::parse(template).unwrap();
            assert_eq!(parsed.has_id_without_borders(), id, "{template}");
            assert_eq!(parsed.joins_url_and_body(), url, "{template}");
        }
        let after = |template| {
            Template::parse(template)
                .unwrap()
                .after_id()
                .map(str::to_owned)
        };
        assert_eq!(after("{id}:{body}").as_deref(), Some(":"));
        assert_eq!(after("{body}:{id}"), None);
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
