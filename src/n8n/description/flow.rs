//! Collections in brackets: JSON, and the same in YAML.

use super::edit::{Requirement, API_KEY, BEARER};

/// A place in a text.
#[derive(Clone, Copy)]
pub(super) struct Flow<'t> {
    text: &'t str,
    pub(super) at: usize,
}

impl<'t> Flow<'t> {
    pub(super) const fn new(text: &'t str, at: usize) -> Self {
        Self { text, at }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.step();
        }
    }

    /// Takes this character, and the space around it.
    fn take(&mut self, wanted: u8) -> Option<()> {
        self.space();
        if self.peek()? != wanted {
            return None;
        }
        self.step();
        self.space();
        Some(())
    }

    /// Takes a text in double quotes, as it is written.
    fn string(&mut self) -> Option<&'t str> {
        if self.peek()? != b'"' {
            return None;
        }
        self.step();
        let start = self.at;
        loop {
            match self.peek()? {
                b'"' => {
                    let text = self.text.get(start..self.at);
                    self.step();
                    return text;
                }
                b'\\' => {
                    self.step();
                    self.step();
                }
                _ => self.step(),
            }
        }
    }

    /// Goes past a value of JSON that is known to be good.
    fn skip(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            self.space();
            match self.peek()? {
                b'"' => {
                    self.string()?;
                }
                b'{' | b'[' => {
                    depth = depth.saturating_add(1);
                    self.step();
                    continue;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    self.step();
                }
                b',' | b':' => {
                    self.step();
                    continue;
                }
                _ => {
                    while !matches!(
                        self.peek(),
                        None | Some(b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n')
                    ) {
                        self.step();
                    }
                }
            }
            if depth == 0 {
                return Some(());
            }
        }
    }

    /// The members of an object of JSON that is known to be good: names as they are written, and where
    /// the values begin.
    pub(super) fn members(mut self) -> Option<Vec<(&'t str, Self)>> {
        let mut members = Vec::new();
        self.take(b'{')?;
        while self.peek()? != b'}' {
            let name = self.string()?;
            self.take(b':')?;
            members.push((name, self));
            self.skip()?;
            self.space();
            if self.peek()? == b',' {
                self.take(b',')?;
            }
        }
        Some(members)
    }

    /// The text of a value; empty if it is none.
    pub(super) fn text(mut self) -> &'t str {
        self.string().unwrap_or_default()
    }

    /// Takes a list of alternatives, each of which is one scheme with a list of scopes. What is there
    /// beside that is not known.
    pub(super) fn requirement(&mut self) -> Option<Requirement> {
        let mut requirement = Requirement {
            api_key_end: None,
            has_bearer: false,
        };
        self.take(b'[')?;
        while self.peek()? != b']' {
            self.alternative(&mut requirement)?;
            self.space();
            if self.peek()? == b',' {
                self.take(b',')?;
            } else if self.peek()? != b']' {
                return None;
            }
        }
        self.step();
        Some(requirement)
    }

    /// Takes `{ApiKeyAuth: []}`, with or without quotes, or `{}`: no credential.
    pub(super) fn alternative(&mut self, requirement: &mut Requirement) -> Option<()> {
        self.take(b'{')?;
        let mut name = "";
        if self.peek()? != b'}' {
            name = self.name()?;
            self.take(b':')?;
            self.take(b'[')?;
            while matches!(self.peek()?, b'"' | b',' | b' ') {
                if self.peek()? == b'"' {
                    self.string()?;
                } else {
                    self.step();
                }
            }
            self.take(b']')?;
        }
        if self.peek()? != b'}' {
            return None;
        }
        self.step();
        requirement.add(name, self.at);
        Some(())
    }

    fn name(&mut self) -> Option<&'t str> {
        let quote = self.peek()?;
        if quote == b'"' {
            return self.string();
        }
        if quote == b'\'' {
            self.step();
        }
        let start = self.at;
        while self
            .peek()
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
        {
            self.step();
        }
        let name = self.text.get(start..self.at);
        if quote == b'\'' {
            if self.peek()? != b'\'' {
                return None;
            }
            self.step();
        }
        name.filter(|name| !name.is_empty())
    }
}

impl Requirement {
    /// An alternative of one scheme, which ends there.
    pub(super) fn add(&mut self, name: &str, end: usize) {
        match name {
            API_KEY => self.api_key_end = self.api_key_end.or(Some(end)),
            BEARER => self.has_bearer = true,
            _ => {}
        }
    }
}
