//! Text from outside, as logs, audit records and messages may show it.
//!
//! Every character that is not printable is escaped, so that nothing in a token, a path or a file can end
//! a line, move the cursor of a terminal, change the direction of the text (Trojan Source,
//! CVE-2021-42574), or be invisible.

use std::borrow::Cow;

/// Characters that Unicode counts as letters or symbols and that show nothing.
const INVISIBLE: [char; 6] = [
    '\u{115f}',
    '\u{1160}',
    '\u{2800}',
    '\u{3164}',
    '\u{ffa0}',
    '\u{1d159}',
];

/// A text with at most `most` characters, in which everything is printable.
pub fn printable(text: &str, most: usize) -> Cow<'_, str> {
    if is_shown_as_it_is(text.as_bytes(), most) {
        return text.into();
    }
    let mut shown = Shown::new(most);
    shown.text(text);
    shown.out.into()
}

/// The same of bytes, of which those that are no UTF-8 are written as `\xff`.
pub fn printable_bytes(bytes: &[u8], most: usize) -> String {
    if let (true, Ok(text)) = (is_shown_as_it_is(bytes, most), std::str::from_utf8(bytes)) {
        return text.to_owned();
    }
    let mut shown = Shown::new(most);
    for chunk in bytes.utf8_chunks() {
        shown.text(chunk.valid());
        for byte in chunk.invalid() {
            shown.push(format!("\\x{byte:02x}").chars());
        }
    }
    shown.out
}

/// Whether nothing has to be escaped or cut, as in nearly every text.
fn is_shown_as_it_is(bytes: &[u8], most: usize) -> bool {
    bytes.len() <= most && bytes.iter().all(|byte| matches!(byte, b' '..=b'~'))
}

/// The longest part of a text that a message quotes, in characters.
const LONGEST_QUOTE: usize = 80;

/// A text in quotes, cut, and unable to end them.
pub fn quoted(text: &str) -> String {
    quoted_up_to(text, LONGEST_QUOTE)
}

/// The same of a text of which more may be quoted.
pub fn quoted_up_to(text: &str, most: usize) -> String {
    let mut shown = Shown::new(usize::MAX);
    for character in text.chars().take(most) {
        match character {
            '"' | '\\' => shown.push(character.escape_default()),
            _ => shown.character(character),
        }
    }
    let cut = if text.chars().nth(most).is_some() {
        "…"
    } else {
        ""
    };
    format!("\"{}{cut}\"", shown.out)
}

/// What is shown so far.
struct Shown {
    out: String,
    left: usize,
}

impl Shown {
    const fn new(most: usize) -> Self {
        Self {
            out: String::new(),
            left: most,
        }
    }

    fn text(&mut self, text: &str) {
        // An escaped character is longer than one that is not: none beyond these can have room.
        for character in text.chars().take(self.left) {
            self.character(character);
        }
    }

    fn character(&mut self, character: char) {
        if is_printable(character) {
            self.push(std::iter::once(character));
        } else if character.is_ascii_control() {
            self.push(character.escape_default());
        } else {
            self.push(character.escape_unicode());
        }
    }

    /// Adds all of it, or nothing any more.
    fn push(&mut self, characters: impl Iterator<Item = char> + Clone) {
        match self.left.checked_sub(characters.clone().count()) {
            Some(left) => {
                self.left = left;
                self.out.extend(characters);
            }
            None => self.left = 0,
        }
    }
}

