//! Characters that programs read differently.

use super::fault::YamlFault;
use super::reader::Reader;

/// Refuses characters that programs read differently: yaml-cpp stops at some, go-yaml breaks lines at
/// others or fails, and a carriage return alone is a line break to some.
pub(super) fn clean(text: &str, reader: Reader) -> Result<(), YamlFault> {
    let mut is_before_all = true;
    for (number, line) in (1_usize..).zip(text.split('\n')) {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let is_odd = |letter: char| match letter {
            '\t' => false,
            '\0'..='\u{1f}' | '\u{feff}' => true,
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' => reader == Reader::Kubernetes,
            _ => false,
        };
        if line.contains(is_odd) {
            return Err(YamlFault::Character(number));
        }
        let version = line.strip_prefix("%YAML").map(str::trim_start);
        let is_empty = line.trim_matches([' ', '\t']).is_empty();
        let stops = (is_empty && line.contains('\t'))
            || version.is_some_and(|version| !version.starts_with("1."))
            || (is_before_all && line.starts_with("..."));
        if stops && reader != Reader::Kubernetes {
            return Err(YamlFault::Stops(number));
        }
        is_before_all &= is_empty || line.starts_with('#');
    }
    Ok(())
}

/// Whether a text in double quotes has one of these after a backslash.
pub(super) fn has_escape(written: &[char], escapes: [char; 2]) -> bool {
    let mut written = written.iter();
    while let Some(letter) = written.next() {
        if *letter == '\\' && written.next().is_some_and(|next| escapes.contains(next)) {
            return true;
        }
    }
    false
}
