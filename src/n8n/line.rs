//! The versions of n8n whose public API is known.

/// A minor line of n8n: all versions that differ in the last number alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Line {
    /// n8n 2.41.
    #[default]
    V2_41,
    /// n8n 1.123, the last of n8n 1.
    V1_123,
}

impl Line {
    /// All that are supported, the newest first.
    pub const ALL: [Self; 2] = [Self::V2_41, Self::V1_123];

    /// Its name, as a configuration has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2_41 => "2.41",
            Self::V1_123 => "1.123",
        }
    }

    /// The version of the line that the tables were made for, and that the gate is tested with.
    pub const fn tested_version(self) -> &'static str {
        match self {
            Self::V2_41 => "2.41.1",
            Self::V1_123 => "1.123.81",
        }
    }

    /// The line of a version, which is written with two numbers or with three.
    pub fn of_version(version: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|line| {
            let rest = version.strip_prefix(line.as_str());
            rest.is_some_and(|rest| match rest.strip_prefix('.') {
                None => rest.is_empty(),
                Some(patch) => !patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit()),
            })
        })
    }

    /// Whether the gate can make users there, and sessions for them. An invitation of n8n 1 has no token, and
    /// is accepted in another way.
    pub const fn has_users_of_the_gate(self) -> bool {
        match self {
            Self::V2_41 => true,
            Self::V1_123 => false,
        }
    }

    /// Whether a trigger is served at `/webhook`, `/form` and `/mcp` alike.
    pub const fn shares_triggers(self) -> bool {
        match self {
            Self::V2_41 => false,
            Self::V1_123 => true,
        }
    }
}

/// A set of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lines(u8);

impl Lines {
    /// The set of these lines.
    pub(super) const fn of(mut lines: &[Line]) -> Self {
        let mut bits = 0;
        while let [line, rest @ ..] = lines {
            bits |= bit(*line);
            lines = rest;
        }
        Self(bits)
    }

    /// Whether the line is in the set.
    pub const fn contain(self, line: Line) -> bool {
        self.0 & bit(line) != 0
    }

    /// The lines in the set.
    pub fn iter(self) -> impl Iterator<Item = Line> {
        Line::ALL
            .into_iter()
            .filter(move |line| self.contain(*line))
    }
}

const fn bit(line: Line) -> u8 {
    1 << (line as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_of_the_line_of_its_first_two_numbers() {
        for (version, line) in [
            ("2.41", Some(Line::V2_41)),
            ("2.41.0", Some(Line::V2_41)),
            ("2.41.17", Some(Line::V2_41)),
            ("1.123", Some(Line::V1_123)),
            ("1.123.81", Some(Line::V1_123)),
            ("2.4", None),
            ("2.410", None),
            ("2.41.", None),
            ("2.41.x", None),
            ("2.41.1.1", None),
            ("2.41-rc", None),
            ("2", None),
            ("v2.41", None),
            ("", None),
        ] {
            assert_eq!(Line::of_version(version), line, "{version}");
        }
        for line in Line::ALL {
            assert_eq!(Line::of_version(line.tested_version()), Some(line));
        }
    }

    #[test]
    fn a_set_holds_the_lines_that_it_is_made_of() {
        assert_eq!(Lines::of(&[]).iter().count(), 0);
        for line in Line::ALL {
            assert!(Lines::of(&[line]).iter().eq([line]));
        }
        assert!(Lines::of(&Line::ALL).iter().eq(Line::ALL));
    }
}