/// Whether a character shows itself and nothing else: no control or format character, none that is
/// private or unassigned, no separator but the space, and no mark that joins the one before it.
fn is_printable(character: char) -> bool {
    match character {
        ' '..='~' => true,
        '\0'..='\u{9f}' => false,
        _ => character.escape_debug().count() == 1 && !INVISIBLE.contains(&character),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every kind of character that does something else than show itself.
    const ODD: &[(char, char)] = &[
        // C0, DEL and C1: line ends, the escape of terminals.
        ('\0', '\u{1f}'),
        ('\u{7f}', '\u{9f}'),
        // Spaces of other widths, soft hyphen.
        ('\u{a0}', '\u{a0}'),
        ('\u{ad}', '\u{ad}'),
        // Combining marks.
        ('\u{300}', '\u{36f}'),
        // Bidirectional marks, embeddings, overrides and isolates.
        ('\u{61c}', '\u{61c}'),
        ('\u{200e}', '\u{200f}'),
        ('\u{202a}', '\u{202e}'),
        ('\u{2066}', '\u{2069}'),
        // Without width: joiners, invisible operators, byte order mark.
        ('\u{200b}', '\u{200d}'),
        ('\u{2060}', '\u{2064}'),
        ('\u{180b}', '\u{180e}'),
        ('\u{feff}', '\u{feff}'),
        // Separators of lines and paragraphs.
        ('\u{2028}', '\u{2029}'),
        // Fillers that are letters.
        ('\u{115f}', '\u{1160}'),
        ('\u{3164}', '\u{3164}'),
        ('\u{ffa0}', '\u{ffa0}'),
        ('\u{2800}', '\u{2800}'),
        // Variation selectors, annotations, tags, private use, no characters.
        ('\u{fe00}', '\u{fe0f}'),
        ('\u{fff9}', '\u{fffb}'),
        ('\u{e0001}', '\u{e007f}'),
        ('\u{e0100}', '\u{e01ef}'),
        ('\u{e000}', '\u{e010}'),
        ('\u{ffff}', '\u{ffff}'),
        ('\u{10fffe}', '\u{10ffff}'),
    ];

    #[test]
    fn what_is_not_plainly_printable_is_escaped() {
        for character in ODD.iter().flat_map(|(first, last)| *first..=*last) {
            for shown in [
                printable(&format!("a{character}b"), 512).into_owned(),
                printable_bytes(format!("a{character}b").as_bytes(), 512),
                quoted(&format!("a{character}b")),
            ] {
                let is_plain = shown.bytes().all(|byte| matches!(byte, b' '..=b'~'));
                assert!(
                    is_plain && shown.contains("a\\"),
                    "{character:?}: {shown:?}"
                );
            }
        }
    }

    #[test]
    fn letters_of_every_script_and_plain_text_stay_as_they_are() {
        for text in [
            "CORP\\ada \"x\"",
            "Zoë Müller",
            "Ω",
            "мария",
            "李",
            "שלום",
            "한국",
        ] {
            assert_eq!(printable(text, 512), text);
            assert_eq!(printable_bytes(text.as_bytes(), 512), text);
        }
        assert_eq!(printable("a\n\x1b\u{85}", 512), "a\\n\\u{1b}\\u{85}");
        assert_eq!(printable_bytes(b"/a\xff\xc3b", 512), "/a\\xff\\xc3b");
    }

    #[test]
    fn what_is_shown_has_a_bound_and_no_escape_is_cut() {
        for (most, expected) in [(5, "abcde"), (6, "abcdef"), (7, "abcdef")] {
            assert_eq!(printable("abcdef", most), expected);
            assert_eq!(printable_bytes(b"abcdef", most), expected);
        }
        assert_eq!(printable("ab\u{202e}c", 8), "ab");
        assert_eq!(printable("ab\u{202e}c", 10), "ab\\u{202e}");
        assert_eq!(printable_bytes(b"ab\xff\xff", 6), "ab\\xff");
        assert_eq!(printable(&"\u{202e}".repeat(1000), 512).len(), 512);
    }

    #[test]
    fn a_long_value_is_cut_and_a_line_break_cannot_leave_its_quotes() {
        assert_eq!(quoted("a\nb\u{202e}\"\\c"), r#""a\nb\u{202e}\"\\c""#);
        assert_eq!(quoted(&"x".repeat(80)), format!("\"{}\"", "x".repeat(80)));
        assert_eq!(quoted(&"x".repeat(81)), format!("\"{}…\"", "x".repeat(80)));
    }
}
